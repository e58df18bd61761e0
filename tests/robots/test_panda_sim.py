"""The Panda in MuJoCo: tracking, what the monitor counts, and the model itself."""

import mujoco
import numpy as np
import pytest

from valuefield.robots import panda, panda_meshes
from valuefield.robots.geometry import pose_error, pose_from
from valuefield.robots.ik import CartesianServo, move_to, solve
from valuefield.robots.monitor import Monitor
from valuefield.robots.panda_sim import PandaSim
from valuefield.robots.robot import Robot
from valuefield.robots.state import JointTarget

HOME = panda.HOME_Q


@pytest.fixture
def robot() -> Robot:
    robot = Robot(PandaSim(*fresh()))
    robot.driver.reset()
    robot.connect()
    return robot


def fresh() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = panda.spec("collision").compile()
    return model, mujoco.MjData(model)


def test_tool_follows_its_targets_within_a_millimetre(robot: Robot) -> None:
    servo = CartesianServo(robot.kinematics, robot.limits, robot.driver.ctrl_dt)
    errors = []
    servo.reset(HOME)
    for pos in ((0.5, 0.2, 0.2), (0.45, -0.2, 0.3), (0.6, 0.0, 0.1)):
        for q in move_to(servo, servo.q, pose_from(pos, (0, 1, 0, 0)), speed=0.25):
            robot.send_action(JointTarget(q, 0.08))
            robot.wait(robot.driver.ctrl_dt)
            errors.append(pose_error(robot.kinematics.tool_pose(robot.observe().q), robot.kinematics.tool_pose(q))[0])
    assert max(errors) < 0.0015
    assert np.mean(errors) < 0.0007
    assert robot.driver.monitor.take() == {}


def test_joints_stay_within_their_rating_when_driven_at_the_limits(robot: Robot) -> None:
    """Whatever the targets are; only the motors may saturate for some milliseconds."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        robot.send_action(JointTarget(rng.uniform(robot.limits.q_min, robot.limits.q_max), 0.08))
        robot.wait(robot.driver.ctrl_dt)
    assert robot.driver.monitor.take().keys() <= {"torque"}


def test_same_targets_give_the_same_states() -> None:
    ends = []
    for _ in range(2):
        robot = Robot(PandaSim(*fresh()))
        robot.driver.reset()
        robot.connect()
        for k in range(20):
            robot.send_action(JointTarget(HOME + 0.01 * k, 0.0))
            robot.wait(0.05)
        ends.append(robot.observe().q)
    np.testing.assert_array_equal(*ends)


def test_reset_places_the_arm_at_rest_and_forgets(robot: Robot) -> None:
    robot.send_action(JointTarget(HOME + 0.01, 0.0))
    robot.wait(0.5)
    robot.driver.reset(HOME + 0.3, width=0.02)
    robot.stop()
    robot.wait(0.2)
    np.testing.assert_allclose(robot.observe().q, HOME + 0.3, atol=1e-5)
    assert robot.observe().width == pytest.approx(0.02, abs=1e-4)


def test_pushing_on_the_table_is_felt_and_counted(robot: Robot) -> None:
    low = solve(robot.kinematics, pose_from((0.5, 0, 0.02), (0, 1, 0, 0)), limits=robot.limits, seeds=[HOME])[0].q
    robot.driver.reset(low + np.array([0, 0.03, 0, 0, 0, 0.03, 0]))  # fingers in the table, past safety
    robot.stop()
    robot.wait(0.02)
    counts = robot.driver.monitor.take()
    assert counts["table_contact"] == 10
    assert robot.observe().touch[[2, 5]].max() < -1.0  # pushed back into the hand


def test_monitor_counts_steps_by_hand() -> None:
    monitor, ok = Monitor(panda.RATED), (HOME, np.zeros(7), np.zeros(7), np.zeros(2))
    fast, strong = np.array([0, 0, 0, 0, 2.7, 2.7, 0]), np.array([0, 0, 0, 0, 0, 0, -12.5])
    monitor.record(*ok)
    monitor.record(HOME, fast, np.zeros(7), np.zeros(2))
    monitor.record(HOME, fast, strong, np.array([0.0, 2.0]))
    monitor.record(panda.RATED.q_max + 0.01, np.zeros(7), np.zeros(7), np.array([1.0, 0.0]))
    assert monitor.take() == {"joint_range": 1, "joint_speed": 2, "torque": 1, "table_contact": 1, "self_contact": 1}
    for _ in range(600):
        monitor.record(HOME, fast, np.zeros(7), np.zeros(2))
    assert monitor.take() == {"joint_speed": 600}
    assert monitor.take() == {}


def test_hand_against_base_is_counted_as_self_contact() -> None:
    driver = PandaSim(*fresh())
    driver.reset(np.array([0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.8 + np.pi / 2]))
    driver.wait(0.02)
    assert driver.monitor.take()["self_contact"] == 10


def test_world_of_an_environment_is_driven_in_place() -> None:
    spec = panda.spec("collision")
    ball = spec.worldbody.add_body(name="ball", pos=(0.5, 0, 0.5))
    ball.add_freejoint()
    ball.add_geom(size=(0.02, 0, 0))
    model = spec.compile()
    data = mujoco.MjData(model)
    robot = Robot(PandaSim(model, data))
    robot.driver.reset()
    with robot:
        robot.wait(0.1)
        assert data.body("ball").xpos[2] < 0.47
        np.testing.assert_allclose(robot.observe().q, HOME, atol=1e-4)


def test_all_faces_of_the_visual_meshes_are_kept() -> None:
    """MuJoCo's own reader keeps 42 of the hand's 7078 faces; thinning may drop slivers, not parts."""
    for part in ("hand", "link5", "link6"):
        coarse, seen = panda_meshes.collision(part).vertices, panda_meshes.visual(part)
        points = np.concatenate([mesh.vertices for mesh in seen])
        np.testing.assert_allclose(points.min(axis=0), coarse.min(axis=0), atol=0.012)
        np.testing.assert_allclose(points.max(axis=0), coarse.max(axis=0), atol=0.012)
        assert sum(len(mesh.faces) for mesh in seen) > 1000
    assert len(panda_meshes.visual("hand")) == 2  # white and dark


@pytest.mark.parametrize("meshes", ["visual", "collision"])
def test_model_has_what_environments_rely_on(meshes: panda.Meshes) -> None:
    model = panda.spec(meshes).compile()
    assert (model.nq, model.nv, model.nu) == (9, 9, 8)
    assert model.body("link0").parentid[0] == 0
    for geom in ("table", "floor", "hand", "pad_left", "pad_right", "finger_left", "finger_right", "link5_wrist"):
        model.geom(geom)
    robot = model.body_subtreemass[model.body("link0").id]
    assert robot == pytest.approx(
        0.629769 + 4.970684 + 0.646926 + 3.228604 + 3.587895 + 1.225946 + 1.666555 + 0.735522 + 0.73 + 0.03
    )
