"""Whether the arm could stand somewhere, asked in a copy of the simulated world."""

from __future__ import annotations

import copy

import mujoco
import numpy as np

from ..robots.geometry import compose, inverse
from ..robots.robot import Robot
from ..robots.state import Floats
from .tabletop.world import World

GAP = 0.004
"""m, kept between the robot and what it is not meant to touch."""
TABLE_GAP = 0.001
"""m, kept between links, and from links to the table, beyond what safety demands."""

EDGE = 0.008
"""m, kept between the tool point and the sides of the workspace."""


class Clearance:
    """A copy of the world in which the arm can be tried out.

    What the robot touches when the copy is made it may go on touching, no deeper than it does then.
    """

    def __init__(self, world: World, robot: Robot) -> None:
        self._world, self._robot = world, robot
        self._model, self._data = copy.copy(world.model), mujoco.MjData(world.model)
        self._arm = [int(world.model.joint(f"joint{i}").qposadr[0]) for i in range(1, 8)]
        self._fingers = [int(world.model.joint(f"{side}_finger").qposadr[0]) for side in ("left", "right")]
        self._is_robot = np.array([world.is_robot(geom) for geom in range(world.model.ngeom)])
        self._model.geom_margin[self._is_robot] = GAP
        self.renew()

    def renew(self) -> None:
        """Copy the world as it is now."""
        self._model.body_pos[:], self._model.body_quat[:] = self._world.model.body_pos, self._world.model.body_quat
        self._start = self._world.data.qpos.copy()
        q = self._start[self._arm]
        self._least = min(self._robot.limits.clearance + TABLE_GAP, self._robot.kinematics.clearance(q) - 1e-4)
        self._inner = min(EDGE, self._inside(q) - 1e-4)
        self.touched = self._near(q, self._world.width, "")

    def free(self, q: Floats, width: float, touches: str = "") -> bool:
        """Whether the arm at joints q (7,), fingers `width` m apart, keeps clear of everything but the body `touches`.

        If the robot holds that body, it goes where the tool goes, and has to keep clear as well.
        """
        if self._robot.kinematics.clearance(q) < self._least or self._inside(q) < self._inner:
            return False
        near = self._near(q, width, touches)
        return all(distance > self.touched.get(body, GAP) - 1e-4 for body, distance in near.items())

    def _inside(self, q: Floats) -> float:
        """Distance of the tool point to the nearest side of the workspace, m; < 0 outside."""
        low, high = self._robot.limits.workspace
        point = self._robot.kinematics.tool_pose(q)[:3]
        return float(np.minimum(point - low, high - point).min())

    def _near(self, q: Floats, width: float, touches: str) -> dict[str, float]:
        """{body: m} of what comes nearer than `GAP` to the robot, or touches what it holds."""
        self._data.qpos[:] = self._start
        self._data.qpos[self._arm], self._data.qpos[self._fingers] = q, width / 2
        mine = self._is_robot
        if touches and self._carry(q, touches):
            mine = mine | (self._model.geom_bodyid == self._model.body(touches).id)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_collision(self._model, self._data)
        near: dict[str, float] = {}
        for (one, other), distance in zip(self._data.contact.geom, self._data.contact.dist, strict=True):
            if mine[one] == mine[other]:
                continue
            own, foreign = (one, other) if mine[one] else (other, one)
            body = self._model.body(self._model.geom_bodyid[foreign]).name
            if body == touches or (body == "world" and self._is_robot[own]):
                continue  # the arm's own clearance answers for the table
            near[body] = min(near.get(body, GAP), float(distance))
        return near

    def _carry(self, q: Floats, body: str) -> bool:
        """Move a held body along with the tool; False if it is not held, or is part of something that stands."""
        if self._model.body(body).dofnum[0] != 6 or not self._world.holds(body):
            return False
        at = int(self._model.joint(body).qposadr[0])
        held = compose(inverse(self._world.tool), self._world.pose(body))
        self._data.qpos[at : at + 7] = compose(self._robot.kinematics.tool_pose(q), held)
        return True
