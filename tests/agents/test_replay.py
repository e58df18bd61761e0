"""Replay: what goes in comes out, evenly, and a resumed one goes on bit for bit."""

from __future__ import annotations

import time

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.agents.replay import Replay, Transition
from valuefield.agents.rows import FLAGS
from valuefield.robots.errors import BadInput

VECTOR = spaces.Box(-np.inf, np.inf, (3,), np.float32)
ARM = spaces.Box(-1, 1, (2,), np.float32)
KEYED = spaces.Dict(
    {"q": VECTOR, "boxes": spaces.Box(-9, 9, (2, 2), np.float64), "rgb": spaces.Box(0, 255, (4, 5, 3), np.uint8)}
)
KEYS = spaces.Discrete(7)


def row(k: int, observation_space=VECTOR, action_space=ARM, **changes) -> Transition:
    """The k-th of rows that are all different, drawn from the spaces."""
    for number, space in enumerate((observation_space, action_space)):
        space.seed(2 * k + number)
    flags = {name: bool(k >> bit & 1) for bit, name in enumerate(FLAGS)}
    values = {
        "obs": observation_space.sample(),
        "action": action_space.sample(),
        "policy_action": action_space.sample(),
        "reward": float(k),
        "next_obs": observation_space.sample(),
        **flags,
    }
    return Transition(**(values | changes))


def filled(rows: int, capacity: int, *, seed: int = 0, **spaces_: gymnasium.Space) -> Replay:
    replay = Replay(spaces_.get("observation_space", VECTOR), spaces_.get("action_space", ARM), capacity, seed=seed)
    for k in range(rows):
        replay.add(row(k, **spaces_))
    return replay


def assert_same(one, other) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    else:
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


@pytest.mark.parametrize("observation_space", [VECTOR, KEYED, KEYED["rgb"]], ids=["box", "dict", "image"])
@pytest.mark.parametrize("action_space", [ARM, KEYS], ids=["box", "discrete"])
@given(rows=st.integers(1, 40), capacity=st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_what_comes_out_is_what_went_in(observation_space, action_space, rows, capacity):
    replay = filled(rows, capacity, observation_space=observation_space, action_space=action_space)
    assert len(replay) == min(rows, capacity)
    batch = replay.sample(50)
    for k, reward in enumerate(batch["reward"].tolist()):
        assert rows - len(replay) <= reward < rows
        kept = row(int(reward), observation_space, action_space)
        for name in ("action", "policy_action", *FLAGS):
            assert batch[name][k].numpy() == pytest.approx(getattr(kept, name), abs=1e-6)
        for side in ("obs", "next_obs"):
            parts = getattr(kept, side) if isinstance(observation_space, spaces.Dict) else {"": getattr(kept, side)}
            for key, value in parts.items():
                found = batch[side][key] if key else batch[side]
                np.testing.assert_array_equal(found[k].numpy(), np.asarray(value, found[k].numpy().dtype))


def test_a_batch_has_the_dtypes_and_shapes_that_are_promised():
    batch = filled(5, 5, observation_space=KEYED, action_space=KEYS).sample(8)
    assert {key: (each.shape[1:], each.dtype) for key, each in batch["next_obs"].items()} == {
        "q": ((3,), torch.float32),
        "boxes": ((2, 2), torch.float32),
        "rgb": ((4, 5, 3), torch.uint8),
    }
    for name in ("action", "policy_action"):
        assert (batch[name].shape, batch[name].dtype) == ((8,), torch.int64)
    assert all((batch[name].shape, batch[name].dtype) == ((8,), torch.bool) for name in FLAGS)
    assert (batch["reward"].shape, batch["reward"].dtype) == ((8,), torch.float32)


def test_a_full_ring_forgets_the_oldest_and_draws_the_rest_evenly():
    replay = filled(25, 10)
    counts = torch.bincount(replay.sample(20_000)["reward"].long(), minlength=25)
    assert counts[:15].sum() == 0
    assert counts[15:].min() > 1800  # 2000 each, standard deviation 42
    assert counts[15:].max() < 2200


def test_what_a_batch_holds_is_its_own():
    replay = filled(4, 4)
    before = replay.state_dict()["all/rows"].clone()
    batch = replay.sample(32)
    batch["obs"].zero_()
    batch["intervened"].fill_(True)
    assert torch.equal(replay.state_dict()["all/rows"], before)


def test_memory_is_known_before_it_is_filled():
    replay = Replay(KEYED, KEYS, 1000, seed=0)
    floats = 2 * (3 + 4) + 2 + 1 + 5
    assert replay.nbytes == 1000 * (4 * floats + 2 * 60)
    assert len(replay) == 0


@pytest.mark.parametrize("capacity", [0, -3, 10**12])
def test_a_capacity_that_makes_no_sense_here_is_refused(capacity):
    with pytest.raises(BadInput, match=rf"{capacity} rows.*allowed here are 1 to \d+"):
        Replay(VECTOR, ARM, capacity, seed=0)


@pytest.mark.parametrize("size", [3, 10, 17])
def test_a_resumed_replay_goes_on_bit_for_bit(size, tmp_path):
    from safetensors.torch import load_file, save_file

    replay = filled(size, 10, observation_space=KEYED)
    replay.sample(3)
    save_file(replay.state_dict(), tmp_path / "replay.safetensors")
    resumed = Replay(KEYED, ARM, 10, seed=99)
    resumed.load_state_dict(load_file(tmp_path / "replay.safetensors"))
    for each in (replay, resumed):
        for k in range(100, 104):
            each.add(row(k, KEYED))
    assert_same(replay.sample(64), resumed.sample(64))
    assert_same(replay.state_dict(), resumed.state_dict())


def test_only_filled_rows_are_saved():
    assert filled(3, 1000).state_dict()["all/rows"].shape[0] == 3


def test_the_seed_decides_the_draws():
    one, same, other = (filled(50, 50, seed=seed).sample(32)["reward"] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_saved_replay_of_another_size_or_of_other_spaces_is_refused():
    state = filled(5, 10).state_dict()
    with pytest.raises(BadInput, match=r"room for 20 rows, of the saved one 10"):
        Replay(VECTOR, ARM, 20, seed=0).load_state_dict(state)
    with pytest.raises(BadInput, match="rows is"):
        Replay(spaces.Box(-1, 1, (4,), np.float32), ARM, 10, seed=0).load_state_dict(state)
    with pytest.raises(BadInput, match="obs/rgb is missing there"):
        Replay(KEYED, ARM, 10, seed=0).load_state_dict(state)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"obs": np.zeros(4, np.float32)}, "obs of a transition is float32 of shape (4,)"),
        ({"next_obs": np.array([0, np.nan, 0], np.float32)}, "next_obs of a transition holds nan"),
        ({"obs": np.array([0, 1e300, 0])}, "obs of a transition holds inf"),
        ({"action": np.array([0.0, np.inf])}, "action of a transition holds inf"),
        ({"policy_action": np.zeros((1, 2))}, "policy_action of a transition"),
        ({"reward": float("nan")}, "reward of a transition holds nan"),
        ({"obs": {"q": np.zeros(3)}}, "obs of a transition is object"),
        ({"obs": np.array(["a", "b", "c"])}, "obs of a transition is <U1"),
    ],
)
def test_a_row_that_is_not_of_the_spaces_is_refused_by_name_and_changes_nothing(changes, field):
    replay = filled(10, 10)
    before = replay.state_dict()["all/rows"].clone()
    with pytest.raises(BadInput) as caught, np.errstate(over="ignore"):
        replay.add(row(11, **changes))
    assert str(caught.value).startswith(field)
    assert torch.equal(replay.state_dict()["all/rows"], before)


