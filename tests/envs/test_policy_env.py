import json

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict

from valuefield.envs import tabletop
from valuefield.envs.policy_env import Recipe, policy_env, recipe_for, roles_of
from valuefield.envs.tool_expert import ToolExpert
from valuefield.envs.tool_view import FAR, FINE, object_features, tool_features
from valuefield.robots.errors import BadInput, UnknownName
from valuefield.robots.geometry import pose_from, quat_from_axes

DOWN = pose_from((0.5, 0.0, 0.2), quat_from_axes((0, 0, -1), (0, 1, 0)))
"""The tool over the middle of the workspace, closing along y."""


def yawed(x, y, z, yaw, found=1.0):
    return np.array([x, y, z, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2), found])


@pytest.mark.parametrize("observe", ["objects", "state", "pixels"])
def test_a_tabletop_gives_what_its_space_says_and_only_what_a_network_takes(observe):
    env = policy_env(recipe_for("tabletop/pick_and_lift", observe))
    obs, info = env.reset(seed=100_000)
    assert obs in env.observation_space and info["instruction"]
    obs, *_, info = env.step(env.action_space.sample())
    assert obs in env.observation_space and info["success"] is False
    assert isinstance(env.observation_space, Dict)
    for space in env.observation_space.values():
        assert isinstance(space, Box) and space.dtype in (np.float32, np.uint8)
    env.close()


def test_poses_from_cameras_are_those_of_the_simulator():
    seen, true = (policy_env(recipe_for("tabletop/pick_and_lift", observe)) for observe in ("objects", "state"))
    for seed in range(100_000, 100_004):
        objects, exact = (env.reset(seed=seed)[0]["objects"] for env in (seen, true))
        np.testing.assert_array_equal(objects[:, 0], 1)
        off = np.abs(objects[:, 1:4] - exact[:, 1:4]).max(axis=1) * FAR
        assert off[[0, 2, 3]].max() < 0.005  # blocks
        assert off[1] < 0.02  # a ball in the air, of which these cameras see the upper part
        assert np.abs(objects[[0, 2, 3], 9:11] - exact[[0, 2, 3], 9:11]).max() < 0.35  # 4 times the heading, of cubes


def test_poses_stay_right_while_the_hand_is_in_the_way():
    env = policy_env(recipe_for("tabletop/pick_and_lift"))
    obs, _ = env.reset(seed=100_000)
    world, expert = env.unwrapped.world, ToolExpert(env.unwrapped)
    off = {False: [], True: []}  # by whether the block is held
    over = False
    while not over:
        obs, _, terminated, truncated, info = env.step(expert.act(obs))
        seen = obs["objects"][0, 1:4] * FAR + world.tool[:3]
        off[world.holds("block 0")].append(np.abs(seen - world.position("block 0")).max())
        over = terminated or truncated
    assert info["success"]
    assert np.median(off[False]) < 0.002 and np.quantile(off[False], 0.9) < 0.008 and max(off[False]) < 0.02
    assert max(off[True]) < 0.03  # between the fingers, little of it is seen; the place to bring it to is 10 cm wide


def test_a_role_that_a_variation_does_not_have_is_zeros():
    env = policy_env(recipe_for("tabletop/push_buttons", "state"))
    assert roles_of(env.unwrapped)[0] == "target"
    for variation in range(3):
        obs, info = env.reset(seed=100_000, options={"variation": variation})
        here = [role in info["roles"] for role in roles_of(env.unwrapped)]
        np.testing.assert_array_equal(np.abs(obs["objects"]).max(axis=1) > 0, here)


@pytest.mark.parametrize("task", tabletop.TASKS)
def test_features_are_about_one(task):
    env = policy_env(recipe_for(f"tabletop/{task}", "state"))
    for seed in range(100_000, 100_003):
        obs, _ = env.reset(seed=seed)
        assert max(np.abs(obs["objects"]).max(), np.abs(obs["tool"]).max()) < 4


def test_an_object_from_the_tool_by_hand():
    first, second = yawed(0.55, 0.0, 0.1, 0.0), yawed(0.55, 0.10, 0.1, np.pi / 8)
    rows = object_features(np.array([first, second, np.zeros(8)]), DOWN)
    # closing along y: a heading of 0 is a quarter turn behind it; twice that is half a turn, four times a whole one
    np.testing.assert_allclose(rows[0, :16], [1, 0.2, 0, -0.4, 1, 0, -1, -1, 0, 1, 0, 0, 0, 0, -1, 0], atol=1e-9)
    root = np.sqrt(0.5)
    np.testing.assert_allclose(rows[1][7:11], [-root, -root, 0, 1], atol=1e-9)
    np.testing.assert_allclose(rows[1][11:16], [0, 0.4, 0, 1, 0], atol=1e-9)
    # the tool is 5 cm to one side of the line along y from the first object to the second, at its beginning
    np.testing.assert_allclose(rows[1][16:], [0, 1, 0, -1, 0], atol=1e-9)
    np.testing.assert_array_equal(rows[2], 0)


def test_a_box_turned_by_half_and_a_tool_turned_by_half_look_the_same():
    turned = pose_from(DOWN[:3], quat_from_axes((0, 0, -1), (0, -1, 0)))
    one, other = np.array([yawed(0.6, 0.1, 0.1, 0.3)]), np.array([yawed(0.6, 0.1, 0.1, 0.3 + np.pi)])
    np.testing.assert_allclose(object_features(one, DOWN), object_features(other, DOWN), atol=1e-9)
    np.testing.assert_allclose(object_features(one, DOWN), object_features(one, turned), atol=1e-9)


def test_the_tool_by_hand():
    leaning = pose_from((0.75, 0.0, 0.35), quat_from_axes((0.1, 0, -np.sqrt(0.99)), (0, 1, 0)))
    seen = tool_features({"ee_pose": leaning, "gripper": np.array([0.04]), "touch": np.array([0, 5.0, 0, 0, -5, 0])})
    squashed = np.tanh(1)
    np.testing.assert_allclose(seen, [1, 0, 0, 0.5, 0, -1, 0, 0, 0, squashed, 0, 0, -squashed, 0], atol=1e-9)
    assert FINE < FAR


def test_a_recipe_survives_json():
    recipe = recipe_for("tabletop/pick_and_lift", "pixels")
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    with pytest.raises(UnknownName, match="unknown key of a recipe 'sise'; nearest: 'size'"):
        Recipe.from_json({"env": "tabletop/reach_target", "sise": 3})


def test_any_gymnasium_environment_with_a_box():
    env = policy_env(recipe_for("Pendulum-v1"))
    obs, _ = env.reset(seed=0)
    assert obs.dtype == np.float32 and obs in env.observation_space


def test_bad_input():
    with pytest.raises(UnknownName, match="nearest: 'tabletop/reach_target'"):
        policy_env(recipe_for("tabletop/reach_targte"))
    with pytest.raises(UnknownName, match="nearest: 'Pendulum-v1'"):
        policy_env(recipe_for("Pendulun-v1"))
    with pytest.raises(UnknownName, match="unknown way to observe 'pixel'; nearest: 'pixels'"):
        recipe_for("tabletop/reach_target", "pixel")
    with pytest.raises(BadInput, match="observed as it is"):
        recipe_for("Pendulum-v1", "objects")
    with pytest.raises(BadInput, match="only a Box"):
        policy_env(recipe_for("FrozenLake-v1"))
    with pytest.raises(UnknownName, match="camera"):
        policy_env(Recipe("tabletop/reach_target", "pixels", "ee_delta", ("above",), 64))
    assert "Pendulum-v1" in gymnasium.registry
