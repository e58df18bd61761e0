"""The metric grid of nodes that every value map and every obstacle map is written on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..robots.errors import BadInput
from ..robots.state import WORKSPACE

SPACING = 0.01
"""m between neighbouring nodes of the default grid."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes at `origin + index * spacing` in the world frame; the same spacing on all three axes.

    origin: x, y, z of node (0, 0, 0), m, world. spacing: m. shape: number of nodes per axis.
    Axis i of an array on the grid is axis i of the world. Raises BadInput for a shape or spacing that is not positive.
    """

    origin: tuple[float, float, float]
    spacing: float
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.origin).all() and np.isfinite(self.spacing) and self.spacing > 0):
            raise BadInput(f"a grid needs a finite origin and a spacing > 0 m, not {self.origin} and {self.spacing}")
        if min(self.shape) < 1:
            raise BadInput(f"a grid needs at least 1 node per axis, not {self.shape}")

    @classmethod
    def workspace(cls, spacing: float = SPACING) -> Grid:
        """Make the grid whose outer nodes lie on the bounds of the workspace: (81, 101, 71) nodes at 1 cm."""
        low, high = WORKSPACE
        nodes = np.rint((high - low) / spacing).astype(int) + 1
        return cls(
            (float(low[0]), float(low[1]), float(low[2])), spacing, (int(nodes[0]), int(nodes[1]), int(nodes[2]))
        )

    @property
    def bounds_world(self) -> NDArray[np.float64]:
        """(2, 3) m, world: the first and the last node."""
        return self.to_world(np.array([[0, 0, 0], np.array(self.shape) - 1]))

    def to_index(self, points_world: ArrayLike) -> NDArray[np.float64]:
        """(..., 3) m, world -> (..., 3) fractional index, outside the grid as well; the inverse of `to_world`."""
        return (np.asarray(points_world, dtype=np.float64) - self.origin) / self.spacing

    def to_world(self, index: ArrayLike) -> NDArray[np.float64]:
        """(..., 3) index, whole or fractional -> (..., 3) m, world."""
        return np.asarray(index, dtype=np.float64) * self.spacing + self.origin

    def inside(self, index: ArrayLike) -> NDArray[np.bool_]:
        """(..., 3) index -> (...) bool: whether the nearest node is one of the grid's. False for NaN."""
        index = np.asarray(index, dtype=np.float64)
        return np.asarray(((index >= -0.5) & (index < np.array(self.shape) - 0.5)).all(axis=-1))

    def nearest(self, index: ArrayLike) -> NDArray[np.int64]:
        """(..., 3) index -> (..., 3) int64 index of the nearest node (halves round up).

        Raises BadInput naming the first point that lies outside, and the bounds.
        """
        index = np.asarray(index, dtype=np.float64)
        outside = ~np.atleast_1d(self.inside(index))
        if outside.any():
            self._refuse(index.reshape(-1, 3)[outside.ravel()][0])
        return np.floor(index + 0.5).astype(np.int64)

    def _refuse(self, index: NDArray[np.float64]) -> None:
        (low, high), last = self.bounds_world, np.array(self.shape) - 1
        kept = self.to_world(np.clip(np.nan_to_num(index), 0, last))
        raise BadInput(
            f"point {_text(self.to_world(index))} m (voxel {_text(index, 1)}) is outside the workspace, "
            f"which reaches from {_text(low)} to {_text(high)} m (voxels 0 to {_text(last, 0)}); "
            f"nearest point inside: {_text(kept)}"
        )


def _text(values: NDArray[Any], digits: int = 3) -> str:
    return "(" + ", ".join(f"{value:.{digits}f}" for value in values) + ")"
