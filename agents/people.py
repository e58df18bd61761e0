"""People beside a policy: they see what it proposes, let it pass or act in its place, and say what they think of it."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium
import numpy as np

from ..robots.errors import BadInput, ExpertFailed, ValuefieldError
from .actor import Actor
from .evaluate import GIVEN_UP
from .takeover import Rule

if TYPE_CHECKING:
    from .feedback import Feedback  # brings torch, which a console can do without


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person does about one proposed action.

    action: what is executed in place of the proposal; None lets the proposal pass. approved: the person said yes to the
    proposal, which is more than letting it pass. feedback: what was said since the decision before. given_up: why the
    expert behind the person does not know what to do, if so; the proposal passes.
    """

    action: Any | None = None
    approved: bool = False
    feedback: tuple[Feedback, ...] = ()
    given_up: str = ""


class Person(Protocol):
    """Decides at every control step between the policy's proposal and an action of its own.

    What is asked at a step may depend on the steps before it in the same episode, never on those to come.
    """

    @property
    def name(self) -> str:
        """What a file of results calls this person: the kind and every parameter."""
        ...

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Begin an episode; all that is random in it follows from `seed`, so that its end is a full checkpoint."""
        ...

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """What to do about `proposal`, an action of the environment's space, at `obs`. Neither is changed."""
        ...

    def finish(self) -> tuple[Feedback, ...]:
        """End an episode, saying what was still to be said about it."""
        ...


class NoPerson:
    """Nobody: every proposal passes."""

    name = "nobody"

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Nothing depends on the episode."""

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """Let the proposal pass."""
        return Decision()

    def finish(self) -> tuple[Feedback, ...]:
        """Say nothing."""
        return ()


class SimulatedPerson:
    """An expert that takes over when its rule says so: as late, as inattentive and as clumsy as is asked for.

    Args:
        expert: any actor; reset when it is first asked in an episode, so that a planner plans from where it takes over.
        rule: when to take over.
        delay: steps between the rule's first asking for control and the person's taking it.
        lapse: probability, at each step on which control would be taken, that it is missed. Held control is not lost.
        noise: probability that an action of the person's is a random one of action_space, at each of them.

    An expert that gives up (a planner without a plan, see `GIVEN_UP`) is not asked again in that episode: its decisions
    are `given_up`.

    Raises:
        BadInput: a delay or a probability that is none, or noise without an action space.
        ExpertFailed: from `decide`, when the expert or the rule raises what is no error of ours; that is its cause.
    """

    def __init__(
        self,
        expert: Actor,
        rule: Rule,
        *,
        delay: int = 0,
        lapse: float = 0.0,
        noise: float = 0.0,
        action_space: gymnasium.Space[Any] | None = None,
    ) -> None:
        if delay < 0 or not 0 <= lapse <= 1 or not 0 <= noise <= 1:
            raise BadInput(f"a delay is 0 or more, a probability from 0 to 1; got {delay=}, {lapse=}, {noise=}")
        if noise > 0 and action_space is None:
            raise BadInput("a person with noise needs the action space to draw from")
        self._expert, self._rule = expert, rule
        self._delay, self._lapse, self._noise = delay, lapse, noise
        self._space = deepcopy(action_space)  # its random numbers are this person's own
        self.name = f"{type(expert).__name__}, {rule}, {delay=}, {lapse=}, {noise=}"

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Begin an episode with the policy in control."""
        self._rng = np.random.default_rng([seed, 1])  # not the numbers that the environment draws from the same seed
        if self._space is not None:
            self._space.seed(int(self._rng.integers(2**31)))
        self._rule.reset()
        self._info: dict[str, Any] | None = info  # None once the expert knows it
        self._waited, self._held = 0, False
        self._given_up = ""

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """Let `proposal` pass, say yes to it, or act instead."""
        self._asked: list[Any] = []
        try:
            return Decision(given_up=self._given_up) if self._given_up else self._decide(obs, proposal)
        except GIVEN_UP as error:
            self._given_up = f"{type(error).__name__}: {error}"
            return Decision(given_up=self._given_up)
        except ValuefieldError:
            raise
        except Exception as error:
            raise ExpertFailed(f"{self.name} failed with {type(error).__name__}: {error}") from error

    def finish(self) -> tuple[Feedback, ...]:
        """Say nothing."""
        return ()

    def _decide(self, obs: Any, proposal: Any) -> Decision:
        wanted = self._rule.wants(obs, proposal, lambda: self._advice(obs), held=self._held)
        self._waited = self._waited + 1 if wanted else 0
        takes = wanted and (self._held or (self._waited > self._delay and not self._chance(self._lapse)))
        self._held = takes and not self._rule.turn_based
        return Decision(action=self._action(obs)) if takes else Decision(approved=self._rule.turn_based)

    def _action(self, obs: Any) -> Any:
        if self._space is not None and self._chance(self._noise):
            return self._space.sample()
        return copy(self._advice(obs))

    def _advice(self, obs: Any) -> Any:
        """The expert's action, for which it is asked at most once a step."""
        if self._info is not None:
            self._expert.reset(obs, self._info)
            self._info = None
        if not self._asked:
            self._asked.append(self._expert.act(obs))
        return self._asked[0]

    def _chance(self, probability: float) -> bool:
        return bool(self._rng.random() < probability)
