"""Actions of a Box as networks have them: in -1..1."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from .td3 import finite_box


class UnitBox(nn.Module):
    """Between the bounds of a Box (A,) and -1..1; moves to a device as networks do, and is no part of their state.

    Raises BadInput for a space that is not a Box (A,) with finite bounds.
    """

    low: Tensor
    high: Tensor

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        box = finite_box(space)
        self.dimensions = box.shape[0]
        self.register_buffer("low", torch.as_tensor(box.low), persistent=False)
        self.register_buffer("high", torch.as_tensor(box.high), persistent=False)

    def to_unit(self, action: Tensor) -> Tensor:
        """Actions (B, A) of the space -> -1..1."""
        return (action - self.low) * (2 / (self.high - self.low)) - 1

    def from_unit(self, unit: Tensor) -> Tensor:
        """-1..1 -> actions (B, A), within the bounds whatever rounding does."""
        return torch.lerp(self.low, self.high, (unit + 1) / 2).clamp(self.low, self.high)
