"""The three forms of an action, and the way from each to a joint target and back.

The last number of every action is the gripper: above 0 it opens, else it closes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..robots.errors import BadInput
from ..robots.geometry import pose_from, quat_conjugate, quat_from_rotation_vector, quat_multiply, rotation_vector
from ..robots.ik import CartesianServo
from ..robots.robot import Robot
from ..robots.state import Floats, JointTarget

Action = NDArray[np.float32]

DELTA_POSITION = 0.025
"""m a control step, of an `ee_delta` of 1."""
DELTA_ROTATION = 0.10
"""rad a control step, of an `ee_delta` of 1."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an action starts from: joints q (n,) rad and dq (n,) rad/s as sent last, and the tool pose (7,) of q."""

    q: Floats
    dq: Floats
    pose: Floats


class ActionForm(Protocol):
    """One way to write a joint target as an array."""

    space: gymnasium.spaces.Box

    def decode(self, action: Action, anchor: Anchor) -> JointTarget:
        """The target that an action means."""
        ...

    def encode(self, target: JointTarget, anchor: Anchor) -> Action:
        """The action that means a target, or the nearest one in `space`."""
        ...


class JointAction:
    """(n + 1,): joint angles in rad, gripper."""

    def __init__(self, robot: Robot) -> None:
        limits = robot.limits
        self._width = limits.width_max
        self.space = _box([*limits.q_min, -1], [*limits.q_max, 1])

    def decode(self, action: Action, anchor: Anchor) -> JointTarget:
        """The joints as they are."""
        return JointTarget(np.asarray(action[:-1], np.float64), _width(action, self._width))

    def encode(self, target: JointTarget, anchor: Anchor) -> Action:
        """The joints as they are."""
        return _action(self.space, target.q, target.width, self._width)


class EePoseAction:
    """(8,): where the tool should be, xyz in m and wxyz, world; gripper. Far poses take many steps to reach."""

    def __init__(self, robot: Robot) -> None:
        low, high = robot.limits.workspace
        self._robot, self._width = robot, robot.limits.width_max
        self._servo = CartesianServo(robot.kinematics, robot.limits, robot.driver.ctrl_dt)
        self.space = _box([*low, -1, -1, -1, -1, -1], [*high, 1, 1, 1, 1, 1])

    def decode(self, action: Action, anchor: Anchor) -> JointTarget:
        """One step of inverse kinematics from the anchor towards the pose.

        Raises:
            BadInput: the quaternion is zero.
        """
        if np.linalg.norm(action[3:7]) < 1e-6:
            raise BadInput(f"the quaternion {action[3:7]} of an ee_pose action is zero; it must be of unit length")
        self._servo.reset(anchor.q, anchor.dq)
        return JointTarget(self._servo.step(pose_from(action[:3], action[3:7])), _width(action, self._width))

    def encode(self, target: JointTarget, anchor: Anchor) -> Action:
        """The pose of the tool at the target's joints."""
        return _action(self.space, self._robot.kinematics.tool_pose(target.q), target.width, self._width)


class EeDeltaAction:
    """(7,) in -1..1: move the tool by xyz x 2.5 cm, turn it by a rotation vector x 0.10 rad, world axes; gripper."""

    _SCALE = np.array([DELTA_POSITION] * 3 + [DELTA_ROTATION] * 3)

    def __init__(self, robot: Robot) -> None:
        self._robot, self._width = robot, robot.limits.width_max
        self._servo = CartesianServo(robot.kinematics, robot.limits, robot.driver.ctrl_dt)
        self.space = _box([-1.0] * 7, [1.0] * 7)

    def decode(self, action: Action, anchor: Anchor) -> JointTarget:
        """One step of inverse kinematics from the anchor to the anchor moved."""
        step = action[:6] * self._SCALE
        turned = quat_multiply(quat_from_rotation_vector(step[3:]), anchor.pose[3:])
        self._servo.reset(anchor.q, anchor.dq)
        return JointTarget(self._servo.step(pose_from(anchor.pose[:3] + step[:3], turned)), _width(action, self._width))

    def encode(self, target: JointTarget, anchor: Anchor) -> Action:
        """The way from the anchor to the tool pose at the target's joints, clipped to what one step can do."""
        pose = self._robot.kinematics.tool_pose(target.q)
        turn = rotation_vector(quat_multiply(pose[3:], quat_conjugate(anchor.pose[3:])))
        step = np.concatenate([pose[:3] - anchor.pose[:3], turn]) / self._SCALE
        return _action(self.space, step, target.width, self._width)


FORMS: dict[str, type[JointAction] | type[EePoseAction] | type[EeDeltaAction]] = {
    "ee_delta": EeDeltaAction,
    "ee_pose": EePoseAction,
    "joint": JointAction,
}


def check(action: ArrayLike, space: gymnasium.spaces.Box) -> Action:
    """The action as float32, clipped to `space`.

    Raises:
        BadInput: it has another shape, or is not finite.
    """
    array = np.asarray(action, np.float32)
    if array.shape != space.shape:
        raise BadInput(f"an action of shape {array.shape}; this environment takes {space.shape}")
    if not np.isfinite(array).all():
        raise BadInput(f"the action {np.array2string(array, precision=3)} is not finite")
    return np.asarray(np.clip(array, space.low, space.high), np.float32)


def _box(low: ArrayLike, high: ArrayLike) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(np.asarray(low, np.float32), np.asarray(high, np.float32))


def _width(action: Action, widest: float) -> float:
    return widest if action[-1] > 0 else 0.0


def _action(space: gymnasium.spaces.Box, values: Floats, width: float, widest: float) -> Action:
    """`values` and the gripper's sign, as float32 within `space`."""
    whole = np.append(values, 1.0 if width > widest / 2 else -1.0)
    return np.asarray(np.clip(whole, space.low, space.high), np.float32)
