"""PVP by hand: linear critics, values worked out on paper, one row of each kind."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.pvp import PVP, DiscretePVP, DiscretePVPConfig, PVPConfig
from valuefield.robots.errors import BadInput

OBS = spaces.Box(-np.inf, np.inf, (1,), np.float32)
ACTION = spaces.Box(-1, 1, (1,), np.float32)
THREE = spaces.Discrete(3)


def continuous(**config):
    """Both critics say the action itself, the target critics 3 and 2; y = 0.5 * 2 while the episode goes on."""
    agent = PVP(OBS, ACTION, PVPConfig(**{"hidden": (), "discount": 0.5, **config}), device="cpu")
    with torch.no_grad():
        agent.critic.layers.weight0.copy_(torch.tensor([[[0.0], [1.0]]] * 2))
        agent.critic.layers.bias0.zero_()
        agent.target_critic.layers.weight0.zero_()
        agent.target_critic.layers.bias0.copy_(torch.tensor([[[3.0]], [[2.0]]]))
    return agent


def driving(make_batch):
    """The policy's own step, the first of a takeover, two more of the person's; the policy's at a time limit."""
    return make_batch(
        torch.zeros(5, 1),
        torch.tensor([[0.5], [0.25], [0.75], [-0.5], [0.0]]),
        policy_action=torch.tensor([[0.5], [-1.0], [-0.25], [0.5], [0.0]]),
        reward=torch.full((5,), 100.0),
        intervened=[False, True, True, True, False],
        takeover_start=[False, True, False, False, False],
        truncated=[False, False, False, False, True],
    )


# squared differences to y = 1 of the five rows, and squared errors of a label at each executed and proposed action
TD = [0.25, 0.5625, 0.0625, 2.25, 1.0]
PLUS = [0.25, 0.5625, 0.0625, 2.25, 1.0]
MINUS = [2.25, 0.0, 0.5625, 2.25, 1.0]


@pytest.mark.parametrize(
    ("config", "labels", "differences"),
    [
        ({}, sum(PLUS[2:4]) + sum(MINUS[2:4]), TD[0] + sum(TD[2:])),
        ({"mask_takeover_start": False}, sum(PLUS[1:4]) + sum(MINUS[1:4]), sum(TD)),
        ({"negative_label": False}, sum(PLUS[2:4]), TD[0] + sum(TD[2:])),
        ({"td_weight": 1.0, "label_weight": 3.0}, sum(PLUS[2:4]) + sum(MINUS[2:4]), TD[0] + sum(TD[2:])),
    ],
)
def test_the_critic_loss_by_hand(make_batch, config, labels, differences):
    agent = continuous(**config)
    loss, info = agent.critic_loss(driving(make_batch))
    assert info["critic/labels"].item() == pytest.approx(2 * labels / 5)
    assert info["critic/differences"].item() == pytest.approx(2 * differences / 5)
    assert loss.item() == pytest.approx(
        (agent.config.label_weight * 2 * labels + agent.config.td_weight * 2 * differences) / 5
    )


def test_legacy_labels_every_row_and_takes_time_limits_for_ends(make_batch):
    _, info = continuous(legacy=True).critic_loss(driving(make_batch))
    assert info["critic/labels"].item() == pytest.approx(2 * (2 / 5) * (sum(PLUS) + sum(MINUS)) / 5)
    assert info["critic/differences"].item() == pytest.approx(2 * (TD[0] + TD[2] + TD[3] + 0) / 5)


def test_legacy_without_the_negative_label(make_batch):
    _, info = continuous(legacy=True, negative_label=False).critic_loss(driving(make_batch))
    assert info["critic/labels"].item() == pytest.approx(2 * (2 / 5) * sum(PLUS) / 5)


def test_the_first_step_is_the_persons_even_where_it_does_not_count_as_intervened(make_batch):
    batch = driving(make_batch)
    batch["intervened"][1] = False  # as real devices report it
    for masked in (False, True):
        _, info = continuous(mask_takeover_start=masked).critic_loss(batch)
        first = 1 if not masked else 2
        assert info["critic/labels"].item() == pytest.approx(2 * (sum(PLUS[first:4]) + sum(MINUS[first:4])) / 5)


def test_a_demonstration_in_which_nothing_was_proposed_refuses_nothing(make_batch):
    batch = driving(make_batch)
    batch["policy_action"] = batch["action"].clone()
    _, info = continuous().critic_loss(batch)
    assert info["critic/labels"].item() == pytest.approx(2 * sum(PLUS[2:4]) / 5)


