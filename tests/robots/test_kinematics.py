"""Where links are: against the simulator, finite differences, and the meshes themselves."""

import mujoco
import numpy as np
import pytest

from valuefield.robots import panda, panda_meshes
from valuefield.robots.geometry import pose_error, pose_from, quat_conjugate, quat_multiply, rotation_vector
from valuefield.robots.ik import solve
from valuefield.robots.kinematics import FAR, PandaKinematics
from valuefield.robots.spheres import cover
from valuefield.robots.state import Floats

KINEMATICS = PandaKinematics()
RNG = np.random.default_rng(0)
ANYWHERE = RNG.uniform(panda.LIMITS.q_min, panda.LIMITS.q_max, (20, 7))


@pytest.fixture(scope="module")
def world() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = panda.spec("visual").compile()
    return model, mujoco.MjData(model)


def test_home_points_straight_down_at_its_place() -> None:
    position, rotation = pose_error(KINEMATICS.tool_pose(panda.HOME_Q), pose_from((0.42, 0.0, 0.38), (0, 1, 0, 0)))
    assert position < 1e-4
    assert rotation < 1e-4


def test_tool_of_the_straight_arm_by_hand() -> None:
    """All joints at zero: 0.333 + 0.316 + 0.384 up, 0.088 out, and 0.107 + 0.1034 down again."""
    pose = KINEMATICS.tool_pose(np.zeros(7))
    np.testing.assert_allclose(pose[:3], [0.088, 0.0, 0.333 + 0.316 + 0.384 - 0.107 - 0.1034], atol=1e-9)


@pytest.mark.parametrize("q", ANYWHERE[:8])
def test_tool_pose_is_the_simulators_site(q: Floats, world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    model, data = world
    data.qpos[:7] = q
    mujoco.mj_kinematics(model, data)
    pose = KINEMATICS.tool_pose(q)
    np.testing.assert_allclose(pose[:3], data.site("tool").xpos, atol=1e-12)
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, data.site("tool").xmat)
    assert abs(pose[3:] @ quat) == pytest.approx(1.0)


@pytest.mark.parametrize("q", ANYWHERE[:5])
def test_jacobian_against_finite_differences(q: Floats) -> None:
    jacobian, step = KINEMATICS.jacobian(q), 1e-6
    for joint in range(7):
        moved = q.copy()
        moved[joint] += step
        before, after = KINEMATICS.tool_pose(q), KINEMATICS.tool_pose(moved)
        turn = rotation_vector(quat_multiply(after[3:], quat_conjugate(before[3:])))
        np.testing.assert_allclose(jacobian[:, joint], np.concatenate([after[:3] - before[:3], turn]) / step, atol=1e-5)


def test_clearance_to_the_table_by_hand() -> None:
    """With the hand pointing down, the pads end 0.0584 + 0.045 + 0.009 - 0.1034 = 0.009 m below the tool point."""
    low = pose_from((0.5, 0.0, 0.03), (0.0, 1.0, 0.0, 0.0))
    q = solve(KINEMATICS, low, limits=panda.LIMITS, seeds=[panda.HOME_Q])[0].q
    assert KINEMATICS.clearance(q) == pytest.approx(KINEMATICS.tool_pose(q)[2] - 0.009, abs=3e-4)


def test_clearance_sees_the_arm_itself_and_looks_no_farther_than_far() -> None:
    hand_in_forearm = np.array([0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.8 + np.pi / 2])
    assert KINEMATICS.clearance(hand_in_forearm) < 0.0
    assert KINEMATICS.clearance(panda.HOME_Q) == FAR


def test_the_bent_forearm_leaves_the_wrist_its_range() -> None:
    assert KINEMATICS.clearance(panda.HOME_Q * [1, 1, 1, 1, 1, 0, 1] + [0, 0, 0, 0, 0, 0.4, 0]) > 0.03


def test_spheres_cover_the_meshes() -> None:
    """Every vertex of what is seen of a moving link lies inside one of its balls, give or take the sampling."""
    balls = cover()
    for part in ("link2", "link5", "link7", "hand", "finger"):
        mine = np.array([name == ("left_finger" if part == "finger" else part) for name in balls.body])
        points = np.concatenate([mesh.vertices for mesh in panda_meshes.visual(part)])
        gaps = np.linalg.norm(points[:, None] - balls.center[mine], axis=2) - balls.radius[mine]
        assert gaps.min(axis=1).max() < 0.004, part


def test_spheres_bulge_little_around_hand_and_fingers() -> None:
    balls = cover()
    radius = {
        name: max(r for body, r in zip(balls.body, balls.radius, strict=True) if body == name) for name in balls.body
    }
    assert radius["hand"] < 0.045
    assert radius["left_finger"] < 0.02


def test_finger_spheres_move_with_the_opening() -> None:
    wide, closed = KINEMATICS.spheres(panda.HOME_Q, 0.08), KINEMATICS.spheres(panda.HOME_Q, 0.0)
    moved = np.linalg.norm(wide[:, :3] - closed[:, :3], axis=1)
    assert np.count_nonzero(np.isclose(moved, 0.04)) == 6
    assert np.count_nonzero(moved < 1e-12) == len(wide) - 6
    np.testing.assert_array_equal(wide[:, 3], closed[:, 3])


def test_spheres_of_many_joint_angles() -> None:
    together = KINEMATICS.spheres(ANYWHERE[:4], 0.03)
    np.testing.assert_array_equal(together[2], KINEMATICS.spheres(ANYWHERE[2], 0.03))
    assert together.shape == (4, len(cover().radius), 4)
