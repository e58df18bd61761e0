"""From a path of the tool to a path of the joints: the whole arm must be able to follow it and touch nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..robots.geometry import pose_error, quat_from_rotation_vector, quat_multiply, rotate
from ..robots.ik import CartesianServo, IkSolution, solve
from ..robots.kinematics import ArmKinematics
from ..robots.motion import plan_joint_path, time_parameterise
from ..robots.state import Limits
from .tool_path import Pace, timed_poses

Floats = NDArray[np.float64]
Clearance = Callable[[Floats], Floats]
"""Points (n, 3) m, world -> (n,) m to the nearest obstacle."""

TILTS = tuple(np.deg2rad([0.0, 15.0, -15.0, 30.0, -30.0, 45.0, -45.0]))
"""rad about the tool's x axis by which the goal may be turned, the wanted rotation first: a wrist that cannot be held
level can often be held pitched, and the fingers close over the same line."""

TOUCH = 0.004
"""m by which a sphere may overlap the nodes of the grid: what their rounding adds."""

STRAY, ARRIVE, ARRIVE_TURN = 0.02, 0.003, 0.05
"""m, m, rad: how far the servo may leave a path on the way, and how near its end it must come."""

FAR = 2.5
"""rad: joints farther than this from those at the goal get there by a detour, not along a path of the tool."""

LEAVE = 0.05
"""m on which a contact at the start of a path is left behind."""

DETOURS = 3
"""Goals for which a detour is sought; each search can take a second."""

SETTLE_TICKS, RESTS = 15, 0.001
"""Most ticks for the joints to come to rest, and the rad a tick below which they do."""

EASE = 0.8
"""Share of the speed and acceleration limits that plans use, so that safety need not step in while the arm keeps up."""

DETOUR_SPEED = 0.5
"""Share of the joint speed limits on a joint-space detour."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the arm is asked to do.

    points: (n, 3) m, world, n >= 2, from the tool to the goal, or to `approach` metres before it. quat: wxyz there.
    approach: m, length of the straight way in along the tool's z axis. factors: (n,) speed factors of the points.
    width: m, opening of the fingers on the way. backing: m the arm should be able to back out again; preferred, not
    demanded. detour: whether the arm may leave the path where it cannot follow it. loaded: something is in the hand, so
    the pace is that of a contact all the way, and the hand turns no other way than asked.
    """

    points: Floats
    quat: Floats
    approach: float = 0.0
    factors: Floats | None = None
    width: float = 0.08
    backing: float = 0.0
    detour: bool = True
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class ArmPath:
    """rows: (m, 7) rad, joint targets, one a control tick. approach: the row where the straight way in begins.

    goal: (7,) tool pose at the end. followed: whether the tool keeps to the planned path or goes by a detour.
    """

    rows: Floats
    approach: int
    goal: Floats
    followed: bool


class FreeSpace:
    """Where the arm may be: its spheres against the distance to obstacles.

    A sphere that overlaps at the start `q` (at an object in the hand, at a button under the fingers) may go on to
    overlap as much, and so may any other that has moved less than LEAVE: the arm must be able to leave a contact.
    """

    def __init__(self, kinematics: ArmKinematics, clearance: Clearance, q: Floats, width: float) -> None:
        self._kinematics, self._clearance, self._width = kinematics, clearance, width
        self._start = kinematics.spheres(q, width)
        self._slack = np.maximum(0.0, -self._gaps(self._start[None])[0])

    def __call__(self, rows: Floats) -> bool:
        """Whether the arm is free at joints (7,), or in all rows (m, 7)."""
        spheres = self._kinematics.spheres(np.atleast_2d(rows), self._width)
        moved = np.linalg.norm(spheres[..., :3] - self._start[:, :3], axis=-1)
        leaving = self._slack.max() * np.maximum(0.0, 1.0 - moved / LEAVE)
        return bool((self._gaps(spheres) >= -np.maximum(self._slack, leaving) - TOUCH).all())

    def _gaps(self, spheres: Floats) -> Floats:
        """(m, S) m from the surface of each sphere (m, S, 4) to the nearest obstacle."""
        return self._clearance(spheres[..., :3].reshape(-1, 3)).reshape(spheres.shape[:2]) - spheres[..., 3]


@dataclass(frozen=True, slots=True)
class Space:
    """Free space on the way, and free space on the last straight to a contact, where what is touched is no obstacle."""

    way: FreeSpace
    contact: FreeSpace


class ArmPlanner:
    """Finds joint rows for a `Reach`: by following its path, else by a joint-space detour to the end of it."""

    def __init__(self, kinematics: ArmKinematics, limits: Limits, rng: np.random.Generator, pace: Pace) -> None:
        self._kinematics, self._limits, self._rng, self._pace = kinematics, limits, rng, pace
        eased = replace(limits, dq_max=EASE * limits.dq_max, ddq_max=EASE * limits.ddq_max)
        self._servo = CartesianServo(kinematics, eased, pace.dt)

    def plan(
        self, q: Floats, reach: Reach, clearance: Clearance, at_contact: Clearance | None = None
    ) -> ArmPath | None:
        """Rows from joints `q` (7,) to the goal; None when no tilt, wrist flip or detour gets the arm there.

        clearance: of all obstacles. at_contact: without what the approach is to touch; the same by default.
        """
        space = Space(
            FreeSpace(self._kinematics, clearance, q, reach.width),
            FreeSpace(self._kinematics, at_contact or clearance, q, reach.width),
        )
        seen = []
        for goal, q_goal in self._candidates(q, reach, space.contact):
            path = self._follow(q, reach, goal, q_goal, space)
            if path is not None:
                return path
            seen.append((goal, q_goal))
        for goal, q_goal in seen[: DETOURS if reach.detour else 0]:
            path = self._detour(q, reach, goal, q_goal, space)
            if path is not None:
                return path
        return None

    def go(self, q: Floats, q_goal: Floats, clearance: Clearance, width: float = 0.08) -> ArmPath | None:
        """Rows from joints `q` to joints `q_goal`, both (7,), through free space; None when there is no way."""
        free = FreeSpace(self._kinematics, clearance, q, width)
        way = plan_joint_path(q, q_goal, free, self._limits, self._rng)
        if way is None:
            return None
        rows = time_parameterise(way, self._limits, self._pace.dt, speed=DETOUR_SPEED)
        return ArmPath(rows, len(rows), self._kinematics.tool_pose(q_goal), followed=False)

    def still_free(self, q: Floats, rows: Floats, clearance: Clearance, width: float = 0.08) -> bool:
        """Whether rows (m, 7) planned before are free among the obstacles as they are now."""
        return FreeSpace(self._kinematics, clearance, q, width)(rows)

    def _candidates(self, q: Floats, reach: Reach, free: FreeSpace) -> Iterator[tuple[Floats, Floats]]:
        """Goal poses and joints that reach them free of contact: least tilt first, then those that can back out."""
        for tilt in TILTS[:1] if reach.loaded else TILTS:
            goal = goal_pose(reach, tilt)
            solutions = solve(self._kinematics, goal, seeds=[q], limits=self._limits, flips=not reach.loaded)
            found = [s for s in solutions if free(s.q)]
            found.sort(key=lambda s: (not self._backs_out(s, reach.backing), float(np.abs(s.q - q).max())))
            yield from ((s.pose, s.q) for s in found[:2])

    def _backs_out(self, at_goal: IkSolution, distance: float) -> bool:
        back = straight(at_goal.pose, retreat(at_goal.pose, distance), self._pace)
        return distance == 0.0 or self._roll(at_goal.q, back, at_goal.q) is not None

    def _follow(self, q: Floats, reach: Reach, goal: Floats, q_goal: Floats, space: Space) -> ArmPath | None:
        if np.abs(q_goal - q).max() > FAR:
            return None
        start, before = self._kinematics.tool_pose(q), retreat(goal, reach.approach)
        points = np.vstack([start[:3], reach.points[1:-1], before[:3]])
        full = slow(self._pace) if reach.loaded else self._pace
        for pace in (full, half(full)):  # a wrist that has to turn far cannot keep up with a fast hand
            rows = self._roll(q, timed_poses(points, (start[3:], before[3:]), pace, reach.factors), q_goal)
            path = self._enter(rows, goal, q_goal, reach.approach, space)
            if path is not None:
                return path
        return None

    def _detour(self, q: Floats, reach: Reach, goal: Floats, q_goal: Floats, space: Space) -> ArmPath | None:
        before = retreat(goal, reach.approach)
        ends = [q_goal] if reach.approach == 0.0 else self._ends(before, q_goal)
        for end in ends:
            way = plan_joint_path(q, end, space.way, self._limits, self._rng)
            if way is not None:
                rows = time_parameterise(way, self._limits, self._pace.dt, speed=DETOUR_SPEED)
                path = self._enter(rows, goal, q_goal, reach.approach, space)
                if path is not None:
                    return replace(path, followed=False)
        return None

    def _ends(self, before: Floats, q_goal: Floats) -> list[Floats]:
        """Joints at the pose `before` the contact that are nearest to those at the contact."""
        found = [s.q for s in solve(self._kinematics, before, seeds=[q_goal], limits=self._limits)]
        return sorted(found, key=lambda q: float(np.abs(q - q_goal).max()))[:2]

    def _enter(
        self, rows: Floats | None, goal: Floats, q_goal: Floats, approach: float, space: Space
    ) -> ArmPath | None:
        """`rows`, if there are any and they are free, and the straight way in behind them."""
        if rows is None or not space.way(rows):
            return None
        begin = len(rows)
        if approach > 0.0:
            way_in = straight(self._kinematics.tool_pose(rows[-1]), goal, slow(self._pace))
            last = self._roll(rows[-1], way_in, q_goal)
            if last is None or not space.contact(last):
                return None
            rows = np.vstack([rows, last])
        return ArmPath(rows, begin, goal, followed=True)

    def _roll(self, q: Floats, poses: Floats, posture: Floats) -> Floats | None:
        """The servo run ahead along `poses` (m, 7), one a tick, then until it rests; None where it would leave them.

        The posture is drawn from `q` to `posture` on the way. If it were `posture` from the start, joints that the tool
        leaves free would rush there and still be moving at the end.
        """
        self._servo.reset(q)
        rows = np.empty((len(poses), len(q)))
        for k, pose in enumerate(poses):
            rows[k] = self._servo.step(pose, q + (k + 1) / len(poses) * (posture - q))
            if pose_error(self._kinematics.tool_pose(rows[k]), pose)[0] > STRAY:
                return None
        return self._rest(rows, poses[-1])

    def _rest(self, rows: Floats, pose: Floats) -> Floats | None:
        """`rows` (m, 7) and those behind them in which the joints come to rest at `pose`; None if they do not."""
        ending = [rows[-1]]
        for _ in range(SETTLE_TICKS):
            ending.append(self._servo.step(pose, rows[-1]))
            if np.abs(ending[-1] - ending[-2]).max() < RESTS:
                off, turned = pose_error(self._kinematics.tool_pose(ending[-1]), pose)
                return np.vstack([rows, *ending[1:]]) if off < ARRIVE and turned < ARRIVE_TURN else None
        return None


def half(pace: Pace) -> Pace:
    """Half the speed along the way and in turning."""
    return replace(pace, speed=0.5 * pace.speed, turning=0.5 * pace.turning)


def slow(pace: Pace) -> Pace:
    """The pace near a contact."""
    return replace(pace, speed=min(pace.speed, 0.12))


def goal_pose(reach: Reach, tilt: float) -> Floats:
    """(7,) pose at the end of `reach`, past the approach, turned by `tilt` rad about its own x axis."""
    point = reach.points[-1] + reach.approach * rotate(reach.quat, np.array([0.0, 0.0, 1.0]))
    turned = quat_multiply(reach.quat, quat_from_rotation_vector([tilt, 0.0, 0.0]))
    return np.concatenate([point, turned])


def retreat(pose: Floats, distance: float) -> Floats:
    """The pose (7,) moved back along its own z axis, in which the fingers point."""
    return np.concatenate([pose[:3] - distance * rotate(pose[3:], np.array([0.0, 0.0, 1.0])), pose[3:]])


def straight(start: Floats, end: Floats, pace: Pace) -> Floats:
    """(m, 7) poses on the line between two poses."""
    return timed_poses(np.stack([start[:3], end[:3]]), (start[3:], end[3:]), pace)