def test_what_a_person_let_pass_is_labelled_on_demand(make_batch):
    batch = driving(make_batch)
    batch["approved"] = torch.tensor([True, False, False, False, False])
    for approve, extra in ((False, 0.0), (True, PLUS[0])):
        _, info = continuous(approve=approve).critic_loss(batch)
        assert info["critic/labels"].item() == pytest.approx(2 * (sum(PLUS[2:4]) + sum(MINUS[2:4]) + extra) / 5)


def test_the_behaviour_cloning_term_counts_the_persons_rows(make_batch):
    batch = driving(make_batch)
    plain, cloning = continuous(), continuous(bc_weight=2.0)
    for agent in (plain, cloning):
        with torch.no_grad():
            agent.actor.layers[0].weight.zero_()
            agent.actor.layers[0].bias.fill_(np.arctanh(0.25))
    assert plain.actor_loss(batch)[0].item() == pytest.approx(-0.25)
    distance = (0.5**2 + 0.75**2) / 2
    assert cloning.actor_loss(batch)[0].item() == pytest.approx(-0.25 + 2 * distance, abs=1e-4)


def test_actions_and_proposals_are_taken_from_the_bounds_of_the_space(make_batch):
    batch = driving(make_batch)
    wide = PVP(OBS, spaces.Box(0, 10, (1,)), PVPConfig(hidden=(), discount=0.5), device="cpu")
    narrow = continuous()
    wide.load_state_dict({**narrow.state_dict()})
    shifted = {**batch, **{name: 5 + 5 * batch[name] for name in ("action", "policy_action")}}
    assert wide.critic_loss(shifted)[0].item() == pytest.approx(narrow.critic_loss(batch)[0].item())


def discrete(**config):
    """Values 0.5, -0.5 and 0.25 of the actions; target values at most 2, so y = 1 while the episode goes on."""
    settings = {"hidden": (), "discount": 0.5, "loss": "mse", **config}
    agent = DiscretePVP(OBS, THREE, DiscretePVPConfig(**settings), device="cpu")
    with torch.no_grad():
        for network, bias in ((agent.online, [0.5, -0.5, 0.25]), (agent.target_network, [1.0, 2.0, -3.0])):
            network.layers[0].weight.zero_()
            network.layers[0].bias.copy_(torch.tensor(bias))
    return agent


def overriding(make_batch):
    """The policy's own step, a first and a second override, a person who does what was proposed; a time limit."""
    return make_batch(
        torch.zeros(5, 1),
        [0, 0, 2, 1, 2],
        policy_action=[0, 1, 0, 1, 2],
        reward=torch.full((5,), 100.0),
        intervened=[False, True, True, True, False],
        takeover_start=[False, True, False, False, False],
        truncated=[False, False, False, False, True],
    )


PLUS_OF, MINUS_OF = {0: 0.25, 1: 2.25, 2: 0.5625}, {0: 2.25, 1: 0.25}
DIFFERENCES = [PLUS_OF[action] for action in (0, 0, 2, 1, 2)]  # y and the label are both 1


@pytest.mark.parametrize(
    ("config", "labels", "differences"),
    [
        ({}, PLUS_OF[0] + PLUS_OF[2] + PLUS_OF[1] + MINUS_OF[1] + MINUS_OF[0], sum(DIFFERENCES)),
        ({"mask_takeover_start": True}, PLUS_OF[2] + PLUS_OF[1] + MINUS_OF[0], sum(DIFFERENCES) - DIFFERENCES[1]),
        ({"negative_label": False}, PLUS_OF[0] + PLUS_OF[2] + PLUS_OF[1], sum(DIFFERENCES)),
        (
            {"legacy": True},
            PLUS_OF[0] + PLUS_OF[2] + PLUS_OF[1] + MINUS_OF[1] + MINUS_OF[0],
            sum(DIFFERENCES[:4]) + 0.25**2,
        ),
    ],
)
def test_the_value_loss_by_hand(make_batch, config, labels, differences):
    loss, info = discrete(**config).value_loss(overriding(make_batch))
    assert info["value/labels"].item() == pytest.approx(labels / 5)
    assert info["value/differences"].item() == pytest.approx(differences / 5)
    assert loss.item() == pytest.approx((labels + differences) / 5)


def test_labels_are_squared_errors_where_differences_are_huber(make_batch):
    _, info = discrete(loss="huber").value_loss(overriding(make_batch))
    assert info["value/labels"].item() == pytest.approx((0.25 + 0.5625 + 2.25 + 0.25 + 2.25) / 5)
    assert info["value/differences"].item() == pytest.approx((0.125 + 0.125 + 0.28125 + 1 + 0.28125) / 5)


