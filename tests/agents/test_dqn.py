import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.dqn import DQN, DQNConfig
from valuefield.robots.errors import BadInput

OBS = spaces.Box(-np.inf, np.inf, (1,), np.float32)
TWO = spaces.Discrete(2)
LINEAR = {"hidden": (), "discount": 0.5}


def set_values(network, weight, bias):
    """Q(s, a) = weight[a] s + bias[a]."""
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.tensor(weight)[:, None])
        network.layers[0].bias.copy_(torch.tensor(bias))


def linear(**config):
    agent = DQN(OBS, TWO, DQNConfig(**{**LINEAR, **config}), device="cpu")
    set_values(agent.online, [1.0, 0.0], [0.0, 0.5])
    set_values(agent.target_network, [2.0, -1.0], [0.0, 4.0])
    return agent


def rows(make_batch):
    return make_batch(
        torch.tensor([[1.0], [2.0], [1.0]]),
        [0, 1, 1],
        next_obs=torch.tensor([[1.0], [0.0], [1.0]]),
        reward=torch.tensor([1.0, 0.0, 5.0]),
        terminated=[False, False, True],
        truncated=[False, True, False],
    )


# at s' = 1: online (1, 0.5), target (2, 3); at s' = 0: online (0, 0.5), target (0, 4)
@pytest.mark.parametrize(("double", "target"), [(True, [1 + 0.5 * 2, 0.5 * 4, 5]), (False, [1 + 0.5 * 3, 0.5 * 4, 5])])
def test_the_target_goes_through_truncation_and_not_through_termination(make_batch, double, target):
    agent, batch = linear(double=double), rows(make_batch)
    assert agent.target(batch["next_obs"], batch["reward"], batch["terminated"]).tolist() == target


@pytest.mark.parametrize(("loss", "value"), [("mse", (1 + 1.5**2 + 4.5**2) / 3), ("huber", (0.5 + 1 + 4) / 3)])
def test_the_loss_by_hand(make_batch, loss, value):
    agent = linear(loss=loss)
    got, info = agent.value_loss(rows(make_batch))  # values 1, 0.5, 0.5 against 2, 2, 5
    assert got.item() == pytest.approx(value)
    assert info["value/q"].item() == pytest.approx(2 / 3)


def test_gradients_are_shortened_and_the_target_follows(make_batch):
    agent, batch = linear(max_norm=0.1, tau=0.25), rows(make_batch)
    before = agent.state_dict()
    agent.update(batch)
    after = agent.state_dict()
    kept = torch.cat([after[f"optimizer.online.mean.{k}"].flatten() for k in range(2)])  # a tenth, by Adam's first step
    assert kept.norm().item() == pytest.approx(0.1 * 0.1)
    for name in ("layers.0.weight", "layers.0.bias"):
        expected = torch.lerp(before[f"target.{name}"], after[f"online.{name}"], 0.25)
        assert torch.allclose(after[f"target.{name}"], expected)


def test_exploration_falls_with_the_updates(make_batch):
    agent = linear(epsilon=(1.0, 0.0), epsilon_updates=4)
    shares = [agent.epsilon]
    for _ in range(5):
        agent.update(rows(make_batch))
        shares.append(agent.epsilon)
    assert shares == [1, 0.75, 0.5, 0.25, 0, 0]


def test_random_actions_come_at_the_rate_of_epsilon():
    agent = linear(epsilon=(0.5, 0.5))
    best = agent.act(np.full((4000, 1), 5.0))
    assert best.dtype == np.int64
    assert set(best) == {0}
    other = agent.act(np.full((4000, 1), 5.0), explore=True)
    assert (other == 1).mean() == pytest.approx(0.25, abs=0.03)


def test_from_average_from_on_the_target_network_acts_unless_it_explores(make_batch):
    agent = linear(average_from=1, epsilon=(0.0, 0.0), lr=1e-6)
    obs = np.ones((1, 1))  # online likes 0, target likes 1
    assert (agent.averaged, agent.act(obs).item()) == (False, 0)
    agent.update(rows(make_batch))
    assert (agent.averaged, agent.act(obs).item()) == (True, 1)
    assert agent.act(obs, explore=True).item() == agent.act(obs, online=True).item() == 0


@pytest.mark.parametrize("config", [{}, {"loss": "cross_entropy", "support": (-2.0, 6.0)}])
def test_goes_on_bit_for_bit_from_a_state(make_batch, config):
    agent, other = (DQN(OBS, TWO, DQNConfig(**config), seed=seed, device="cpu") for seed in (0, 1))
    for _ in range(3):
        agent.update(rows(make_batch))
    other.load_state_dict(agent.state_dict())
    for _ in range(3):
        assert agent.update(rows(make_batch)) == other.update(rows(make_batch))
    own, others = agent.state_dict(), other.state_dict()
    assert all(torch.equal(own[name], others[name]) for name in own)
    obs = np.ones((50, 1))
    assert np.array_equal(agent.act(obs, explore=True), other.act(obs, explore=True))


def test_nan_is_refused_by_name(make_batch):
    batch = rows(make_batch)
    batch["reward"][1] = np.inf
    with pytest.raises(BadInput, match="online loss is not finite: reward holds NaN or infinity"):
        linear().update(batch)


def test_overfits_one_batch(make_batch):
    agent = DQN(OBS, TWO, DQNConfig(hidden=(64,), discount=0.0, lr=1e-2), device="cpu")
    losses = [agent.update(rows(make_batch))["value/loss"] for _ in range(500)]
    assert losses[-1] < 1e-4 * losses[0]


@pytest.mark.parametrize("space", [spaces.Box(-1, 1, (2,)), spaces.Discrete(3, start=1)])
def test_action_spaces_that_do_not_count_from_zero_are_refused(space):
    with pytest.raises(BadInput, match="Discrete space that starts at 0"):
        DQN(OBS, space)


def test_a_histogram_needs_cross_entropy():
    with pytest.raises(BadInput, match="huber needs a head that gives scalar"):
        DQN(OBS, TWO, DQNConfig(support=(0.0, 1.0)), device="cpu")


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("head", [{}, {"loss": "cross_entropy", "support": (-0.3, 1.3)}])
def test_values_of_a_chain_are_its_discounted_distances(make_batch, double, head):
    """Five states, left or right, reward 1 on entering the last: V = 0.8^(steps before the last)."""
    chain = spaces.Box(0, 1, (5,), np.float32)
    agent = DQN(chain, TWO, DQNConfig(discount=0.8, tau=0.1, lr=1e-2, double=double, **head), device="cpu")
    state, action = torch.arange(4).repeat_interleave(2), torch.arange(2).repeat(4)
    after = (state + 2 * action - 1).clamp(0)
    one_hot = torch.eye(5)
    reached = after == 4
    batch = make_batch(one_hot[state], action, next_obs=one_hot[after], reward=reached.float(), terminated=reached)
    for _ in range(600):
        agent.update(batch)
    with torch.inference_mode():
        values = agent.head.expected(agent.online(one_hot[:4]))
    right = [0.8**3, 0.8**2, 0.8, 1]
    left = [0.8**4, 0.8**4, 0.8**3, 0.8**2]
    assert values[:, 1].tolist() == pytest.approx(right, abs=0.03)
    assert values[:, 0].tolist() == pytest.approx(left, abs=0.03)
    assert agent.act(one_hot[:4].numpy()).tolist() == [1, 1, 1, 1]
