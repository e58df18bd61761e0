"""From value maps and obstacles to a path in metres, of the tool point or of an object: the one door to the search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .astar import Route, shortest
from .field import Field
from .grid import Grid
from .smooth import smoothed
from .value_map import DenseMap, RegionMap, ValueMaps

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Nodes = NDArray[np.int64]
Weights = NDArray[np.float32]

NEAR_WEIGHT, NEAR_SCALE = 4.0, 0.04
"""A metre at an obstacle costs 1 + NEAR_WEIGHT free metres; the addition falls by a factor e every NEAR_SCALE m."""

COST_WEIGHT = 20.0
"""A metre through a cost map's 1 costs this many free metres more."""

GOAL_DETOUR = 1.0
"""m: a goal of value v is taken instead of one of value 1 if that saves more than (1 - v) times this way."""

STEP = 0.01
"""m between the points of a path, at most."""

FOUND = "found"


@dataclass(frozen=True, slots=True)
class PathResult:
    """What planning came to.

    points_world: (n, 3) m, n >= 1, from the start to the goal, or None where there is no path. reason: FOUND, or why
    not. cost: m, weighted length. clearance: m, the radius that was kept free. expanded: nodes. ms: time taken.
    rotation (n, 4) wxyz, speed (n,), gripper (n,): the maps read at the points, None for a map that was not written.
    """

    points_world: Floats | None
    reason: str
    cost: float = np.inf
    clearance: float = 0.0
    expanded: int = 0
    ms: float = 0.0
    rotation: Floats | None = None
    speed: Floats | None = None
    gripper: Floats | None = None


def plan_path(
    maps: ValueMaps,
    field: Field,
    start_world: ArrayLike,
    *,
    radius: float = 0.04,
    contact: float = 0.02,
    planar: bool = False,
) -> PathResult:
    """Plan the cheapest path from a point to the goals of the maps; without a goal map the path is the start alone.

    start_world: (3,) m. radius: m, of the ball that is kept free of obstacles; where that leaves no way, half of it is
    tried and then a bare point, and the result names what was kept. contact: m around the start and the goals within
    which obstacles do not count. planar: stay at the height of the start and take goals at any height, as for pushing.
    Raises BadInput for a start outside the grid.
    """
    began = perf_counter()
    start = field.grid.to_index(start_world)
    node = field.grid.nearest(start)
    if maps.goal is None:
        result = PathResult(field.grid.to_world(start[None]), FOUND, cost=0.0)
    else:
        layer = int(node[2]) if planar else None
        result = _Search(field, maps.goal, node_weights(field, maps.cost), start, layer).run(radius, contact)
    return replace(_with_maps(result, maps), ms=1e3 * (perf_counter() - began))


def warm_up() -> None:
    """Compile, or load from disk, all that `plan_path` calls, so that the first plan is as quick as the others."""
    grid = Grid((0.0, 0.0, 0.0), STEP, (40, 40, 40))
    goal = DenseMap(grid, highest=1.0)
    goal[39, 39, 39] = 1.0
    plan_path(ValueMaps(goal=goal), Field(grid, np.zeros(grid.shape, dtype=bool)), (0.0, 0.0, 0.0))


def node_weights(field: Field, cost: DenseMap | None) -> Weights:
    """(X, Y, Z) float32 >= 1: what a metre at each node costs, in free metres."""
    weight = 1 + NEAR_WEIGHT * np.exp(field.clearance / np.float32(-NEAR_SCALE))
    if cost is not None:
        weight += COST_WEIGHT * cost.values
    return np.asarray(weight, dtype=np.float32)


