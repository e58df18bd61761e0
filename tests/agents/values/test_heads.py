import math

import pytest
import torch

from valuefield.agents.values.heads import Ensemble, HLGauss, Scalar
from valuefield.agents.values.losses import cross_entropy
from valuefield.robots.errors import BadInput


def test_scalar_is_the_number_itself():
    raw = torch.tensor([[0.5], [-2.0]])
    assert Scalar().expected(raw).tolist() == [0.5, -2.0]
    assert torch.equal(Scalar().encode(Scalar().expected(raw)), raw)


def test_hl_gauss_encodes_as_published():
    head = HLGauss(-1, 1, bins=10)  # bins of 0.2, sigma 0.15
    p = head.encode(torch.tensor(0.3, dtype=torch.float64))
    golden = [0, 0, 0, 0.00043, 0.02232, 0.22974, 0.49502, 0.22974, 0.02232, 0.00043]
    assert p.tolist() == pytest.approx(golden, abs=5e-6)
    assert p.sum().item() == pytest.approx(1)
    assert head.expected(p.log()).item() == pytest.approx(0.299999, abs=5e-7)


def test_hl_gauss_gives_back_what_it_encodes_inside_and_pulls_inwards_at_the_border():
    head = HLGauss(-10, 10)
    width = 20 / 51
    inside = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    error = (head.expected(head.encode(inside).log()) - inside).abs() / width
    assert error.max() < 1e-4
    assert error.max() == pytest.approx(5e-6, rel=0.5)
    ends = torch.tensor([-10.0, 10.0], dtype=torch.float64)
    pulled = (head.expected(head.encode(ends).log()) - ends) / width
    assert pulled.tolist() == pytest.approx([0.69, -0.69], abs=0.01)


@pytest.mark.parametrize(("sigma", "published"), [(0.25, 0.093), (0.5, 0.0023), (2.0, 0.03)])
def test_hl_gauss_round_trip_with_other_widths(sigma, published):
    head = HLGauss(-10, 10, sigma=sigma)
    inside = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    error = (head.expected(head.encode(inside).log()) - inside).abs() / (20 / 51)
    assert error.max().item() == pytest.approx(published, rel=0.1)


def test_hl_gauss_clamps_what_lies_far_outside():
    head = HLGauss(-1, 1, bins=10)
    outside = head.encode(torch.tensor([3.0, -100.0]))
    assert torch.allclose(outside, head.encode(torch.tensor([1.0, -1.0])))
    loss = cross_entropy(torch.zeros(2, 10), outside)
    assert loss.tolist() == pytest.approx([math.log(10)] * 2)


@pytest.mark.parametrize(
    "bad",
    [
        {"low": 1, "high": 1},
        {"low": 0, "high": math.inf},
        {"low": 0, "high": 1, "bins": 1},
        {"low": math.nan, "high": 1},
    ],
)
def test_hl_gauss_refuses_a_support_that_is_none(bad):
    with pytest.raises(BadInput, match="HLGauss needs"):
        HLGauss(**bad)


def test_ensemble_averages_its_members():
    head = Ensemble(Scalar(), 2)
    raw = torch.tensor([[[1.0], [2.0]], [[3.0], [6.0]]])  # (members, B, 1)
    assert head.each(raw).tolist() == [[1, 2], [3, 6]]
    assert head.expected(raw).tolist() == [2, 4]
    assert head.encode(torch.tensor([7.0, 8.0])).tolist() == [[7], [8]]


def test_ensemble_of_histograms():
    head = Ensemble(HLGauss(-1, 1, bins=10), 3)
    raw = head.encode(torch.tensor([0.3, -0.2])).log().expand(3, 2, 10)
    assert head.each(raw).shape == (3, 2)
    assert head.expected(raw).tolist() == pytest.approx([0.3, -0.2], abs=1e-3)
