"""Working the gripper: it takes its time, and may close on nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

OPEN, CLOSED = 0.08, 0.0
"""m between the fingers."""

GRIP_TICKS, RESTS = (6, 40), 3e-4
"""Least and most ticks for the fingers, and the m a tick below which they rest."""

HELD_WIDTH, HELD_FORCE = 0.002, 0.5
"""m, N: with less between the fingers, or less force on either pad, nothing is held."""


class Patience:
    """Counts how long a thing has gone on without a break."""

    def __init__(self, ticks: int) -> None:
        self._ticks, self._count = ticks, 0

    def over(self, going_on: bool) -> bool:
        """Whether it has now gone on for more than the allowed number of ticks."""
        self._count = self._count + 1 if going_on else 0
        return self._count > self._ticks


class Fingers:
    """What the gripper is ordered to, and whether it has come to rest there. width: m, the order."""

    def __init__(self) -> None:
        self.width = OPEN
        self._moving = False
        self._ticks, self._last = 0, np.inf

    def set(self, opening: float) -> None:
        """Order an opening (1 open, 0 closed)."""
        width = OPEN if opening > 0.5 else CLOSED
        if width != self.width:
            self.width, self._moving, self._ticks = width, True, 0

    def settled(self, obs: Mapping[str, Any]) -> bool:
        """Whether the fingers rest, or have had all the time that they get; to be asked once a tick."""
        width = float(obs["gripper"][0])
        self._ticks += 1
        rests = abs(width - self._last) < RESTS and self._ticks >= GRIP_TICKS[0]
        self._last = width
        self._moving = self._moving and not rests and self._ticks < GRIP_TICKS[1]
        return not self._moving


def holds(obs: Mapping[str, Any]) -> bool:
    """Whether both pads press on something between them."""
    left, right = np.linalg.norm(np.asarray(obs["touch"]).reshape(2, 3), axis=1)
    return bool(obs["gripper"][0] > HELD_WIDTH and min(left, right) > HELD_FORCE)
