"""Imitation: of all rows, of a person's alone, of both in balance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.bc import BC, BCConfig
from valuefield.robots.errors import BadInput

OBS = spaces.Box(-np.inf, np.inf, (2,), np.float32)
ARM = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
KEYS = spaces.Discrete(3)
VIEW = spaces.Box(0, 1, (7, 7, 4), np.uint8)


def linear(action_space, weight, bias) -> BC:
    """A policy of one linear layer on two numbers."""
    agent = BC(OBS, action_space, BCConfig(hidden=()), device="cpu")
    with torch.no_grad():
        agent.policy.layers[0].weight.copy_(torch.tensor(weight))
        agent.policy.layers[0].bias.copy_(torch.tensor(bias))
    return agent


def test_continuous_actions_and_their_error_by_hand(make_batch):
    agent = linear(ARM, [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
    half = float(np.arctanh(0.5))
    acted = agent.act(np.array([[half, 0.0], [-half, 50.0]]))
    assert acted.dtype == np.float32
    np.testing.assert_allclose(acted, [[1.0, 0.5], [-1.0, 1.0]], atol=1e-6)
    batch = make_batch(torch.tensor([[half, 0.0]]), torch.tensor([[2.0, 0.25]]))  # at (1, -0.5) of -1..1
    loss, info = agent.policy_loss(batch)
    assert loss.item() == pytest.approx((0.5**2 + 0.5**2) / 2)
    assert info["policy/loss"] == loss


def test_choices_and_their_error_by_hand(make_batch):
    agent = linear(KEYS, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, 0.0, 0.0])
    acted = agent.act(np.array([[1.0, 2.0], [3.0, 2.0], [-1.0, -2.0]]))
    assert (acted.dtype, acted.tolist()) == (np.int64, [2, 1, 0])
    loss, _ = agent.policy_loss(make_batch(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), [2, 0]))
    first = np.log(1 + np.e + np.e**2) - 2
    assert loss.item() == pytest.approx((first + np.log(3)) / 2)


@pytest.mark.parametrize("observation_space", [OBS, spaces.Dict({"a": OBS, "view": VIEW})], ids=["box", "dict"])
@pytest.mark.parametrize("action_space", [ARM, KEYS], ids=["box", "discrete"])
def test_one_batch_can_be_learned_by_heart(make_batch, observation_space, action_space):
    for number, space in enumerate((observation_space, action_space)):
        space.seed(number)
    seen = [observation_space.sample() for _ in range(16)]
    if isinstance(observation_space, spaces.Dict):
        obs = {key: np.stack([each[key] for each in seen]) for key in observation_space.spaces}
        tensors = {key: torch.from_numpy(value) for key, value in obs.items()}
    else:
        obs = np.stack(seen)
        tensors = torch.from_numpy(obs)
    actions = np.stack([action_space.sample() for _ in range(16)])
    agent = BC(observation_space, action_space, BCConfig(hidden=(64, 64), lr=5e-3), device="cpu")
    batch = make_batch(tensors, torch.from_numpy(actions))
    losses = [agent.update(batch)["policy/loss"] for _ in range(400)]
    assert losses[-1] < 0.02 * losses[0]
    np.testing.assert_allclose(agent.act(obs), actions, atol=0.25)


def test_the_seed_decides_and_a_saved_one_goes_on_bit_for_bit(make_batch):
    batch = make_batch(torch.randn(8, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(8, 2))
    one, same, other = (BC(OBS, ARM, seed=seed, device="cpu") for seed in (0, 0, 1))
    assert all(torch.equal(one.state_dict()[name], same.state_dict()[name]) for name in one.state_dict())
    one.update(batch)
    other.load_state_dict(one.state_dict())
    assert one.update(batch) == other.update(batch)
    state = other.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one.state_dict().items() if name != "generator")


def test_what_is_not_finite_is_named_and_changes_nothing(make_batch):
    agent = BC(OBS, ARM, device="cpu")
    before = agent.state_dict()
    batch = make_batch(torch.zeros(4, 2), torch.tensor([[0.0, 0.0]] * 3 + [[float("nan"), 0.0]]))
    with pytest.raises(BadInput, match="action holds NaN"):
        agent.update(batch)
    assert all(torch.equal(value, before[name]) for name, value in agent.state_dict().items())


@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([2, 2]), spaces.Box(-np.inf, np.inf, (2,)), spaces.Discrete(3, start=1)]
)
def test_other_actions_are_refused(space):
    with pytest.raises(BadInput, match="this algorithm needs actions"):
        BC(OBS, space, device="cpu")


@pytest.mark.parametrize("settings", [{"lr": 0.0}, {"batch_size": 0}, {"replay": "ring"}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(Exception, match=next(iter(settings))) as caught:
        BCConfig(**settings)
    assert type(caught.value).__name__ in ("BadInput", "UnknownName")
