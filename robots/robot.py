"""The one contract of all arms: drivers know hardware or a simulator, `Robot` is what everything else holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np

from .clock import Clock
from .errors import NotConnected
from .kinematics import ArmKinematics
from .safety import SafetyState, Violation, clamp
from .state import Floats, JointTarget, Limits, RobotState


class Driver(Clock, ABC):
    """An arm with a gripper. Its private methods are for `Robot` alone, which alone knows what is safe.

    name: as in `robots.ROBOTS`. limits: what its targets are held to by default. kinematics: of its links.
    ctrl_dt: s, the time the arm takes to move to a target.
    """

    name: str
    limits: Limits
    kinematics: ArmKinematics
    ctrl_dt: float

    @abstractmethod
    def _connect(self) -> None: ...

    @abstractmethod
    def _disconnect(self) -> None: ...

    @abstractmethod
    def _read(self) -> RobotState: ...

    @abstractmethod
    def _write(self, target: JointTarget) -> None: ...

    @abstractmethod
    def _stop(self) -> None:
        """Hold the arm where it is; the gripper keeps its grip."""


class Robot:
    """An arm behind a safety layer that cannot be bypassed; a context manager that connects and disconnects.

    Args:
        driver: of the arm.
        limits: stricter ones than the driver's own, if wanted.
    """

    def __init__(self, driver: Driver, limits: Limits | None = None) -> None:
        self.driver = driver
        self.limits = driver.limits if limits is None else limits
        self.connected = False
        self.last_violations: tuple[Violation, ...] = ()
        self._last_target: JointTarget | None = None
        self._last_dq, self._last_time = np.zeros_like(self.limits.q_min), -np.inf

    @property
    def name(self) -> str:
        """As in `robots.ROBOTS`."""
        return self.driver.name

    @property
    def kinematics(self) -> ArmKinematics:
        """Of the arm's links; works while disconnected."""
        return self.driver.kinematics

    @property
    def observation_spec(self) -> dict[str, tuple[int, ...]]:
        """Shape of each field of a `RobotState`; works while disconnected."""
        n = len(self.limits.q_min)
        return {"time": (), "q": (n,), "dq": (n,), "width": (), "touch": (6,)}

    @property
    def action_spec(self) -> dict[str, tuple[Floats, Floats]]:
        """Lowest and highest value of each field of a `JointTarget`; works while disconnected."""
        limits, zero = self.limits, np.zeros(())
        return {
            "q": (limits.q_min, limits.q_max),
            "width": (zero, np.array(limits.width_max)),
            "force": (zero, np.array(limits.force_max)),
        }

    def observe(self) -> RobotState:
        """The arm's state now."""
        self._require_connection()
        return self.driver._read()

    def send_action(self, target: JointTarget) -> JointTarget:
        """Send the arm to `target`, or to the nearest target that is safe; the one that was sent.

        `last_violations` then says which limits `target` broke.

        Raises:
            LimitViolation: nothing safe could be made of it; nothing was sent, and the arm stops at its last target.
            NotConnected: the robot was not connected.
        """
        self._require_connection()
        now, state = self.now(), self.driver._read()
        safety = SafetyState(state.time, state.q, state.dq, self._last_target, self._last_dq, self._last_time)
        sent, self.last_violations = clamp(
            target, safety, self.limits, self.kinematics, now=now, dt=self.driver.ctrl_dt
        )
        start = state.q if self._last_target is None else self._last_target.q
        self.driver._write(sent)
        self._last_target, self._last_dq, self._last_time = sent, (sent.q - start) / self.driver.ctrl_dt, now
        return sent

    def stop(self) -> None:
        """Hold the arm where it is, and judge the next target from there."""
        self._require_connection()
        self.driver._stop()
        self._forget()

    def now(self) -> float:
        """Seconds on the arm's own clock: simulated time stands still while code thinks."""
        return self.driver.now()

    def wait(self, dt: float) -> None:
        """Let `dt` seconds pass on that clock."""
        self._require_connection()
        self.driver.wait(dt)

    def connect(self) -> None:
        """Connect to the arm, which stays where it is."""
        self.driver._connect()
        self.connected = True
        self._forget()

    def disconnect(self) -> None:
        """Stop the arm and let go of it; nothing happens if it was not connected."""
        if self.connected:
            self.driver._stop()
            self.driver._disconnect()
            self.connected = False

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    def _forget(self) -> None:
        self._last_target = None

    def _require_connection(self) -> None:
        if not self.connected:
            raise NotConnected(f"robot {self.name!r} is not connected; use `with robot:` or call connect() first")
