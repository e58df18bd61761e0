from dataclasses import dataclass

import pytest

from valuefield.agents.values.heads import Ensemble, HLGauss, Scalar
from valuefield.agents.values.losses import cross_entropy, expectile, huber, mse
from valuefield.agents.values.spec import check, needs
from valuefield.agents.values.targets import max_of_mean, mean_of_max, minimum, monte_carlo, n_step, td
from valuefield.robots.errors import BadInput

SCALAR, HISTOGRAM = Scalar(), HLGauss(0, 1)


@pytest.mark.parametrize("head", [SCALAR, HISTOGRAM, Ensemble(SCALAR, 2)])
@pytest.mark.parametrize("target", [td, n_step, monte_carlo])
def test_plain_targets_go_with_every_head(head, target):
    check(head, target)


@pytest.mark.parametrize("loss", [mse, huber, expectile])
def test_a_histogram_is_refused_losses_of_scalars_and_told_which_fits(loss):
    for head in (HISTOGRAM, Ensemble(HISTOGRAM, 2)):
        with pytest.raises(BadInput, match=f"{loss.__name__} needs .* scalar; .*HLGauss.* cross_entropy"):
            check(head, td, loss)
        check(head, td, cross_entropy)


def test_scalars_are_refused_cross_entropy():
    with pytest.raises(BadInput, match=r"cross_entropy needs .* logits; Scalar\(\) gives scalar, .* huber, mse"):
        check(SCALAR, td, cross_entropy)


@pytest.mark.parametrize("target", [minimum, mean_of_max, max_of_mean])
@pytest.mark.parametrize("head", [SCALAR, Ensemble(SCALAR, 1)])
def test_what_reduces_members_needs_two(target, head):
    with pytest.raises(BadInput, match=f"{target.__name__} needs a head that gives members"):
        check(head, target, mse)
    check(Ensemble(SCALAR, 2), target, mse)


def test_a_new_head_and_its_loss_fit_in_from_outside():
    @dataclass(frozen=True)
    class Quantiles:
        size: int = 8
        gives: frozenset = frozenset({"quantiles"})

    @needs("quantiles")
    def quantile_huber(raw, target):
        return raw - target

    check(Quantiles(), td, quantile_huber)
    with pytest.raises(BadInput, match="mse needs a head that gives scalar"):
        check(Quantiles(), td, mse)
