"""Free-space motion in joint space: a path that touches nothing, and the same path with time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .errors import BadInput
from .state import Floats, Limits

Free = Callable[[Floats], bool]
"""Whether the arm may stand at joint angles (n,)."""

STEP = 0.03
"""rad of the joint that moves most: paths are tested this densely."""
_EXTEND, _SHORTCUTS = 0.4, 60
_GRID = 0.002  # rad along the path, between the points at which its speed is worked out


def plan_joint_path(
    q0: Floats, q1: Floats, free: Free, limits: Limits, rng: np.random.Generator, *, tries: int = 400
) -> Floats | None:
    """Corners (k, n) of a free path from q0 to q1, k >= 2, or None if none was found.

    The straight line if it is free; else two trees grown towards each other (RRT-Connect, Kuffner and LaValle 2000),
    and short cuts across what they found.

    Args:
        q0: (n,) rad, where the path begins.
        q1: (n,) rad, where it ends.
        free: asked for every `STEP` rad of the path.
        limits: whose joint range the path stays in.
        rng: of the trees and the short cuts.
        tries: how often the trees grow before they give up.
    """
    if not free(q1):
        return None
    if _edge_free(q0, q1, free):
        return np.stack([q0, q1])
    path = _connect((q0, q1), free, limits, rng, tries)
    return None if path is None else _shortcut(path, free, rng)


@dataclass
class _Tree:
    """Joint angles that can be reached from the first one, each with the index of the one before it."""

    nodes: list[Floats]
    parents: list[int] = field(default_factory=lambda: [-1])

    def grow(self, goal: Floats, free: Free) -> bool:
        """Go straight from the nearest node towards `goal` for as long as that is free; whether it was reached."""
        at = int(np.argmin(np.abs(np.array(self.nodes) - goal).max(axis=1)))
        while True:
            way = goal - self.nodes[at]
            share = min(1.0, _EXTEND / max(float(np.abs(way).max()), 1e-12))
            following = self.nodes[at] + share * way
            if not _edge_free(self.nodes[at], following, free):
                return False
            self.nodes.append(following)
            self.parents.append(at)
            at = len(self.nodes) - 1
            if share == 1.0:
                return True

    def branch(self) -> list[Floats]:
        """From the first node to the one that was added last."""
        nodes, at = [], len(self.nodes) - 1
        while at >= 0:
            nodes.append(self.nodes[at])
            at = self.parents[at]
        return nodes[::-1]


def _connect(
    ends: tuple[Floats, Floats], free: Free, limits: Limits, rng: np.random.Generator, tries: int
) -> list[Floats] | None:
    growing, other = (_Tree([end]) for end in ends)
    for _ in range(tries):
        growing.grow(rng.uniform(limits.q_min, limits.q_max), free)
        if other.grow(growing.nodes[-1], free):
            first, second = growing.branch(), other.branch()
            path = first + second[-2::-1]
            return path if np.array_equal(path[0], ends[0]) else path[::-1]
        growing, other = other, growing
    return None


def _shortcut(path: list[Floats], free: Free, rng: np.random.Generator) -> Floats:
    """Replace what lies between two random points of the path by a straight line wherever that is free."""
    corners = _prune(np.array(path), free)
    for _ in range(_SHORTCUTS):
        at = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(corners, axis=0)).max(axis=1))])
        begin, end = np.sort(rng.uniform(0.0, at[-1], 2))
        a, b = (np.array([np.interp(s, at, joint) for joint in corners.T]) for s in (begin, end))
        if _edge_free(a, b, free):
            corners = np.vstack([corners[at < begin], a, b, corners[at > end]])
    return _prune(corners, free)


def _prune(corners: Floats, free: Free) -> Floats:
    """Leave out every corner that a straight line from the one before it to the one after it can do without."""
    kept = [corners[0]]
    for corner, following in pairwise(corners[1:]):
        if not _edge_free(kept[-1], following, free):
            kept.append(corner)
    return np.array([*kept, corners[-1]])


def _edge_free(a: Floats, b: Floats, free: Free) -> bool:
    """Whether the straight line from `a`, which is not asked about, to `b` is free."""
    count = int(np.ceil(np.abs(b - a).max() / STEP))
    return all(free(a + (b - a) * k / count) for k in range(1, count + 1))


def time_parameterise(path: Floats, limits: Limits, dt: float, speed: float = 0.8) -> Floats:
    """Joint targets (m, n), one a tick, along the straight lines between corners (k, n), from rest to rest.

    The targets lie on the path, and the last one is its end. At a corner the direction changes within one tick, so the
    speed there is what the acceleration limit allows for that.

    Args:
        path: (k, n) rad, k >= 1; the arm stands at its first row.
        limits: of the arm. No target demands more of it, so `clamp` changes none of them.
        dt: s, the control tick.
        speed: share of the speed limits to use.

    Raises:
        BadInput: an empty path, or a speed that is not within 0-1.
    """
    if path.ndim != 2 or len(path) == 0:
        raise BadInput(f"a path of shape {path.shape}; it must be (k, n) with k >= 1")
    if not 0 < speed <= 1:
        raise BadInput(f"speed {speed}; allowed: above 0, up to 1")
    moved = np.abs(np.diff(path, axis=0)).max(axis=1) > 1e-9
    corners = np.vstack([path[:1], path[1:][moved]])
    if len(corners) == 1:
        return path[-1:].copy()
    corner_at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    place, time = _schedule(corners, corner_at, limits, dt, speed)
    while True:
        ticks = np.arange(1, int(np.ceil(time[-1] / dt - 1e-9)) + 1) * dt
        at = np.interp(ticks, time, place)
        rows = np.stack([np.interp(at, corner_at, joint) for joint in corners.T], axis=1)
        if _within_limits(corners[0], rows, limits, dt):
            return rows
        time = 1.1 * time  # two corners in one tick


def _schedule(corners: Floats, corner_at: Floats, limits: Limits, dt: float, speed: float) -> tuple[Floats, Floats]:
    """Distances (g,) along the path, `_GRID` apart, and when to be there.

    The square of the speed may change by 2 a ds between neighbours: one pass forward and one back over its upper bound.
    """
    direction = np.diff(corners, axis=0) / np.diff(corner_at)[:, None]
    with np.errstate(divide="ignore"):
        fastest = (speed * limits.dq_max / np.abs(direction)).min(axis=1)
        rate = (0.7 * limits.ddq_max / np.abs(direction)).min(axis=1)
        at_corner = (0.3 * limits.ddq_max * dt / np.abs(np.diff(direction, axis=0))).min(axis=1)
    place = np.unique(np.concatenate([corner_at, np.arange(0.0, corner_at[-1], min(_GRID, corner_at[-1] / 4))]))
    line = np.searchsorted(corner_at, 0.5 * (place[1:] + place[:-1])) - 1
    bound = np.concatenate([[0.0], np.minimum(fastest[line[1:]], fastest[line[:-1]]), [0.0]])
    corner = np.searchsorted(place, corner_at[1:-1])
    bound[corner] = np.minimum(bound[corner], at_corner)
    gain = np.concatenate([[0.0], np.cumsum(2.0 * rate[line] * np.diff(place))])
    square = gain + np.minimum.accumulate(bound**2 - gain)
    square = np.minimum.accumulate((square + gain)[::-1])[::-1] - gain
    pace = np.sqrt(np.maximum(square, 0.0))
    return place, np.concatenate([[0.0], np.cumsum(2.0 * np.diff(place) / (pace[1:] + pace[:-1]))])


def _within_limits(start: Floats, rows: Floats, limits: Limits, dt: float) -> bool:
    rest = np.zeros((1, len(start)))
    speeds = np.vstack([rest, np.diff(np.vstack([start, rows]), axis=0) / dt, rest])
    slow = (np.abs(speeds) <= limits.dq_max).all()
    return bool(slow and (np.abs(np.diff(speeds, axis=0)) <= limits.ddq_max * dt).all())
