"""Value maps: what a language program writes and the planner reads.

Goal and cost are dense, because the search visits every node. Rotation, speed and gripper are only ever read at the
points of a finished path, so they are kept as the list of regions that were written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..robots.errors import BadInput
from .grid import Grid

Index = SupportsIndex | float
Key = tuple[Index | slice, Index | slice, Index | slice]
Box = tuple[slice, slice, slice]


class DenseMap:
    """One float32 value a node.

    values: (X, Y, Z) float32, from 0 to `highest`. As a goal map (`highest` 1): 0 is no goal, 1 the best goal, and
    between them a worse one. As a cost map: how much to avoid a node; `planners/path.py` weighs it.
    """

    def __init__(self, grid: Grid, default: float = 0.0, *, highest: float = np.inf) -> None:
        self.grid = grid
        self.highest = highest
        self.values = np.full(grid.shape, self._checked(default), dtype=np.float32)
        self._points: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def set_ball(self, center_index: ArrayLike, radius_m: float, value: float) -> None:
        """Write `value` to every node within `radius_m` of the node nearest to `center_index`, at least to that node.

        center_index: (3,) voxels, whole or fractional. What reaches over the border is left out.
        Raises BadInput for a centre outside the grid, a radius that is negative or not finite, or a value out of range.
        """
        center = self.grid.nearest(center_index)
        window, inside = _ball(self.grid, center, radius_m)
        self.values[window][inside] = self._checked(value)
        self._points[tuple(center.tolist())] = np.array(center_index, dtype=np.float64)

    def __setitem__(self, key: Key, value: float) -> None:
        """Write at whole indices, fractional ones (rounded) or slices; BadInput outside the grid, never a clamp."""
        self.values[_box(self.grid, key)] = self._checked(value)
        if not any(isinstance(part, slice) for part in key):
            point = np.array(key, dtype=np.float64)
            self._points[tuple(self.grid.nearest(point).tolist())] = point

    def __getitem__(self, key: Key) -> NDArray[np.float32]:
        """Read like `__setitem__` writes; axes with a single index are dropped, so three of them give a 0-d array."""
        single = tuple(axis for axis, part in enumerate(key) if not isinstance(part, slice))
        return self.values[_box(self.grid, key)].squeeze(axis=single)

    def exact(self, node: ArrayLike) -> NDArray[np.float64]:
        """(3,) fractional index that was last written as a point or a ball's centre and rounded to `node`, else `node`.

        This is how a goal keeps the millimetres that the rounding to nodes takes away.
        """
        node = np.asarray(node)
        return self._points.get(tuple(node.tolist()), node.astype(np.float64))

    def _checked(self, value: object) -> float:
        if isinstance(value, Real) and 0 <= float(value) <= self.highest:
            return float(value)
        raise BadInput(f"a value of this map is one number from 0 to {self.highest:g}, not {value!r}")


@dataclass(frozen=True, slots=True)
class _Region:
    low: NDArray[np.int64]
    high: NDArray[np.int64]  # exclusive
    ball: tuple[NDArray[np.int64], float] | None  # centre node, radius in voxels; None: the whole box
    value: NDArray[np.float64]

    def contains(self, nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
        within = ((nodes >= self.low) & (nodes < self.high)).all(axis=-1)
        if self.ball is not None:
            center, radius = self.ball
            within &= ((nodes - center) ** 2).sum(axis=-1) <= radius**2
        return np.asarray(within)


class RegionMap:
    """A default value and the regions that override it, the last one written on top.

    The value is one number (speed factor, gripper 1 open or 0 closed) or a unit quaternion wxyz, as `default` is.
    Raises BadInput for any other width, a value that is not finite, or a quaternion that is not of unit length.
    """

    def __init__(self, grid: Grid, default: ArrayLike) -> None:
        self.grid = grid
        self.width = np.size(np.asarray(default))
        if self.width not in (1, 4):
            raise BadInput(f"a region map holds 1 number or a quaternion (4), not {self.width} numbers")
        self.default = self._checked(default)
        self._regions: list[_Region] = []

    def set_ball(self, center_index: ArrayLike, radius_m: float, value: ArrayLike) -> None:
        """As `DenseMap.set_ball`."""
        center = self.grid.nearest(center_index)
        radius = _radius_in_voxels(self.grid, radius_m)
        reach = int(radius)
        self._regions.append(_Region(center - reach, center + reach + 1, (center, radius), self._checked(value)))

    def __setitem__(self, key: Key, value: ArrayLike) -> None:
        """As `DenseMap.__setitem__`."""
        box = _box(self.grid, key)
        low, high = np.array([part.start for part in box]), np.array([part.stop for part in box])
        self._regions.append(_Region(low, high, None, self._checked(value)))

    def at(self, index: ArrayLike) -> NDArray[np.float64]:
        """(N, 3) voxels, whole or fractional -> (N, width) values at the nearest nodes; BadInput outside the grid."""
        nodes = self.grid.nearest(index)
        values = np.tile(self.default, (len(nodes), 1))
        for region in self._regions:
            values[region.contains(nodes)] = region.value
        return values

    def _checked(self, value: ArrayLike) -> NDArray[np.float64]:
        array = np.asarray(value, dtype=np.float64).reshape(-1)
        if array.size != self.width or not np.isfinite(array).all():
            raise BadInput(f"a value of this map is {self.width} finite number(s), not {value!r}")
        if self.width == 4 and abs(np.linalg.norm(array) - 1) > 1e-3:
            raise BadInput(f"a rotation is a unit quaternion wxyz, not {value!r} of length {np.linalg.norm(array):.3f}")
        return array


@dataclass(frozen=True, slots=True)
class ValueMaps:
    """The maps of one sub-goal; None where its program wrote none. All on one grid, else BadInput."""

    goal: DenseMap | None = None
    cost: DenseMap | None = None
    rotation: RegionMap | None = None
    speed: RegionMap | None = None
    gripper: RegionMap | None = None

    def __post_init__(self) -> None:
        written = (self.goal, self.cost, self.rotation, self.speed, self.gripper)
        grids = {each.grid for each in written if each is not None}
        if len(grids) > 1:
            raise BadInput(f"the maps of a sub-goal share one grid, not {len(grids)}: {grids}")


def _ball(grid: Grid, center: NDArray[np.int64], radius_m: float) -> tuple[Box, NDArray[np.bool_]]:
    """Find the window of the grid around a ball, and which of its nodes belong to the ball."""
    radius = _radius_in_voxels(grid, radius_m)
    reach = int(radius)
    starts, stops = np.maximum(center - reach, 0), np.minimum(center + reach + 1, grid.shape)
    offsets = np.ogrid[tuple(slice(a - c, b - c) for a, b, c in zip(starts, stops, center, strict=True))]
    window = (slice(starts[0], stops[0]), slice(starts[1], stops[1]), slice(starts[2], stops[2]))
    return window, offsets[0] ** 2 + offsets[1] ** 2 + offsets[2] ** 2 <= radius**2


def _radius_in_voxels(grid: Grid, radius_m: float) -> float:
    if not (np.isfinite(radius_m) and radius_m >= 0):
        raise BadInput(f"a radius is a finite number of metres, 0 or more, not {radius_m!r}")
    # 0.05 / 0.01 must reach 5 voxels, not 4.999...; a radius over the grid's size changes nothing.
    return min(radius_m / grid.spacing + 1e-6, float(sum(grid.shape)))


def _box(grid: Grid, key: Key) -> Box:
    if not (isinstance(key, tuple) and len(key) == 3):
        raise BadInput(f"a map is indexed by [x, y, z], each an index or a slice, not by {key!r}")
    parts = [_span(part, axis, grid.shape["xyz".index(axis)]) for part, axis in zip(key, "xyz", strict=True)]
    return parts[0], parts[1], parts[2]


def _span(part: Index | slice, axis: str, size: int) -> slice:
    """Turn one axis of a key into the half-open range of nodes that it names."""
    if not isinstance(part, slice):
        node = _rounded(part, axis, size - 1, "index")
        return slice(node, node + 1)
    if part.step not in (None, 1):
        raise BadInput(f"a slice along {axis} has no step, not {part.step!r}")
    start = 0 if part.start is None else _rounded(part.start, axis, size, "slice bound")
    stop = size if part.stop is None else _rounded(part.stop, axis, size, "slice bound")
    return slice(start, max(start, stop))


def _rounded(value: object, axis: str, last: int, what: str) -> int:
    if isinstance(value, Real) and np.isfinite(float(value)):
        node = math.floor(float(value) + 0.5)
        if 0 <= node <= last:
            return node
    raise BadInput(f"{what} {value!r} along {axis} is out of range; allowed: 0 to {last}")
