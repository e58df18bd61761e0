"""A route over nodes becomes a smooth line that touches no blocked node. All lengths in voxels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from .compiled import compiled

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Weights = NDArray[np.float32]

BENDS = (8.0, 4.0)
"""voxels between the control points of the spline, tried in this order: the wider, the rounder its bends."""

VERTEX_COST = 0.5
"""voxels that a corner of the shortcut must save."""

SAMPLE, CHECK = 0.5, 0.1
"""voxels between the samples of a weighed and of a checked line."""

GRAZE = CHECK / 2
"""voxels by which a checked line must miss a blocked voxel: with this nothing hides between two samples."""


def smoothed(route: Floats, weight: Weights, blocked: Mask, *, step: float) -> Floats:
    """Straighten, round and resample a route, as far as it then still touches nothing.

    route: (n, 3) voxels; its first and last points stay as they are. weight: (X, Y, Z) float32, cost of a voxel's
    length. step: voxels between the points returned. Returns (m, 3). Each candidate is checked again after it has been
    resampled; the last resort is the route itself, whose steps the search has found free.
    """
    return next((line for line in _candidates(route, weight, blocked, step) if not touches(line, blocked)), route)


def _candidates(route: Floats, weight: Weights, blocked: Mask, step: float) -> Iterator[Floats]:
    corners = _straightened(route, weight, blocked)
    for bend in BENDS:
        yield resampled(spline(corners, bend), step)
    yield np.vstack([*(resampled(np.stack(ends), step)[:-1] for ends in pairwise(corners)), corners[-1:]])


def _straightened(route: Floats, weight: Weights, blocked: Mask) -> Floats:
    """Take the shortcut, but go by the route where a stretch of it, looked at closely, grazes a voxel."""
    kept = [0]
    for a, b in pairwise(shortcut(route, weight, blocked)):
        kept += range(a + 1, b + 1) if touches(route[[a, b]], blocked) else [b]
    return route[kept]


@compiled
def shortcut(route: Floats, weight: Weights, blocked: Mask) -> NDArray[np.int64]:
    """Choose the points of the route that make the cheapest polyline: indices, the first and the last among them.

    The cheapest, not the shortest: it keeps the distance from obstacles that the route keeps. Solved exactly by going
    through all pairs of points, from the start on.
    """
    n = len(route)
    cost, parent = np.full(n, np.inf), np.zeros(n, np.int64)
    cost[0] = 0.0
    for j in range(1, n):
        for i in range(j - 1, -1, -1):
            bound = cost[j] - cost[i] - VERTEX_COST
            if np.sqrt(((route[j] - route[i]) ** 2).sum()) < bound:  # no weight is below 1
                between = line_cost(route[i], route[j], weight, blocked, bound)
                if between < bound:
                    cost[j], parent[j] = cost[i] + between + VERTEX_COST, i
    kept = [n - 1]
    while kept[-1] > 0:
        kept.append(parent[kept[-1]])
    return np.array(kept[::-1])


@compiled
def line_cost(a: Floats, b: Floats, weight: Weights, blocked: Mask, bound: float) -> float:
    """Weighted length of the line from a to b; infinite where it touches something or costs more than `bound`."""
    length = np.sqrt(((b - a) ** 2).sum())
    steps = max(1, int(np.ceil(length / SAMPLE)))
    total = 0.0
    for s in range(steps):
        x, y, z = _node_on(a, b, (s + 0.5) / steps)
        total += weight[x, y, z] * length / steps
        if blocked[x, y, z] or total > bound:
            return np.inf
    return total


@compiled
def touches(line: Floats, blocked: Mask) -> bool:
    """Whether a polyline (n, 3) passes through the voxel of a blocked node, or within GRAZE of it."""
    for n in range(len(line) - 1):
        a, b = line[n], line[n + 1]
        steps = max(1, int(np.ceil(np.sqrt(((b - a) ** 2).sum()) / CHECK)))
        for s in range(steps + 1):
            low = _node_on(a - GRAZE, b - GRAZE, s / steps)
            high = _node_on(a + GRAZE, b + GRAZE, s / steps)
            if blocked[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1].any():
                return True
    return False


@compiled
def _node_on(a: Floats, b: Floats, t: float) -> tuple[int, int, int]:
    return (
        int(np.floor(a[0] + t * (b[0] - a[0]) + 0.5)),
        int(np.floor(a[1] + t * (b[1] - a[1]) + 0.5)),
        int(np.floor(a[2] + t * (b[2] - a[2]) + 0.5)),
    )


def spline(corners: Floats, bend: float) -> Floats:
    """Round the corners of a polyline (n, 3) with a cubic B-spline; the ends stay where they are.

    The control points lie about `bend` voxels apart on the polyline, so the curve stays in the hull of four of them
    and cannot overshoot.
    """
    control = resampled(corners, bend)
    if len(control) < 4:
        return corners
    knots = np.concatenate([np.zeros(3), np.linspace(0.0, 1.0, len(control) - 2), np.ones(3)])
    return np.asarray(BSpline(knots, control, 3)(np.linspace(0.0, 1.0, 8 * len(control))))


def resampled(line: Floats, step: float) -> Floats:
    """Points at equal distances along a polyline (n, k), at most `step` apart; first and last as they are."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = max(1, int(np.ceil(arc[-1] / step - 1e-9))) + 1
    even = np.linspace(0.0, arc[-1], count)
    points = np.stack([np.interp(even, arc, line[:, axis]) for axis in range(line.shape[1])], axis=1)
    points[0], points[-1] = line[0], line[-1]
    return points
