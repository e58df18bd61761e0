"""Where the links of the Panda are for given joint angles, and how far from each other and from the table."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import mujoco
import numpy as np

from . import panda
from .spheres import cover
from .state import Floats

FAR = 0.05
"""m: `clearance` looks no farther."""


class ArmKinematics(Protocol):
    """What planners, inverse kinematics and safety must know of an arm's shape; see `PandaKinematics` for the units.

    model: of the arm alone, one degree of freedom a joint, with a site `tool`.
    """

    model: mujoco.MjModel

    def tool_pose(self, q: Floats) -> Floats:
        """Pose (7,) of the tool point."""
        ...

    def jacobian(self, q: Floats) -> Floats:
        """(6, n) velocity of the tool point per joint speed."""
        ...

    def clearance(self, q: Floats) -> float:
        """Least distance between links and to the table."""
        ...

    def spheres(self, q: Floats, width: float = 0.08) -> Floats:
        """Balls (S, 4) that cover the arm, or (k, S, 4) of joint angles (k, n)."""
        ...


@cache
def _model() -> mujoco.MjModel:
    return panda.arm_model(FAR)


class PandaKinematics:
    """Forward kinematics of the arm alone; not to be shared between threads.

    `model` is the 7-joint MuJoCo model of the arm with its fingers fixed wide open, for inverse kinematics.
    """

    def __init__(self) -> None:
        self.model = _model()
        self._data = mujoco.MjData(self.model)
        self._tool = self.model.site("tool").id
        self._cover = cover()
        self._ball_body = np.array([self.model.body(name).id for name in self._cover.body])
        self._on_finger = np.array([name.endswith("finger") for name in self._cover.body], np.float64)

    def tool_pose(self, q: Floats) -> Floats:
        """Pose (7,) of the tool point in the world, of joint angles q (7,) rad."""
        self._place(q)
        pose = np.empty(7)
        pose[:3] = self._data.site_xpos[self._tool]
        mujoco.mju_mat2Quat(pose[3:], self._data.site_xmat[self._tool])
        return pose

    def jacobian(self, q: Floats) -> Floats:
        """(6, 7): velocity (m/s) and angular velocity (rad/s) of the tool point, world axes, per joint speed."""
        self._place(q)
        mujoco.mj_comPos(self.model, self._data)
        jacobian = np.empty((6, 7))
        mujoco.mj_jacSite(self.model, self._data, jacobian[:3], jacobian[3:], self._tool)
        return jacobian

    def clearance(self, q: Floats) -> float:
        """Least distance, m, between links that could collide, and of them to the table; at most `FAR`, < 0 inside."""
        self._place(q)
        mujoco.mj_collision(self.model, self._data)
        return min(FAR, float(self._data.contact.dist.min())) if self._data.ncon else FAR

    def spheres(self, q: Floats, width: float = 0.08) -> Floats:
        """Balls (S, 4), xyz and radius in m, world, that cover links, hand and fingers `width` m apart.

        The base, which stands on the table and never moves, is left out. Of joint angles (k, 7) it gives (k, S, 4).
        """
        if q.ndim == 2:
            return np.stack([self.spheres(row, width) for row in q])
        self._place(q)
        turn = self._data.xmat[self._ball_body].reshape(-1, 3, 3)
        center = self._cover.center.copy()
        center[:, 1] += self._on_finger * (width / 2 - panda.FINGER_TRAVEL)  # the model's fingers stand wide open
        pos = self._data.xpos[self._ball_body] + np.einsum("sij,sj->si", turn, center)
        return np.concatenate([pos, self._cover.radius[:, None]], axis=1)

    def _place(self, q: Floats) -> None:
        self._data.qpos[:] = q
        mujoco.mj_kinematics(self.model, self._data)