def test_approved_steps_of_a_discrete_policy(make_batch):
    batch = overriding(make_batch)
    batch["approved"] = torch.tensor([True, False, False, False, False])
    with_label, without = (discrete(approve=approve).value_loss(batch)[0].item() for approve in (True, False))
    assert with_label - without == pytest.approx(PLUS_OF[0] / 5, rel=1e-5)


@pytest.mark.parametrize("config", [{}, {"legacy": True}, {"bc_weight": 1.0}])
def test_a_batch_without_a_persons_rows_has_differences_alone(make_batch, config):
    agent = PVP(OBS, ACTION, PVPConfig(hidden=(8,), **config), device="cpu")
    batch = make_batch(torch.randn(6, 1), torch.rand(6, 1))
    for _ in range(2):
        metrics = agent.update(batch)
    assert metrics["critic/labels"] == 0
    assert all(np.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("form", ["continuous", "discrete"])
def test_goes_on_bit_for_bit_from_a_state(make_batch, form):
    batch = (driving if form == "continuous" else overriding)(make_batch)
    algorithm, space = (PVP, ACTION) if form == "continuous" else (DiscretePVP, THREE)
    agent, other = (algorithm(OBS, space, seed=seed, device="cpu") for seed in (0, 1))
    for _ in range(3):
        agent.update(batch)
    other.load_state_dict(agent.state_dict())
    for _ in range(3):
        assert agent.update(batch) == other.update(batch)
    own, others = agent.state_dict(), other.state_dict()
    assert all(torch.equal(own[name], others[name]) for name in own)


def test_nan_in_a_proposal_is_refused_by_name(make_batch):
    batch = driving(make_batch)
    batch["policy_action"][2] = np.nan
    with pytest.raises(BadInput, match="critic loss is not finite: policy_action holds NaN"):
        continuous().update(batch)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"label_weight": -1.0}, "label_weight"),
        ({"bc_weight": -1.0}, "bc_weight"),
        ({"support": (-0.5, 0.5), "loss": "cross_entropy"}, "leaves out the labels -1.0 and 1.0"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(config, message):
    with pytest.raises(BadInput, match=message):
        PVPConfig(**config)


def test_the_defaults_are_the_papers_and_nobody_explores_but_the_person():
    driving, grid = PVPConfig(), DiscretePVPConfig()
    assert (driving.lr, driving.batch_size, driving.td_weight, driving.exploration_noise) == (1e-4, 128, 0.5, 0)
    assert (grid.lr, grid.batch_size, grid.learning_starts, grid.loss, grid.epsilon) == (1e-3, 32, 10, "huber", (0, 0))
    assert driving.replay == grid.replay == "intervention"
    assert not (driving.legacy or grid.legacy or driving.approve or grid.approve)


@pytest.mark.parametrize("values", [{}, {"loss": "cross_entropy", "support": (-2.0, 2.0)}])
def test_learns_what_the_person_would_do(make_batch, values):
    """The person goes towards 0; the policy proposed the opposite. Without reward, it comes to do as they do."""
    agent = PVP(OBS, ACTION, PVPConfig(hidden=(32, 32), lr=3e-3, mask_takeover_start=False, **values), device="cpu")
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        obs = torch.rand(64, 1, generator=generator) * 2 - 1
        action = torch.where(obs > 0, -0.7, 0.7)
        agent.update(make_batch(obs, action, policy_action=-action, intervened=torch.ones(64, dtype=torch.bool)))
    states = torch.tensor([[-0.8], [-0.3], [0.3], [0.8]])
    assert np.sign(agent.act(states.numpy())).flatten().tolist() == [1, 1, -1, -1]


def test_values_spread_to_where_nobody_intervened(make_batch):
    """A chain on which a person acts at its end only: what leads there comes to be worth more than what does not."""
    chain = spaces.Box(0, 1, (4,), np.float32)
    agent = DiscretePVP(chain, spaces.Discrete(2), DiscretePVPConfig(tau=0.1, lr=1e-2, discount=0.9), device="cpu")
    state, action = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 0, 1, 1])
    after = torch.tensor([0, 1, 0, 2, 3])
    human = state == 2
    batch = make_batch(
        torch.eye(4)[state],
        action,
        policy_action=torch.where(human, 0, action),
        next_obs=torch.eye(4)[after],
        terminated=after == 3,
        intervened=human,
    )
    for _ in range(400):
        agent.update(batch)
    assert agent.act(np.eye(4, dtype=np.float32)[:3]).tolist() == [1, 1, 1]
