from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict
from gymnasium.utils.env_checker import check_env

from valuefield.planners.field import Field
from valuefield.planners.grid import Grid
from valuefield.planners.value_map import DenseMap, ValueMaps
from valuefield.planners.wrappers import ValueMapFeatures, goal_distance
from valuefield.robots.errors import BadInput

GRID = Grid.workspace()
GOAL = (0.5, 0.1, 0.3)


class Drifting(gymnasium.Env[dict[str, Any], Any]):
    """A tool point that the action moves."""

    observation_space = Dict({"ee_pose": Box(-2, 2, (7,))})
    action_space = Box(-0.01, 0.01, (3,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
        super().reset(seed=seed)
        self.pose = np.array([0.5, 0, 0.3, 0, 1, 0, 0], dtype=np.float32)
        return {"ee_pose": self.pose.copy()}, {"goal": GOAL}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.pose[:3] += action
        return {"ee_pose": self.pose.copy()}, 0.0, False, False, {}


def source(info: dict[str, Any]) -> Any:
    goal = DenseMap(GRID, highest=1.0)
    goal.set_ball(GRID.to_index(info["goal"]), 0.0, 1.0)
    table = np.zeros(GRID.shape, dtype=bool)
    table[:, :, 20] = True
    return lambda obs: (ValueMaps(goal=goal), Field(GRID, table))


def wrapped(**options: Any) -> ValueMapFeatures:
    return ValueMapFeatures(Drifting(), source, **options)


def test_the_wrapped_environment_keeps_gymnasiums_contract() -> None:
    check_env(wrapped(), skip_render_check=True)


def test_the_cube_holds_metres_around_the_tool_point() -> None:
    env = wrapped(nodes=3, spacing=0.05)
    obs, _ = env.reset()
    goal, clearance = obs["value_maps"]
    assert obs["value_maps"].dtype == np.float32
    assert goal[1, 1, 1] == pytest.approx(0.1, abs=1e-5)
    assert goal[1, 2, 1] == pytest.approx(0.05, abs=1e-5)
    assert goal[0, 0, 1] == pytest.approx(np.hypot(0.05, 0.15), abs=1e-5)
    assert np.allclose(clearance[1, 1], (0.05, 0.1, 0.15), atol=1e-5)


def test_the_cube_goes_with_the_tool() -> None:
    env = wrapped(nodes=3, spacing=0.05)
    env.reset()
    goal, clearance = env.step(np.array([0.0, 0.01, -0.005]))[0]["value_maps"]
    assert goal[1, 1, 1] == pytest.approx(np.hypot(0.09, 0.005), abs=1e-5)
    assert clearance[1, 1, 1] == pytest.approx(0.095, abs=1e-5)


def test_the_distance_is_that_of_the_best_goal() -> None:
    goal = DenseMap(GRID, highest=1.0)
    tool = np.array([GOAL])
    assert goal_distance(None, tool) == goal_distance(goal, tool) == 0
    goal.set_ball(GRID.to_index(GOAL), 0.0, 0.4)
    assert goal_distance(goal, tool) == pytest.approx(0, abs=1e-9)
    goal.set_ball(GRID.to_index((0.5, 0.1, 0.5)), 0.05, 0.9)
    assert goal_distance(goal, tool) == pytest.approx(0.15, abs=1e-9)


def test_what_cannot_be_wrapped_is_refused() -> None:
    env = Drifting()
    env.observation_space = Dict({"q": Box(-1, 1, (7,))})
    with pytest.raises(BadInput, match="ee_pose"):
        ValueMapFeatures(env, source)
    with pytest.raises(BadInput, match="cube"):
        wrapped(nodes=0)
