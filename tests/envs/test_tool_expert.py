import time
from functools import cache

import numpy as np
import pytest

from valuefield.envs import tabletop
from valuefield.envs.tabletop.env import TabletopEnv
from valuefield.envs.tool_expert import ToolExpert
from valuefield.robots.errors import BadInput
from valuefield.robots.geometry import pose_error

TASKS = ("reach_target", "slide_block_to_color_target", "pick_and_lift")


@cache
def environment(task: str) -> TabletopEnv:
    return tabletop.make(f"tabletop/{task}", meshes="collision")


def solve(env: TabletopEnv, *, seed: int, random_steps: int = 0) -> bool:
    obs, info = env.reset(seed=seed)
    expert = ToolExpert(env)
    expert.reset(obs, info)
    env.action_space.seed(seed)
    over = False
    for step in range(env.max_steps):
        action = env.action_space.sample() if step < random_steps else expert.act(obs)
        assert action in env.action_space
        obs, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        if over:
            break
    return over and info["success"]


@pytest.mark.parametrize("task", TASKS)
def test_it_does_the_task_also_from_where_random_steps_lead(task):
    env = environment(task)
    assert all(solve(env, seed=seed) for seed in range(100_700, 100_703))
    assert sum(solve(env, seed=seed, random_steps=20) for seed in range(100_710, 100_713)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_how_often_it_does_the_task(task):
    env = environment(task)
    assert sum(solve(env, seed=seed) for seed in range(100_800, 100_840)) >= 38
    assert sum(solve(env, seed=seed, random_steps=20) for seed in range(100_900, 100_940)) >= 36


def test_asking_changes_nothing_and_costs_less_than_a_step():
    env = environment("pick_and_lift")
    obs, _ = env.reset(seed=100_700)
    expert = ToolExpert(env)
    before = env.world.data.qpos.copy()
    np.testing.assert_array_equal(expert.act(obs), expert.act(obs))
    np.testing.assert_array_equal(env.world.data.qpos, before)
    still = np.zeros(7, np.float32)
    assert least_seconds(lambda: expert.act(obs)) < least_seconds(lambda: env.step(still))


def least_seconds(call) -> float:
    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(once() for _ in range(30))


def test_the_step_is_proportional_near_the_goal_and_full_from_afar():
    env = environment("reach_target")
    obs, _ = env.reset(seed=100_701)
    expert, ball = ToolExpert(env), env.world.position("ball 0")
    far = expert.act(obs)
    way = ball - env.anchor.pose[:3]
    np.testing.assert_allclose(far[:3], np.clip(0.5 * way / 0.025, -0.5, 0.5), atol=1e-5)
    assert np.abs(far[:3]).max() == pytest.approx(0.5)
    env.world.place("ball 0", env.anchor.pose[:3] + np.array([0.01, 0.0, -0.005]))
    env.step(np.zeros(7, np.float32))  # the ball's pose is computed with the physics
    left = env.world.position("ball 0") - env.anchor.pose[:3]
    np.testing.assert_allclose(expert.act(obs)[:3], 0.5 * left / 0.025, atol=1e-5)
    assert expert.act(obs)[6] == -1


@pytest.mark.parametrize("task", TASKS)
def test_the_arm_can_follow(task):
    env = environment(task)
    obs, info = env.reset(seed=100_704)
    expert = ToolExpert(env)
    missed = []
    while not info.get("success", False):
        action = expert.act(obs)
        obs, *_, info = env.step(action)
        missed.append(np.linalg.norm(info["action_sent"] - action))
    assert np.median(missed) < 0.1 and np.quantile(missed, 0.75) < 0.3  # the rest is how it comes up to speed


def test_it_goes_up_before_it_goes_aside():
    env = environment("pick_and_lift")
    obs, _ = env.reset(seed=100_702)
    expert = ToolExpert(env)
    for _ in range(60):  # straight down where the tool is, to the height of a block
        obs, *_ = env.step(np.array([0, 0, -0.5 * (env.world.tool[2] > 0.035), 0, 0, 0, 1], np.float32))
    assert env.world.tool[2] < 0.045
    x, y, up = expert.act(obs)[:3]
    assert np.hypot(x, y) < 1e-6 and up > 0.1


def test_of_all_grips_it_takes_the_nearest():
    env = environment("pick_and_lift")
    env.reset(seed=100_703)
    expert = ToolExpert(env)
    for yaw in np.linspace(-np.pi, np.pi, 9):
        env.world.place("block 0", (0.45, 0.0, 0.02), yaw=yaw)
        env.step(np.zeros(7, np.float32))
        turn = pose_error(env.anchor.pose, expert._stages()[0].pose)[1]
        assert turn < np.pi / 4 + 0.15  # a square block, and a tool that leans a little


def test_bad_input():
    with pytest.raises(BadInput, match=r"ee_delta, of shape \(7,\), not \(8,\)"):
        ToolExpert(tabletop.make("tabletop/reach_target", action="joint"))
