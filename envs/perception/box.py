"""Boxes that stand upright around the points of a thing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .cloud import Floats, Points

_EDGE = 0.004
"""m from a side at which a point counts half as much for a heading as one that lies on it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box with one vertical axis.

    center: (3,) m, world. axes: (3, 3), rows are unit vectors in the world: the longer horizontal edge, the shorter
    one, straight up; right-handed. half_sizes: (3,) m along those rows.
    """

    center: Floats
    axes: Floats
    half_sizes: Floats

    @property
    def bottom(self) -> float:
        """Height of the lower face, m."""
        return float(self.center[2] - self.half_sizes[2])

    def down_to(self, height: float) -> Box:
        """Return the same box with its lower face at `height` m and its upper one where it was."""
        top = self.center[2] + self.half_sizes[2]
        center, half = self.center.copy(), self.half_sizes.copy()
        center[2], half[2] = (top + height) / 2, (top - height) / 2
        return replace(self, center=center, half_sizes=half)


def fit_box(points: Points, *, at_most: int = 400) -> Box:
    """Fit the upright box whose sides the points (N, 3), m, world, lie closest to.

    Heights come from the extremes. Of the 90 headings in steps of one degree, that one wins whose bounding rectangle
    has most points near its edges (the closeness criterion of X. Zhang et al., "Efficient L-shape fitting for
    vehicle detection using laser scanners", IV 2017), which, unlike least area, also decides when only two faces
    are seen. More than `at_most` points are thinned for the search, not for the sizes.
    Raises ValueError without points.
    """
    if not len(points):
        raise ValueError("a box needs at least one point")
    exact: Floats = points.astype(np.float64)
    flat = exact[:: -(-len(exact) // at_most), :2]
    headings = np.deg2rad(np.arange(90.0))
    return _bounding(exact, float(headings[_closeness(flat, headings).argmax()]))


def _closeness(flat: Floats, headings: Floats) -> Floats:
    """(A,) score of each heading: mean over `flat` (N, 2) of edge / (edge + distance to the nearest side)."""
    cos, sin = np.cos(headings)[:, None], np.sin(headings)[:, None]
    along = cos * flat[:, 0] + sin * flat[:, 1]
    across = cos * flat[:, 1] - sin * flat[:, 0]
    to_side = np.minimum(_to_end(along), _to_end(across))
    return np.asarray((_EDGE / (_EDGE + to_side)).mean(axis=1))


def _to_end(values: Floats) -> Floats:
    """(A, N): how far each value is from the nearer end of its row's range."""
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    return np.asarray(np.minimum(values - low, high - values))


def _bounding(points: Floats, heading: float) -> Box:
    cos, sin = np.cos(heading), np.sin(heading)
    axes = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    local = points @ axes.T
    low, high = local.min(axis=0), local.max(axis=0)
    half = (high - low) / 2
    if half[1] > half[0]:
        axes, half = np.array([axes[1], -axes[0], axes[2]]), half[[1, 0, 2]]
        low, high = (points @ axes.T).min(axis=0), (points @ axes.T).max(axis=0)
    return Box(center=(low + high) / 2 @ axes, axes=axes, half_sizes=half)
