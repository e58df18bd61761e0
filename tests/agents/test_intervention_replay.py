"""A person's rows and the policy's in two rings, drawn half and half; and what the release does instead."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from valuefield.agents.intervention_replay import InterventionReplay
from valuefield.agents.replay import Transition
from valuefield.robots.errors import BadInput

VECTOR, ARM = spaces.Box(-np.inf, np.inf, (1,), np.float32), spaces.Box(-1, 1, (1,), np.float32)
KEYED = spaces.Dict({"q": VECTOR, "rgb": spaces.Box(0, 255, (2, 2, 3), np.uint8)})


def observation(k: int, space=VECTOR):
    if space is VECTOR:
        return np.array([k], np.float32)
    return {"q": observation(k), "rgb": np.full((2, 2, 3), k, np.uint8)}


def made(flags: str, capacity: int = 100, *, space=VECTOR, seed: int = 0, legacy: bool = False) -> InterventionReplay:
    """One row a letter: h the human's, s a takeover's start without being intervened, n the novice's."""
    replay = InterventionReplay(space, ARM, capacity, seed=seed, legacy=legacy)
    for k, flag in enumerate(flags):
        replay.add(row(k, flag, space))
    return replay


def row(k: int, flag: str, space=VECTOR) -> Transition:
    return Transition(
        obs=observation(k, space),
        action=np.zeros(1),
        policy_action=np.zeros(1),
        reward=k,
        next_obs=observation(k + 1, space),
        terminated=False,
        truncated=False,
        intervened=flag == "h",
        takeover_start=flag == "s",
    )


@given(humans=st.integers(1, 20), novices=st.integers(1, 300), n=st.integers(1, 65))
def test_half_of_a_batch_is_the_persons_however_few_rows_they_have(humans, novices, n):
    batch = made("h" * humans + "n" * novices).sample(n)
    intervened = batch["intervened"].tolist()
    assert intervened == [True] * (n // 2) + [False] * (n - n // 2)
    assert all((reward < humans) == human for reward, human in zip(batch["reward"].tolist(), intervened, strict=True))


def test_the_start_of_a_takeover_is_the_persons():
    batch = made("nns" + "n" * 50).sample(20)
    assert batch["takeover_start"][:10].all()
    assert not batch["takeover_start"][10:].any()


@pytest.mark.parametrize("flag", ["h", "n"])
def test_all_rows_come_from_the_one_ring_that_has_any(flag):
    replay = made(flag * 3)
    assert replay.ready(100)
    batch = replay.sample(100)
    assert len(batch["reward"]) == 100
    assert set(batch["reward"].tolist()) == {0.0, 1.0, 2.0}
    assert bool(batch["intervened"].all()) == bool(batch["intervened"].any()) == (flag == "h")


def test_each_ring_has_the_whole_capacity_and_forgets_its_own_oldest():
    replay = made("h" * 3 + "n" * 50 + "h" * 3, capacity=5)
    assert len(replay) == 10
    rewards = replay.sample(400)["reward"].tolist()
    assert set(rewards[:200]) == {1, 2, 53, 54, 55}
    assert set(rewards[200:]) == {48, 49, 50, 51, 52}
    assert replay.nbytes == 2 * 5 * 4 * 10


def test_nothing_can_be_drawn_from_nothing():
    replay = made("")
    assert not replay.ready(1)
    with pytest.raises(BadInput, match="cannot draw 2 rows: 0 are kept"):
        replay.sample(2)


def test_a_resumed_one_goes_on_bit_for_bit(tmp_path):
    from safetensors.torch import load_file, save_file

    replay = made("nhnhsnnnhhn", capacity=4, space=KEYED)
    replay.sample(7)
    save_file(replay.state_dict(), tmp_path / "replay.safetensors")
    resumed = InterventionReplay(KEYED, ARM, 4, seed=5)
    resumed.load_state_dict(load_file(tmp_path / "replay.safetensors"))
    for each in (replay, resumed):
        for k, flag in enumerate("hnnh", 20):
            each.add(row(k, flag, KEYED))
    one, other = replay.sample(64), resumed.sample(64)
    assert torch.equal(one["reward"], other["reward"])
    assert torch.equal(one["next_obs"]["rgb"], other["next_obs"]["rgb"])


def successors(replay: InterventionReplay) -> dict[float, float]:
    """Row -> what its next observation is said to be."""
    found = {}
    for _ in range(100):
        batch = replay.sample(4)
        seen = batch["next_obs"] if isinstance(batch["next_obs"], torch.Tensor) else batch["next_obs"]["q"]
        found |= dict(zip(batch["reward"].tolist(), seen.squeeze(1).tolist(), strict=True))
    return found


@pytest.mark.parametrize("space", [VECTOR, KEYED], ids=["box", "dict"])
def test_the_next_observation_is_the_rows_own_and_in_the_release_the_next_rows(space):
    #        0123456789
    flags = "nnhhnnnhnn" + "nh" * 5
    ours, theirs = (successors(made(flags, 1000, space=space, legacy=legacy)) for legacy in (False, True))
    assert all(after == k + 1 for k, after in ours.items())
    assert {k: theirs[k] for k in (0, 2, 4, 5)} == {0: 1, 2: 3, 4: 5, 5: 6}
    assert {k: theirs[k] for k in (1, 3, 6)} == {1: 4, 3: 7, 6: 8}, "a seam is not noticed"
    assert {k: theirs[k] for k in (18, 19)} == {18: 19, 19: 20}, "behind the newest row there is none yet"


def test_the_release_forgets_a_ring_that_has_just_wrapped():
    ours, theirs = (made("h" * 10 + "n" * 12, 10, legacy=legacy) for legacy in (False, True))
    assert ours.ready(4)
    assert not theirs.ready(4), "positions 0 and 2 of two full rings"
    with pytest.raises(BadInput):
        theirs.sample(4)
    for k in range(3):
        theirs.add(row(k, "h"))
    assert not theirs.ready(3), "it must be more than the batch"
    assert theirs.ready(2)
    assert theirs.sample(2)["intervened"].all(), "only one ring is beyond 2"
