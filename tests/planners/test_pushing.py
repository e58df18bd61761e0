import numpy as np
import pytest

from valuefield.envs.perception.detector import OracleDetector
from valuefield.envs.tabletop import make
from valuefield.planners.language.rules import RulesModel
from valuefield.planners.pushing import farthest_straight
from valuefield.planners.voxposer import voxposer


def test_a_straight_path_is_one_stretch() -> None:
    path = np.linspace([0.3, 0.0, 0.02], [0.6, 0.1, 0.02], 30)
    assert farthest_straight(path) == pytest.approx(path[-1])


def test_a_corner_ends_the_stretch() -> None:
    first = np.linspace([0.3, 0.0, 0.02], [0.5, 0.0, 0.02], 21)
    second = np.linspace([0.5, 0.01, 0.02], [0.5, 0.2, 0.02], 20)
    stretch = farthest_straight(np.vstack([first, second]))
    assert stretch[0] == pytest.approx(0.5, abs=0.011)
    assert stretch[1] < 0.03


def test_a_path_of_one_point_is_that_point() -> None:
    assert farthest_straight(np.array([[0.3, 0.0, 0.02]])) == pytest.approx([0.3, 0.0, 0.02])


@pytest.mark.slow
@pytest.mark.parametrize("variation", [0, 1])
def test_a_block_is_pushed_onto_its_target(variation: int) -> None:
    env = make("tabletop/slide_block_to_color_target", action="joint")
    executor = voxposer(env, RulesModel(), lambda info: OracleDetector(info["objects"]))
    obs, info = env.reset(seed=100_000, options={"variation": variation})
    executor.reset(obs, info)
    for _ in range(env.max_steps or 0):
        obs, _, done, _, info = env.step(executor.act(obs))
        if done or executor.finished:
            break
    assert info["success"], executor.reason
