"""A path of the tool point in metres becomes poses in time: one a control tick, starting and ending at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the tool may go. speed: m/s. acceleration: m/s^2. turning: rad/s. dt: s, one control tick."""

    speed: float = 0.25
    acceleration: float = 0.8
    turning: float = 1.2
    dt: float = 0.05


def timed_poses(points: Floats, quats: tuple[Floats, Floats], pace: Pace, factors: Floats | None = None) -> Floats:
    """Poses along a polyline under a trapezoid of speed, the rotation spread evenly over the way.

    points: (n, 3) m, world. quats: wxyz at the start and at the end. factors: (n,) speed factors of the points,
    1 = `pace.speed`, at most 2. Returns (m, 7), m >= 1, xyz + wxyz, ending exactly at the last.
    """
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    turn = Rotation.from_quat(np.stack(quats), scalar_first=True)
    angle = float((turn[0].inv() * turn[1]).magnitude())
    times = _arrival_times(arc, pace, np.ones(len(points)) if factors is None else factors)
    end = max(times.end, angle / pace.turning, pace.dt)
    ticks = np.append(np.arange(pace.dt, end - 1e-9, pace.dt), end)
    along = np.interp(ticks * times.end / end, times.t, times.s)
    positions = np.stack([np.interp(along, arc, points[:, k]) for k in range(3)], axis=1)
    positions[-1] = points[-1]
    turned = along / arc[-1] if arc[-1] > 1e-9 else ticks / end
    turned[-1] = 1.0
    quats_along = Slerp([0.0, 1.0], turn)(np.clip(turned, 0.0, 1.0)).as_quat(scalar_first=True)
    return np.hstack([positions, quats_along])


@dataclass(frozen=True, slots=True)
class _Arrival:
    s: Floats
    t: Floats

    @property
    def end(self) -> float:
        return float(self.t[-1])


def _arrival_times(arc: Floats, pace: Pace, factors: Floats) -> _Arrival:
    """When each millimetre of the way is reached: the speed is the lowest of cruise, start ramp and stop ramp."""
    length = arc[-1]
    s = np.linspace(0.0, length, max(2, int(np.ceil(length / 1e-3)) + 1))
    cruise = pace.speed * np.clip(np.interp(s, arc, factors), 0.05, 2.0)
    middle = 0.5 * (s[1:] + s[:-1])
    ramp = np.sqrt(2 * pace.acceleration * np.minimum(middle, length - middle))
    v = np.maximum(np.minimum(0.5 * (cruise[1:] + cruise[:-1]), ramp), 1e-4)
    return _Arrival(s, np.concatenate([[0.0], np.cumsum(np.diff(s) / v)]))
