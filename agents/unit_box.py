"""Actions of a Box as networks have them: in -1..1."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from ..robots.errors import BadInput


class UnitBox(nn.Module):
    """Between the bounds of a Box (A,) and -1..1; moves to a device as networks do, and is no part of their state.

    Raises BadInput for a space that is not a Box (A,) with finite bounds.
    """

    low: Tensor
    high: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        box = _finite_box(space)
        self.dimensions = box.shape[0]
        self.register_buffer("low", torch.as_tensor(box.low), persistent=False)
        self.register_buffer("high", torch.as_tensor(box.high), persistent=False)
        self.register_buffer("scale", 2 / (self.high - self.low), persistent=False)
        self.register_buffer("shift", -1 - self.low * self.scale, persistent=False)

    def to_unit(self, action: Tensor) -> Tensor:
        """Actions (B, A) of the space -> -1..1."""
        return torch.addcmul(self.shift, action, self.scale)

    def from_unit(self, unit: Tensor) -> Tensor:
        """-1..1 -> actions (B, A), within the bounds whatever rounding does."""
        return torch.lerp(self.low, self.high, (unit + 1) / 2).clamp(self.low, self.high)


def _finite_box(space: spaces.Space[Any]) -> spaces.Box:
    """The space, if it is a Box (A,) with finite bounds; BadInput if not."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.is_bounded("both"):
        return space
    raise BadInput(f"this algorithm needs actions from a Box (A,) with finite bounds, not {space}")
