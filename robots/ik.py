"""From tool poses to joint angles, with `mink`: solutions from many starts, and a servo that follows a moving pose."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import mink
import numpy as np

from .errors import PlannerError
from .geometry import (
    compose,
    interpolate,
    pose_error,
    pose_from,
    quat_conjugate,
    quat_from_rotation_vector,
    quat_multiply,
    rotation_vector,
)
from .kinematics import ArmKinematics
from .safety import fastest_stop, speed_interval
from .state import Floats, Limits

FLIP = pose_from((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
"""(7,) half a turn about the tool's z axis: the same grasp, with the fingers exchanged."""
INSIDE = 0.03
"""rad: how far inside their range inverse kinematics keeps the joints."""
ACCELERATION = 1.25
"""m/s^2, at which `move_to` gains speed and loses it."""
DECELERATION, TURN_DECELERATION = 1.5, 4.0
"""m/s^2 and rad/s^2: how hard the servo brakes when it arrives at a pose that stands still."""

_POSITION_TOLERANCE, _ROTATION_TOLERANCE = 0.0005, 0.005
_ITERATIONS, _LONGEST_STEP = 15, 0.6


@dataclass(frozen=True, slots=True)
class IkSolution:
    """Joint angles that bring the tool to a pose.

    q: (n,) rad. pose: (7,), the one that was asked for or its `FLIP`. position_error: m. rotation_error: rad.
    margin: rad, of the joint that is nearest to an end of its range.
    """

    q: Floats
    pose: Floats
    position_error: float
    rotation_error: float
    margin: float


def solve(
    kinematics: ArmKinematics,
    pose: Floats,
    *,
    limits: Limits,
    seeds: Sequence[Floats] = (),
    starts: int = 6,
    flips: bool = True,
) -> list[IkSolution]:
    """All distinct ways found to hold the tool at `pose`, clear of the arm itself and of the table, best first.

    First come those with more than 0.1 rad to the ends of all joints, nearest to the first seed first; then the rest.

    Args:
        kinematics: of the arm.
        pose: (7,), world.
        limits: of the arm.
        seeds: joint angles (n,) to start from.
        starts: how many more starts are drawn evenly from the joint range, the same ones each time.
        flips: whether `FLIP` of the pose will do as well.
    """
    rng = np.random.default_rng(0)
    spread = rng.uniform(limits.q_min + INSIDE, limits.q_max - INSIDE, (starts, len(limits.q_min)))
    begin = [*seeds, 0.5 * (limits.q_min + limits.q_max), *spread]
    search = _Search(kinematics, limits)
    found: list[IkSolution] = []
    for wanted in (pose, compose(pose, FLIP)) if flips else (pose,):
        for q in begin:
            solution = search.run(q, wanted)
            if solution and all(np.abs(solution.q - other.q).max() > 0.05 for other in found):
                found.append(solution)
    return sorted(found, key=lambda s: (s.margin < 0.1, float(np.abs(s.q - begin[0]).max())))


class _Search:
    """Steps of inverse kinematics without regard to time, until the pose is reached or not."""

    def __init__(self, kinematics: ArmKinematics, limits: Limits) -> None:
        self._kinematics, self._limits = kinematics, limits
        self._solver = _Solver(kinematics)
        self._low, self._high = limits.q_min + INSIDE, limits.q_max - INSIDE

    def run(self, q: Floats, pose: Floats) -> IkSolution | None:
        posture = np.clip(q, self._low, self._high)
        q = posture
        for _ in range(_ITERATIONS):
            low = np.maximum(self._low - q, -_LONGEST_STEP)
            high = np.minimum(self._high - q, _LONGEST_STEP)
            q = q + self._solver.move(q, pose, posture, (low, high))
            off, turned = pose_error(self._kinematics.tool_pose(q), pose)
            if off < _POSITION_TOLERANCE and turned < _ROTATION_TOLERANCE:
                return self._accept(IkSolution(q, pose, off, turned, self._margin(q)))
        return None

    def _accept(self, solution: IkSolution) -> IkSolution | None:
        return solution if self._kinematics.clearance(solution.q) >= self._limits.clearance else None

    def _margin(self, q: Floats) -> float:
        return float(np.minimum(q - self._limits.q_min, self._limits.q_max - q).min())


class _Solver:
    """One quadratic programme of `mink`: towards a pose, with a little pull to a posture, within bounds."""

    def __init__(self, kinematics: ArmKinematics) -> None:
        # The model has the arm's joints and nothing else: objects in it would keep the state they have now for ever.
        self._configuration = mink.Configuration(kinematics.model)
        self._reach = mink.FrameTask("tool", "site", position_cost=1.0, orientation_cost=0.5)
        self._posture = mink.PostureTask(kinematics.model, cost=1e-3)
        self._bounds = _Bounds(kinematics.model.nv)

    def move(self, q: Floats, pose: Floats, posture: Floats, bounds: tuple[Floats, Floats]) -> Floats:
        """Change of the joints (n,), rad, between `bounds`.

        Raises:
            PlannerError: the solver found none.
        """
        self._configuration.update(q)
        self._reach.set_target(mink.SE3(np.concatenate([pose[3:], pose[:3]])))
        self._posture.set_target(posture)
        self._bounds.low, self._bounds.high = bounds
        tasks = (self._reach, self._posture)
        try:
            step = mink.solve_ik(self._configuration, tasks, 1.0, "daqp", damping=1e-6, limits=(self._bounds,))
        except mink.NoSolutionFound as error:
            raise PlannerError(f"inverse kinematics found no step from {np.round(q, 3)} towards {pose}") from error
        moved: Floats = np.clip(step, *bounds)
        return moved


