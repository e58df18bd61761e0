"""Time: hardware sleeps, a simulated arm steps its physics."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Protocol


class Clock(Protocol):
    """What keeps time for a control loop; every driver does."""

    @abstractmethod
    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    @abstractmethod
    def wait(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        ...


class RealClock:
    """The machine's own time, in which ticks keep their beat, whatever happens between them."""

    def __init__(self) -> None:
        self._due = time.monotonic()

    def now(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()

    def wait(self, dt: float) -> None:
        """Sleep until `dt` s after the last call was due; a tick that is late is not made up for by shorter ones."""
        now = time.monotonic()
        self._due = max(self._due + dt, now)
        time.sleep(self._due - now)
