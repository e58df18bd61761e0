"""HG-DAgger learns from the person's rows and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from valuefield.agents.bc import BC, BCConfig
from valuefield.agents.hg_dagger import HGDagger

OBS, KEYS = spaces.Box(-np.inf, np.inf, (2,), np.float32), spaces.Discrete(3)


def batch_of(make_batch, intervened):
    obs = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    return make_batch(obs, [0, 1, 2, 0], intervened=intervened)


def test_only_the_persons_rows_count(make_batch):
    human = [True, False, True, False]
    batch = batch_of(make_batch, human)
    theirs = make_batch(batch["obs"][human], batch["action"][human])
    agent, imitator = HGDagger(OBS, KEYS, device="cpu"), BC(OBS, KEYS, BCConfig(), device="cpu")
    for _ in range(3):
        assert agent.update(batch)["policy/loss"] == pytest.approx(imitator.update(theirs)["policy/loss"])
    for name, value in agent.state_dict().items():
        torch.testing.assert_close(value, imitator.state_dict()[name], rtol=1e-4, atol=1e-5)


def test_nothing_is_learned_before_anybody_intervened(make_batch):
    agent = HGDagger(OBS, KEYS, device="cpu")
    agent.update(batch_of(make_batch, [True] * 4))
    before = agent.state_dict()
    assert agent.update(batch_of(make_batch, [False] * 4)) == {}
    assert all(torch.equal(value, before[name]) for name, value in agent.state_dict().items())


def test_its_rows_are_drawn_from_two_rings():
    assert HGDagger(OBS, KEYS, device="cpu").config.replay == "intervention"
