"""From the name of a planner, or the path of a checkpoint, to something that acts in an environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..envs.perception.detector import Detector, OracleDetector, check_detector, things_in
from ..envs.robot_env import RobotEnv
from ..robots.errors import BadInput, UnknownName
from .actor import Actor

Info = dict[str, Any]

LLMS = ("rules", "openai")
"""Writers of language programs: our grammar, which needs no network, or an endpoint of OpenAI's protocol."""


@dataclass(frozen=True)
class PolicyOptions:
    """How a planner is set up.

    detector_folder: of open-vocabulary models. cache: folder where a model's replies are kept. realtime: whether the
    planner thinks beside a moving arm. random_steps: actions at the start of each episode that are left to chance.
    """

    llm: str = "rules"
    detector: str = "oracle"
    detector_folder: Path | None = None
    cache: Path | None = None
    seed: int = 0
    realtime: bool = False
    random_steps: int = 0


def load_policy(name: str, env: RobotEnv, options: PolicyOptions | None = None) -> Actor:
    """The actor `name` in `env`.

    Raises UnknownName for a name, a language model or a detector that does not exist, BadInput for a negative count.
    """
    if name not in POLICIES:
        raise UnknownName("policy", name, POLICIES)
    options = options or PolicyOptions()
    if options.random_steps < 0:
        raise BadInput(f"random steps are 0 or more, not {options.random_steps}")
    actor = POLICIES[name](env, options)
    return RandomStart(actor, RandomActor(env, options), options.random_steps) if options.random_steps else actor


class RandomActor:
    """Uniformly random actions: the floor under every success rate."""

    def __init__(self, env: RobotEnv, options: PolicyOptions) -> None:
        self._space = env.action_space
        self._space.seed(options.seed)

    def reset(self, obs: dict[str, Any], info: Info) -> None:
        """Nothing depends on the episode."""

    def act(self, obs: dict[str, Any]) -> Any:
        """Draw an action."""
        return self._space.sample()


class RandomStart:
    """Leaves the first `steps` actions of each episode to `chance`: does `actor` find its way from there?"""

    def __init__(self, actor: Actor, chance: Actor, steps: int) -> None:
        self._actor, self._chance, self._steps = actor, chance, steps
        self._left = steps

    def reset(self, obs: dict[str, Any], info: Info) -> None:
        """Begin an episode, again with random actions."""
        self._left = self._steps
        self._actor.reset(obs, info)

    def act(self, obs: dict[str, Any]) -> Any:
        """A random action while some are left, then the actor's."""
        self._left -= 1
        return (self._chance if self._left >= 0 else self._actor).act(obs)

    @property
    def finished(self) -> bool:
        """Whether the actor says that it is."""
        return bool(getattr(self._actor, "finished", False))

    @property
    def reason(self) -> str:
        """The actor's, of why it failed."""
        return str(getattr(self._actor, "reason", ""))


def _voxposer(env: RobotEnv, options: PolicyOptions) -> Actor:
    from ..planners.voxposer import voxposer

    model, detector = _language_model(options), _detector(options)
    return voxposer(env, model, detector, realtime=options.realtime, seed=options.seed)


def _scripted(env: RobotEnv, options: PolicyOptions) -> Actor:
    from ..envs.expert import ScriptedExpert
    from ..envs.tabletop.env import TabletopEnv

    if not isinstance(env, TabletopEnv):
        raise BadInput("only tabletop environments have a scripted expert")
    return ScriptedExpert(env)


POLICIES: dict[str, Callable[[RobotEnv, PolicyOptions], Actor]] = {
    "voxposer": _voxposer,
    "scripted": _scripted,
    "random": RandomActor,
}


def _language_model(options: PolicyOptions) -> Any:
    from ..planners.language.cache import CachedModel
    from ..planners.language.model import OpenAIModel
    from ..planners.language.rules import RulesModel

    if options.llm not in LLMS:
        raise UnknownName("language model", options.llm, LLMS)
    if options.llm == "rules":
        return RulesModel()
    model = OpenAIModel()
    return model if options.cache is None else CachedModel(model, options.cache)


def _detector(options: PolicyOptions) -> Callable[[Info], Detector]:
    """Makes the detector of an episode from the info of its reset."""
    if check_detector(options.detector) == "oracle":
        return lambda info: OracleDetector(info["objects"])
    from ..envs.perception.open_vocabulary import OpenVocabularyDetector, VisionModels

    if options.detector_folder is None:
        raise BadInput(
            "the detector 'open-vocabulary' needs --detector-folder, a folder with the models boxes/ and masks/"
        )
    models = VisionModels.load(options.detector_folder)
    return lambda info: OpenVocabularyDetector(models, things_in(info["objects"]))
