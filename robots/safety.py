"""The layer between whatever decides and the arm: a pure function that turns a target into one the arm may be sent.

It works on the joint speeds of the next control period. Range, speed, acceleration and jump each allow an interval of
speeds, braking distance included; the target is clipped to what they share. Then the tool point and the distances
between links and to the table are looked at, for the target and for the way on which the arm would come to rest if it
braked from there at once. If any of it is not fit, the arm brakes now; that it can was made sure of one period before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from .errors import LimitViolation
from .state import Floats, JointTarget, Limits

_SPEED_LIMITS = ("range", "speed", "acceleration", "jump")
_EPS = 1e-9
_ROUNDING = 1e-4  # rad/s: what a target that was rounded to float32 may be off without a word


class Kinematics(Protocol):
    """What safety must know of an arm's shape."""

    def tool_pose(self, q: Floats) -> Floats:
        """Pose (7,) of the tool point, world, of joint angles (n,)."""
        ...

    def clearance(self, q: Floats) -> float:
        """Least distance, m, of links to each other and to the table."""
        ...


@dataclass(frozen=True, slots=True)
class SafetyState:
    """What a target is judged on.

    t: s, when q and dq (n,) were measured. last_target, last_dq: what was sent last and the joint speed (n,) it meant;
    last_t: s, when. None and zeros before the first target and after a stop.
    """

    t: float
    q: Floats
    dq: Floats
    last_target: JointTarget | None
    last_dq: Floats
    last_t: float


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a target went beyond.

    name: range, speed, acceleration, jump, workspace, clearance, width or force. value, limit: what was asked for and
    the most that is allowed: rad/s of the joint that is farthest beyond for the first four, m, and N for the force.
    """

    name: str
    value: float
    limit: float


def clamp(
    target: JointTarget, state: SafetyState, limits: Limits, kinematics: Kinematics, *, now: float, dt: float
) -> tuple[JointTarget, tuple[Violation, ...]]:
    """The nearest target that holds all limits, and which of them the given one broke.

    An arm that already stands outside its range, workspace or clearance may come back, and go no farther out.

    Args:
        target: where the arm should be in `dt` s.
        state: of the arm, measured at most `limits.age` before `now`.
        limits: what to hold to.
        kinematics: of the same arm.
        now: s, on the clock of `state.t`.
        dt: s, the control period.

    Raises:
        LimitViolation: the target or the state is not finite or of the wrong shape, the state is too old, or no target
            holds all limits because the arm is not where it was sent.
    """
    _check(target, state, limits, now)
    start, speed = _start(state, now, dt)
    lows, highs = _bounds(start, speed, state.q, limits, dt)
    low, high = _shared(lows, highs, state)
    with np.errstate(over="ignore"):  # a target of 1e308 is finite; how fast that would be is not
        wanted = (target.q - start) / dt
    violations = list(_violations(wanted, lows, highs))
    dq = _toward(wanted, low, high, limits, dt)
    if broken := _unfit(start, dq, limits, kinematics, dt):
        violations.append(broken)
        dq = np.clip(_braked(speed, limits, dt), low, high)
        if broken := _unfit(start, dq, limits, kinematics, dt):
            raise LimitViolation(f"no target holds all limits: {broken.name} {broken.value:.4g} for {broken.limit:.4g}")
    width, force, more = _clamp_gripper(target, limits)
    return JointTarget(start + dq * dt, width, force), (*violations, *more)


def speed_interval(start: Floats, speed: Floats, limits: Limits, dt: float) -> tuple[Floats, Floats]:
    """Lowest and highest joint speed (n,) rad/s that `clamp` allows next to an arm that is where it was sent.

    Args:
        start: (n,) rad, where it was sent last.
        speed: (n,) rad/s, of the last period.
        limits: of the arm.
        dt: s, the control period.
    """
    low, high = _bounds(start, speed, start, limits, dt)
    return low.max(axis=0), high.min(axis=0)


def fastest_stop(distance: ArrayLike, rate: ArrayLike, dt: float) -> Floats:
    """The greatest speed for the next period from which one comes to rest within `distance`.

    In units of `rate` dt for speed and `rate` dt^2 for distance, a speed of k + f (k whole, 0 <= f < 1) loses one a
    period, so it covers k (k + 1) / 2 + f (k + 1); this is the inverse.

    Args:
        distance: >= 0, any shape.
        rate: deceleration.
        dt: s, the control period.
    """
    step = np.multiply(rate, dt)
    d = np.divide(distance, step * dt)
    k = np.floor((np.sqrt(1.0 + 8.0 * d) - 1.0) / 2.0)
    stop: Floats = step * (k + (d - k * (k + 1) / 2) / (k + 1))
    return stop


def _check(target: JointTarget, state: SafetyState, limits: Limits, now: float) -> None:
    shape = limits.q_min.shape
    for name, value in (("target", target.q), ("measured q", state.q), ("measured dq", state.dq)):
        if np.shape(value) != shape:
            raise LimitViolation(f"{name} has shape {np.shape(value)}; this arm takes {shape}")
        if not np.isfinite(value).all():
            raise LimitViolation(f"{name} is not finite: {np.array2string(np.asarray(value), precision=3)}")
    if not np.isfinite((target.width, target.force)).all():
        raise LimitViolation(f"width {target.width} or force {target.force} is not finite")
    if not 0 <= now - state.t <= limits.age:
        raise LimitViolation(f"the state is {now - state.t:.3f} s old; allowed: 0 to {limits.age} s")


def _start(state: SafetyState, now: float, dt: float) -> tuple[Floats, Floats]:
    """Where the arm was sent last and how fast it goes there; after a missed period it stands."""
    if state.last_target is None:
        return state.q, np.zeros_like(state.q)
    return state.last_target.q, state.last_dq if now - state.last_t < 1.5 * dt else np.zeros_like(state.q)


def _bounds(start: Floats, speed: Floats, measured: Floats, limits: Limits, dt: float) -> tuple[Floats, Floats]:
    """Lowest and highest joint speed (4, n) for the next period, one row for each of `_SPEED_LIMITS`."""
    ends = np.array([limits.q_min, measured - limits.jump, limits.q_max, measured + limits.jump])
    room = np.maximum(np.concatenate([start - ends[:2], ends[2:] - start]), 0.0)
    left, left_jump, right, right_jump = fastest_stop(room, limits.ddq_max, dt)
    step = limits.ddq_max * dt
    low = np.array([-left, -limits.dq_max, speed - step, -left_jump])
    high = np.array([right, limits.dq_max, speed + step, right_jump])
    return low, high


def _shared(low: Floats, high: Floats, state: SafetyState) -> tuple[Floats, Floats]:
    """The interval of joint speeds (n,) that all bounds (4, n) allow."""
    lowest, highest = low.max(axis=0), high.min(axis=0)
    worst = int(np.argmax(lowest - highest))
    if lowest[worst] > highest[worst] + _EPS:
        sent = state.q if state.last_target is None else state.last_target.q
        raise LimitViolation(
            f"joint {worst + 1} is at {state.q[worst]:.3f} rad and was sent to {sent[worst]:.3f} rad: no target holds "
            "range, speed, acceleration and jump together; stop and start again from where the arm is"
        )
    return np.minimum(lowest, highest), highest


def _toward(wanted: Floats, low: Floats, high: Floats, limits: Limits, dt: float) -> Floats:
    """`wanted` clipped to the interval; a joint that cannot arrive in one period goes so as to stop on arrival."""
    within = (low - _ROUNDING <= wanted) & (wanted <= high + _ROUNDING)
    far = np.minimum(np.abs(wanted) * dt, 10.0)
    arriving = np.copysign(fastest_stop(far, limits.ddq_max, dt), wanted)
    speed: Floats = np.clip(np.where(within, wanted, arriving), low, high)
    return speed


def _braked(speed: Floats, limits: Limits, dt: float) -> Floats:
    """The speed after one period of braking as hard as allowed."""
    braked: Floats = np.sign(speed) * np.maximum(np.abs(speed) - limits.ddq_max * dt, 0.0)
    return braked


def _way_to_rest(start: Floats, speed: Floats, limits: Limits, dt: float) -> Floats:
    """Where the arm is (k, n) at the end of each period if it goes at `speed` for one and brakes in those after."""
    step = limits.ddq_max * dt
    periods = max(1, int(np.ceil(np.max(np.abs(speed) / step) - _EPS)))
    slower = np.abs(speed) - step * np.arange(periods)[:, None]
    way: Floats = start + np.cumsum(np.sign(speed) * np.maximum(slower, 0.0) * dt, axis=0)
    return way


def _violations(wanted: Floats, low: Floats, high: Floats) -> Iterator[Violation]:
    excess = np.maximum(low - wanted, wanted - high)
    for row in np.flatnonzero(excess.max(axis=1) > _ROUNDING):
        worst = int(np.argmax(excess[row]))
        limit = (high if wanted[worst] > high[row, worst] else low)[row, worst]
        yield Violation(_SPEED_LIMITS[row], float(wanted[worst]), float(limit))


def _unfit(start: Floats, dq: Floats, limits: Limits, kinematics: Kinematics, dt: float) -> Violation | None:
    """What is wrong with the target that speed `dq` leads to, or with the way on which the arm would stop after it."""
    for q in _way_to_rest(start, dq, limits, dt):
        outside = _outside(kinematics.tool_pose(q), limits)
        if outside > _EPS and outside > _outside(kinematics.tool_pose(start), limits) + _EPS:
            return Violation("workspace", outside, 0.0)
        clearance = kinematics.clearance(q)
        if clearance < limits.clearance - _EPS and clearance < kinematics.clearance(start) - _EPS:
            return Violation("clearance", clearance, limits.clearance)
    return None


def _outside(pose: Floats, limits: Limits) -> float:
    """How far, m, a tool point lies outside the workspace; 0 inside."""
    low, high = limits.workspace
    return float(np.maximum(np.maximum(low - pose[:3], pose[:3] - high), 0.0).max())


def _clamp_gripper(target: JointTarget, limits: Limits) -> tuple[float, float, list[Violation]]:
    width = min(max(float(target.width), 0.0), limits.width_max)
    force = min(max(float(target.force), 0.0), limits.force_max)
    asked = (("width", target.width, width), ("force", target.force, force))
    return width, force, [Violation(name, float(value), limit) for name, value, limit in asked if value != limit]
