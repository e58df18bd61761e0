"""What all agents that bootstrap share: spaces of every kind, devices, configuration."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.agent import AgentConfig, not_finite, shortening
from valuefield.agents.dqn import DQN, DQNConfig
from valuefield.agents.pvp import PVP, DiscretePVP, DiscretePVPConfig, PVPConfig
from valuefield.agents.td3 import TD3, TD3Config
from valuefield.robots.errors import BadInput, UnknownName

SEEN = spaces.Dict(
    {
        "q": spaces.Box(-4, 4, (3,), np.float32),
        "rgb/front": spaces.Box(0, 255, (20, 20, 3), np.uint8),
        "view": spaces.Box(0, 1, (5, 5, 4), np.uint8),
    }
)
BOX, DISCRETE = spaces.Box(-2, 2, (2,), np.float32), spaces.Discrete(3)
ROWS = 6

AGENTS = {
    "td3": (TD3, TD3Config(hidden=(16,), average_from=2), BOX),
    "pvp": (PVP, PVPConfig(hidden=(16,), average_from=2, bc_weight=1.0), BOX),
    "dqn": (DQN, DQNConfig(average_from=2), DISCRETE),
    "discrete-pvp": (DiscretePVP, DiscretePVPConfig(average_from=2, approve=True), DISCRETE),
}


def made(name, *, seed=0, device="cpu"):
    algorithm, config, actions = AGENTS[name]
    return algorithm(SEEN, actions, config, seed=seed, device=device)


def batch_for(name, make_batch, seed=0):
    SEEN.seed(seed)
    space = AGENTS[name][2]
    space.seed(seed)
    obs, after = ({key: np.stack([SEEN[key].sample() for _ in range(ROWS)]) for key in SEEN} for _ in range(2))
    done, proposed = (torch.as_tensor(np.stack([space.sample() for _ in range(ROWS)])) for _ in range(2))
    as_tensors = [{key: torch.as_tensor(value) for key, value in each.items()} for each in (obs, after)]
    human = torch.arange(ROWS) % 2 == 0
    return make_batch(as_tensors[0], done, policy_action=proposed, next_obs=as_tensors[1], intervened=human)


@pytest.mark.parametrize("name", AGENTS)
def test_learns_from_vectors_images_and_grid_views_together(name, make_batch):
    agent, batch = made(name), batch_for(name, make_batch)
    before = agent.state_dict()
    for _ in range(2):
        metrics = agent.update(batch)
    assert all(np.isfinite(value) for value in metrics.values())
    trained = next(iter(agent.networks))
    moved = [key for key, value in agent.state_dict().items() if not torch.equal(value, before[key])]
    assert {key.split(".parts.")[1].split(".")[0] for key in moved if key.startswith(f"{trained}.encoder")} == {
        "1",
        "2",
    }
    actions = agent.act({key: value.numpy() for key, value in batch["obs"].items()})
    assert all(AGENTS[name][2].contains(action) for action in actions)


@pytest.mark.parametrize("name", AGENTS)
def test_nan_in_one_key_of_the_observation_is_refused_by_that_key(name, make_batch):
    agent, batch = made(name), batch_for(name, make_batch)
    batch["next_obs"] = {**batch["next_obs"], "q": torch.full((ROWS, 3), np.nan)}
    before = agent.state_dict()
    with pytest.raises(BadInput, match="next_obs/q holds NaN"):
        agent.update(batch)
    after = agent.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before if key != "generator")
    agent.update(batch_for(name, make_batch))


@pytest.mark.parametrize("name", AGENTS)
def test_acting_greedily_draws_nothing(name, make_batch):
    agent = made(name)
    obs = {key: value.numpy() for key, value in batch_for(name, make_batch)["obs"].items()}
    before = agent.state_dict()["generator"]
    first = agent.act(obs)
    assert np.array_equal(first, agent.act(obs))
    assert torch.equal(before, agent.state_dict()["generator"])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", AGENTS)
def test_goes_on_on_another_device(name, make_batch):
    on_cpu, on_gpu, batch = made(name), made(name, seed=1, device="cuda"), batch_for(name, make_batch)
    on_cpu.update(batch)
    on_gpu.load_state_dict(on_cpu.state_dict())
    ours, theirs = on_cpu.update(batch), on_gpu.update(batch)
    assert ours == pytest.approx(theirs, rel=1e-3)
    obs = {key: value.numpy() for key, value in batch["obs"].items()}
    assert on_gpu.act(obs, explore=True).shape == on_cpu.act(obs, explore=True).shape


def test_an_unknown_device_is_refused():
    with pytest.raises(UnknownName, match=r"unknown device 'gpu'; .*allowed: auto, cpu"):
        made("td3", device="gpu")


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"replay": "flatt"}, UnknownName, "unknown replay 'flatt'; nearest: 'flat'"),
        ({"batch_size": 0}, BadInput, "batch_size is 1 or more, not 0"),
        ({"updates_per_step": 0}, BadInput, "updates_per_step"),
        ({"learning_starts": -1}, BadInput, "learning_starts"),
    ],
)
def test_a_configuration_that_no_run_can_use_is_refused(config, error, message):
    with pytest.raises(error, match=message):
        AgentConfig(**config)


def test_gradients_are_shortened_as_one_vector_and_never_lengthened():
    gradients = [torch.tensor([3.0]), torch.tensor([[4.0]])]
    assert shortening(gradients, 1.0).item() == pytest.approx(0.2)
    assert shortening(gradients, 10.0).item() == 1
    assert shortening([torch.zeros(2)], 10.0).item() == 1


def test_the_field_that_is_not_finite_is_named():
    batch = {"obs": {"a": torch.zeros(1), "b": torch.tensor([np.inf])}, "reward": torch.tensor([np.nan])}
    assert "obs/b holds" in not_finite("critic", batch)
    assert "though the batch is" in not_finite("critic", {"reward": torch.zeros(1)})
