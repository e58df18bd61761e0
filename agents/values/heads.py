"""Heads: how the numbers that a network gives stand for a value.

A head turns `raw` (..., size) into the expected value (...), and a value into what a loss compares `raw` with. What it
`gives` says which losses and targets fit: see spec.check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from ...robots.errors import BadInput


class Head(Protocol):
    """What every head has; consumers of a value use `expected` only."""

    @property
    def size(self) -> int:
        """Raw numbers of one value."""
        ...

    @property
    def gives(self) -> frozenset[str]:
        """What it offers losses and targets: "scalar", "logits", "members"."""
        ...

    def expected(self, raw: Tensor) -> Tensor:
        """(..., size) -> (...)."""
        ...

    def encode(self, value: Tensor) -> Tensor:
        """(...) -> (..., size), what a loss compares raw numbers with."""
        ...


@dataclass(frozen=True)
class Scalar:
    """The value itself: one number."""

    size: ClassVar[int] = 1
    gives: ClassVar[frozenset[str]] = frozenset({"scalar"})

    def expected(self, raw: Tensor) -> Tensor:
        """(..., 1) -> (...)."""
        return raw.squeeze(-1)

    def encode(self, value: Tensor) -> Tensor:
        """(...) -> (..., 1)."""
        return value.unsqueeze(-1)


@dataclass(frozen=True)
class HLGauss:
    """A histogram over [low, high], trained as a classifier ("Stop Regressing", ICML 2024, appendix A).

    A value becomes the mass that a Gaussian around it has in each bin; `sigma` is its width in bins. Values are clamped
    to the support; keep attainable returns three sigma inside of it, for at the border the mean is pulled inwards.
    """

    low: float
    high: float
    bins: int = 51
    sigma: float = 0.75
    gives: ClassVar[frozenset[str]] = frozenset({"logits"})

    def __post_init__(self) -> None:
        """Raise BadInput for a support that is not finite or empty."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise BadInput(f"HLGauss needs a finite support low < high, not [{self.low}, {self.high}]")
        if self.bins < 2 or not self.sigma > 0:
            raise BadInput(f"HLGauss needs 2 bins or more and sigma > 0, not {self.bins} bins, sigma {self.sigma}")

    @property
    def size(self) -> int:
        """One logit a bin."""
        return self.bins

    def expected(self, raw: Tensor) -> Tensor:
        """Mean of the histogram: logits (..., bins) -> (...)."""
        return raw.softmax(-1) @ self._edges(raw).unfold(0, 2, 1).mean(-1)

    def encode(self, value: Tensor) -> Tensor:
        """(...) -> probabilities (..., bins)."""
        edges = self._edges(value)
        width = (self.high - self.low) / self.bins
        centred = edges - value.clamp(self.low, self.high).unsqueeze(-1)
        mass = torch.erf(centred / (math.sqrt(2) * self.sigma * width))  # twice the cumulated mass, less one
        return mass.diff(dim=-1) / (mass[..., -1:] - mass[..., :1])

    def _edges(self, like: Tensor) -> Tensor:
        return torch.linspace(self.low, self.high, self.bins + 1, dtype=like.dtype, device=like.device)


@dataclass(frozen=True)
class Ensemble:
    """`members` heads of one kind, side by side in front: raw (members, ..., size)."""

    head: Head
    members: int

    @property
    def size(self) -> int:
        """Raw numbers of one member's value."""
        return self.head.size

    @property
    def gives(self) -> frozenset[str]:
        """What its members give, and, from two on, "members"."""
        return self.head.gives | ({"members"} if self.members > 1 else set())

    def each(self, raw: Tensor) -> Tensor:
        """Expected value of each member: (members, ..., size) -> (members, ...)."""
        return self.head.expected(raw)

    def expected(self, raw: Tensor) -> Tensor:
        """Mean over the members: (members, ..., size) -> (...)."""
        return self.each(raw).mean(0)

    def encode(self, value: Tensor) -> Tensor:
        """(...) -> (..., size), the same for every member."""
        return self.head.encode(value)
