from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.envs import tabletop
from valuefield.envs.clearance import EDGE, Clearance
from valuefield.envs.expert import ScriptedExpert
from valuefield.envs.keyframe import behind, grip_at, grips_down, heading, moved, near, on_the_way_in
from valuefield.envs.straight import StraightMove
from valuefield.envs.tabletop.env import TabletopEnv
from valuefield.robots import ik
from valuefield.robots.geometry import compose, pose_from, quat_from_rotation_vector, rotate
from valuefield.robots.kinematics import PandaKinematics
from valuefield.robots.panda import HOME_Q, LIMITS

TASKS = list(tabletop.TASKS)
DOWN = grips_down(90)[0]


@cache
def environment(task: str, action: str = "joint") -> TabletopEnv:
    return tabletop.make(f"tabletop/{task}", action=action, meshes="collision")


def solve(env: TabletopEnv, expert: ScriptedExpert, *, random_steps: int = 0, **reset: object) -> tuple[bool, dict]:
    """Whether the expert ends the episode with success, and what was seen on the way."""
    obs, info = env.reset(**reset)
    expert.reset(obs, info)
    env.action_space.seed(0)
    seen = {"violations": 0, "depth": 0.0, "steps": 0}
    for step in range(env.max_steps):
        action = env.action_space.sample() if step < random_steps else expert.act(obs)
        obs, _, terminated, truncated, info = env.step(action)
        seen["violations"] += sum(info["violations"].values())
        seen["depth"] = min(seen["depth"], deepest(env))
        seen["steps"] = step + 1
        if terminated or truncated:
            break
    return info["success"], seen


def deepest(env: TabletopEnv) -> float:
    """m, least distance of the robot to what it touches now."""
    contact = env.world.data.contact
    own = [any(env.world.is_robot(geom) for geom in pair) for pair in contact.geom]
    return float(contact.dist[own].min(initial=0.0))


@pytest.mark.parametrize("task", TASKS)
def test_it_does_every_task_gently(task):
    env = environment(task)
    success, seen = solve(env, ScriptedExpert(env), seed=100_000, options={"variation": 0})
    assert success
    assert seen["violations"] == 0
    assert seen["depth"] > -0.002
    assert seen["steps"] < env.max_steps / 2


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_it_does_every_variation(task):
    env = environment(task)
    expert = ScriptedExpert(env)
    count = min(20, env.task.variation_count)
    done = [solve(env, expert, seed=100_500 + k, options={"variation": k})[0] for k in range(count)]
    assert all(done)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_it_recovers_from_twenty_random_steps(task):
    env = environment(task)
    expert = ScriptedExpert(env)
    assert sum(solve(env, expert, random_steps=20, seed=100_600 + k)[0] for k in range(3)) >= 2


@pytest.mark.parametrize(
    "after", [45, pytest.param(25, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow)]
)
def test_another_expert_can_take_over_at_any_time(after):
    env = environment("pick_and_lift")
    obs, info = env.reset(seed=100_000)
    first, second = ScriptedExpert(env), ScriptedExpert(env)
    first.reset(obs, info)
    second.reset(obs, info)
    for step in range(env.max_steps):
        obs, _, terminated, _, info = env.step((first if step < after else second).act(obs))
        if terminated:
            break
    assert info["success"]
    assert step >= after


def test_it_acts_in_the_space_of_the_environment():
    env = environment("pick_and_lift", "ee_delta")
    success, _ = solve(env, ScriptedExpert(env), seed=100_000)
    assert success


def test_the_same_episode_is_solved_the_same_way():
    env = environment("reach_target")
    expert = ScriptedExpert(env)
    ends = []
    for _ in range(2):
        solve(env, expert, seed=100_001)
        ends.append(env.robot_state.q)
    np.testing.assert_array_equal(*ends)


def test_a_way_in_is_a_line_behind_the_pose():
    pose = pose_from((0.5, 0.1, 0.2), DOWN)
    np.testing.assert_allclose(behind(pose, 0.1)[:3], (0.5, 0.1, 0.3), atol=1e-12)
    assert on_the_way_in(behind(pose, 0.08), pose, length=0.1)
    assert on_the_way_in(pose, pose, length=0.1)
    assert not on_the_way_in(behind(pose, 0.12), pose, length=0.1)
    assert not on_the_way_in(behind(pose, -0.02), pose, length=0.1)
    assert not on_the_way_in(moved(behind(pose, 0.05), (0.015, 0, 0)), pose, length=0.1)
    turned = compose(pose, pose_from((0, 0, -0.05), quat_from_rotation_vector((0, 0, 0.2))))
    assert not on_the_way_in(turned, pose, length=0.1)
    assert near(pose, pose) and not near(behind(pose, 0.01), pose)


