from __future__ import annotations

import re
import warnings
from functools import cache

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from valuefield.envs import tabletop
from valuefield.envs.tabletop.cameras import CAMERAS
from valuefield.envs.tabletop.env import TabletopEnv
from valuefield.robots.errors import BadInput, UnknownName
from valuefield.robots.state import WORKSPACE

TASKS = list(tabletop.TASKS)


@cache
def environment(task: str) -> TabletopEnv:
    return tabletop.make(f"tabletop/{task}", action="joint", meshes="collision")


@pytest.mark.parametrize("task", TASKS)
def test_gymnasium_makes_and_approves_it(task):
    made = gymnasium.make(
        f"tabletop/{task}-v0",
        obs=("proprio", "state", "rgb", "depth", "seg"),
        cameras=("wrist",),
        meshes="collision",
        size=32,
        render_mode="rgb_array",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What a robot measures has no bound; Gymnasium's own MuJoCo environments are warned about as well.
        warnings.filterwarnings("ignore", message=".*Box observation space (min|max)imum value is -?infinity")
        check_env(made.unwrapped)
    made.close()


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_makes_the_same_episode_again(task):
    env = environment(task)

    def episode(seed: int) -> tuple[dict, list, np.ndarray]:
        obs, info = env.reset(seed=seed)
        env.action_space.seed(0)
        steps = [env.step(env.action_space.sample())[0] for _ in range(5)]
        return info, [obs, *steps], env.task.state(env.world)

    first, again, other = episode(7), episode(7), episode(8)
    assert first[0] == again[0]
    for a, b in zip(first[1], again[1], strict=True):
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])
    np.testing.assert_array_equal(first[2], again[2])
    assert not np.array_equal(first[2], other[2])


@pytest.mark.parametrize("task", TASKS)
def test_every_variation_names_what_is_there(task):
    env = environment(task)
    sentences = []
    for variation in range(env.task.variation_count):
        _, info = env.reset(seed=variation, options={"variation": variation})
        seen = {name for name, _ in info["objects"].values()}
        assert info["variation"] == variation
        assert set(info["roles"].values()) <= seen
        assert len(set(info["roles"].values())) == len(info["roles"])
        assert "target" in info["roles"]
        assert {"robot", "table"} <= seen
        assert not any(re.search(r"\d$", name) for name in seen if "tomato" not in name)  # "block 0" is nobody's name
        assert info["instruction"] in info["templates"]
        sentences.append(info["templates"])
    assert len(set(sentences)) == env.task.variation_count


@pytest.mark.parametrize("task", TASKS)
def test_nothing_is_done_or_touched_or_out_of_reach_at_the_start(task):
    env = environment(task)
    for seed in range(10):
        env.reset(seed=seed)
        assert not env.task.success(env.world)
        assert env.world.collisions() == []
        assert env.world.data.contact.dist.min(initial=0.0) > -0.001
        model, data = env.world.model, env.world.data
        movable = [model.jnt_bodyid[k] for k in range(model.njnt) if model.jnt_type[k] == 0]
        for body in movable:
            assert (data.xpos[body] >= WORKSPACE[0]).all() and (data.xpos[body] <= WORKSPACE[1]).all()
            assert np.abs(data.cvel[body]).max() < 0.05


@pytest.mark.parametrize("task", TASKS)
def test_the_five_cameras_together_see_everything(task):
    env = environment(task)
    for seed in range(3):
        _, info = env.reset(seed=seed)
        obs = env.look(CAMERAS)
        ids = np.unique(np.concatenate([obs[f"seg/{camera}"].ravel() for camera in CAMERAS]))
        seen = {info["objects"][i] for i in ids if i >= 0}
        assert set(info["roles"].values()) <= {name for name, _ in seen}
        if "drawer" in task:
            assert {(drawer, "handle") for drawer in info["roles"].values()} <= seen


