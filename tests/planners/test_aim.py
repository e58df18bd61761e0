from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from valuefield.envs.perception.box import Box
from valuefield.planners.aim import Aim, aim_at, best_goal, lined_up, single_goal
from valuefield.planners.grid import Grid
from valuefield.planners.language.subgoal import GRIPPER, SubGoal
from valuefield.planners.value_map import DenseMap, RegionMap, ValueMaps
from valuefield.robots.errors import PlannerError
from valuefield.robots.geometry import quat_from_axes

GRID = Grid.workspace()
DOWN = quat_from_axes([0.0, 0.0, -1.0], [0.0, 1.0, 0.0])
CUBE = Box(np.array([0.5, 0.1, 0.02]), np.eye(3), np.full(3, 0.02))


class FakeScene:
    names = ("cube",)
    tool_pose = np.concatenate([[0.4, 0.0, 0.4], DOWN])

    def find(self, name: str) -> Any:
        assert name == "cube"
        return SimpleNamespace(box=CUBE)


def subgoal() -> SubGoal:
    return SubGoal("grasp the cube", GRIPPER, ("cube",), "", lambda scene: ValueMaps())


def gripper_around(point: np.ndarray) -> RegionMap:
    gripper = RegionMap(GRID, 1.0)
    gripper.set_ball(GRID.to_index(point), 0.01, 0.0)
    return gripper


def test_the_best_goal_is_the_nearest_of_the_highest_values_to_the_millimetre() -> None:
    goal = DenseMap(GRID, highest=1.0)
    goal.set_ball(GRID.to_index([0.8, 0.0, 0.1]), 0.0, 1.0)
    goal.set_ball(GRID.to_index([0.503, 0.1, 0.1]), 0.0, 1.0)
    goal.set_ball(GRID.to_index([0.4, 0.0, 0.35]), 0.0, 0.5)
    assert best_goal(goal, np.array([0.4, 0.0, 0.4])) == pytest.approx([0.503, 0.1, 0.1])


def test_a_map_without_a_goal_is_an_error() -> None:
    with pytest.raises(PlannerError, match="no goal"):
        best_goal(DenseMap(GRID, highest=1.0), np.zeros(3))


def test_a_grasp_opens_on_the_way_and_closes_at_what_it_touches() -> None:
    maps = ValueMaps(goal=single_goal(GRID, CUBE.center), gripper=gripper_around(CUBE.center))
    aim = aim_at(subgoal(), maps, FakeScene())  # type: ignore[arg-type]
    assert aim.opening == (1.0, 0.0)
    assert aim.touches == "cube"
    assert aim.grasps


def test_a_goal_above_the_object_does_not_touch_it() -> None:
    maps = ValueMaps(goal=single_goal(GRID, CUBE.center + np.array([0, 0, 0.1])))
    aim = aim_at(subgoal(), maps, FakeScene())  # type: ignore[arg-type]
    assert aim.touches is None
    assert not aim.grasps
    assert aim.quat == pytest.approx(FakeScene.tool_pose[3:])


def test_without_a_goal_the_tool_stays_and_the_gripper_does_what_its_map_says() -> None:
    aim = aim_at(subgoal(), ValueMaps(gripper=RegionMap(GRID, 0.0)), FakeScene())  # type: ignore[arg-type]
    assert aim.goal == pytest.approx(FakeScene.tool_pose[:3])
    assert aim.opening == (0.0, 0.0)


@pytest.mark.parametrize(
    ("tool", "expected"),
    [([0.5, 0.1, 0.08], True), ([0.5, 0.13, 0.08], False), ([0.5, 0.1, 0.25], False), ([0.5, 0.1, 0.0], False)],
)
def test_lined_up_means_on_the_straight_way_in(tool: list[float], expected: bool) -> None:
    aim = Aim(np.array([0.5, 0.1, 0.02]), DOWN, "cube")
    assert lined_up(np.concatenate([tool, DOWN]), aim, 0.08) is expected
