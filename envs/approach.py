"""Which joints to reach a keyframe with, so that the straight moves after it succeed too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from ..robots import ik, motion
from ..robots.geometry import quat_multiply
from ..robots.robot import Robot
from ..robots.state import Floats
from .clearance import Clearance
from .keyframe import Keyframe, behind
from .straight import StraightMove
from .tabletop.task import Task
from .tabletop.world import World

COMFORT = 0.25
"""rad to the ends of its range, beyond which a joint is as good as in the middle."""
EVERY = 3
"""Control ticks between two collision checks on a straight move."""
BACK, BACK_SPEED = 0.03, 0.1
"""m and m/s, by which the tool is drawn back from what it touches."""
SPEED = 0.5
"""Share of the joint speed limits at which free moves go."""


@dataclass(frozen=True, slots=True)
class Route:
    """A free move. keyframe: where it goes. grip: (4,), with which. rows: (m, 7) rad, one a control tick."""

    keyframe: Keyframe
    grip: Floats
    rows: Floats


@dataclass(frozen=True, slots=True)
class _End:
    """A way to stand at a keyframe. cost: how uneasy it is, straight moves after it included."""

    keyframe: Keyframe
    grip: Floats
    q: Floats
    cost: float


class Approach:
    """Finds routes to the free keyframes of a task.

    `grips` are the task's, and each again with the fingers exchanged.
    """

    def __init__(self, world: World, task: Task, robot: Robot) -> None:
        self._world, self._task, self._robot = world, task, robot
        self._kinematics, self._dt = robot.kinematics, robot.driver.ctrl_dt
        self._straight = StraightMove(robot.kinematics, robot.limits, self._dt)
        self.clearance = Clearance(world, robot)
        self.grips = [turned for grip in task.grips for turned in (grip, quat_multiply(grip, ik.FLIP[3:]))]

    def way_back(self, q: Floats, touches: str) -> Floats | None:
        """Where the tool at joints `q` (7,) should be drawn back to, straight, before it goes elsewhere.

        None if it touches nothing but the body `touches`, or cannot be drawn back freely.
        """
        self.clearance.renew()
        back = behind(self._kinematics.tool_pose(q), BACK)
        if not set(self.clearance.touched) - {touches}:
            return None
        rows = self._straight.roll(q, back, BACK_SPEED)
        return back if rows and all(self.clearance.free(row, self._world.width, touches) for row in rows) else None

    def route(self, name: str, q: Floats, rng: np.random.Generator) -> Route | None:
        """From joints `q` (7,) to keyframe `name`, with the grip and the joints that serve the moves after it best.

        None if there is no way, or none was found.
        """
        self.clearance.renew()
        for end in self._ends(name, q)[:4]:
            corners = motion.plan_joint_path(q, end.q, self._free(end.keyframe), self._robot.limits, rng)
            if corners is not None:
                rows = motion.time_parameterise(corners, self._robot.limits, self._dt, SPEED)
                return Route(end.keyframe, end.grip, np.vstack([q, rows]))
        return None

    def _free(self, keyframe: Keyframe) -> motion.Free:
        width = max(self._world.width, keyframe.width)
        return lambda q: self.clearance.free(q, width, keyframe.touches)

    def _ends(self, name: str, q: Floats) -> list[_End]:
        """Ways to stand at the keyframe from which the straight moves after it can be made, best first."""
        ends = [end for grip in self.grips for end in self._ends_with(grip, name, q)]
        return sorted(ends, key=lambda end: end.cost + 0.1 * float(np.abs(end.q - q).max()))

    def _ends_with(self, grip: Floats, name: str, q: Floats) -> Iterator[_End]:
        frames = self._task.keyframes(self._world, grip)
        at = next(k for k, frame in enumerate(frames) if frame.name == name)
        keyframe, moves = frames[at], list(takewhile(lambda frame: frame.straight, frames[at + 1 :]))
        found = ik.solve(self._kinematics, keyframe.pose, limits=self._robot.limits, seeds=[q], flips=False)
        for end in (solution.q for solution in found):
            if self.clearance.free(end, keyframe.width, keyframe.touches):
                cost = self._cost(end, moves)
                if cost is not None:
                    yield _End(keyframe, grip, end, cost)

    def _cost(self, q: Floats, moves: Sequence[Keyframe]) -> float | None:
        """How uneasy the arm is at `q` and on the moves from there, 0 or more; None if a move fails."""
        rows = [q]
        for move in moves:
            line = self._straight.roll(rows[-1], move.pose, move.speed)
            if line is None or not all(self.clearance.free(row, move.width, move.touches) for row in line[::-EVERY]):
                return None
            rows += line
        at, limits = np.array(rows), self._robot.limits
        margin = float(np.minimum(at - limits.q_min, limits.q_max - at).min())
        fastest = float((np.abs(np.diff(at, axis=0)) / (self._dt * limits.dq_max)).max(initial=0.0))
        return 0.5 * max(0.0, 1.0 - margin / COMFORT) + fastest
