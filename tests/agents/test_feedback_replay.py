"""Late feedback is credited to the steps that it may be about."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from valuefield.agents.feedback import Feedback
from valuefield.agents.feedback_replay import FeedbackReplay, credit
from valuefield.agents.replay import Transition
from valuefield.robots.errors import BadInput

VECTOR, KEYS = spaces.Box(-np.inf, np.inf, (1,), np.float32), spaces.Discrete(3)
WINDOW = (0.2, 4.0)


def row(k: int, *, over: bool = False) -> Transition:
    seen = np.array([k], np.float32)
    return Transition(seen, k % 3, k % 3, float(k), seen + 1, terminated=over, truncated=False)


def made(steps: int, capacity: int = 200, **settings) -> FeedbackReplay:
    replay = FeedbackReplay(VECTOR, KEYS, capacity, **{"seed": 0, "ctrl_dt": 0.05, "window": WINDOW} | settings)
    replay.begin()
    for k in range(steps):
        replay.add(row(k))
    return replay


def touched(replay: FeedbackReplay) -> dict[int, float]:
    """Step -> weight of the batch that is due."""
    batch = replay.sample(1)
    return {int(k): weight for k, weight in zip(batch["reward"], batch["weight"].tolist(), strict=True)}


def test_the_credit_of_frames_of_50_ms_by_hand():
    starts = np.array([0.5, 0.98, 1.0, 2.0, 4.0, 4.76, 4.8, 4.9])
    expected = [0, 0.00789, 0.01316, 0.01316, 0.01316, 0.01053, 0, 0]
    np.testing.assert_allclose(credit(starts, starts + 0.05, 5.0, WINDOW), expected, atol=5e-6)


@given(
    low=st.floats(0, 2),
    length=st.floats(0.05, 5),
    dt=st.floats(0.02, 1.5),
    time=st.floats(0, 20),
)
def test_credit_is_a_probability_shared_out_in_full(low, length, dt, time):
    high = low + length
    starts = time - high - 2 * dt + dt * np.arange(int((length + 4 * dt) / dt) + 1)
    weights = credit(starts, starts + dt, time, (low, high))
    assert weights.min() >= 0
    assert weights.max() <= min(1, dt / length) + 1e-9
    assert weights.sum() == pytest.approx(1.0)


def test_feedback_touches_the_steps_of_its_window_and_no_others():
    replay = made(100)  # 5 s
    replay.feedback([Feedback(-1.0, 5.0)])
    weights = touched(replay)
    assert sorted(weights) == list(range(20, 96))  # from 1.0 to 4.8 s
    assert set(np.round(list(weights.values()), 5)) == {0.01316}
    replay.feedback([Feedback(1.0, 5.02)])
    weights = touched(replay)
    assert weights[20] == pytest.approx(0.03 / 3.8, abs=1e-5)  # 30 ms of its 50 are less than 4 s ago
    assert weights[96] == pytest.approx(0.02 / 3.8, abs=1e-5)
    assert sum(weights.values()) == pytest.approx(1.0, abs=1e-5)


def test_without_a_window_the_step_on_view_gets_it_all():
    replay = made(10, window=None)
    for time, step in ((0.5, 9), (0.45, 9), (0.449, 8), (3.0, 9), (0.0, 0)):
        replay.feedback([Feedback(1.0, time)])
        assert touched(replay) == {step: 1.0}


def test_steps_that_no_feedback_can_reach_are_forgotten():
    replay = made(2000, capacity=5000)
    recent = replay.state_dict()["recent"]
    assert recent[-1, 1] == 1999
    assert recent[0, 1] == 1919  # the one before ended 4 s before the last one began
    replay.feedback([Feedback(1.0, 0.05 * 1999 + 0.001)])  # the earliest that can come after the last step began
    assert min(touched(replay)) == 1919


def test_the_clock_begins_with_the_episode():
    replay = made(10)
    replay.begin()
    for k in range(10, 30):
        replay.add(row(k))
    replay.feedback([Feedback(1.0, 0.5)])
    assert sorted(touched(replay)) == list(range(10, 16))  # its steps 0 to 5, of 0 to 0.3 s
    replay.feedback([Feedback(1.0, 0.1)])
    assert not replay.ready(1) or len(replay.sample(1)["reward"]) == 1, "too early to be about anything"


def test_feedback_of_before_the_first_step_is_about_nothing():
    replay = made(0)
    replay.feedback([Feedback(1.0, 0.0)])
    assert not replay.ready(1)
    with pytest.raises(BadInput, match="no feedback to learn from: 0 steps kept, 0 with any"):
        replay.sample(1)


def test_a_row_sums_up_what_was_said_of_it():
    replay = made(4, ctrl_dt=1.0, window=(0.0, 2.0))
    replay.feedback([Feedback(1.0, 4.0), Feedback(-1.0, 3.5), Feedback(0.5, 6.0)])
    batch = replay.sample(99)
    given = list(zip(batch["reward"].tolist(), batch["weight"].tolist(), batch["feedback"].tolist(), strict=True))
    assert given == [(2, 0.5, 1), (3, 0.5, 1), (1, 0.25, -1), (2, 0.5, -1), (3, 0.25, -1)], "each said apart, once"
    batch = replay.sample(600)
    assert len(batch["reward"]) == 600
    columns = (batch[name].tolist() for name in ("reward", "weight", "feedback"))
    kept = {step: sums for step, *sums in zip(*columns, strict=True)}
    assert kept == {1: [0.25, -1], 2: [1, 0], 3: [0.75, pytest.approx(1 / 3)]}


def test_the_sums_have_the_gradient_of_all_the_pairs():
    replay = made(30, ctrl_dt=0.5)
    rng = np.random.default_rng(0)
    replay.feedback([Feedback(rng.uniform(-1, 1), rng.uniform(5, 15)) for _ in range(12)])
    pairs = replay.sample(1)
    model = torch.zeros(30, requires_grad=True)

    def gradient(rows, weights, values):
        loss = (weights * (model[rows] - values).square()).sum()
        return torch.autograd.grad(loss, model)[0]

    state = replay.state_dict()
    kept = gradient(torch.arange(30), state["weights"][:30], state["values"][:30])
    each = gradient(pairs["reward"].long(), pairs["weight"], pairs["feedback"])
    torch.testing.assert_close(kept, each)


def test_a_row_that_is_overwritten_takes_its_credit_along():
    replay = made(10, capacity=10, window=None)
    replay.feedback([Feedback(1.0, 0.05 * k) for k in range(10)])
    replay.sample(1)
    for k in range(10, 17):
        replay.add(row(k))
    assert set(replay.sample(200)["reward"].tolist()) == {7, 8, 9}
    for k in range(17, 20):
        replay.add(row(k))
    assert not replay.ready(1)


def test_minibatches_wait_their_turn_and_what_was_said_does_not():
    replay = made(5, ctrl_dt=1.0, every=3)
    replay.feedback([Feedback(1.0, 5.0)])
    assert len(replay.sample(50)["reward"]) == 4
    due = [replay.ready(50)]
    for k in range(5, 12):
        replay.add(row(k))
        due.append(replay.ready(50))
    assert due == [False, True, False, False, True, False, False, True], "after the 6th, the 9th and the 12th step"
    assert len(replay.sample(50)["reward"]) == len(replay.sample(50)["reward"]) == 50, "as many as are asked for"
    replay.add(row(12))
    assert not replay.ready(50)
    replay.feedback([Feedback(1.0, 13.0)])
    assert replay.ready(50)


def test_rows_are_drawn_evenly():
    replay = made(4, window=None)
    replay.feedback([Feedback(1.0, 0.05 * k) for k in (0, 1, 1, 1, 3)])
    replay.sample(1)
    counts = torch.bincount(replay.sample(9000)["reward"].long(), minlength=4)
    assert counts[2] == 0
    assert all(2800 < counts[k] < 3200 for k in (0, 1, 3))


@pytest.mark.parametrize("said", [[], [Feedback(1.0, 1.0), Feedback(-0.5, 1.1)]], ids=["nothing due", "feedback due"])
def test_a_resumed_one_goes_on_bit_for_bit(said, tmp_path):
    from safetensors.torch import load_file, save_file

    replay = made(30, capacity=25)
    replay.feedback([Feedback(1.0, 1.2)])
    replay.sample(3)
    replay.feedback(said)
    save_file(replay.state_dict(), tmp_path / "replay.safetensors")
    resumed = made(0, capacity=25, seed=9)
    resumed.load_state_dict(load_file(tmp_path / "replay.safetensors"))
    for each in (replay, resumed):
        each.add(row(30))
    for _ in range(3):
        one, other = replay.sample(16), resumed.sample(16)
        assert all(torch.equal(one[name], other[name]) for name in one)
        for each in (replay, resumed):
            each.feedback([Feedback(-1.0, 1.5)])
            each.add(row(31))


@pytest.mark.parametrize(
    "settings",
    [{"ctrl_dt": 0.0}, {"ctrl_dt": float("nan")}, {"every": 0}, {"window": (4.0, 0.2)}, {"window": (-1.0, 1.0)}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(BadInput):
        made(0, **settings)