def test_keys_images_and_choices_that_are_not_of_the_spaces_are_refused_by_name():
    replay = Replay(KEYED, KEYS, 10, seed=0)
    good = row(0, KEYED, KEYS)
    for changes, message in (
        ({"next_obs": {"q": np.zeros(3)}}, "next_obs of a transition must have the keys boxes, q, rgb; it has: q"),
        ({"obs": np.zeros(3)}, "obs of a transition must have the keys boxes, q, rgb; it has: ndarray"),
        ({"obs": {**good.obs, "rgb": np.zeros((4, 5, 3))}}, "obs/rgb of a transition is float64"),
        ({"action": 7}, "action of a transition is 7; allowed: integers 0 to 6"),
        ({"policy_action": 2.5}, "policy_action of a transition is 2.5; allowed: integers 0 to 6"),
    ):
        with pytest.raises(BadInput) as caught:
            replay.add(row(0, KEYED, KEYS, **changes))
        assert str(caught.value).startswith(message)
    assert len(replay) == 0


def test_spaces_that_no_row_can_be_made_of_are_refused():
    with pytest.raises(BadInput, match="observations that are a Box or a Dict of Boxes"):
        Replay(spaces.Dict({"mission": spaces.Text(5)}), ARM, 10, seed=0)
    with pytest.raises(BadInput, match="actions that are a Box of floats or Discrete"):
        Replay(VECTOR, spaces.MultiDiscrete([2, 2]), 10, seed=0)
    with pytest.raises(BadInput, match="actions that are a Box of floats or Discrete"):
        Replay(VECTOR, spaces.Discrete(2**25), 10, seed=0)


def test_an_empty_replay_and_one_without_feedback_say_so():
    replay = Replay(VECTOR, ARM, 10, seed=0)
    assert not replay.ready(1)
    with pytest.raises(BadInput, match="cannot draw 4 rows: 0 are kept"):
        replay.sample(4)
    with pytest.raises(BadInput, match="deep-tamer"):
        replay.feedback(())


@pytest.mark.slow
def test_sampling_is_no_slower_than_stable_baselines():
    buffers = pytest.importorskip("stable_baselines3.common.buffers")
    theirs = buffers.ReplayBuffer(5000, VECTOR, ARM, device="cpu")
    ours = filled(5000, 5000)
    for k in range(5000):
        each = row(k)
        theirs.add(each.obs, each.next_obs, each.action, np.array([0.0]), np.array([False]), [{}])
    seconds = {name: min(_seconds(buffer) for _ in range(7)) for name, buffer in (("ours", ours), ("theirs", theirs))}
    assert seconds["ours"] <= seconds["theirs"]


def _seconds(buffer) -> float:
    start = time.perf_counter()
    for _ in range(300):
        buffer.sample(128)
    return time.perf_counter() - start
