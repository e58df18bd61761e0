import math

import pytest
import torch

from valuefield.agents.values.losses import cross_entropy, expectile, huber, mse

RAW, TARGET = torch.tensor([[0.0], [0.0], [0.0]]), torch.tensor([[0.5], [3.0], [-1.0]])


def test_errors_by_hand():
    assert mse(RAW, TARGET).tolist() == [0.25, 9, 1]
    assert huber(RAW, TARGET).tolist() == [0.125, 2.5, 0.5]
    assert expectile(RAW, TARGET, tau=0.75).tolist() == [0.75 * 0.25, 0.75 * 9, 0.25 * 1]


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, math.log(3)]])  # 1/4, 3/4
    assert cross_entropy(logits, torch.tensor([[0.5, 0.5]])).item() == pytest.approx(math.log(4) - 0.5 * math.log(3))


@pytest.mark.parametrize("loss", [mse, huber])
def test_members_are_compared_with_the_same_target(loss):
    assert torch.equal(loss(torch.stack([RAW, RAW + 1]), TARGET)[0], loss(RAW, TARGET))
    assert loss(torch.stack([RAW, RAW + 1]), TARGET).shape == (2, 3)


def test_the_expectile_is_where_the_loss_is_least():
    targets = torch.tensor([[0.0], [1.0]])
    guesses = torch.linspace(0, 1, 1001)
    losses = torch.stack([expectile(guess.expand(2, 1), targets, tau=0.9).mean() for guess in guesses])
    assert guesses[losses.argmin()].item() == pytest.approx(0.9)
