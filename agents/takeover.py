"""When a simulated person takes over from a policy, and when it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..robots.errors import BadInput


class Judge(Protocol):
    """Knows what every action of a Discrete space leads to."""

    def costs(self, obs: Any) -> NDArray[np.floating[Any]]:
        """(A,): the steps still to go after each action; inf where it never arrives."""
        ...


class Rule(Protocol):
    """When a simulated person wants control.

    turn_based: each step waits for a yes or an action of the person's own. Otherwise control is held from the step it
    is taken to the step it is handed back, and a policy that acts was not said yes to.
    """

    @property
    def turn_based(self) -> bool:
        """See above."""
        ...

    def reset(self) -> None:
        """Begin an episode."""
        ...

    def wants(self, obs: Any, proposal: Any, advice: Callable[[], Any], *, held: bool) -> bool:
        """Whether to take control now, or to keep it if it is `held`; asked once a step.

        advice() asks the expert for its action; a rule that does not call it never disturbs an expert that plans.
        """
        ...


@dataclass
class Override:
    """Turn by turn: says yes to a proposal or acts itself, by what `judge` knows.

    A strict person overrides every action that is not one of the best. A `lax` one overrides what leads away from the
    goal, and what wastes a step only when the step before was wasted too.
    """

    judge: Judge = field(repr=False)
    lax: bool = False
    turn_based: ClassVar[bool] = True

    def reset(self) -> None:
        """Forget how far it was."""
        self._before = np.inf

    def wants(self, obs: Any, proposal: Any, advice: Callable[[], Any], *, held: bool) -> bool:
        """Whether the proposal is not good enough. Nothing is better than anything else where no action arrives."""
        costs = self.judge.costs(obs)
        after, best = costs[int(proposal)], costs.min()
        wasted_before = best + 1 >= self._before
        self._before = best + 1
        if not self.lax or not np.isfinite(best):
            return bool(after > best)
        return bool(after > best + 1 or (after > best and wasted_before))


@dataclass
class Clutch:
    """Held control: taken when the policy would act otherwise than the expert, handed back when they have agreed.

    Actions are of [-1, 1]. They agree when the norm of the difference of their motions is at most dead_zone (a sum
    would let opposite differences cancel) and both open or both close the gripper.

    Attributes:
        dead_zone: of the motion, all numbers of an action but the gripper's.
        patience: steps in a row that they differ before control is taken.
        hand_back: steps in a row that they agree before it is handed back; 6 are 0.3 s at 20 Hz.
        least: steps that it is held at least.
        gripper: whether the last number of an action is a gripper's: above 0 opens, else closes.

    Raises BadInput for values that make no sense.
    """

    dead_zone: float = 0.5
    patience: int = 2
    hand_back: int = 6
    least: int = 10
    gripper: bool = True
    turn_based: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 0 < self.dead_zone < np.inf:
            raise BadInput(f"a dead zone is more than 0, not {self.dead_zone}")
        if min(self.patience, self.hand_back, self.least) < 1:
            raise BadInput(f"patience, hand_back and least are 1 step or more, not {self}")

    def reset(self) -> None:
        """Begin with the policy in control."""
        self._agreed = self._differed = self._held = 0

    def wants(self, obs: Any, proposal: Any, advice: Callable[[], Any], *, held: bool) -> bool:
        """Whether they have differed for long enough, or not yet agreed for long enough."""
        agree = self.agree(proposal, advice())
        self._agreed = self._agreed + 1 if agree else 0
        self._differed = 0 if agree else self._differed + 1
        self._held = self._held + 1 if held else 0
        if held:
            return self._agreed < self.hand_back or self._held < self.least
        return self._differed >= self.patience

    def agree(self, one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> bool:
        """Whether two actions (A,) are alike."""
        motion = slice(None, -1) if self.gripper else slice(None)
        same_grip = not self.gripper or bool((one[-1] > 0) == (other[-1] > 0))
        return same_grip and float(np.linalg.norm(one[motion] - other[motion])) <= self.dead_zone


@dataclass
class Stalled:
    """Lets the policy act alone for `steps` steps of an episode, then takes control and keeps it to the end.

    For experts that cannot be asked at every step, such as a planner: it is asked only when it acts.
    """

    steps: int
    turn_based: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the number."""
        if self.steps < 0:
            raise BadInput(f"a policy acts alone for 0 steps or more, not {self.steps}")

    def reset(self) -> None:
        """Begin to count."""
        self._count = 0

    def wants(self, obs: Any, proposal: Any, advice: Callable[[], Any], *, held: bool) -> bool:
        """Whether the policy has had its time."""
        self._count += 1
        return self._count > self.steps
