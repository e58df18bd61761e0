"""Deep TAMER: what a person says of actions is modelled, and the best of them is done."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.deep_tamer import DeepTamer, DeepTamerConfig
from valuefield.agents.feedback import Best, SimulatedTrainer
from valuefield.agents.fill import make_replay
from valuefield.agents.replay import Transition
from valuefield.robots.errors import BadInput

OBS = spaces.Box(-np.inf, np.inf, (2,), np.float32)
KEYS = spaces.Discrete(3)
ARM = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))


def linear(action_space, bias, **config) -> DeepTamer:
    """H(s, a) is a bias a choice, whatever the observation."""
    agent = DeepTamer(OBS, action_space, DeepTamerConfig(hidden=(), **config), device="cpu")
    with torch.no_grad():
        agent.model.layers[0].weight.zero_()
        agent.model.layers[0].bias.copy_(torch.tensor(bias))
    return agent


def test_the_weighted_error_and_the_greedy_choice_by_hand(make_batch):
    agent = linear(KEYS, [0.5, -1.0, 0.25])
    assert agent.act(np.zeros((2, 2))).tolist() == [0, 0]
    batch = make_batch(torch.zeros(3, 2), [0, 1, 2], feedback=[1.0, 1.0, -1.0], weight=[0.5, 0.25, 0.25])
    loss, info = agent.feedback_loss(batch)
    assert loss.item() == pytest.approx(0.5 * 0.25 + 0.25 * 4 + 0.25 * 1.5625)
    assert info["model/feedback"].item() == pytest.approx(0.5)
    tenth = batch | {"weight": batch["weight"] / 10}
    assert agent.feedback_loss(tenth)[0].item() == pytest.approx(loss.item()), "only their proportions count"


def test_a_box_has_three_bins_a_dimension_and_the_best_of_each_is_done(make_batch):
    agent = linear(ARM, [0.0, 3.0, 1.0, 5.0, 0.0, -2.0])  # middle of the first, low of the second
    np.testing.assert_allclose(agent.act(np.zeros((1, 2))), [[0.0, 0.0]], atol=1e-7)
    assert agent.act(np.zeros((1, 2))).dtype == np.float32
    actions = torch.tensor([[-2.0, 0.0], [0.9, 0.4], [1.1, 0.76], [2.0, 1.0]])
    assert agent.model.choices(actions).tolist() == [[0, 0], [1, 1], [2, 2], [2, 2]]
    values = agent.model.value(torch.zeros(4, 2), actions)
    assert values.tolist() == [2.5, 1.5, -0.5, -0.5]
    corners = agent.model.actions(torch.tensor([[0, 0], [1, 1], [2, 2]]))
    assert corners.tolist() == [[-2.0, 0.0], [0.0, 0.5], [2.0, 1.0]]


@pytest.mark.parametrize("action_space", [ARM, KEYS], ids=["box", "discrete"])
def test_what_was_said_can_be_learned_by_heart(make_batch, action_space):
    action_space.seed(0)
    actions = torch.from_numpy(np.stack([action_space.sample() for _ in range(16)]))
    obs = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    batch = make_batch(obs, actions, feedback=torch.linspace(-1, 1, 16), weight=torch.full((16,), 0.02))
    agent = DeepTamer(OBS, action_space, DeepTamerConfig(lr=3e-3, hidden=(64, 64)), device="cpu")
    losses = [agent.update(batch)["model/loss"] for _ in range(800)]
    assert losses[-1] < 0.01 * losses[0]


def test_the_seed_decides_and_a_saved_one_goes_on_bit_for_bit(make_batch):
    batch = make_batch(torch.ones(3, 2), [0, 1, 2], feedback=[1.0, 1.0, -1.0], weight=[0.5, 0.25, 0.25])
    one, same, other = (DeepTamer(OBS, KEYS, seed=seed, device="cpu") for seed in (0, 0, 1))
    assert one.update(batch) == same.update(batch)
    other.load_state_dict(one.state_dict())
    assert one.update(batch) == other.update(batch)


def test_what_is_not_finite_is_named(make_batch):
    batch = make_batch(torch.ones(1, 2), [0], feedback=[float("nan")], weight=[1.0])
    with pytest.raises(BadInput, match="feedback holds NaN"):
        DeepTamer(OBS, KEYS, device="cpu").update(batch)


def test_a_share_of_actions_is_left_to_chance_when_exploring():
    agent = linear(KEYS, [0.5, -1.0, 0.25], epsilon=0.3)
    acted = agent.act(np.zeros((6000, 2)), explore=True)
    assert acted.dtype == np.int64
    assert np.bincount(acted, minlength=3) / 6000 == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    box = linear(ARM, [0.0, 3.0, 1.0, 5.0, 0.0, -2.0], epsilon=1.0).act(np.zeros((900, 2)), explore=True)
    assert {tuple(row) for row in box.tolist()} == {(a, b) for a in (-2.0, 0.0, 2.0) for b in (0.0, 0.5, 1.0)}


@pytest.mark.parametrize("settings", [{"lr": 0.0}, {"replay": "flat"}, {"replay_every": 0}, {"epsilon": 2.0}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(BadInput, match=f"{next(iter(settings))}|learns from the replay"):
        DeepTamerConfig(**settings)


class Signs:
    """Choice 0 is right at -1, choice 1 at 1, and 2 never."""

    def costs(self, obs):
        return np.array([float(obs[0] > 0), float(obs[0] <= 0), 2.0])


def taught(window, seed: int, steps: int = 600) -> float:
    """How much better it thinks of the right choice than of the other, taught at 2 Hz by feedback 0.2 to 4 s late.

    The sign changes at random from step to step, so that it tells nothing of what was done at the step before.
    """
    config = DeepTamerConfig(window=window, hidden=(), ctrl_dt=0.5, epsilon=1.0, lr=1e-2)
    line = spaces.Box(-1, 1, (1,), np.float32)
    agent = DeepTamer(line, KEYS, config, seed=seed, device="cpu")
    replay = make_replay(config, line, KEYS, steps, seed=seed)
    trainer = SimulatedTrainer(Best(Signs()), ctrl_dt=config.ctrl_dt)
    trainer.reset(None, {}, seed)
    replay.begin()
    for obs in np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), (steps, 1)):
        action = agent.act(obs[None], explore=True)[0]
        replay.feedback(trainer.decide(obs, action).feedback)
        replay.add(Transition(obs, action, action, 0.0, obs, False, False))
    replay.feedback(trainer.finish())
    for _ in range(200):
        agent.update(replay.sample(256))
    below, above = agent.model(torch.tensor([[-1.0], [1.0]])).detach()[:, 0]
    return float(below[0] - below[1] + above[1] - above[0]) / 2


def test_late_feedback_teaches_only_through_the_window():
    margins = [taught((0.2, 4.0), seed) for seed in range(3)]
    without = [taught(None, seed) for seed in range(3)]
    # a step is one of 7.6 in the window, and right or wrong is 2 apart; without it, it is on view once in 50 times
    assert np.mean(margins) == pytest.approx(2 / 7.6, abs=0.08)
    assert min(margins) > 0.1
    assert abs(np.mean(without)) < 0.1
