"""What a person says about actions, in numbers and late, and a simulated person who says it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..robots.errors import BadInput
from .actor import Actor
from .people import Decision
from .takeover import Judge


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said: value from -1 (wrong) to 1 (right), and when: time, s since the episode began.

    Raises BadInput for other values and for times before the episode.
    """

    value: float
    time: float

    def __post_init__(self) -> None:
        """Check both numbers."""
        if not -1.0 <= self.value <= 1.0:
            raise BadInput(f"feedback is a number from -1 to 1, not {self.value}")
        if not 0.0 <= self.time < math.inf:
            raise BadInput(f"feedback has a time of 0 s or more since the episode began, not {self.time}")


class Verdict(Protocol):
    """Whether an action is right."""

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Begin an episode."""
        ...

    def __call__(self, obs: Any, action: Any) -> bool:
        """Whether `action` is right at `obs`."""
        ...


class Best:
    """An action of a Discrete space is right if none leaves fewer steps to go."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Nothing depends on the episode."""

    def __call__(self, obs: Any, action: Any) -> bool:
        """Whether `action` is one of the best."""
        costs = self._judge.costs(obs)
        return bool(costs[int(action)] == costs.min())


class SameWay:
    """An action (A,) is right if its motion, all but the gripper at the end, has a positive cosine with the expert's.

    The sides of the gripper, open or close, must agree too. While the expert moves by less than `rest`, any motion is
    right.
    """

    def __init__(self, expert: Actor, rest: float = 0.1) -> None:
        self._expert, self._rest = expert, rest

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Begin an episode of the expert's."""
        self._expert.reset(obs, info)

    def __call__(self, obs: Any, action: Any) -> bool:
        """Whether `action` goes the expert's way."""
        wanted = np.asarray(self._expert.act(obs))
        resting = float(np.linalg.norm(wanted[:-1])) < self._rest
        same_side = (wanted[-1] > 0) == (action[-1] > 0)
        return bool(same_side and (resting or float(wanted[:-1] @ action[:-1]) > 0))


class SimulatedTrainer:
    """Never acts; says +1 of right actions and -1 of wrong ones, of some of them, late.

    Args:
        right: tells one from the other.
        ctrl_dt: s a step, as the trainer sees them.
        rate: probability that anything is said of a step.
        delay: shortest and longest time, s, from some moment of a step to what is said of it, all equally likely.

    Raises:
        BadInput: a time or a probability that is none.
    """

    def __init__(self, right: Verdict, *, ctrl_dt: float, rate: float = 1.0, delay: tuple[float, float] = (0.2, 4.0)):
        if not 0 <= rate <= 1 or not 0 <= delay[0] <= delay[1] < math.inf or not 0 < ctrl_dt < math.inf:
            raise BadInput(f"a rate is from 0 to 1, times are s, shortest first; got {rate=}, {delay=}, {ctrl_dt=}")
        self._right, self._dt, self._rate, self._delay = right, ctrl_dt, rate, delay
        self.name = f"trainer by {type(right).__name__}, {ctrl_dt=}, {rate=}, {delay=}"

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Begin an episode."""
        self._rng = np.random.default_rng([seed, 2])  # not the numbers that the environment draws from the same seed
        self._right.reset(obs, info)
        self._step = 0
        self._unsaid: list[Feedback] = []

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """Let the proposal pass, and say what is due by now about those before it."""
        now = self._step * self._dt
        due = tuple(each for each in self._unsaid if each.time <= now)
        self._unsaid = [each for each in self._unsaid if each.time > now]
        if self._rng.random() < self._rate:
            value = 1.0 if self._right(obs, proposal) else -1.0
            noticed = now + self._rng.uniform(0.0, self._dt)
            self._unsaid.append(Feedback(value, noticed + self._rng.uniform(*self._delay)))
        self._step += 1
        return Decision(feedback=due)

    def finish(self) -> tuple[Feedback, ...]:
        """Say what was still to be said."""
        unsaid, self._unsaid = tuple(self._unsaid), []
        return unsaid
