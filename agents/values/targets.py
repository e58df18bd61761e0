"""Targets of values, in the space of returns. Bootstrapping goes through truncation and never through termination."""

from __future__ import annotations

import torch
from torch import Tensor

from .spec import needs


def td(reward: Tensor | float, terminated: Tensor, next_value: Tensor, *, discount: float) -> Tensor:
    """(B,): r + discount V(s'), without the second term where the episode terminated."""
    return reward + discount * next_value * ~terminated


def n_step(reward: Tensor, steps: Tensor, terminated: Tensor, last_value: Tensor, *, discount: float) -> Tensor:
    """(B,): the first `steps` (B,) int of the rewards (B, n), and the value `last_value` (B,) of the state after them.

    Rewards after `steps`, where the episode ended early, do not count; `terminated` (B,) is that of the last step.
    """
    number = torch.arange(reward.shape[1], device=reward.device)
    weight = discount**number * (number < steps[:, None])
    return (weight * reward).sum(-1) + discount**steps * last_value * ~terminated


def monte_carlo(reward: Tensor, last_value: Tensor, *, discount: float) -> Tensor:
    """(T,): discounted returns of an episode's rewards (T,); `last_value` () is 0 where it terminated."""
    returns, value = torch.empty_like(reward), last_value
    for step in reversed(range(len(reward))):
        value = reward[step] + discount * value
        returns[step] = value
    return returns


def double(online: Tensor, target: Tensor) -> Tensor:
    """(..., A) twice -> (...): the target network's value of the action that the online network likes best."""
    return target.gather(-1, online.argmax(-1, keepdim=True)).squeeze(-1)


@needs("members")
def minimum(values: Tensor) -> Tensor:
    """(members, ...) -> (...): the least that any member says (TD3, ICML 2018, section 4.2)."""
    return values.amin(0)


@needs("members")
def mean_of_max(values: Tensor) -> Tensor:
    """(members, ..., A) -> (...): each member's best action at its own value; less variance, the same bias."""
    return values.amax(-1).mean(0)


@needs("members")
def max_of_mean(values: Tensor) -> Tensor:
    """(members, ..., A) -> (...): the best action by the members' mean (REValueD's code); less bias too."""
    return values.mean(0).amax(-1)
