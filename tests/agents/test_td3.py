"""TD3 by hand: with no hidden layers, critics and actor are linear, and every loss can be worked out on paper."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.td3 import TD3, TD3Config
from valuefield.robots.errors import BadInput, UnknownName

OBS = spaces.Box(-np.inf, np.inf, (1,), np.float32)
ACTION = spaces.Box(-1, 1, (1,), np.float32)
LINEAR = TD3Config(hidden=(), target_noise=0.0, discount=0.5)


def set_critic(critic, weights, biases):
    """Q_i(s, a) = weights[i] . (s, a) + biases[i]."""
    with torch.no_grad():
        critic.layers.weight0.copy_(torch.tensor(weights)[..., None])
        critic.layers.bias0.copy_(torch.tensor(biases)[:, None, None])


def set_actor(actor, weight, bias):
    """mu(s) = tanh(weight s + bias)."""
    with torch.no_grad():
        actor.layers[0].weight.fill_(weight)
        actor.layers[0].bias.fill_(bias)


@pytest.fixture
def agent():
    agent = TD3(OBS, ACTION, LINEAR, device="cpu")
    set_critic(agent.critic, [[1.0, 2.0], [0.0, -1.0]], [0.0, 1.0])
    set_critic(agent.target_critic, [[1.0, 4.0], [2.0, 0.0]], [1.0, 0.5])
    set_actor(agent.actor, 0.0, 0.5)
    set_actor(agent.target_actor, 0.0, np.arctanh(0.5))
    return agent


def test_the_target_believes_the_lower_critic_and_goes_through_truncation(agent, make_batch):
    batch = make_batch(
        torch.zeros(3, 1),
        torch.zeros(3, 1),
        next_obs=torch.tensor([[1.0], [3.0], [1.0]]),
        reward=torch.tensor([1.0, 1.0, 1.0]),
        terminated=[False, False, True],
        truncated=[False, True, False],
    )
    # a' = 0.5: first critic s + 3, second 2 s + 0.5
    target = agent.target(batch["next_obs"], batch["reward"], batch["terminated"])
    assert target.tolist() == pytest.approx([1 + 0.5 * 2.5, 1 + 0.5 * 6, 1])


def test_the_noise_on_the_target_action_is_clipped(make_batch):
    agent = TD3(OBS, ACTION, TD3Config(hidden=(), target_noise=100.0, target_clip=0.25, discount=1.0), device="cpu")
    set_critic(agent.target_critic, [[0.0, 1.0], [0.0, 1.0]], [0.0, 0.0])  # the value is the action
    set_actor(agent.target_actor, 0.0, 0.0)
    near = agent.target(torch.zeros(64, 1), 0.0, torch.zeros(64, dtype=torch.bool))
    assert (near.min().item(), near.max().item()) == (-0.25, 0.25)
    set_actor(agent.target_actor, 0.0, 20.0)
    assert agent.target(torch.zeros(64, 1), 0.0, torch.zeros(64, dtype=torch.bool)).max() == 1


def test_the_critic_loss_by_hand(agent, make_batch):
    batch = make_batch(
        torch.tensor([[1.0], [0.0]]),
        torch.tensor([[0.5], [-1.0]]),
        next_obs=torch.tensor([[1.0], [1.0]]),
        reward=torch.tensor([1.0, 0.0]),
        terminated=[False, True],
    )
    loss, info = agent.critic_loss(batch)
    # targets 2.25 and 0; first critic 2 and -2, second 0.5 and 2
    assert loss.item() == pytest.approx((0.25**2 + 2**2) / 2 + (1.75**2 + 2**2) / 2)
    assert info["critic/q"].item() == pytest.approx((2 - 2 + 0.5 + 2) / 4)


def test_the_actor_climbs_the_first_critic_and_leaves_it_alone(agent, make_batch):
    batch = make_batch(torch.tensor([[3.0], [5.0]]), torch.zeros(2, 1))
    loss, _ = agent.actor_loss(batch)
    assert loss.item() == pytest.approx(-(4 + 2 * np.tanh(0.5)))
    before = agent.state_dict()
    agent.step("actor", loss, batch)
    changed = {name for name, value in agent.state_dict().items() if not torch.equal(value, before[name])}
    assert {name for name in changed if name.startswith("critic")} == set()
    gradient = -2 * (1 - np.tanh(0.5) ** 2)  # of the bias; Adam keeps a tenth of it after its first step
    assert agent.state_dict()["optimizer.actor.mean.1"].item() == pytest.approx(0.1 * gradient)


def test_actions_keep_to_the_bounds_of_the_space(make_batch):
    box = spaces.Box(np.array([0.0, -4.0], np.float32), np.array([1.0, 2.0], np.float32))
    agent = TD3(OBS, box, TD3Config(exploration_noise=2.0), device="cpu")
    actions = agent.act(np.random.default_rng(0).normal(size=(200, 1)), explore=True)
    assert actions.dtype == np.float32
    assert actions.shape == (200, 2)
    assert all(box.contains(action) for action in actions)
    assert actions.min(0).tolist() == [0, -4]
    assert actions.max(0).tolist() == [1, 2]
    unit = agent.box.to_unit(torch.tensor([[0.0, -4.0], [1.0, 2.0], [0.25, -1.0]]))
    assert torch.allclose(unit, torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-0.5, 0.0]]), atol=1e-6)


def test_actor_and_targets_move_every_second_update(agent, make_batch):
    batch = make_batch(torch.ones(4, 1), torch.zeros(4, 1), reward=torch.ones(4))
    before = agent.state_dict()
    first = agent.update(batch)
    changed = {name for name, value in agent.state_dict().items() if not torch.equal(value, before.get(name, value))}
    assert {name.split(".")[0] for name in changed} == {"critic", "optimizer", "updates", "generator"}
    assert "actor/loss" not in first
    assert "actor/loss" in agent.update(batch)
    after = agent.state_dict()
    assert all(not torch.equal(after[name], before[name]) for name in before if name.startswith(("actor", "target")))
    assert torch.allclose(
        after["target_actor.layers.0.bias"],
        torch.lerp(before["target_actor.layers.0.bias"], after["actor.layers.0.bias"], 0.005),
    )


def random_batch(make_batch, seed=0, rows=32):
    generator = torch.Generator().manual_seed(seed)
    obs, after, action = (torch.rand(rows, 1, generator=generator) * 2 - 1 for _ in range(3))
    return make_batch(obs, action, next_obs=after, reward=torch.rand(rows, generator=generator))


SMALL = TD3Config(hidden=(16, 16))
HISTOGRAMS = TD3Config(hidden=(16, 16), loss="cross_entropy", support=(-3.0, 1.0))


@pytest.mark.parametrize("config", [SMALL, HISTOGRAMS])
def test_goes_on_bit_for_bit_from_a_state(make_batch, config):
    agent, other = (TD3(OBS, ACTION, config, seed=seed, device="cpu") for seed in (0, 1))
    for number in range(5):
        agent.update(random_batch(make_batch, number))
    other.load_state_dict(agent.state_dict())
    for number in range(5, 9):
        batch = random_batch(make_batch, number)
        assert agent.update(batch) == other.update(batch)
    own, others = agent.state_dict(), other.state_dict()
    assert own.keys() == others.keys()
    assert all(torch.equal(own[name], others[name]) for name in own)
    obs = np.ones((3, 1), np.float32)
    assert np.array_equal(agent.act(obs, explore=True), other.act(obs, explore=True))


def test_a_state_shares_no_memory_and_can_be_loaded_before_the_first_update(make_batch):
    agent, fresh = TD3(OBS, ACTION, SMALL, device="cpu"), TD3(OBS, ACTION, SMALL, device="cpu")
    state = fresh.state_dict()
    for _ in range(3):
        agent.update(random_batch(make_batch))
    agent.load_state_dict(state)
    batch = random_batch(make_batch, 7)
    assert agent.update(batch) == fresh.update(batch)
    assert not torch.equal(state["critic.layers.weight0"], agent.state_dict()["critic.layers.weight0"])


def test_the_same_seed_learns_the_same(make_batch):
    batch = random_batch(make_batch)
    results = [TD3(OBS, ACTION, SMALL, seed=seed, device="cpu").update(batch) for seed in (3, 3, 4)]
    assert results[0] == results[1] != results[2]


def test_a_state_that_does_not_fit_is_refused_by_name():
    agent = TD3(OBS, ACTION, SMALL, device="cpu")
    wider = TD3(spaces.Box(-1, 1, (2,), np.float32), ACTION, SMALL, device="cpu").state_dict()
    with pytest.raises(BadInput, match=r"'actor.layers.0.weight' has shape \(16, 2\), not \(16, 1\)"):
        agent.load_state_dict(wider)
    state = agent.state_dict()
    del state["updates"]
    with pytest.raises(BadInput, match="lacks 'updates'"):
        agent.load_state_dict(state)
    with pytest.raises(BadInput, match="has an unknown 'encoder'"):
        agent.load_state_dict({**agent.state_dict(), "encoder": torch.zeros(1)})


@pytest.mark.parametrize("field", ["obs", "action", "reward", "next_obs"])
def test_nan_in_a_batch_is_refused_by_name_and_changes_nothing(make_batch, field):
    agent = TD3(OBS, ACTION, SMALL, device="cpu")
    batch = random_batch(make_batch)
    batch[field] = batch[field].clone()
    batch[field][3] = np.nan
    before = agent.state_dict()
    with pytest.raises(BadInput, match=f"critic loss is not finite: {field} holds NaN"):
        agent.update(batch)
    after = agent.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before if name != "generator")


def test_diverged_values_are_told_from_bad_rows(make_batch):
    agent = TD3(OBS, ACTION, SMALL, device="cpu")
    with torch.no_grad():
        agent.critic.layers.bias0.fill_(np.inf)
    with pytest.raises(BadInput, match="though the batch is"):
        agent.update(random_batch(make_batch))


def test_overfits_one_batch(make_batch):
    agent = TD3(OBS, ACTION, TD3Config(hidden=(64, 64), lr=1e-2, discount=0.0), device="cpu")
    batch = random_batch(make_batch, rows=8)
    losses = [agent.update(batch)["critic/loss"] for _ in range(400)]
    assert losses[-1] < 1e-3 * losses[0]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"critics": 1}, "minimum needs a head that gives members"),
        ({"support": (0.0, 1.0)}, "mse needs a head that gives scalar"),
        ({"loss": "cross_entropy"}, "cross_entropy needs a head that gives logits"),
        ({"discount": 1.5}, "discount is 0 to 1, not 1.5"),
        ({"lr": -1.0}, "lr is above 0, not -1"),
        ({"batch_size": 0}, "batch_size"),
        ({"policy_delay": 0}, "policy_delay"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(config, message):
    with pytest.raises(BadInput, match=message):
        TD3(OBS, ACTION, TD3Config(**config), device="cpu")


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="unknown loss 'hubre'; nearest: 'huber'"):
        TD3Config(loss="hubre")


@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Box(-np.inf, 1, (2,)), spaces.Box(-1, 1, (2, 2))])
def test_action_spaces_without_finite_bounds_are_refused(space):
    with pytest.raises(BadInput, match="finite bounds"):
        TD3(OBS, space)


def test_an_observation_of_another_shape_is_refused():
    agent = TD3(spaces.Dict({"q": spaces.Box(-1, 1, (2,))}), ACTION, SMALL, device="cpu")
    with pytest.raises(BadInput, match=r"observation 'q' has shape \(1, 3\), not \(N, 2,\)"):
        agent.act({"q": np.zeros((1, 3))})
    with pytest.raises(BadInput, match="observation lacks q; it has dq"):
        agent.act({"dq": np.zeros((1, 2))})


def test_from_average_from_on_the_target_actor_acts_unless_it_explores(make_batch):
    agent = TD3(OBS, ACTION, TD3Config(hidden=(), average_from=1, exploration_noise=0.0), device="cpu")
    set_actor(agent.actor, 0.0, 10.0)
    set_actor(agent.target_actor, 0.0, -10.0)
    obs = np.zeros((1, 1))
    assert (agent.averaged, agent.act(obs).item()) == (False, pytest.approx(1))
    agent.update(random_batch(make_batch))
    assert (agent.averaged, agent.act(obs).item()) == (True, pytest.approx(-1))
    assert agent.act(obs, explore=True).item() == agent.act(obs, online=True).item() == pytest.approx(1)


@pytest.mark.parametrize("config", [SMALL, HISTOGRAMS])
def test_reaches_a_goal_on_a_line(make_batch, config):
    """s' = s + 0.25 a with reward -|s'|: the best action goes straight to 0 and stays there."""
    agent = TD3(OBS, ACTION, TD3Config(**{**vars(config), "discount": 0.5, "lr": 3e-3}), device="cpu")
    generator = torch.Generator().manual_seed(0)
    for _ in range(600):
        obs, action = (torch.rand(128, 1, generator=generator) * 2 - 1 for _ in range(2))
        after = (obs + 0.25 * action).clamp(-1, 1)
        agent.update(make_batch(obs, action, next_obs=after, reward=-after.abs().squeeze(1)))
    states = np.linspace(-0.95, 0.95, 20, dtype=np.float32)[:, None]
    away = states
    for _ in range(8):
        away = np.clip(away + 0.25 * agent.act(away), -1, 1)
    assert np.abs(away).max() < 0.1
