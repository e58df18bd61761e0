"""From the name of a planner, or the path of a checkpoint, to something that acts in an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
from gymnasium.spaces import Discrete

from ..envs import tabletop
from ..envs.perception.detector import Detector, OracleDetector, check_detector, things_in
from ..envs.policy_env import Recipe, check_env, policy_env, recipe_for
from ..envs.robot_env import RobotEnv
from ..robots.errors import BadInput, UnknownName
from .actor import Actor, FromRobot, PolicyActor, RandomActor, RandomStart
from .checkpoint import read_policy
from .spaces import difference

if TYPE_CHECKING:
    from .agent import Agent, AgentConfig

Info = dict[str, Any]
Env = gymnasium.Env[Any, Any]

ALGORITHMS = {
    "td3": {"box": "td3:TD3"},
    "dqn": {"discrete": "dqn:DQN"},
    "pvp": {"box": "pvp:PVP", "discrete": "pvp:DiscretePVP"},
    "bc": {"box": "bc:BC", "discrete": "bc:BC"},
    "hg-dagger": {"box": "hg_dagger:HGDagger", "discrete": "hg_dagger:HGDagger"},
    "iwr": {"box": "iwr:IWR", "discrete": "iwr:IWR"},
    "deep-tamer": {"box": "deep_tamer:DeepTamer", "discrete": "deep_tamer:DeepTamer"},
}
"""Name of each learning algorithm, and for each kind of action its class; the class's config is beside it."""

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


def load_policy(name: str | Path, env: Env, options: PolicyOptions | None = None) -> Actor:
    """The actor `name` in `env`: one of `POLICIES`, or the policy of the checkpoint or run at that path.

    Raises UnknownName for a name, a language model or a detector that does not exist, BadInput for a negative count and
    for a checkpoint of another observation or action space than the environment's.
    """
    options = options or PolicyOptions()
    if options.random_steps < 0:
        raise BadInput(f"random steps are 0 or more, not {options.random_steps}")
    if name in POLICIES:
        actor = POLICIES[str(name)](env, options)
    elif Path(name).exists():
        actor = PolicyActor(load_agent(Path(name), env))
    else:
        raise UnknownName("policy", str(name), [*POLICIES, "the path of a checkpoint"])
    if not options.random_steps:
        return actor
    return RandomStart(actor, RandomActor(env.action_space, options.seed), options.random_steps)


def load_agent(path: Path, env: Env, *, device: str = "auto") -> Agent:
    """The agent of the newest checkpoint at `path`. Raises BadInput if `env` has other spaces, naming both sides."""
    header, state = read_policy(path)
    for name in ("observation_space", "action_space"):
        if differs := difference(getattr(header, name), getattr(env, name)):
            raise BadInput(f"{path} was trained on another {name.replace('_', ' ')} than this environment's: {differs}")
    kind, config_kind = algorithm(header.algorithm, header.action_space)
    config = _restored(config_kind, header.config)
    agent = kind(header.observation_space, header.action_space, config, device=device)
    agent.load_state_dict(state)
    return agent


def algorithm(name: str, action_space: gymnasium.Space[Any]) -> tuple[Callable[..., Agent], type[AgentConfig]]:
    """Class and configuration class of an algorithm in the form that the actions ask for.

    Raises UnknownName for an algorithm that does not exist, BadInput for one that has no such form.
    """
    if name not in ALGORITHMS:
        raise UnknownName("algorithm", name, ALGORITHMS)
    form = "discrete" if isinstance(action_space, Discrete) else "box"
    if form not in ALGORITHMS[name]:
        raise BadInput(f"{name} takes {' or '.join(ALGORITHMS[name])} actions; this environment's are {action_space}")
    return _named(name, form), config_of(name, form)


def config_of(name: str, form: str) -> type[AgentConfig]:
    """Configuration class of an algorithm's form."""
    kind: type[AgentConfig] = _named(name, form, "Config")
    return kind


def _named(name: str, form: str, suffix: str = "") -> Any:
    file, _, class_name = ALGORITHMS[name][form].partition(":")
    return getattr(import_module(f".{file}", __package__), class_name + suffix)


def environment_of(name: str | Path, env_id: str, observe: str = "") -> tuple[Env, Recipe]:
    """The environment `env_id` as the policy `name` acts in it, which for a checkpoint is as it was trained.

    Planners and experts of a tabletop act on joints and look for themselves, unless `observe` asks for what a policy
    sees. Raises as `policy_env` does, and BadInput for a checkpoint that observes otherwise.
    """
    if name not in POLICIES and Path(name).exists():
        trained = read_policy(Path(name))[0].recipe
        recipe = replace(trained, env=check_env(env_id))
        if trained.env.startswith("tabletop/") != recipe.env.startswith("tabletop/"):
            raise BadInput(f"{name} was trained in {trained.env} and knows nothing like {recipe.env}")
        if observe not in ("", recipe.observe):
            raise BadInput(f"{name} was trained on {recipe.observe or 'no choice of views'}, not {observe}")
        return policy_env(recipe), recipe
    if observe or not env_id.startswith("tabletop/"):
        recipe = recipe_for(env_id, observe)
        return policy_env(recipe), recipe
    action = "ee_delta" if name == "random" else "joint"
    return tabletop.make(env_id, obs=("proprio",), cameras=(), action=action), Recipe(env_id, action=action)


def _restored(kind: type[AgentConfig], values: Mapping[str, Any]) -> AgentConfig:
    """A configuration from JSON, which has lists for tuples."""
    names = [field.name for field in fields(kind)]
    for key in values:
        if key not in names:
            raise UnknownName("config key", key, names)
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return kind(**given)


def _voxposer(env: Env, options: PolicyOptions) -> Actor:
    from ..planners.voxposer import voxposer

    base = env.unwrapped
    if not isinstance(base, RobotEnv):
        raise BadInput("voxposer plans for a robot's arm; this environment has none")
    model, detector = _language_model(options), _detector(options)
    planner = voxposer(base, model, detector, realtime=options.realtime, seed=options.seed)
    return planner if base is env else FromRobot(planner, base)


def _scripted(env: Env, options: PolicyOptions) -> Actor:
    """The expert of a tabletop task, of a tabletop task as a policy acts in it, or of a grid."""
    from ..envs.tabletop.env import TabletopEnv

    if isinstance(env, TabletopEnv):
        from ..envs.expert import ScriptedExpert

        return ScriptedExpert(env)
    if isinstance(env.unwrapped, TabletopEnv):
        from ..envs.tool_expert import ToolExpert

        return ToolExpert(env.unwrapped)
    from ..envs.minigrid import GridViews

    if isinstance(env, GridViews):
        from ..envs.minigrid_expert import GridExpert

        return GridExpert(env)
    raise BadInput("only tabletop and MiniGrid environments have a scripted expert")


def _random(env: Env, options: PolicyOptions) -> Actor:
    return RandomActor(env.action_space, options.seed)


POLICIES: dict[str, Callable[[Any, PolicyOptions], Actor]] = {
    "voxposer": _voxposer,
    "scripted": _scripted,
    "random": _random,
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
