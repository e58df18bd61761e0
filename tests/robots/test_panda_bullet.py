"""The second simulator grasps as the first one does."""

import numpy as np
import pybullet
import pytest

from valuefield import robots
from valuefield.robots import panda
from valuefield.robots.geometry import pose_from
from valuefield.robots.ik import CartesianServo, move_to
from valuefield.robots.robot import Robot
from valuefield.robots.state import JointTarget


def go(robot: Robot, servo: CartesianServo, height: float, width: float) -> None:
    for q in move_to(servo, servo.q, pose_from((0.5, 0.1, height), (0, 1, 0, 0))):
        robot.send_action(JointTarget(q, width))
        robot.wait(robot.driver.ctrl_dt)


def close(robot: Robot, q: np.ndarray, seconds: float) -> None:
    for _ in range(round(seconds / robot.driver.ctrl_dt)):
        robot.send_action(JointTarget(q, 0.0))
        robot.wait(robot.driver.ctrl_dt)


def test_cube_is_lifted_held_and_felt() -> None:
    with robots.connect("panda-bullet") as robot:
        client = {"physicsClientId": robot.driver._client}  # type: ignore[attr-defined]
        box = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=[0.02] * 3, **client)
        cube = pybullet.createMultiBody(0.1, box, basePosition=[0.5, 0.1, 0.02], **client)
        servo = CartesianServo(robot.kinematics, robot.limits, robot.driver.ctrl_dt)
        servo.reset(panda.HOME_Q)
        go(robot, servo, 0.12, 0.08)
        go(robot, servo, 0.02, 0.08)
        close(robot, servo.q, 0.75)
        go(robot, servo, 0.22, 0.0)
        close(robot, servo.q, 3.0)
        place = pybullet.getBasePositionAndOrientation(cube, **client)[0]
        state = robot.observe()
    np.testing.assert_allclose(place, [0.5, 0.1, 0.22], atol=0.002)
    assert state.width == pytest.approx(0.04, abs=0.002)
    assert state.touch[[1, 4]] == pytest.approx([20.0, -20.0], abs=2.0)
    assert state.touch[[2, 5]].sum() == pytest.approx(0.1 * 9.81, abs=0.3)
