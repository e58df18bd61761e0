"""The Panda in PyBullet, on an empty table: a second simulator behind the same contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybullet
import pybullet_data

from . import panda
from .errors import NotConnected
from .kinematics import PandaKinematics
from .robot import Driver
from .state import Floats, JointTarget, RobotState

STEP = 1 / 240
"""s of a physics step."""

_ARM, _HAND, _FINGERS = range(7), 8, (9, 10)


class PandaBullet(Driver):
    """A simulated Panda that starts at `panda.HOME_Q` with its gripper open.

    Bullet's own position motors follow a reference that goes from one target to the next in `ctrl_dt` on a straight
    line. Arm and contact values are those of the URDF that comes with PyBullet; a gear keeps the fingers symmetric.
    """

    name = "panda-bullet"

    def __init__(self, *, ctrl_dt: float = 0.05) -> None:
        self.limits, self.kinematics, self.ctrl_dt = panda.LIMITS, PandaKinematics(), ctrl_dt
        self._client: int | None = None
        self._steps, self._steps_left = 0, 0
        self._reference, self._increment = panda.HOME_Q.copy(), np.zeros(7)
        self._width, self._force = 0.08, 20.0

    def now(self) -> float:
        """Simulated seconds."""
        return self._steps * STEP

    def wait(self, dt: float) -> None:
        """Step the physics for `dt` s."""
        for _ in range(round(dt / STEP)):
            self._drive()
            self._call("stepSimulation")
            self._steps += 1

    def _connect(self) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._call("setTimeStep", STEP)
        self._call("setGravity", 0, 0, -9.81)
        size, center = [0.75, 0.8, 0.02], [0.4, 0, -0.02]
        box = self._call("createCollisionShape", pybullet.GEOM_BOX, halfExtents=size)
        self._call("createMultiBody", baseCollisionShapeIndex=box, basePosition=center)
        urdf = f"{pybullet_data.getDataPath()}/franka_panda/panda.urdf"
        self._robot = self._call("loadURDF", urdf, useFixedBase=True)
        for joint, q in (*zip(_ARM, panda.HOME_Q, strict=True), *((finger, 0.04) for finger in _FINGERS)):
            self._call("resetJointState", self._robot, joint, q)
        left, right = _FINGERS
        axis, origin = [1, 0, 0], [0, 0, 0]
        gear = self._call(
            "createConstraint", self._robot, left, self._robot, right, pybullet.JOINT_GEAR, axis, origin, origin
        )
        self._call("changeConstraint", gear, gearRatio=-1, erp=0.1, maxForce=50)
        self._width = 0.08
        self._hold()

    def _disconnect(self) -> None:
        self._call("disconnect")
        self._client = None

    def _read(self) -> RobotState:
        q, dq = self._joints(_ARM)
        width = max(0.0, float(self._joints(_FINGERS)[0].sum()))
        return RobotState(self.now(), q, dq, width, np.concatenate([self._touch(finger) for finger in _FINGERS]))

    def _write(self, target: JointTarget) -> None:
        self._steps_left = max(1, round(self.ctrl_dt / STEP))
        self._increment = (target.q - self._reference) / self._steps_left
        self._width, self._force = target.width, target.force

    def _stop(self) -> None:
        self._hold()

    def _hold(self) -> None:
        self._reference, self._steps_left = self._joints(_ARM)[0], 0

    def _drive(self) -> None:
        speed = np.zeros(7)
        if self._steps_left:
            self._reference = self._reference + self._increment
            self._steps_left -= 1
            speed = self._increment / STEP
        self._call(
            "setJointMotorControlArray",
            self._robot,
            list(_ARM),
            pybullet.POSITION_CONTROL,
            targetPositions=self._reference.tolist(),
            targetVelocities=speed.tolist(),
            forces=panda.RATED.tau_max.tolist(),
        )
        for finger in _FINGERS:
            self._call(
                "setJointMotorControl2",
                self._robot,
                finger,
                pybullet.POSITION_CONTROL,
                targetPosition=self._width / 2,
                force=self._force,
                maxVelocity=panda.GRIPPER_SPEED,
            )

    def _joints(self, joints: range | tuple[int, ...]) -> tuple[Floats, Floats]:
        states = self._call("getJointStates", self._robot, list(joints))
        return np.array([state[0] for state in states]), np.array([state[1] for state in states])

    def _touch(self, finger: int) -> Floats:
        """(3,) N on a finger, hand axes: the normal and both friction forces of all its contacts."""
        total = np.zeros(3)
        for contact in self._call("getContactPoints", bodyA=self._robot, linkIndexA=finger):
            for size, direction in ((contact[9], contact[7]), contact[10:12], contact[12:14]):
                total += size * np.array(direction)
        hand = self._call("getLinkState", self._robot, _HAND)[5]
        turn = np.array(pybullet.getMatrixFromQuaternion(hand)).reshape(3, 3)
        force: Floats = total @ turn
        return force

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._client is None:
            raise NotConnected(f"robot {self.name!r} is not connected")
        return getattr(pybullet, name)(*args, **kwargs, physicsClientId=self._client)
