"""What holds for every robot."""

from collections.abc import Iterator

import numpy as np
import pytest

from valuefield import robots
from valuefield.robots import panda
from valuefield.robots.errors import NotConnected, UnknownName
from valuefield.robots.motion import time_parameterise
from valuefield.robots.robot import Robot
from valuefield.robots.state import JointTarget

DT = 0.05


@pytest.fixture(params=sorted(robots.ROBOTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def robot(name: str) -> Iterator[Robot]:
    with robots.connect(name) as robot:
        yield robot


def test_unknown_robot_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="nearest: 'panda-sim'"):
        robots.connect("panda_sim")


def test_specs_and_kinematics_work_while_disconnected(name: str) -> None:
    robot = robots.connect(name)
    assert robot.name == name
    assert robot.observation_spec == {"time": (), "q": (7,), "dq": (7,), "width": (), "touch": (6,)}
    assert robot.action_spec["q"][0].shape == (7,)
    assert robot.kinematics.tool_pose(panda.HOME_Q).shape == (7,)


def test_nothing_else_works_while_disconnected(name: str) -> None:
    robot = robots.connect(name)
    target = JointTarget(panda.HOME_Q, 0.08)
    for call in (robot.observe, robot.stop, lambda: robot.send_action(target), lambda: robot.wait(DT)):
        with pytest.raises(NotConnected, match=name):
            call()
    with robot:
        robot.observe()
    with pytest.raises(NotConnected):
        robot.observe()


def test_observation_is_what_the_spec_says(robot: Robot) -> None:
    state = robot.observe()
    for field, shape in robot.observation_spec.items():
        value = np.asarray(getattr(state, field))
        assert value.shape == shape
        assert np.isfinite(value).all()
    np.testing.assert_allclose(state.q, panda.HOME_Q, atol=1e-6)
    assert state.width == pytest.approx(0.08, abs=1e-6)


def test_time_passes_only_by_waiting(robot: Robot) -> None:
    before = robot.now()
    robot.send_action(JointTarget(panda.HOME_Q, 0.08))
    assert robot.now() == before
    robot.wait(0.5)
    assert robot.now() == pytest.approx(before + 0.5)


def test_send_action_returns_what_was_sent(robot: Robot) -> None:
    near, far = JointTarget(panda.HOME_Q + 0.002, 0.05, 15.0), JointTarget(panda.HOME_Q + 0.5, 0.3, 15.0)
    sent = robot.send_action(near)
    np.testing.assert_allclose(sent.q, near.q, atol=1e-9)
    assert (sent.width, sent.force, robot.last_violations) == (0.05, 15.0, ())
    robot.wait(DT)
    sent = robot.send_action(far)
    assert np.abs(sent.q - panda.HOME_Q).max() < 0.1
    assert sent.width == 0.08
    assert {violation.name for violation in robot.last_violations} >= {"speed", "width"}


def test_joint_target_is_reached(robot: Robot) -> None:
    goal = panda.HOME_Q + np.array([0.4, 0.2, -0.3, 0.2, 0.3, -0.2, 0.5])
    for q in time_parameterise(np.stack([panda.HOME_Q, goal]), robot.limits, DT):
        robot.send_action(JointTarget(q, 0.08))
        assert robot.last_violations == ()
        robot.wait(DT)
    robot.wait(0.3)
    state = robot.observe()
    np.testing.assert_allclose(state.q, goal, atol=2e-3)
    np.testing.assert_allclose(state.dq, 0.0, atol=0.01)


def test_stop_holds_the_arm_where_it_is(robot: Robot) -> None:
    q = panda.HOME_Q.copy()
    for _ in range(8):
        q = robot.send_action(JointTarget(q + np.array([0.03, 0, 0, 0, 0, 0, 0]), 0.08)).q
        robot.wait(DT)
    robot.stop()
    stopped = robot.observe().q
    robot.wait(1.0)
    np.testing.assert_allclose(robot.observe().q, stopped, atol=0.02)
    robot.send_action(JointTarget(robot.observe().q, 0.08))
    assert robot.last_violations == ()


@pytest.mark.parametrize("width", [0.0, 0.03, 0.06])
def test_gripper_goes_to_its_width(robot: Robot, width: float) -> None:
    for _ in range(20):
        robot.send_action(JointTarget(panda.HOME_Q, width))
        robot.wait(DT)
    assert robot.observe().width == pytest.approx(width, abs=1e-3)
    assert np.abs(robot.observe().touch).max() < 0.5  # there is nothing to touch


def test_connects_again(name: str) -> None:
    robot = robots.connect(name)
    for _ in range(2):
        with robot:
            robot.send_action(JointTarget(panda.HOME_Q, 0.08))
            robot.wait(DT)
        assert not robot.connected