class _Bounds(mink.Limit):  # type: ignore[misc]
    """Lowest and highest change of each joint."""

    def __init__(self, n: int) -> None:
        self._sides = np.vstack([np.eye(n), -np.eye(n)])
        self.low, self.high = np.zeros(n), np.zeros(n)

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> mink.Constraint:
        return mink.Constraint(G=self._sides, h=np.concatenate([self.high, -self.low]))


class CartesianServo:
    """Follows a tool pose, one control tick at a time, with joint steps that `clamp` never has to change.

    A pose that moves is followed without lag as far as the limits allow; one that stands still is braked for.

    Args:
        kinematics: of the arm.
        limits: of the arm.
        dt: s, the control tick.
    """

    def __init__(self, kinematics: ArmKinematics, limits: Limits, dt: float) -> None:
        self.kinematics, self.dt = kinematics, dt
        self._solver = _Solver(kinematics)
        self._limits = replace(limits, q_min=limits.q_min + INSIDE, q_max=limits.q_max - INSIDE)
        self.q = 0.5 * (limits.q_min + limits.q_max)
        self._dq, self._last_goal = np.zeros(len(self.q)), kinematics.tool_pose(self.q)

    def reset(self, q: Floats, dq: Floats | None = None) -> None:
        """Go on from joint angles q (n,), rad: at the same speed if the last step led there, else at dq (n,), rad/s.

        What was sent went through the rounding of an action and of `clamp`, hence the tolerance. Without dq: from rest.
        """
        if np.abs(q - self.q).max() > 1e-6:
            self.q, self._dq = np.array(q, np.float64), np.zeros(len(q)) if dq is None else np.array(dq, np.float64)
            self._last_goal = self.kinematics.tool_pose(self.q)

    def step(self, pose: Floats, posture: Floats | None = None) -> Floats:
        """Joint angles (n,), rad, for the next tick, on the way to `pose` (7,).

        Args:
            pose: of the tool, world.
            posture: joint angles to keep near where the pose leaves a choice; those of now by default.
        """
        goal = self._within_reach(pose)
        low, high = speed_interval(self.q, self._dq, self._limits, self.dt)
        bounds = (low * self.dt, high * self.dt)
        move = self._solver.move(self.q, goal, self.q if posture is None else posture, bounds)
        self.q, self._dq = self.q + move, move / self.dt
        return self.q.copy()

    def _within_reach(self, pose: Floats) -> Floats:
        """Where the tool should be next: on by what the pose moved, and by as much of the lag as can be braked for."""
        here = self.kinematics.tool_pose(self.q)
        lag, turn_lag = _difference(here, self._last_goal)
        moved, turned = _difference(self._last_goal, pose)
        self._last_goal = pose
        pos = here[:3] + moved + lag * self._share(lag, DECELERATION)
        turn = quat_from_rotation_vector(turn_lag * self._share(turn_lag, TURN_DECELERATION))
        quat = quat_multiply(quat_from_rotation_vector(turned), quat_multiply(turn, here[3:]))
        return np.concatenate([pos, quat])

    def _share(self, lag: Floats, rate: float) -> float:
        """Of a lag, how much may be made up for in one tick."""
        length = float(np.linalg.norm(lag))
        return min(1.0, float(fastest_stop(length, rate, self.dt)) * self.dt / length) if length > 1e-9 else 1.0


@dataclass(frozen=True, slots=True)
class MoveResult:
    """How a move ended. position_error: m and rotation_error: rad, of the last joint target, from the pose."""

    reached: bool
    position_error: float
    rotation_error: float


def move_to(
    servo: CartesianServo,
    q: Floats,
    pose: Floats,
    *,
    speed: float = 0.25,
    tolerance: float = 0.002,
    patience: int = 20,
) -> Generator[Floats, None, MoveResult]:
    """Joint angles (n,), one a tick, that take the tool from where it is at `q` straight to `pose`.

    The generator's return value is a `MoveResult`: whether the pose was reached, and by how much it was missed.

    Args:
        servo: of the arm.
        q: (n,) rad, where the arm was sent last.
        pose: (7,), world.
        speed: m/s of the tool point, at most; it turns at most at four times as many rad/s.
        tolerance: m by which the position may be off to count as reached; the rotation, by ten times as many rad.
        patience: ticks that the arm may take to arrive after the straight line has ended.
    """
    servo.reset(q)
    start = servo.kinematics.tool_pose(q)
    distance, turn = pose_error(start, pose)
    for share in _ramp(max(distance / speed, turn / (4 * speed)), speed / ACCELERATION, servo.dt):
        yield servo.step(interpolate(start, pose, share))
    result = _result(servo, pose, tolerance)
    while not result.reached and patience > 0:
        patience -= 1
        yield servo.step(pose)
        result = _result(servo, pose, tolerance)
    return result


def _result(servo: CartesianServo, pose: Floats, tolerance: float) -> MoveResult:
    off, turned = pose_error(servo.kinematics.tool_pose(servo.q), pose)
    return MoveResult(off < tolerance and turned < 10 * tolerance, off, turned)


def _ramp(duration: float, rise: float, dt: float) -> Floats:
    """(m,) shares of a way, one a tick, ending at 1: speed rises for `rise` s, is 1 / duration, and falls again."""
    count = int(np.ceil((duration + rise) / dt))
    tick = np.arange(1, count + 1)
    speed = np.minimum(1.0, np.minimum(tick, count + 1 - tick) * dt / rise)
    shares: Floats = np.cumsum(speed) / speed.sum()
    return shares


def _difference(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Translation (3,) m and rotation vector (3,) rad, world axes, from one pose to another."""
    return end[:3] - start[:3], rotation_vector(quat_multiply(end[3:], quat_conjugate(start[3:])))
