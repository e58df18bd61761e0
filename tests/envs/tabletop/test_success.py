from __future__ import annotations

from itertools import pairwise

import mujoco
import numpy as np
import pytest

from valuefield.envs.tabletop import make
from valuefield.envs.tabletop.colors import COLORS, rgba, trio
from valuefield.envs.tabletop.env import TabletopEnv
from valuefield.envs.tabletop.push_buttons import BODIES, PushButtons
from valuefield.envs.tabletop.world import scatter
from valuefield.robots.errors import UnknownName


def begin(task: str, variation: int, seed: int = 0) -> TabletopEnv:
    env = make(f"tabletop/{task}", action="joint", meshes="collision")
    env.reset(seed=seed, options={"variation": variation})
    return env


def success(env: TabletopEnv) -> bool:
    mujoco.mj_forward(env.world.model, env.world.data)
    return env.task.success(env.world)


@pytest.mark.parametrize(("opening", "done"), [(0.149, False), (0.151, True)])
def test_a_drawer_is_open_beyond_15_cm(opening, done):
    env = begin("open_drawer", 1)
    env.world.set_joint("bottom drawer", 0.2)  # another drawer does not matter
    env.world.set_joint("middle drawer", opening)
    assert success(env) is done


@pytest.mark.parametrize(("opening", "done"), [(0.10, False), (0.041, False), (0.039, True), (0.19, False)])
def test_a_drawer_is_closed_when_it_moved_6_cm_inward(opening, done):
    env = begin("close_drawer", 0)
    assert env.world.joint("bottom drawer") == pytest.approx(0.10, abs=1e-3)
    env.world.set_joint("bottom drawer", opening)
    assert success(env) is done


@pytest.mark.parametrize(("task", "opening"), [("open_drawer", 0.16), ("close_drawer", 0.02)])
def test_a_drawer_counts_once_the_arm_has_come_to_rest(task, opening):
    env = begin(task, 0)
    env.world.set_joint("bottom drawer", opening)
    env.world.data.joint("joint4").qvel[0] = 0.2
    assert not success(env)
    env.world.data.joint("joint4").qvel[0] = 0.05
    assert success(env)


def press(env: TabletopEnv, *buttons: int) -> list[bool]:
    results = []
    for button in buttons:
        env.world.set_joint(f"{BODIES[button]} cap", 0.009)
        results.append(success(env))
        env.world.set_joint(f"{BODIES[button]} cap", 0.0)
        success(env)
    return results


@pytest.mark.parametrize(
    ("variation", "order", "done"),
    [
        (0, [0], [True]),
        (0, [1, 2], [False, False]),
        (1, [0, 1], [False, True]),
        (1, [1, 0], [False, False]),
        (1, [1, 0, 1], [False, False, True]),
        (2, [0, 1, 2], [False, False, True]),
        (2, [0, 2, 1], [False, False, False]),
    ],
)
def test_buttons_count_in_order(variation, order, done):
    assert press(begin("push_buttons", variation), *order) == done


def test_a_button_must_go_down_8_mm():
    env = begin("push_buttons", 0)
    env.world.set_joint(f"{BODIES[0]} cap", 0.007)
    assert not success(env)


def test_buttons_are_told_apart_and_ask_for_one_to_three():
    task = PushButtons()
    for variation in range(50):
        names = list(task.names(variation).values())
        assert len(set(names)) == 3
        assert "red button" not in names and "lime button" not in names  # the colours of the caps
        assert len([role for role in task.roles(variation) if role.startswith("target")]) == 1 + variation % 3
    asked = [task.names(v)[BODIES[0]] for v in range(0, 50, 3)]
    assert len(set(asked)) >= 15
    assert task.templates(2)[0] == "push the maroon button, then push the green button, then push the blue button"
    assert task.templates(2)[2] == "push down the button with the maroon base, then the green one, then the blue one"


