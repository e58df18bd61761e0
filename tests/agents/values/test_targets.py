import pytest
import torch

from valuefield.agents.values.targets import double, max_of_mean, mean_of_max, minimum, monte_carlo, n_step, td


def test_td_stops_at_termination_only():
    target = td(
        torch.tensor([1.0, 1.0, 0.0]),
        torch.tensor([False, True, False]),  # the third row was truncated: not this function's business
        torch.tensor([10.0, 10.0, 4.0]),
        discount=0.5,
    )
    assert target.tolist() == [6, 1, 2]


def test_n_step_counts_rewards_up_to_the_end_of_the_episode():
    reward = torch.tensor([[1.0, 2.0, 4.0], [1.0, 2.0, 99.0], [1.0, 99.0, 99.0]])
    target = n_step(
        reward,
        torch.tensor([3, 2, 1]),
        torch.tensor([False, True, False]),
        torch.tensor([16.0, 16.0, 16.0]),
        discount=0.5,
    )
    assert target.tolist() == [1 + 1 + 1 + 2, 1 + 1, 1 + 8]


def test_one_step_of_n_is_td():
    reward, value, ended = torch.tensor([3.0, 5.0]), torch.tensor([7.0, 9.0]), torch.tensor([False, True])
    one = n_step(reward[:, None], torch.tensor([1, 1]), ended, value, discount=0.9)
    assert torch.equal(one, td(reward, ended, value, discount=0.9))


def test_monte_carlo_sums_to_the_end():
    assert monte_carlo(torch.tensor([1.0, 2.0, 4.0]), torch.tensor(0.0), discount=0.5).tolist() == [3, 4, 4]
    assert monte_carlo(torch.tensor([1.0, 2.0, 4.0]), torch.tensor(8.0), discount=0.5).tolist() == [4, 6, 8]


def test_double_picks_by_one_and_values_by_the_other():
    online, target = torch.tensor([[0.0, 5.0, 1.0]]), torch.tensor([[9.0, 2.0, 3.0]])
    assert double(online, target).tolist() == [2]


def test_reductions_over_members():
    values = torch.tensor([[[1.0, 3.0]], [[5.0, 0.0]]])  # (members, B, A)
    assert minimum(values).tolist() == [[1, 0]]
    assert mean_of_max(values).tolist() == [4]
    assert max_of_mean(values).tolist() == [3]


@pytest.mark.parametrize(
    ("reduce", "members", "heads", "bias", "variance"),
    [
        (mean_of_max, 1, 6, 0.500, 2.5e-2),
        (mean_of_max, 10, 6, 0.500, 2.5e-3),
        (max_of_mean, 10, 6, 0.155, 3.1e-3),
        (max_of_mean, 1, 21, 0.501, 7.4e-3),
        (max_of_mean, 10, 21, 0.155, 8.9e-4),
    ],
)
def test_bias_and_variance_of_ensembles_of_noise(reduce, members, heads, bias, variance):
    """Utilities that are all noise, uniform in -1..1, three bins a head, averaged over heads; the truth is 0."""
    generator = torch.Generator().manual_seed(0)
    noise = 2 * torch.rand(members, 20_000, heads, 3, generator=generator) - 1
    value = reduce(noise).mean(-1)
    assert value.mean().item() == pytest.approx(bias, rel=0.05)
    assert value.var().item() == pytest.approx(variance, rel=0.15)
