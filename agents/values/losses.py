"""Losses of values, unreduced: raw numbers (..., size) and a head's encoded target (..., size) -> (...)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .spec import needs


@needs("scalar")
def mse(raw: Tensor, target: Tensor) -> Tensor:
    """Squared error; its minimiser is the mean."""
    return (raw - target).square().squeeze(-1)


@needs("scalar")
def huber(raw: Tensor, target: Tensor) -> Tensor:
    """Half the squared error up to 1, linear beyond."""
    return functional.smooth_l1_loss(raw, target.expand_as(raw), reduction="none").squeeze(-1)


@needs("scalar")
def expectile(raw: Tensor, target: Tensor, *, tau: float) -> Tensor:
    """Squared error, weighed `tau` where the target is above and 1 - tau where it is below (IQL, ICLR 2022, eq. 4)."""
    error = (target - raw).squeeze(-1)
    return torch.where(error > 0, tau, 1 - tau) * error.square()


@needs("logits")
def cross_entropy(raw: Tensor, target: Tensor) -> Tensor:
    """Of logits against probabilities."""
    return -(target * raw.log_softmax(-1)).sum(-1)


LOSSES = {"mse": mse, "huber": huber, "cross_entropy": cross_entropy}
"""those that a configuration may name"""
