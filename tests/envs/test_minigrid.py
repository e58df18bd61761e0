import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.envs.minigrid import FRAMES, GENERATED, SIX_ROOMS, make, one_hot
from valuefield.envs.minigrid_view import spread
from valuefield.robots.errors import UnknownName

LEFT, RIGHT, FORWARD = 0, 1, 2
EMPTY = "MiniGrid-Empty-5x5-v0"
TWO_ROOMS = "MiniGrid-MultiRoom-N2-S4-v0"
CARRYING = "MiniGrid-KeyCorridorS3R2-v0"  # things to pick up, doors to open, walls to hide behind


def walk(env, seed, steps=40):
    """Random actions; yields what `step` returned, and starts a new episode after each end."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        result = env.step(int(rng.integers(env.action_space.n)))
        yield result
        if result[2] or result[3]:
            env.reset()


@pytest.mark.parametrize("env_id", [TWO_ROOMS, EMPTY, CARRYING, "MiniGrid-FourRooms-v0", "MiniGrid-LavaGapS5-v0"])
@pytest.mark.parametrize("seed", range(3))
def test_the_quick_view_is_minigrids_own(env_id, seed):
    env = make(env_id)
    base = env.unwrapped
    for _ in walk(env, seed, 150):
        ours, theirs = base.gen_obs(), type(base).gen_obs(base)
        np.testing.assert_array_equal(ours["image"], theirs["image"])
        assert (ours["direction"], ours["mission"]) == (theirs["direction"], theirs["mission"])


def test_a_carried_key_is_seen_in_the_agents_own_cell():
    env = make("MiniGrid-DoorKey-5x5-v0")
    env.reset(seed=0)
    key = next(thing for thing in env.unwrapped.grid.grid if thing is not None and thing.type == "key")
    env.unwrapped.carrying = key
    assert env.unwrapped.gen_obs()["image"][3, 6].tolist() == list(key.encode())


@pytest.mark.parametrize(
    ("seen", "opaque", "here", "ahead"),
    [
        (0b0001000, 0b0000000, 0b1111111, 0b1111111),  # in the open all is seen
        (0b0001000, 0b0001000, 0b0001000, 0b0000000),  # in a wall nothing beyond it is
        (0b0001000, 0b0010100, 0b0011100, 0b0011100),  # between two walls, seen themselves: those and what is ahead
        (0b0000000, 0b0000000, 0b0000000, 0b0000000),
    ],
)
def test_sight_goes_on_from_what_can_be_looked_through(seen, opaque, here, ahead):
    assert spread(seen, opaque) == (here, ahead)


@given(st.integers(0, 10), st.integers(0, 5), st.integers(0, 2))
def test_one_hot_has_one_channel_each_for_type_colour_and_state(kind, colour, state):
    codes = one_hot(np.full((7, 7, 3), (kind, colour, state), np.uint8))
    assert codes.shape == (7, 7, 20) and codes.dtype == np.uint8
    assert (np.flatnonzero(codes[2, 5]) == [kind, 11 + colour, 17 + state]).all()


def test_the_channels_of_a_view_worked_out_by_hand():
    env = make(EMPTY)  # a room of 3 x 3 cells; the agent in its corner looks along the upper wall, the goal is opposite
    obs, info = env.reset(seed=0)
    assert obs.shape == (7, 7, 80) and obs in env.observation_space
    newest = obs[..., 60:]
    assert info == {"instruction": "get to the green goal square"}
    assert np.flatnonzero(newest[3, 6]).tolist() == [1, 11, 17]  # the agent's own cell: empty
    assert np.flatnonzero(newest[2, 6]).tolist() == [2, 11 + 5, 17]  # a grey wall to its left
    assert np.flatnonzero(newest[5, 4]).tolist() == [8, 11 + 1, 17]  # the green goal two ahead and two to the right


def test_views_move_through_the_stack_and_an_episode_begins_with_zeros():
    env = make(TWO_ROOMS)
    first, _ = env.reset(seed=3)
    assert not first[..., :60].any() and first[..., 60:].any()
    kept = first.copy()
    seen = [first[..., 60:]]
    for action in [LEFT, LEFT, RIGHT, LEFT]:
        obs, *_ = env.step(action)
        seen.append(obs[..., 60:])
    np.testing.assert_array_equal(obs, np.concatenate(seen[-FRAMES:], axis=-1))
    np.testing.assert_array_equal(first, kept)  # what was handed out is not written to again
    assert not env.reset(seed=3)[0][..., :60].any()


def test_reaching_the_goal_terminates_with_minigrids_reward():
    env = make(EMPTY)
    env.reset(seed=0)
    for action in [FORWARD, FORWARD, RIGHT, FORWARD]:
        *_, reward, terminated, truncated, info = env.step(action)
        assert (reward, terminated, truncated, info["success"]) == (0, False, False, False)
    _, reward, terminated, truncated, info = env.step(FORWARD)
    assert reward == pytest.approx(1 - 0.9 * 5 / 100)
    assert (terminated, truncated, info["success"]) == (True, False, True)


@pytest.mark.parametrize(("steps", "succeeds"), [(5, True), (4, False)])
def test_the_last_step_terminates_or_truncates_but_never_both(steps, succeeds):
    env = make(EMPTY)
    env.reset(seed=0)
    env.unwrapped.max_steps = steps
    for action in [FORWARD, FORWARD, RIGHT, FORWARD, FORWARD][:steps]:
        _, _, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["success"]) == (succeeds, not succeeds, succeeds)


def test_lava_terminates_without_success():
    env = make("MiniGrid-LavaGapS5-v0")  # a column of lava right before the agent, with one gap
    ends = set()
    for seed in range(20):
        env.reset(seed=seed)
        _, reward, terminated, truncated, info = env.step(FORWARD)
        assert reward == 0 and not truncated and not info["success"]
        ends.add(terminated)
    assert ends == {True, False}


def test_the_same_seed_gives_the_same_episode():
    one, other = [[r[0] for r in walk(make(TWO_ROOMS), 5)] for _ in range(2)]
    np.testing.assert_array_equal(one, other)


def test_the_id_that_the_paper_calls_fourroom_makes_six_rooms_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        env = make(SIX_ROOMS)
    env.reset(seed=0)
    assert len(env.unwrapped.rooms) == 6
    four = make("MiniGrid-MultiRoom-N4-S5-v1")
    four.reset(seed=0)
    assert len(four.unwrapped.rooms) == 4


def test_other_names_that_are_out_of_date_still_warn():
    with pytest.warns(DeprecationWarning, match="out of date"):
        make("MiniGrid-ObstructedMaze-Full-v0")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("MiniGrid-MultiRoom-N2-S4", "MiniGrid-MultiRoom-N2-S4-v0"), ("Empty-6x6-v0", "MiniGrid-Empty-6x6-v0")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, nearest):
    with pytest.raises(UnknownName, match=f"nearest: '{nearest}'"):
        make(name)
    with pytest.raises(UnknownName):
        make(f"{GENERATED}MazeSimple-v0")


def test_gymnasium_finds_nothing_wrong():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(spec|render|unwrapped version).*")
        check_env(make(TWO_ROOMS), skip_render_check=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_every_observation_is_in_the_space_and_of_zeros_and_ones(seed):
    env = make(CARRYING)
    for obs, *_ in walk(env, seed, 20):
        assert obs in env.observation_space and obs.dtype == np.uint8
        assert set(np.unique(obs)) <= {0, 1}
        assert (obs[..., 60:].sum(axis=-1) == 3).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
def test_every_environment_of_minigrid_can_be_made():
    import minigrid  # noqa: F401

    for env_id in gymnasium.registry:
        if env_id.startswith("MiniGrid-") and not env_id.startswith(GENERATED):
            obs, _ = make(env_id).reset(seed=0)
            assert obs.shape == (7, 7, 80)
