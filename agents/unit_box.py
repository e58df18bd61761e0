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
    middle: Tensor
    reach: Tensor

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        box = _finite_box(space)
        self.dimensions = box.shape[0]
        low, high = torch.as_tensor(box.low), torch.as_tensor(box.high)
        parts = {"low": low, "high": high, "middle": (low + high) / 2, "reach": (high - low) / 2}
        for name, part in parts.items():
            self.register_buffer(name, part, persistent=False)

    def to_unit(self, action: Tensor) -> Tensor:
        """Actions (B, A) of the space -> -1..1."""
        return (action - self.middle) / self.reach

    def from_unit(self, unit: Tensor) -> Tensor:
        """-1..1 -> actions (B, A), within the bounds whatever rounding does."""
        return torch.addcmul(self.middle, unit, self.reach).clamp(self.low, self.high)


def _finite_box(space: spaces.Space[Any]) -> spaces.Box:
    """The space, if it is a Box (A,) with finite bounds; BadInput if not."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.is_bounded("both"):
        return space
    raise BadInput(f"this algorithm needs actions from a Box (A,) with finite bounds, not {space}")
