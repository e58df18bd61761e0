"""A friction grasp: no welds, no creep, no penetration."""

from collections.abc import Iterable

import mujoco
import numpy as np
import pytest

from valuefield.robots import panda
from valuefield.robots.geometry import pose_from, quat_from_axes
from valuefield.robots.ik import CartesianServo, move_to
from valuefield.robots.panda_sim import PandaSim
from valuefield.robots.robot import Robot
from valuefield.robots.state import Floats, JointTarget

DOWN = quat_from_axes((0, 0, -1), (0, -1, 0))
CUBE = np.array([0.5, 0.1, 0.02])


def world_with_cube() -> tuple[mujoco.MjModel, mujoco.MjData]:
    spec = panda.spec("collision")
    cube = spec.worldbody.add_body(name="cube", pos=CUBE)
    cube.add_freejoint()
    cube.add_geom(
        name="cube", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.02, 0.02, 0.02), mass=0.1, friction=(0.8, 0.005, 1e-4)
    )
    model = spec.compile()
    return model, mujoco.MjData(model)


def deepest(data: mujoco.MjData, cube: int) -> float:
    """The deepest penetration, m, of any contact of the cube."""
    return max((-c.dist for c in data.contact if cube in (c.geom1, c.geom2)), default=0.0)


class Hand:
    """Drives the robot and watches the cube."""

    def __init__(self, robot: Robot, data: mujoco.MjData) -> None:
        self.robot, self.data = robot, data
        self.servo = CartesianServo(robot.kinematics, robot.limits, robot.driver.ctrl_dt)
        self.q = robot.observe().q
        self.width, self.deepest = 0.08, 0.0
        self.at_start = np.zeros(3)

    def follow(self, rows: Iterable[Floats]) -> None:
        for self.q in rows:
            self.robot.send_action(JointTarget(self.q, self.width))
            assert not self.robot.last_violations
            self.robot.wait(self.robot.driver.ctrl_dt)
            self.deepest = max(self.deepest, deepest(self.data, self.data.model.geom("cube").id))

    def go(self, pos: Floats) -> None:
        self.follow(move_to(self.servo, self.q, pose_from(pos, DOWN), speed=0.25))

    def hold(self, seconds: float) -> None:
        self.follow([self.q] * round(seconds / self.robot.driver.ctrl_dt))


@pytest.fixture(scope="module")
def held() -> Hand:
    """The hand, after it has lifted the cube by 20 cm and held it for 3 s; it knows where the cube was before those."""
    model, data = world_with_cube()
    driver = PandaSim(model, data)
    driver.reset()
    robot = Robot(driver)
    robot.connect()
    hand = Hand(robot, data)
    hand.go(CUBE + np.array([0, 0, 0.1]))
    hand.go(CUBE)
    hand.width = 0.0
    hand.hold(0.6)
    hand.go(CUBE + np.array([0, 0, 0.2]))
    hand.hold(0.5)
    hand.at_start = data.body("cube").xpos.copy()
    hand.hold(3.0)
    return hand


def test_cube_is_lifted_and_does_not_creep(held: Hand) -> None:
    assert np.linalg.norm(held.data.body("cube").xpos - (CUBE + np.array([0, 0, 0.2]))) < 0.003
    assert np.linalg.norm(held.data.body("cube").xpos - held.at_start) < 0.0002


def test_fingers_press_on_the_cube_and_not_into_it(held: Hand) -> None:
    state = held.robot.observe()
    assert held.deepest < 0.001
    assert state.width == pytest.approx(0.04, abs=0.001)
    assert state.touch[1] == pytest.approx(20.0, abs=1.0)  # the left pad is pushed to the left, hand axes
    assert state.touch[4] == pytest.approx(-20.0, abs=1.0)
    assert np.abs(state.touch[[2, 5]]).sum() == pytest.approx(0.1 * 9.81, abs=0.1)  # friction carries the weight


def test_nothing_was_violated(held: Hand) -> None:
    assert held.robot.driver.monitor.take() == {}


def test_opening_lets_go(held: Hand) -> None:
    held.width = 0.08
    held.hold(0.6)
    assert held.data.body("cube").xpos[2] < 0.1
    assert held.robot.observe().width == pytest.approx(0.08, abs=0.001)
