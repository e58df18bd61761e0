"""What a language program can call on a scene: the vocabulary of VoxPoser, with one meaning per unit.

Positions are voxel indices (fractional, exact), lengths are centimetres, directions unit vectors in the world: front =
+x, left = +y (the robot's left), up = +z. A centimetre is always as many voxels as it is; nothing is rounded down and
nothing that lies outside the workspace is moved into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...robots.errors import ProgramError, UnknownName
from ...robots.geometry import quat_from_axes
from ..grid import Grid
from ..value_map import DenseMap, RegionMap
from .budget import Budget
from .scene_values import Body, MapHandle, Observation
from .subgoal import GRIPPER
from .values import Vector, checked, describe, vector3

if TYPE_CHECKING:
    from ...envs.perception.scene import Scene

GRIPPER_NAMES = (GRIPPER, "hand", "robot gripper", "end effector", "end_effector", "ee", "robot", "arm")
TABLE_NAMES = ("table", "table top", "tabletop", "desk", "work surface")
MAP_KINDS = ("affordance", "avoidance", "rotation", "velocity", "gripper")
AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True)
class SceneApi:
    """The scene of one run, the scene in which the sub-goal began, and the run's budget."""

    scene: Scene
    start: Scene
    grid: Grid
    budget: Budget

    def names(self) -> dict[str, Callable[..., Any]]:
        """Return every function of the scene under the name that programs call it by."""
        empty = {f"get_empty_{kind}_map": getattr(self, f"get_empty_{kind}_map") for kind in MAP_KINDS}
        places = (self.detect, self.get_ee_pos, self.get_start_ee_pos, self.extent)
        units = (self.cm2index, self.index2cm, self.pointat2quat, self.set_voxel_by_radius)
        return {**empty, **{each.__name__: each for each in places + units}}

    def detect(self, name: Any) -> Observation | Body | None:
        """Find the thing, or the part, of that name; None when it is not visible. Raises UnknownName."""
        if not isinstance(name, str) or len(name) > 100:
            raise ProgramError(f"detect takes the name of an object, not {describe(name)}")
        self.budget.check_time()
        if name in self.scene.names:
            found = self.scene.find(name)
            return None if found is None else Observation(found, self.grid, self.budget)
        if name in GRIPPER_NAMES:
            return self._gripper()
        if name in TABLE_NAMES:
            return self._table()
        raise UnknownName("object", name, (*self.scene.names, GRIPPER, "table"))

    def get_ee_pos(self) -> Vector:
        """Return where the tool point is now, voxels."""
        return Vector(self.grid.to_index(self.scene.tool_pose[:3]).tolist())

    def get_start_ee_pos(self) -> Vector:
        """Return where the tool point was when this sub-goal began, voxels; it stays there while the arm moves."""
        return Vector(self.grid.to_index(self.start.tool_pose[:3]).tolist())

    def extent(self, obj: Any, direction: Any) -> float:
        """Return how far `obj` reaches along `direction`: the largest `dot(voxel, unit direction)` of its surface.

        One in a hundred of its points is left out, which are the stray ones at the edge of a depth image.
        """
        thing = _seen(obj).thing
        self.budget.check_time()
        along = self.grid.to_index(thing.points) @ np.array(_unit(direction).items)
        return float(np.percentile(along, 99))

    def cm2index(self, cm: Any, direction: Any) -> float | Vector:
        """Voxels of a length along "x", "y" or "z"; or the step of that length along a direction (3,)."""
        voxels = float(checked(cm)) / (100 * self.grid.spacing)
        if isinstance(direction, str):
            self._axis(direction)
            return voxels
        return Vector(voxels * item for item in _unit(direction))

    def index2cm(self, index: Any, axis: Any = "x") -> float:
        """Turn a number of voxels along an axis into centimetres, the inverse of `cm2index`."""
        self._axis(axis)
        return float(checked(index)) * 100 * self.grid.spacing

    def pointat2quat(self, direction: Any, obj: Any = None) -> Vector:
        """Rotation (wxyz) of a tool that points along `direction`.

        With `obj` the fingers close across it: along that axis of its box which lies most nearly at right angles to
        the direction and is the shortest. Without, they close as nearly sideways (y) as the direction allows.
        """
        z = np.array(_unit(direction).items)
        y = _sideways(z) if obj is None else _closing_axis(_seen(obj), z)
        return Vector(quat_from_axes(z, y).tolist())

    def set_voxel_by_radius(self, voxel_map: Any, voxel_xyz: Any, radius_cm: Any, value: Any) -> MapHandle:
        """Write `value` to the ball around `voxel_xyz`, at least to that voxel, and return the map.

        Raises BadInput for a centre outside the workspace.
        """
        if not isinstance(voxel_map, MapHandle):
            raise ProgramError(f"set_voxel_by_radius takes a map, not {describe(voxel_map)}")
        voxel_map.set_ball(voxel_xyz, radius_cm, value)
        return voxel_map

    def get_empty_affordance_map(self) -> MapHandle:
        """Make a map of 0 = no goal up to 1 = the best goal."""
        return self._map("affordance", DenseMap(self.grid, highest=1.0))

    def get_empty_avoidance_map(self) -> MapHandle:
        """Make a map of 0 = free; the higher, the more to be avoided."""
        return self._map("avoidance", DenseMap(self.grid))

    def get_empty_rotation_map(self) -> MapHandle:
        """Make a map of tool rotations, everywhere that of now."""
        return self._map("rotation", RegionMap(self.grid, self.scene.tool_pose[3:]))

    def get_empty_velocity_map(self) -> MapHandle:
        """Make a map of speed factors, everywhere 1."""
        return self._map("velocity", RegionMap(self.grid, 1.0))

    def get_empty_gripper_map(self) -> MapHandle:
        """Make a map of 1 = open and 0 = closed, everywhere open."""
        return self._map("gripper", RegionMap(self.grid, 1.0))

    def _map(self, kind: str, values: DenseMap | RegionMap) -> MapHandle:
        self.budget.add_map()
        return MapHandle(kind, values, self.budget)

    def _gripper(self) -> Body:
        at = self.get_ee_pos()
        return Body(GRIPPER, at, (at, at), Vector((0, 0, -1)), Vector((0, 0, 0)))

    def _table(self) -> Body:
        low, high = self.grid.bounds_world
        corners = np.array([[low[0], low[1], 0.0], [high[0], high[1], 0.0]])
        first, last = (Vector(row) for row in self.grid.to_index(corners).tolist())
        middle = Vector(self.grid.to_index(corners.mean(axis=0)).tolist())
        size = Vector((100 * (corners[1] - corners[0])).tolist())
        return Body("table", middle, (first, last), Vector((0, 0, 1)), size)

    @staticmethod
    def _axis(axis: Any) -> None:
        if not isinstance(axis, str) or axis not in AXES:
            raise ProgramError(f"an axis is 'x', 'y' or 'z', not {describe(axis)}")


def _seen(obj: Any) -> Observation:
    if not isinstance(obj, Observation):
        raise ProgramError(f"expected an observed object, not {describe(obj)}")
    return obj


def _unit(direction: Any) -> Vector:
    items = vector3(direction, "a direction")
    length = float(np.linalg.norm(items.items))
    if length < 1e-9:
        raise ProgramError("a direction of length 0")
    return Vector(item / length for item in items)


def _sideways(z: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    axis = np.array([0.0, 1.0, 0.0])
    return axis if abs(float(axis @ z)) < 0.95 else np.array([1.0, 0.0, 0.0])


def _closing_axis(obj: Observation, z: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of the two axes of the box that are most nearly across `z`, the one along which it is the shorter."""
    box = obj.thing.box
    across = np.argsort(np.abs(box.axes @ z))[:2]
    shortest = across[int(np.argmin(box.half_sizes[across]))]
    return np.asarray(box.axes[shortest], dtype=np.float64)
