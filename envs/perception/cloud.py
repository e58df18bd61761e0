"""Depth images to points, and what can be read off points without knowing what they belong to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ...robots.cameras.camera import Frame

Points = NDArray[np.float32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

SAME_SURFACE = np.cos(np.deg2rad(20.0))
"""Normals at less than this angle count as those of one plane."""


def unproject(frame: Frame) -> Points:
    """(H, W, 3) float32, m, world: where the ray of each pixel's centre ends.

    The pinhole model in OpenCV axes (x right, y down, z forward); depth is measured along z, and pixel (0, 0) is
    centred at (0, 0). A pixel without depth (0) gives the camera's own position: mask with `frame.depth > 0`.
    """
    return unproject_pixels(frame, np.arange(frame.depth.size)).reshape(*frame.depth.shape, 3)


def unproject_pixels(frame: Frame, pixels: NDArray[np.intp]) -> Points:
    """(N, 3): those of `unproject` at `pixels` (N,), counted row by row."""
    row, column = np.divmod(pixels, frame.depth.shape[1])
    fx, fy, cx, cy = _pinhole(frame)
    depth = frame.depth.ravel()[pixels]
    right = (column.astype(np.float32) - cx) / fx * depth
    down = (row.astype(np.float32) - cy) / fy * depth
    pose = np.asarray(frame.world_from_cam, dtype=np.float32)
    return np.stack([right, down, depth], axis=-1) @ pose[:3, :3].T + pose[:3, 3]


def _pinhole(frame: Frame) -> tuple[np.float32, ...]:
    return tuple(np.float32(frame.intrinsics[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))


def inside(points: Points, bounds: Floats) -> Mask:
    """(N,) bool: which of `points` (N, 3) lie in the box `bounds` (2, 3), lowest and highest corner; all in m."""
    (x, y, z), (low, high) = points.T, np.asarray(bounds, dtype=np.float32)
    # Axis by axis: a reduction over an axis of length 3 would cost more than all of this.
    marked = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]) & (z >= low[2]) & (z <= high[2])
    return np.asarray(marked)


def one_per_voxel(points: Points, size: float) -> NDArray[np.int64]:
    """Indices (M,) into `points` (N, 3): the first point of each occupied cube with edges of `size` m."""
    if not len(points):
        return np.empty(0, dtype=np.int64)
    x, y, z = (np.floor(axis / np.float32(size)).astype(np.int64) for axis in points.T)
    y, z = y - y.min(), z - z.min()
    key = (x * (y.max() + 1) + y) * (z.max() + 1) + z
    return np.unique(key, return_index=True)[1]


def seen_through(points: Points, frame: Frame, *, tolerance: float = 0.015) -> Mask:
    """(N,) bool: which of `points` (N, 3), m, world, lie in space that `frame` proves empty.

    A point is, when the surface behind it was measured more than `tolerance` m farther, in its own pixel and in the
    eight around it (so that a point on an outline is not lost to rounding). Nothing is known where depth is missing.
    """
    height, width = frame.depth.shape
    pose = np.asarray(frame.world_from_cam, dtype=np.float32)
    fx, fy, cx, cy = _pinhole(frame)
    right, down, depth = pose[:3, :3].T @ (points - pose[:3, 3]).T
    ahead = depth > 1e-3
    scale = 1 / np.where(ahead, depth, 1)
    column, row = np.rint(right * scale * fx + cx), np.rint(down * scale * fy + cy)
    in_view = np.flatnonzero(ahead & (column >= 0) & (column < width) & (row >= 0) & (row < height))
    surface = np.full(len(points), -np.inf, dtype=np.float32)
    surface[in_view] = _nearest_around(frame.depth, row[in_view].astype(np.intp), column[in_view].astype(np.intp))
    return np.asarray(surface > depth + tolerance)


def _nearest_around(depth: Points, row: NDArray[np.intp], column: NDArray[np.intp]) -> Points:
    """(N,): the least of `depth` (H, W) in the 3 x 3 pixels around each of N, in the quicker one of two ways."""
    if 9 * len(row) > depth.size:
        return np.asarray(minimum_filter(depth, size=3, mode="nearest")[row, column])
    rows = np.clip(row[:, None] + (-1, 0, 1), 0, depth.shape[0] - 1)
    columns = np.clip(column[:, None] + (-1, 0, 1), 0, depth.shape[1] - 1)
    return np.asarray(depth[rows[:, :, None], columns[:, None, :]].min(axis=(1, 2)))


def seen_through_any(points: Points, frames: Iterable[Frame]) -> Mask:
    """(N,) bool: which of `points` (N, 3), m, world, one of `frames` sees through."""
    through = np.zeros(len(points), dtype=bool)
    for frame in frames:
        through |= seen_through(points, frame)
    return through


def normals(points: Points, eyes: Points, *, neighbours: int = 7) -> Points:
    """(N, 3) float32 unit normals of `points` (N, 3), each turned to the camera position in `eyes` (N, 3); m, world.

    The direction in which the k nearest neighbours spread least. Raises ValueError for fewer than 3 points.
    """
    if len(points) < 3:
        raise ValueError(f"a normal needs at least 3 points, not {len(points)}")
    near = cKDTree(points).query(points, k=min(neighbours, len(points)))[1]
    patch = points[near] - points[near].mean(axis=1, keepdims=True)
    # eigh sorts ascending: the first eigenvector is the direction of least spread.
    normal = np.linalg.eigh(np.einsum("nki,nkj->nij", patch, patch))[1][:, :, 0]
    away = np.einsum("ni,ni->n", normal, eyes - points) < 0
    normal[away] *= -1
    return normal.astype(np.float32)


def planes(normal: Points, *, least: float = 0.1, most: int = 4) -> list[tuple[Floats, float]]:
    """The directions that many of `normal` (N, 3) share: (unit normal (3,), share of all points), greatest first.

    Greedy: the direction with the most normals within 20 degrees of it, then again among the rest, at most `most`
    times and never for less than the share `least`.
    """
    found: list[tuple[Floats, float]] = []
    rest = np.asarray(normal, dtype=np.float64)
    while len(rest) and len(found) < most:
        alike = rest @ rest.T > SAME_SURFACE
        members = alike[int(alike.sum(axis=1).argmax())]
        share = float(members.sum()) / len(normal)
        if found and share < least:
            break
        mean = rest[members].mean(axis=0)
        found.append((mean / np.linalg.norm(mean), share))
        rest = rest[~members]
    return found


def shift_between(old: Points, new: Points, *, rounds: int = 20, at_most: int = 300) -> Points:
    """(3,) float32, m: the translation that brings `old` (N, 3) onto `new` (M, 3), a view of a part of the same thing.

    Iterated closest points (P. Besl and N. McKay, PAMI 1992) without rotation, from no motion at all: along a
    direction in which the view tells nothing, the thing is taken to have stayed.
    """
    tree, view = cKDTree(old), new[:: -(-len(new) // at_most)].astype(np.float64)
    shift = np.zeros(3)
    for _ in range(rounds):
        step = (view - shift - old[tree.query(view - shift)[1]]).mean(axis=0)
        shift += step
        if np.abs(step).max() < 1e-4:
            break
    return shift.astype(np.float32)


def largest_cluster(points: Points, gap: float = 0.02) -> Mask:
    """(N,) bool: the largest set of `points` (N, 3) that hangs together by steps of about `gap` m."""
    if not len(points):
        return np.zeros(0, dtype=bool)
    cells, member = np.unique(np.floor(points / gap), axis=0, return_inverse=True)
    near = cKDTree(cells).query_pairs(1.8, output_type="ndarray")  # the 26 neighbours of a cube
    links = coo_array((np.ones(len(near)), near.T), shape=(len(cells), len(cells)))
    cluster = connected_components(links, directed=False)[1][member.ravel()]
    return np.asarray(cluster == np.bincount(cluster).argmax())
