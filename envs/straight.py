"""Straight moves of the tool, one control tick at a time, from nothing but where the arm was sent last."""

from __future__ import annotations

import numpy as np

from ..robots.geometry import interpolate, pose_error
from ..robots.ik import CartesianServo
from ..robots.kinematics import ArmKinematics
from ..robots.safety import fastest_stop
from ..robots.state import Floats, Limits

ACCELERATION = 1.0
"""m/s^2 of the tool."""
TURNING = 1.0
"""rad/s, at which the tool turns at most."""
ARRIVED, ALIGNED = 0.003, 0.03
"""m and rad, by which the line and its end may be missed."""

HASTE = 1.5
"""How many times too fast the tool may come into a straight move; it slows down first."""


def brake(q: Floats, dq: Floats, limits: Limits, dt: float) -> Floats:
    """Joints (n,) of the next tick on the way to a stop, all together, at half the acceleration that is allowed."""
    ticks = float((np.abs(dq) / (0.5 * limits.ddq_max * dt)).max())
    return q + dq * dt * max(0.0, 1.0 - 1.0 / max(ticks, 1.0))


class StraightMove:
    """Steps along a line, with a trapezoid of speeds; looking ahead and doing it give the same joints."""

    def __init__(self, kinematics: ArmKinematics, limits: Limits, dt: float) -> None:
        self._kinematics, self._limits, self._dt = kinematics, limits, dt
        self._servo = CartesianServo(kinematics, limits, dt)

    def step(self, q: Floats, dq: Floats, pose: Floats, speed: float) -> Floats:
        """Joints (n,) of the next tick towards `pose` (7,), from joints and joint speeds (n,) as sent last."""
        here, before = self._kinematics.tool_pose(q), self._kinematics.tool_pose(q - dq * self._dt)
        left = self._ticks(here, pose, speed)
        rise = ACCELERATION / speed * self._dt  # of the share of full speed, a tick
        now = self._ticks(before, here, speed)
        if now > HASTE:
            return brake(q, dq, self._limits, self._dt)
        share = min(1.0, now + rise, float(fastest_stop(left, rise, 1.0)))
        self._servo.reset(q, dq)
        return self._servo.step(interpolate(here, pose, min(1.0, share / max(left, 1e-9))))

    def roll(self, q: Floats, pose: Floats, speed: float) -> list[Floats] | None:
        """Joints of every tick from rest at `q` to `pose`; None if the arm leaves the line or does not get there."""
        rows, dq, start = [q], np.zeros_like(q), self._kinematics.tool_pose(q)
        for _ in range(int(2 * self._ticks(start, pose, speed)) + 20):
            rows.append(self.step(rows[-1], dq, pose, speed))
            dq = (rows[-1] - rows[-2]) / self._dt
            here = self._kinematics.tool_pose(rows[-1])
            missed, turned = pose_error(here, pose)
            if missed < ARRIVED and turned < ALIGNED:
                return rows[1:]
            if _aside(here[:3], start[:3], pose[:3]) > ARRIVED:
                return None
        return None

    def _ticks(self, start: Floats, end: Floats, speed: float) -> float:
        """How many ticks the way takes at full speed."""
        distance, angle = pose_error(start, end)
        return max(distance / speed, angle / TURNING) / self._dt


def _aside(point: Floats, start: Floats, end: Floats) -> float:
    """m, from a point to the line through two others, or to the first if they are the same."""
    way = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    return float(np.linalg.norm(point - start - ((point - start) @ way) * way))
