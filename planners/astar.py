"""A* over the nodes of a grid, compiled, from coarse to fine.

26 neighbours; a step costs its length times the mean weight of its two nodes. A diagonal step needs every node of the
box it spans to be free, so that the straight line between two nodes cannot clip a corner. The estimate of what remains
is the 26-neighbour distance through free space to the box around the goals: never above the truth, as no weight is
below 1.

The grid is halved until it is small. A search on a halved grid finds a corridor, the search on the next finer grid
stays inside it. A coarse node is blocked only if all it stands for is blocked, so that a coarse search that fails
proves that there is no way at all; where a corridor turns out to be closed, the finer grid is searched without one.
A search expands each node at most once, which bounds its time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

Mask = NDArray[np.bool_]
Weights = NDArray[np.float32]
Nodes = NDArray[np.int64]

SMALL = 32 * 32 * 32
"""nodes: a grid of no more than this is searched as it is."""

BLOCKED_WEIGHT = 40.0
"""What a blocked node counts in the mean weight of its coarse node: leaks through thin walls must not pay."""

DIAGONAL, SPACE_DIAGONAL = 2.0**0.5, 3.0**0.5


@dataclass(frozen=True, slots=True)
class Route:
    """nodes: (n, 3) int64 from the start to a goal, or None. cost: voxels, weighted. expanded: nodes, at all levels."""

    nodes: Nodes | None
    cost: float
    expanded: int


def shortest(weight: Weights, blocked: Mask, goal_cost: Weights, start: Nodes) -> Route:
    """Find the cheapest way from a node to any goal.

    weight: (X, Y, Z) float32 >= 1, cost of a voxel's length. blocked: (X, Y, Z) bool. goal_cost: (X, Y, Z) float32,
    voxels to add for ending there, infinite where no goal is. start: (3,) int64, taken to be free.
    """
    expanded = 0
    if weight.size > SMALL:
        coarse = shortest(*halve(weight, blocked, goal_cost, BLOCKED_WEIGHT), start // 2)
        if coarse.nodes is None:
            return coarse
        outside = outside_corridor(coarse.nodes, weight.shape)
        route = _searched(weight, blocked | outside, goal_cost, start, coarse.expanded)
        if route.nodes is not None:
            return route
        expanded = route.expanded
    return _searched(weight, blocked, goal_cost, start, expanded)


def _searched(weight: Weights, blocked: Mask, goal_cost: Weights, start: Nodes, expanded: int) -> Route:
    cost, end, parents, count = search(weight, blocked, goal_cost, start)
    return Route(trace(parents, end) if end >= 0 else None, float(cost), expanded + count)


@compiled
def search(
    weight: Weights, blocked: Mask, goal_cost: Weights, start: Nodes
) -> tuple[float, int, NDArray[np.int8], int]:
    """Return the cost, the flat index of the goal (-1: none), each node's move from its parent, nodes expanded."""
    nx, ny, nz = weight.shape
    low, high, least = _goal_box(goal_cost)
    cost = np.full(weight.shape, np.float32(np.inf))
    parents = np.full(weight.shape, np.int8(-1))
    closed = blocked.copy()
    x, y, z = start[0], start[1], start[2]
    cost[x, y, z] = 0.0
    closed[x, y, z] = False
    queue = [(_remaining((x, y, z), low, high) + least, (x * ny + y) * nz + z)]
    best, end, expanded = np.inf, -1, 0
    while len(queue) > 0:
        estimate, node = heappop(queue)
        if estimate >= best:
            break
        x, y, z = node // (ny * nz), node // nz % ny, node % nz
        if closed[x, y, z]:
            continue
        closed[x, y, z] = True
        expanded += 1
        if cost[x, y, z] + goal_cost[x, y, z] < best:
            best, end = cost[x, y, z] + goal_cost[x, y, z], node
        for i in range(max(x - 1, 0), min(x + 2, nx)):
            for j in range(max(y - 1, 0), min(y + 2, ny)):
                for k in range(max(z - 1, 0), min(z + 2, nz)):
                    if closed[i, j, k]:
                        continue
                    axes = abs(i - x) + abs(j - y) + abs(k - z)
                    length = 1.0 if axes == 1 else DIAGONAL if axes == 2 else SPACE_DIAGONAL
                    total = cost[x, y, z] + length * 0.5 * (weight[x, y, z] + weight[i, j, k])
                    if total < cost[i, j, k] and (axes == 1 or _box_free(blocked, (x, y, z), (i, j, k))):
                        cost[i, j, k] = total
                        parents[i, j, k] = (i - x + 1) * 9 + (j - y + 1) * 3 + k - z + 1
                        heappush(queue, (total + _remaining((i, j, k), low, high) + least, (i * ny + j) * nz + k))
    return best, end, parents, expanded


