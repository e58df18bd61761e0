"""The obstacles of one frame and how far every node is from them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from ..robots.errors import BadInput
from .compiled import compiled
from .grid import Grid

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

REACH = 0.2
"""m: distances are exact up to here and cut off beyond; nothing that plans cares about obstacles farther away."""

TAPER = 0.5
"""m of clearance demanded for each m away from a goal or the start, until the full clearance is demanded."""


class Field:
    """Distances to the obstacles, transformed once a frame and shared by everything that plans on that frame.

    occupied: (X, Y, Z) bool on `grid`. Raises BadInput for another shape.
    squares: (X, Y, Z) float32, squared distance in voxels from each node to the nearest occupied one, 0 where occupied.
    """

    def __init__(self, grid: Grid, occupied: Mask) -> None:
        if occupied.shape != grid.shape:
            raise BadInput(f"obstacles of shape {occupied.shape} do not fit a grid of {grid.shape} nodes")
        self.grid = grid
        self.occupied = occupied
        self.squares = squared_distances(occupied, self._voxels(REACH))

    @cached_property
    def clearance(self) -> NDArray[np.float32]:
        """(X, Y, Z) float32 m: distance from each node to the nearest occupied node, at most REACH."""
        return np.asarray(np.sqrt(self.squares) * np.float32(self.grid.spacing), dtype=np.float32)

    def distance_at(self, points_world: ArrayLike) -> Floats:
        """(n, 3) m, world -> (n,) m to the nearest occupied node, interpolated between nodes, at most REACH inside.

        For a point outside the grid it is the least distance possible, since all obstacles are inside: with the nearest
        point of the grid as corner of a right or obtuse angle, |p - o|^2 >= |p - corner|^2 + |corner - o|^2.
        """
        index = self.grid.to_index(points_world)
        corner = np.clip(index, 0, np.array(self.grid.shape) - 1)
        inside = map_coordinates(self.clearance, corner.T, order=1, output=np.float64)
        outside = np.linalg.norm(index - corner, axis=1) * self.grid.spacing
        return np.asarray(np.hypot(inside, outside))

    def blocked(self, start: NDArray[np.int64], goals: NDArray[np.int64], *, radius: float, contact: float) -> Mask:
        """(X, Y, Z) bool: the nodes that a ball of `radius` m may not be centred on.

        start: (3,), goals: (G, 3), nodes. Within `contact` m of the start or a goal nothing is blocked; from there on
        the clearance demanded grows by TAPER until it is `radius`. So a path can begin and end in contact, and keeps
        its distance in between.
        """
        need = max(radius / self.grid.spacing, 1e-6)
        blocked: Mask = self.squares < np.float32(need**2)
        for ends in (start[None], goals):
            self._open_around(blocked, ends, radius, contact)
        return blocked

    def _open_around(self, blocked: Mask, ends: NDArray[np.int64], radius: float, contact: float) -> None:
        reach = self._voxels(contact + radius / TAPER)
        low = np.maximum(ends.min(axis=0) - reach, 0)
        high = np.minimum(ends.max(axis=0) + reach + 1, self.grid.shape)
        window = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
        marked = np.zeros(high - low, dtype=bool)
        marked[tuple((ends - low).T)] = True
        away = np.sqrt(squared_distances(marked, reach)) * self.grid.spacing
        demanded = np.clip((away - contact) * TAPER, 0.0, radius)
        free = (self.squares[window] > 0) & (self.clearance[window] >= demanded)
        blocked[window] &= ~free & (away >= contact)

    def _voxels(self, distance: float) -> int:
        return int(np.ceil(distance / self.grid.spacing - 1e-6)) + 1


@compiled
def squared_distances(occupied: Mask, reach: int) -> NDArray[np.float32]:
    """Squared Euclidean distance in voxels to the nearest True voxel, exact below reach^2 and reach^2 beyond.

    One axis at a time: first by counting, then for each of the other two axes by taking the least over the neighbours
    within `reach` of their value plus the squared offset. Whole lines at once, which the compiler turns into vector
    instructions; on a workspace it is several times faster than a transform without a limit.
    """
    nx, ny, nz = occupied.shape
    along_z = np.empty(occupied.shape, np.float32)
    for x in range(nx):
        for y in range(ny):
            _count(occupied[x, y], along_z[x, y], reach)
    along_y = along_z.copy()
    for x in range(nx):
        for y in range(ny):
            for other in range(max(0, y - reach + 1), min(ny, y + reach)):
                _lower(along_y[x, y], along_z[x, other], np.float32((y - other) ** 2))
    result = along_y.copy()
    lines, sources = result.reshape(nx, ny * nz), along_y.reshape(nx, ny * nz)
    for x in range(nx):
        for other in range(max(0, x - reach + 1), min(nx, x + reach)):
            _lower(lines[x], sources[other], np.float32((x - other) ** 2))
    return result


@compiled
def _count(occupied: Mask, squares: NDArray[np.float32], reach: int) -> None:
    """Write the squared distance along one line, at most reach^2."""
    steps = reach
    for z in range(len(occupied)):
        steps = 0 if occupied[z] else min(steps + 1, reach)
        squares[z] = steps
    steps = reach
    for z in range(len(occupied) - 1, -1, -1):
        steps = min(steps + 1, int(squares[z]))
        squares[z] = steps * steps


@compiled
def _lower(line: NDArray[np.float32], source: NDArray[np.float32], offset: np.float32) -> None:
    for i in range(len(line)):
        value = source[i] + offset
        line[i] = value if value < line[i] else line[i]
