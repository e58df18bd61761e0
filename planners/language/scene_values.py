"""What a language program holds of a scene: observations of things, and the value maps it writes.

Positions are voxel indices of the grid, fractional; directions are unit vectors, front = +x, left = +y (the robot's
left), up = +z; sizes are centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...envs.perception.scene_object import SceneObject
from ...robots.errors import ProgramError
from ..grid import Grid
from ..value_map import DenseMap, RegionMap
from .budget import Budget
from .values import Vector, checked, describe, vector, vector3

_WRITE_COST = 100
"""Operations charged for one write to a map."""


@dataclass(frozen=True, slots=True)
class MapHandle:
    """A value map in the hands of a program: it can be written to, and nothing else."""

    kind: str
    values: DenseMap | RegionMap
    budget: Budget

    program_name = "map"

    def program_write(self, key: Any, value: Any) -> None:
        """Carry out `map[x, y, z] = value`; ProgramError for a key or a value that is none, BadInput outside."""
        if not (isinstance(key, tuple) and len(key) == 3):
            raise ProgramError(f"a map is written at [x, y, z], not at {describe(key)}")
        for part in key:
            for number in (part.start, part.stop) if isinstance(part, slice) else (part,):
                if number is not None or not isinstance(part, slice):
                    checked(number)
        self._write(lambda values, plain: values.__setitem__(key, plain), value)

    def set_ball(self, center: Any, radius_cm: Any, value: Any) -> None:
        """Write `value` within `radius_cm` of the voxel `center` and at least there; see `DenseMap.set_ball`."""
        middle = vector3(center, "the centre of a ball")
        radius_m = float(checked(radius_cm)) / 100
        self._write(lambda values, plain: values.set_ball(middle.items, radius_m, plain), value)

    def _write(self, write: Any, value: Any) -> None:
        self.budget.spend(_WRITE_COST)
        self.budget.check_time()
        plain = vector(value, "a rotation").items if self.kind == "rotation" else checked(value)
        write(self.values, plain)


class Observation:
    """A thing as a program sees it; `program_attributes` are what a program may read."""

    program_name = "observation"
    program_attributes = frozenset({"name", "position", "aabb", "normal", "size", "front", "occupancy_map"})

    def __init__(self, thing: SceneObject, grid: Grid, budget: Budget) -> None:
        self.thing, self.grid, self.budget = thing, grid, budget
        self.name = thing.name

    @property
    def position(self) -> Vector:
        """Middle of the box, voxels."""
        return Vector(self.grid.to_index(self.thing.center).tolist())

    @property
    def aabb(self) -> tuple[Vector, Vector]:
        """Lowest and highest corner, voxels."""
        low, high = self.grid.to_index(self.thing.aabb).tolist()
        return Vector(low), Vector(high)

    @property
    def normal(self) -> Vector:
        """Unit vector in which the front faces."""
        return Vector(self.thing.normal.tolist())

    @property
    def size(self) -> Vector:
        """Extent along x, y and z, cm."""
        return Vector((100 * (self.thing.aabb[1] - self.thing.aabb[0])).tolist())

    @property
    def front(self) -> Vector:
        """Middle of the front face, voxels."""
        self.budget.check_time()
        normal = self.thing.normal
        ahead = front_plane(self.thing) - float(self.thing.center @ normal)
        return Vector(self.grid.to_index(self.thing.center + ahead * normal).tolist())

    @property
    def occupancy_map(self) -> MapHandle:
        """Make an affordance map that is 1 at the voxels of the visible surface."""
        self.budget.add_map()
        dense = DenseMap(self.grid, highest=1.0)
        nodes = self.grid.to_index(self.thing.points)
        for node in np.unique(self.grid.nearest(nodes[self.grid.inside(nodes)]), axis=0).tolist():
            dense[node[0], node[1], node[2]] = 1.0
        return MapHandle("affordance", dense, self.budget)


@dataclass(frozen=True, slots=True)
class Body:
    """The gripper, which is a point here, or the top of the table, as a program sees it."""

    name: str
    position: Vector
    aabb: tuple[Vector, Vector]
    normal: Vector
    size: Vector

    program_name = "observation"
    program_attributes = frozenset({"name", "position", "aabb", "normal", "size"})


def front_plane(thing: SceneObject, bin_m: float = 0.004) -> float:
    """How far along its normal, m, the front face of a thing lies; a handle that stands out before it does not count.

    It is the outermost of the planes across the normal that hold at least half as many points as the fullest.
    """
    along = thing.points.astype(np.float64) @ thing.normal
    counts = np.bincount(((along - along.min()) / bin_m).astype(int), minlength=2)
    full = counts[:-1] + counts[1:]  # two bins at a time: a plane may lie on the border between them
    low = along.min() + bin_m * int(np.flatnonzero(2 * full >= full.max())[-1])
    return float(np.median(along[(along >= low) & (along <= low + 2 * bin_m)]))