class _Search:
    """One problem in voxels: where a route starts, where it may end, what its nodes cost.

    layer: height in voxels of the plane to stay in, or None; goals are then moved into that plane.
    """

    def __init__(self, field: Field, goal: DenseMap, weight: Weights, start: Floats, layer: int | None) -> None:
        self._field, self._goal, self._weight, self._start = field, goal, weight, start
        self._node = field.grid.nearest(start)
        self._heights = slice(None) if layer is None else slice(layer, layer + 1)
        values = goal.values
        if layer is not None:
            values = np.zeros_like(goal.values)
            values[:, :, layer] = goal.values.max(axis=2)
        self._goals = np.argwhere(values > 0)
        at_goals = tuple(self._goals.T)
        self._goal_cost = np.full(values.shape, np.inf, dtype=np.float32)
        self._goal_cost[at_goals] = (1 - values[at_goals]) * GOAL_DETOUR / field.grid.spacing

    def run(self, radius: float, contact: float) -> PathResult:
        """Try the full clearance, then half of it, then none."""
        if not len(self._goals):
            return PathResult(None, "the goal map has no value above 0")
        expanded, reason = 0, ""
        for kept in dict.fromkeys((radius, radius / 2, 0.0)):
            blocked = self._field.blocked(self._node, self._goals, radius=kept, contact=contact)
            reason = self._inside(blocked)
            if reason:
                continue
            route = self._route(blocked)
            expanded += route.expanded
            if route.nodes is not None:
                points = self._field.grid.to_world(self._line(route.nodes, blocked))
                cost = route.cost * self._field.grid.spacing
                return PathResult(points, FOUND, cost=cost, clearance=kept, expanded=expanded)
            reason = "closed off: obstacles leave no way from the start to the goal"
        return PathResult(None, reason, expanded=expanded)

    def _inside(self, blocked: Mask) -> str:
        """Say which end is inside an obstacle, or nothing."""
        if blocked[tuple(self._node)]:
            return f"start blocked: {self._text(self._node)} is inside an obstacle"
        if blocked[tuple(self._goals.T)].all():
            return f"goal blocked: {self._text(self._goals[0])} is inside an obstacle"
        return ""

    def _text(self, node: Nodes) -> str:
        return "({:.2f}, {:.2f}, {:.2f}) m".format(*self._field.grid.to_world(node))

    def _route(self, blocked: Mask) -> Route:
        weight = np.ascontiguousarray(self._weight[:, :, self._heights])
        shut = np.ascontiguousarray(blocked[:, :, self._heights])
        goal_cost = np.ascontiguousarray(self._goal_cost[:, :, self._heights])
        bottom = np.array([0, 0, self._heights.start or 0])
        route = shortest(weight, shut, goal_cost, self._node - bottom)
        return route if route.nodes is None else replace(route, nodes=route.nodes + bottom)

    def _line(self, nodes: Nodes, blocked: Mask) -> Floats:
        """(m, 3) voxels: the route smoothed, from the exact start to the exact goal."""
        route = nodes.astype(np.float64)
        if self._heights.start is None:
            route[-1] = self._goal.exact(nodes[-1])
        else:
            x, y = nodes[-1, :2]
            route[-1, :2] = self._goal.exact((x, y, self._goal.values[x, y].argmax()))[:2]
            route[:, 2] = self._start[2]
        route = np.vstack([self._start, route[1:] if len(route) > 1 else route])
        return smoothed(route, self._weight, blocked, step=STEP / self._field.grid.spacing)


def _with_maps(result: PathResult, maps: ValueMaps) -> PathResult:
    """Read the maps of rotation, speed and gripper at the path's points."""
    if result.points_world is None:
        return result
    rotation = None if maps.rotation is None else _at(maps.rotation, result.points_world)
    speed = None if maps.speed is None else _at(maps.speed, result.points_world)[:, 0]
    gripper = None if maps.gripper is None else _at(maps.gripper, result.points_world)[:, 0]
    return replace(result, rotation=rotation, speed=speed, gripper=gripper)


def _at(regions: RegionMap, points_world: Floats) -> Floats:
    return regions.at(regions.grid.to_index(points_world))