@compiled
def _box_free(blocked: Mask, node: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Whether the corners of the box between two neighbours are free, apart from the two themselves."""
    (x, y, z), (i, j, k) = node, other
    return not (
        (blocked[i, y, z] and (j != y or k != z))
        or (blocked[x, j, z] and (i != x or k != z))
        or (blocked[x, y, k] and (i != x or j != y))
        or blocked[i, j, z]
        or blocked[i, y, k]
        or blocked[x, j, k]
    )


@compiled
def _remaining(node: tuple[int, int, int], low: Nodes, high: Nodes) -> float:
    """Length of the shortest 26-neighbour way through free space to a box."""
    x, y, z = node
    dx = max(low[0] - x, x - high[0], 0)
    dy = max(low[1] - y, y - high[1], 0)
    dz = max(low[2] - z, z - high[2], 0)
    most, least = max(dx, dy, dz), min(dx, dy, dz)
    middle = dx + dy + dz - most - least
    return float(most + (DIAGONAL - 1.0) * middle + (SPACE_DIAGONAL - DIAGONAL) * least)


@compiled
def _goal_box(goal_cost: Weights) -> tuple[Nodes, Nodes, float]:
    """Return the lowest and highest node of the box around the goals, and the least cost of a goal."""
    low, high, least = np.full(3, 1 << 30), np.full(3, -1), np.inf
    for x in range(goal_cost.shape[0]):
        for y in range(goal_cost.shape[1]):
            for z in range(goal_cost.shape[2]):
                if goal_cost[x, y, z] < np.inf:
                    low[0], low[1], low[2] = min(low[0], x), min(low[1], y), min(low[2], z)
                    high[0], high[1], high[2] = max(high[0], x), max(high[1], y), max(high[2], z)
                    least = min(least, goal_cost[x, y, z])
    return low, high, least


@compiled
def trace(parents: NDArray[np.int8], end: int) -> Nodes:
    """(n, 3) int64: the nodes from the start, the one without a parent, to `end`, a flat index."""
    ny, nz = parents.shape[1:]
    nodes = [(end // (ny * nz), end // nz % ny, end % nz)]
    x, y, z = nodes[0]
    while parents[x, y, z] >= 0:
        move = parents[x, y, z]
        x, y, z = x - (move // 9 - 1), y - (move // 3 % 3 - 1), z - (move % 3 - 1)
        nodes.append((x, y, z))
    return np.array(nodes[::-1])


@compiled
def halve(weight: Weights, blocked: Mask, goal_cost: Weights, blocked_weight: float) -> tuple[Weights, Mask, Weights]:
    """Join each 2 x 2 x 2 nodes: the mean weight, blocked if all are, the least goal cost in the new voxels."""
    nx, ny, nz = weight.shape
    shape = ((nx + 1) // 2, (ny + 1) // 2, (nz + 1) // 2)
    mean, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    shut, goals = np.ones(shape, np.bool_), np.full(shape, np.float32(np.inf))
    for x in range(nx):
        for y in range(ny):
            for z in range(nz):
                i, j, k = x // 2, y // 2, z // 2
                count[i, j, k] += 1
                if blocked[x, y, z]:
                    mean[i, j, k] += blocked_weight
                else:
                    mean[i, j, k] += weight[x, y, z]
                    shut[i, j, k] = False
                    goals[i, j, k] = min(goals[i, j, k], goal_cost[x, y, z] * 0.5)
    mean /= count
    return mean, shut, goals


@compiled
def outside_corridor(coarse: Nodes, shape: tuple[int, ...]) -> Mask:
    """Whether a node lies outside the coarse nodes of a route and their neighbours."""
    outside = np.ones(shape, np.bool_)
    for x, y, z in coarse * 2:
        outside[max(0, x - 2) : x + 4, max(0, y - 2) : y + 4, max(0, z - 2) : z + 4] = False
    return outside
