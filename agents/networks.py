"""Networks: what makes features of observations, and what makes values and actions of features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn import functional

from ..robots.errors import BadInput
from .agent import Obs

GRID_SIDE = 16
"""px: an image up to this side is a view of grid cells, each of which means something by itself"""


class MLP(nn.ModuleList):
    """Linear layers with ReLU between them: (..., inputs) -> (..., outputs)."""

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int) -> None:
        linears = [nn.Linear(n, m) for n, m in pairwise((inputs, *hidden, outputs))]
        super().__init__(linears)
        self._layers = [(linear.weight, linear.bias) for linear in linears]  # calling modules would cost more

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        *hidden, last = self._layers
        for weight, bias in hidden:
            x = functional.linear(x, weight, bias).relu_()
        return functional.linear(x, *last)


class EnsembleMLP(nn.Module):
    """`members` networks like `MLP`, each layer one product: (B, inputs) -> (members, B, outputs)."""

    def __init__(self, members: int, inputs: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        self._members = members
        self._layers: list[tuple[nn.Parameter, nn.Parameter]] = []
        for number, (n, m) in enumerate(pairwise((inputs, *hidden, outputs))):
            bound = 1 / math.sqrt(n)  # as nn.Linear begins
            weight = nn.Parameter(torch.empty(members, n, m).uniform_(-bound, bound))
            bias = nn.Parameter(torch.empty(members, 1, m).uniform_(-bound, bound))
            self.register_parameter(f"weight{number}", weight)
            self.register_parameter(f"bias{number}", bias)
            self._layers.append((weight, bias))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (members, B, outputs)."""
        *hidden, (last, bias) = self._layers
        x = x.expand(self._members, *x.shape)
        for weight, shift in hidden:
            x = torch.baddbmm(shift, x, weight).relu_()
        return torch.baddbmm(bias, x, last)

    def first(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs) of the first member alone."""
        *hidden, (last, bias) = self._layers
        for weight, shift in hidden:
            x = torch.addmm(shift[0], x, weight[0]).relu_()
        return torch.addmm(bias[0], x, last[0])


class Encoder(nn.Module):
    """Observations -> features (B, size): float Boxes flattened, uint8 images (H, W, C) through a CNN, Dicts by key.

    Raises BadInput for a space that is none of these.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        boxes = space.spaces if isinstance(space, spaces.Dict) else {"": space}
        self.keys = tuple(boxes)
        parts = [_part(key, box) for key, box in boxes.items()]
        self.parts = nn.ModuleList(parts)
        self.size = sum(part.size for part in parts)

    def forward(self, obs: Obs) -> Tensor:
        """(B, ...) or a dict of such -> (B, size)."""
        if isinstance(obs, Tensor):
            features: Tensor = self.parts[0](obs)
            return features
        return torch.cat([part(obs[key]) for key, part in zip(self.keys, self.parts, strict=True)], -1)


class Flat(nn.Module):
    """A float Box, flattened."""

    def __init__(self, box: spaces.Box) -> None:
        super().__init__()
        self.size = math.prod(box.shape)

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) -> (B, size)."""
        return x.flatten(1)


class Image(nn.Module):
    """A uint8 Box (H, W, C), scaled to 0..1, through convolutions, and for a camera's image one linear layer."""

    def __init__(self, box: spaces.Box) -> None:
        super().__init__()
        height, width, channels = box.shape
        grid = max(height, width) <= GRID_SIDE
        self.scale = 1 / float(box.high.max())
        self.convolutions = (_grid_view if grid else _camera)(channels)
        with torch.no_grad():
            flat = self.convolutions(torch.zeros(1, channels, height, width)).shape[1]
        self.size = flat if grid else 128
        self.out = nn.Identity() if grid else nn.Sequential(nn.Linear(flat, self.size), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) uint8 -> (B, size)."""
        scaled = x.permute(0, 3, 1, 2).float().mul_(self.scale)  # float() has copied: x is uint8
        features: Tensor = self.out(self.convolutions(scaled))
        return features


def _grid_view(channels: int) -> nn.Sequential:
    """Each cell by itself first, then its neighbourhood; all cells are kept, for the agent sees from the very edge."""
    return nn.Sequential(
        *(nn.Conv2d(channels, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten()),
    )


def _camera(channels: int) -> nn.Sequential:
    """Down to a sixteenth of the side; as few channels as a core without a GPU can train on."""
    return nn.Sequential(
        *(nn.Conv2d(channels, 16, 8, stride=4, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2, padding=1)),
        *(nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten()),
    )


def _part(key: str, box: spaces.Space[Any]) -> Flat | Image:
    if isinstance(box, spaces.Box) and np.issubdtype(box.dtype, np.floating):
        return Flat(box)
    if isinstance(box, spaces.Box) and box.dtype == np.uint8 and len(box.shape) == 3:
        return Image(box)
    where = f"observation {key!r}" if key else "the observation"
    raise BadInput(f"{where} is {box}; networks take float Boxes, uint8 images (H, W, C) and Dicts of these")