@given(yaw=st.floats(-3, 3), face=st.sampled_from([(0, 0, 0), (np.pi / 2, 0, 0), (0, np.pi / 2, 0), (np.pi, 0, 0)]))
def test_a_box_has_the_same_heading_on_whichever_face_it_lies(yaw, face):
    lying = compose(
        pose_from((0, 0, 0), quat_from_rotation_vector((0, 0, yaw))),
        pose_from((0, 0, 0), quat_from_rotation_vector(face)),
    )
    off = (heading(lying) - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    assert abs(off) < 1e-6


def test_a_grip_closes_across_the_heading():
    pose = grip_at(np.array([0.4, 0.0, 0.02]), np.pi / 2, DOWN)
    np.testing.assert_allclose(rotate(pose[3:], np.array([0, 0, 1.0])), (0, 0, -1), atol=1e-12)
    np.testing.assert_allclose(np.abs(rotate(pose[3:], np.array([0, 1.0, 0]))), (1, 0, 0), atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    x=st.floats(-0.08, 0.08),
    y=st.floats(-0.1, 0.1),
    z=st.floats(-0.1, 0.08),
    yaw=st.floats(-0.3, 0.3),
    speed=st.sampled_from([0.05, 0.15]),
)
def test_straight_moves_are_straight_and_not_too_fast(x, y, z, yaw, speed):
    arm = PandaKinematics()
    start = arm.tool_pose(HOME_Q)
    turned = compose(start, pose_from((0, 0, 0), quat_from_rotation_vector((0, 0, yaw))))
    goal = pose_from(start[:3] + np.array([x, y, z]), turned[3:])
    rows = StraightMove(arm, LIMITS, 0.05).roll(HOME_Q, goal, speed)
    assert rows is not None
    points = np.array([arm.tool_pose(row)[:3] for row in [HOME_Q, *rows]])
    assert np.linalg.norm(points[-1] - goal[:3]) < 0.003
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 1.1 * speed * 0.05
    length = max(np.linalg.norm(goal[:3] - start[:3]), 1e-6)
    aside = np.linalg.norm(np.cross(points - start[:3], (goal[:3] - start[:3]) / length), axis=1)
    assert aside.max() < 0.003


def test_a_straight_move_out_of_reach_is_none():
    arm = PandaKinematics()
    far = pose_from((1.4, 0, 0.3), DOWN)
    assert StraightMove(arm, LIMITS, 0.05).roll(HOME_Q, far, 0.15) is None


def test_clearance_knows_what_is_in_the_way():
    env = environment("open_drawer")
    env.reset(seed=0, options={"variation": 2})
    clearance = Clearance(env.world, env.robot)
    assert clearance.free(env.anchor.q, 0.08)
    bar = compose(env.world.pose("top drawer"), pose_from((0.06, 0, 0), env.task.grips[0]))
    at_bar = ik.solve(env.robot.kinematics, bar, limits=LIMITS, seeds=[HOME_Q])
    assert any(clearance.free(solution.q, 0.08) for solution in at_bar)
    assert not any(clearance.free(solution.q, 0.0) for solution in at_bar)  # the fingers would be inside the bar
    assert any(clearance.free(solution.q, 0.0, "top drawer") for solution in at_bar)
    through = compose(bar, pose_from((0, 0, 0.05), (1, 0, 0, 0)))
    behind_front = ik.solve(env.robot.kinematics, through, limits=LIMITS, seeds=[HOME_Q])
    assert behind_front and not any(clearance.free(solution.q, 0.08) for solution in behind_front)


def test_clearance_keeps_inside_the_workspace():
    env = environment("reach_target")
    env.reset(seed=0)
    clearance = Clearance(env.world, env.robot)
    high = pose_from((0.4, 0.0, 0.7 - EDGE / 2), DOWN)
    found = ik.solve(env.robot.kinematics, high, limits=LIMITS, seeds=[HOME_Q])
    assert found and not any(clearance.free(solution.q, 0.08) for solution in found)
