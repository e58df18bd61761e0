import numpy as np
import pytest

from valuefield.planners.arm_path import ArmPlanner, Reach, goal_pose, retreat
from valuefield.planners.field import Field
from valuefield.planners.grid import Grid
from valuefield.planners.tool_path import Pace
from valuefield.robots.geometry import pose_error, quat_from_axes
from valuefield.robots.kinematics import PandaKinematics
from valuefield.robots.panda import HOME_Q, LIMITS

DOWN = quat_from_axes([0.0, 0.0, -1.0], [0.0, 1.0, 0.0])
DT = 0.05


@pytest.fixture(scope="module")
def kinematics() -> PandaKinematics:
    return PandaKinematics()


@pytest.fixture
def planner(kinematics: PandaKinematics) -> ArmPlanner:
    return ArmPlanner(kinematics, LIMITS, np.random.default_rng(0), Pace(dt=DT))


def far(points: np.ndarray) -> np.ndarray:
    return np.full(len(points), 1.0)


def reach(kinematics: PandaKinematics, goal: list[float], **options: float) -> Reach:
    return Reach(np.array([kinematics.tool_pose(HOME_Q)[:3], goal]), DOWN, **options)


def test_ends_at_the_goal_and_keeps_to_the_line(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    path = planner.plan(HOME_Q, reach(kinematics, [0.5, 0.15, 0.25]), far)
    assert path is not None
    assert path.followed
    assert pose_error(kinematics.tool_pose(path.rows[-1]), path.goal)[0] < 0.003
    points = np.array([kinematics.tool_pose(row)[:3] for row in path.rows])
    start, end = kinematics.tool_pose(HOME_Q)[:3], np.array([0.5, 0.15, 0.25])
    along = (end - start) / np.linalg.norm(end - start)
    off = np.linalg.norm((points - start) - ((points - start) @ along)[:, None] * along, axis=1)
    assert off.max() < 0.02


def test_rows_keep_the_limits_of_speed_and_acceleration(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    path = planner.plan(HOME_Q, reach(kinematics, [0.6, -0.2, 0.2], approach=0.08), far)
    assert path is not None
    speed = np.diff(np.vstack([HOME_Q, path.rows]), axis=0) / DT
    assert (np.abs(speed) <= LIMITS.dq_max).all()
    first = np.vstack([speed[:1], np.diff(speed[: path.approach], axis=0)]) / DT
    assert (np.abs(first) <= LIMITS.ddq_max + 1e-6).all()


def test_the_approach_is_straight_along_the_fingers(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    path = planner.plan(HOME_Q, reach(kinematics, [0.5, 0.1, 0.13], approach=0.08), far)
    assert path is not None
    points = np.array([kinematics.tool_pose(row)[:3] for row in path.rows[path.approach :]])
    assert np.abs(points[:, :2] - [0.5, 0.1]).max() < 0.005
    assert points[-1, 2] == pytest.approx(0.05, abs=0.003)


def test_goes_around_a_wall_that_the_line_runs_into(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    grid = Grid.workspace()
    occupied = np.zeros(grid.shape, bool)
    low, high = grid.nearest(grid.to_index([[0.50, -0.10, 0.0], [0.53, 0.10, 0.35]]))
    occupied[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    field = Field(grid, occupied)
    path = planner.plan(HOME_Q, reach(kinematics, [0.65, 0.0, 0.2]), field.distance_at)
    assert path is not None
    assert not path.followed
    for row in path.rows:
        spheres = kinematics.spheres(row)
        assert (field.distance_at(spheres[:, :3]) - spheres[:, 3]).min() > -0.005


def test_none_when_the_goal_is_walled_in(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    grid = Grid.workspace()
    occupied = np.ones(grid.shape, bool)
    occupied[:50] = False
    assert planner.plan(HOME_Q, reach(kinematics, [0.75, 0.0, 0.2]), Field(grid, occupied).distance_at) is None


def test_none_out_of_the_arm_s_reach(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    assert planner.plan(HOME_Q, reach(kinematics, [0.9, 0.5, 0.7]), far) is None


def test_what_overlaps_at_the_start_may_go_on(planner: ArmPlanner, kinematics: PandaKinematics) -> None:
    """An object between the fingers must not make every path impossible."""
    tool = kinematics.tool_pose(HOME_Q)[:3]

    def near_the_tool(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - tool, axis=1)

    assert planner.plan(HOME_Q, reach(kinematics, [0.5, 0.1, 0.3]), near_the_tool) is not None


def test_a_tilt_turns_about_the_closing_axis_s_normal_and_keeps_the_point() -> None:
    asked = Reach(np.array([[0.4, 0, 0.4], [0.5, 0.0, 0.3]]), DOWN, approach=0.1)
    goal = goal_pose(asked, 0.0)
    assert goal[:3] == pytest.approx([0.5, 0.0, 0.2])
    tilted = goal_pose(asked, np.deg2rad(30))
    assert tilted[:3] == pytest.approx(goal[:3])
    assert pose_error(goal, tilted)[1] == pytest.approx(np.deg2rad(30))
    assert retreat(goal, 0.1)[:3] == pytest.approx([0.5, 0.0, 0.3])
