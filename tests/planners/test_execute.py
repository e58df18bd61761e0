"""The executor with a planner that is written by hand, in a real environment."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from valuefield.envs.perception.detector import OracleDetector
from valuefield.envs.perception.scene import Scene
from valuefield.envs.tabletop import make
from valuefield.envs.tabletop.env import TabletopEnv
from valuefield.planners.aim import single_goal
from valuefield.planners.execute import Executor
from valuefield.planners.grid import Grid
from valuefield.planners.language.subgoal import GRIPPER, SubGoal
from valuefield.planners.value_map import RegionMap, ValueMaps
from valuefield.robots.errors import PlannerError, ProgramError
from valuefield.robots.panda import HOME_Q

GRID = Grid.workspace()
Maps = Callable[[Scene], ValueMaps]


class ByHand:
    """Sub-goals that a test wrote."""

    def __init__(self, **maps: Maps) -> None:
        self.maps, self.composed = maps, []

    def plan(self, instruction: str, scene: Scene) -> list[str]:
        return list(self.maps)

    def compose(self, text: str, scene: Scene) -> list[SubGoal]:
        self.composed.append(text)
        return [SubGoal(text, GRIPPER, (), "", self.maps[text], home=text == "home")]


@pytest.fixture(scope="module")
def env() -> TabletopEnv:
    return make("tabletop/reach_target", action="joint")


def goal_at(*point: float) -> Maps:
    return lambda scene: ValueMaps(goal=single_goal(GRID, np.array(point)))


def run(env: TabletopEnv, planner: ByHand, *, most: int = 300, realtime: bool = False) -> Executor:
    executor = Executor(env, planner, lambda info: OracleDetector(info["objects"]), realtime=realtime)
    obs, info = env.reset(seed=0)
    executor.reset(obs, info)
    for _ in range(most):
        obs, _, terminated, _, info = env.step(executor.act(obs))
        if executor.finished or terminated:
            break
    return executor


def test_reaches_a_goal_then_goes_home(env: TabletopEnv) -> None:
    executor = run(env, ByHand(there=goal_at(0.5, 0.2, 0.3), home=lambda scene: ValueMaps()))
    assert executor.succeeded
    assert [report.text for report in executor.reports] == ["there", "home"]
    assert np.abs(env.robot.observe().q - HOME_Q).max() < 0.05
    assert executor.planning_ms


def test_the_tool_is_where_the_map_said(env: TabletopEnv) -> None:
    executor = run(env, ByHand(there=goal_at(0.45, -0.2, 0.25)))
    assert executor.succeeded
    assert env.robot.kinematics.tool_pose(env.robot.observe().q)[:3] == pytest.approx([0.45, -0.2, 0.25], abs=0.01)


def test_the_gripper_follows_its_map(env: TabletopEnv) -> None:
    executor = run(env, ByHand(shut=lambda scene: ValueMaps(gripper=RegionMap(GRID, 0.0))))
    assert executor.succeeded
    assert env.robot.observe().width < 0.005


def test_an_unreachable_goal_is_tried_twice_and_ends_with_a_reason(env: TabletopEnv) -> None:
    planner = ByHand(far=goal_at(0.9, 0.5, 0.7), after=goal_at(0.5, 0.0, 0.3))
    executor = run(env, planner)
    assert executor.finished
    assert not executor.succeeded
    (report,) = executor.reports
    assert report.tries == 2
    assert "cannot get there" in report.reason
    assert planner.composed == ["far", "far"]  # composed anew for the second try, and nothing after it


def test_a_goal_that_moves_is_followed(env: TabletopEnv) -> None:
    looks = iter(range(10_000))

    def moving(scene: Scene) -> ValueMaps:
        return goal_at(0.5, 0.2 if next(looks) < 2 else -0.2, 0.3)(scene)

    executor = run(env, ByHand(there=moving))
    assert executor.succeeded
    assert env.robot.kinematics.tool_pose(env.robot.observe().q)[1] == pytest.approx(-0.2, abs=0.02)


def test_an_error_of_a_map_program_is_not_swallowed(env: TabletopEnv) -> None:
    def broken(scene: Scene) -> ValueMaps:
        raise PlannerError("no such thing")

    with pytest.raises(PlannerError, match="no such thing"):
        run(env, ByHand(broken=broken))


def test_what_is_hidden_for_a_moment_does_not_stop_a_motion(env: TabletopEnv) -> None:
    looks = iter(range(10_000))

    def sometimes(scene: Scene) -> ValueMaps:
        if next(looks) % 2:
            raise ProgramError("the ball is not visible now")
        return goal_at(0.5, 0.2, 0.3)(scene)

    assert run(env, ByHand(there=sometimes)).succeeded


def test_half_the_speed_takes_about_twice_as_long(env: TabletopEnv) -> None:
    def at_speed(factor: float) -> Maps:
        goal = single_goal(GRID, np.array([0.45, 0.3, 0.3]))
        return lambda scene: ValueMaps(goal=goal, speed=RegionMap(GRID, factor))

    full, half = (run(env, ByHand(there=at_speed(factor))).reports[0].seconds for factor in (1.0, 0.5))
    assert 1.4 < half / full < 2.2


def test_in_real_time_it_thinks_beside_and_still_arrives(env: TabletopEnv) -> None:
    executor = run(env, ByHand(there=goal_at(0.5, 0.2, 0.3)), most=3000, realtime=True)
    assert executor.succeeded


def test_ending_early_reports_the_sub_goal_under_way(env: TabletopEnv) -> None:
    executor = run(env, ByHand(there=goal_at(0.5, 0.2, 0.3)), most=5)
    executor.end(success=False)
    (report,) = executor.reports
    assert not report.reached
    assert report.reason == "the episode ended"


def test_equal_seeds_give_equal_actions(env: TabletopEnv) -> None:
    def actions() -> list[Any]:
        executor = Executor(env, ByHand(there=goal_at(0.5, 0.2, 0.3)), lambda info: OracleDetector(info["objects"]))
        obs, info = env.reset(seed=3)
        executor.reset(obs, info)
        taken = []
        for _ in range(12):
            taken.append(executor.act(obs))
            obs, *_ = env.step(taken[-1])
        return taken

    assert np.array_equal(actions(), actions())