def test_a_floating_target_is_in_the_depth_image():
    env = environment("pick_and_lift")
    _, info = env.reset(seed=0)
    obs = env.look(["left_shoulder"])
    mask = [info["objects"].get(i) == ("target", "") for i in obs["seg/left_shoulder"].ravel()]
    eye = obs["cam_pose/left_shoulder"][:3, 3]
    distance = np.linalg.norm(env.world.position("target") - eye)
    nearest = obs["depth/left_shoulder"].ravel()[mask].min()
    assert nearest == pytest.approx(distance - 0.05, abs=0.02)


@pytest.mark.parametrize("task", TASKS)
def test_random_actions_do_not_do_it_and_rewards_stay_in_range(task):
    env = environment(task)
    env.reset(seed=3)
    env.action_space.seed(3)
    for _ in range(60):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        assert not terminated
        assert reward == 0.0
        assert set(info["reward_terms"]) == set(env.task.reward_scales)
        assert all(0 <= term <= 1 for term in info["reward_terms"].values())
    assert sum(env.task.reward_scales.values()) == pytest.approx(1.0)


def test_a_dense_reward_is_the_sum_of_scaled_terms():
    env = tabletop.make("tabletop/reach_target", reward="dense", meshes="collision")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.zeros(7, np.float32))
    assert reward == pytest.approx(info["reward_terms"]["reach"])
    assert 0 < reward < 1


def test_success_must_hold_for_three_control_steps():
    env = environment("open_drawer")
    env.reset(seed=0, options={"variation": 2})
    stand = env.encode(env._standing())
    ends = []
    for opening in (0.16, 0.16, 0.14, 0.16, 0.16, 0.16):
        env.world.set_joint("top drawer", opening)
        _, reward, terminated, _, info = env.step(stand)
        ends.append((reward, terminated, info["success"]))
    assert ends == [(0.0, False, False)] * 5 + [(1.0, True, True)]


@pytest.mark.parametrize("name", ["tabletop/open_drawer", "tabletop/open_drawer-v0"])
def test_ids_are_taken_with_and_without_their_version(name):
    assert tabletop.make(name, meshes="collision").task.name == "open_drawer"


@pytest.mark.parametrize("name", ["tabletop/open_draw", "tabletop/open_draw-v0", "open_drawer"])
def test_an_unknown_id_comes_with_the_nearest_one(name):
    with pytest.raises(UnknownName, match="nearest: 'tabletop/open_drawer'"):
        tabletop.make(name)


def test_bad_options_are_refused():
    env = environment("push_buttons")
    with pytest.raises(BadInput, match="variation 50 of push_buttons; allowed: 0 to 49"):
        env.reset(options={"variation": 50})
    with pytest.raises(BadInput, match="variation 'first' of push_buttons"):
        env.reset(options={"variation": "first"})
    with pytest.raises(UnknownName, match="nearest: 'variation'"):
        env.reset(options={"variatoin": 1})
    with pytest.raises(UnknownName, match="reward"):
        tabletop.make("tabletop/push_buttons", reward="shaped")
    with pytest.raises(UnknownName, match="render mode"):
        tabletop.make("tabletop/push_buttons", render_mode="human")


def test_an_unstable_world_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log into the working directory
    env = tabletop.make("tabletop/pick_and_lift", action="joint", meshes="collision")
    env.reset(seed=0)
    env.world.data.qvel[-1] = 1e12
    _, _, terminated, _, info = env.step(env.encode(env._standing()))
    assert terminated
    assert "unstable" in info["fault"] or "not finite" in info["fault"]
    env.reset(seed=0)
    assert "fault" not in env.step(env.encode(env._standing()))[4]


def test_the_suite_holds_environments_that_exist():
    assert len(tabletop.SUITES["tabletop/first6"]) == 6
    for name in tabletop.SUITES["tabletop/first6"]:
        assert f"{name}-v0" in gymnasium.registry