@pytest.mark.parametrize(("offset", "done"), [((0, 0), True), ((0.04, -0.04), True), ((0.055, 0), False)])
def test_the_block_must_lie_on_its_square(offset, done):
    env = begin("slide_block_to_color_target", 2)
    goal = env.world.pose("pink target")
    turn = 2 * np.arctan2(goal[6], goal[3])
    c, s = np.cos(turn), np.sin(turn)
    x, y = goal[0] + c * offset[0] - s * offset[1], goal[1] + s * offset[0] + c * offset[1]
    env.world.place("block", (x, y, 0.025))
    assert success(env) is done
    env.world.place("block", (x, y, 0.06))  # held above it
    assert not success(env)


def test_a_block_that_slides_across_has_not_arrived():
    env = begin("slide_block_to_color_target", 0)
    at = env.world.position("green target")
    env.world.place("block", (at[0], at[1], 0.025))
    env.world.data.joint("block").qvel[0] = 0.1
    assert not success(env)


def test_rubbish_must_be_inside_the_bin():
    env = begin("put_rubbish_in_bin", 0)
    at = env.world.position("bin")
    for height, done in ((0.03, True), (0.16, False)):
        env.world.place("rubbish", (at[0], at[1], height))
        assert success(env) is done
    env.world.place("rubbish", (at[0] + 0.13, at[1], 0.02))
    assert not success(env)
    env.world.place("tomato 1", (at[0], at[1], 0.03))
    assert not success(env)


def test_a_block_at_the_target_counts_only_in_the_gripper():
    env = begin("pick_and_lift", 4)
    env.world.place("block 0", env.world.position("target"))
    assert not success(env)


def test_the_tool_must_come_inside_the_ball_of_the_right_colour():
    env = begin("reach_target", 4)
    tool = env.world.tool[:3]
    env.world.place("ball 1", tool)
    assert not success(env)
    env.world.place("ball 0", tool + np.array([0.02, 0.02, 0]))
    assert success(env)
    env.world.place("ball 0", tool + np.array([0.03, 0.02, 0]))
    assert not success(env)


def test_a_distractor_never_has_the_colour_of_the_target():
    for variation in range(20):
        assert len({rgba(color) for color in trio(variation)}) == 3
    assert len({trio(variation)[0] for variation in range(20)}) == 20


def test_there_are_twenty_colours_and_pink():
    assert len(COLORS) == len(set(COLORS.values())) == 20
    assert rgba("azure", 0.5) == (0.0, 0.5, 1.0, 0.5)
    assert rgba("pink")[3] == 1.0
    with pytest.raises(UnknownName, match="nearest: 'maroon'"):
        rgba("marron")


def test_things_are_scattered_apart_and_in_their_box():
    points = scatter(np.random.default_rng(0), 3, (0.3, -0.2), (0.6, 0.2), apart=0.1)
    assert points.shape == (3, 2)
    assert (points >= (0.3, -0.2)).all() and (points <= (0.6, 0.2)).all()
    assert all(np.linalg.norm(a - b) >= 0.1 for a, b in pairwise([*points, points[0]]))
    with pytest.raises(RuntimeError, match="no room for 50 things"):
        scatter(np.random.default_rng(0), 50, (0.3, -0.2), (0.6, 0.2), apart=0.2)


def test_squeezing_is_holding_and_is_listed_as_contact():
    env = begin("pick_and_lift", 0)
    tool = env.world.tool[:3]
    env.world.model.opt.gravity[:] = 0  # the block waits between the fingers
    env.world.place("block 0", tool)
    assert not env.world.holds("block 0")
    close = env.encode(env._standing())
    close[-1] = -1
    for _ in range(12):
        *_, info = env.step(close)
    assert env.world.holds("block 0")
    assert not env.world.holds("block 1")
    assert {(a, b) for a, b, _ in info["collisions"]} == {("left_finger", "red block"), ("right_finger", "red block")}
    assert all(force == pytest.approx(20, abs=3) for *_, force in info["collisions"])
