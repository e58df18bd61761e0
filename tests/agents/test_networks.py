from copy import deepcopy

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.agent import polyak, seeded
from valuefield.agents.networks import MLP, Encoder, EnsembleMLP
from valuefield.robots.errors import BadInput

VECTOR = spaces.Box(-np.inf, np.inf, (5,), np.float32)
GRID = spaces.Box(0, 1, (7, 7, 80), np.uint8)
CAMERA = spaces.Box(0, 255, (64, 64, 3), np.uint8)


def test_mlp_has_relu_between_layers_and_none_at_the_end():
    net = MLP(1, (2,), 1)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), ([[1], [-1]], [0, 0], [[-2, -3]], [0.5]), strict=True):
            parameter.copy_(torch.tensor(value))
    assert net(torch.tensor([[4.0], [-4.0]])).tolist() == [[-7.5], [-11.5]]


def test_an_ensemble_is_its_members_side_by_side():
    ensemble = EnsembleMLP(3, 4, (8, 8), 2)
    x = torch.randn(6, 4)
    raw = ensemble(x)
    assert raw.shape == (3, 6, 2)
    for member in range(3):
        h = x
        for number in range(3):
            weight, bias = (getattr(ensemble, f"{name}{number}")[member] for name in ("weight", "bias"))
            h = (h if number == 0 else h.relu()) @ weight + bias
        assert torch.allclose(raw[member], h, atol=1e-6)
    assert torch.allclose(ensemble.first(x), raw[0], atol=1e-6)
    assert not torch.allclose(raw[0], raw[1])


def test_a_copy_of_an_ensemble_has_weights_of_its_own():
    ensemble = EnsembleMLP(2, 1, (4,), 1)
    copy = deepcopy(ensemble)
    x = torch.ones(1, 1)
    before = copy(x)
    with torch.no_grad():
        ensemble.weight0.zero_()
        assert torch.equal(copy(x), before)
        copy.load_state_dict(ensemble.state_dict())
    assert torch.equal(copy(x), ensemble(x))


def test_a_vector_passes_through():
    encoder = Encoder(VECTOR)
    x = torch.randn(3, 5)
    assert encoder.size == 5
    assert torch.equal(encoder(x), x)


def test_a_matrix_of_floats_is_flattened():
    encoder = Encoder(spaces.Box(-1, 1, (2, 3), np.float32))
    assert encoder(torch.arange(6.0).reshape(1, 2, 3)).tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (GRID, 32 * 7 * 7),
        (spaces.Box(0, 1, (3, 1, 2), np.uint8), 32 * 3),
        (CAMERA, 128),
        (spaces.Box(0, 255, (48, 100, 12), np.uint8), 128),
    ],
)
def test_images_become_features(space, size):
    encoder = Encoder(space)
    assert encoder.size == size
    assert encoder(torch.as_tensor(np.stack([space.sample() for _ in range(3)]))).shape == (3, size)


@pytest.mark.parametrize("space", [GRID, CAMERA])
def test_the_highest_value_of_an_image_reaches_the_convolutions_as_one(space):
    encoder = Encoder(space)
    seen = []
    encoder.parts[0].convolutions.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    encoder(torch.full((1, *space.shape), int(space.high.max()), dtype=torch.uint8))
    assert seen[0].min() == pytest.approx(1) == seen[0].max()


def test_a_dict_is_taken_key_by_key_in_the_order_of_the_space():
    space = spaces.Dict({"q": VECTOR, "rgb/front": CAMERA, "b.c": spaces.Box(-1, 1, (2,), np.float32)})
    encoder = Encoder(space)
    assert encoder.size == 5 + 128 + 2
    obs = {key: torch.as_tensor(part.sample())[None] for key, part in space.spaces.items()}
    features = encoder(obs)
    assert features.shape == (1, 135)
    assert torch.equal(encoder(dict(reversed(obs.items()))), features)
    first = features[0, : space["b.c"].shape[0]]
    assert torch.equal(first, obs[next(iter(space.spaces))][0, :2])


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3),
        spaces.Box(0, 255, (4,), np.uint8),
        spaces.Box(0, 9, (3,), np.int64),
        spaces.Dict({"mission": spaces.Text(5)}),
    ],
)
def test_other_spaces_are_refused(space):
    with pytest.raises(BadInput, match="networks take"):
        Encoder(space)


def test_networks_of_a_seed_are_the_same_and_leave_the_process_generator_alone():
    before = torch.get_rng_state()
    nets = []
    for seed in (1, 1, 2):
        with seeded(seed):
            nets.append(torch.cat([p.flatten() for p in EnsembleMLP(2, 3, (4,), 1).parameters()]))
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])
    assert torch.equal(before, torch.get_rng_state())


def test_polyak_moves_by_tau_of_the_way():
    online, target = MLP(1, (), 1), MLP(1, (), 1)
    with torch.no_grad():
        for parameter in online.parameters():
            parameter.fill_(4.0)
        for parameter in target.parameters():
            parameter.fill_(0.0)
    polyak(list(target.parameters()), list(online.parameters()), 0.25)
    assert [parameter.item() for parameter in target.parameters()] == [1, 1]
    assert [parameter.item() for parameter in online.parameters()] == [4, 4]
