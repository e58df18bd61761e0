"""Many frames to one cloud in which the points of named things know what they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...robots.cameras.camera import Frame
from .cloud import Floats, Mask, Points, inside, one_per_voxel, seen_through_any, shift_between, unproject
from .detector import Key, Masks

CLOUD_VOXEL = 0.005
"""m: one nameless point is kept per cube of this size."""

STAYED = 0.005
"""m: a thing has stayed where it was while what is seen of it lies this near to its old bounds."""

COVERAGE_VOXEL = 0.01
"""m: of two sights of a thing that has not moved, the one that touches more cubes of this size is kept."""


_NAMELESS, _INVALID = -1, -2


@dataclass(frozen=True, slots=True)
class NamedPoints:
    """points: (N, 3) float32, m, world. eyes: (N, 3) float32, m, world, position of the camera that saw each.

    labels: (N,) int16, index into the detector's vocabulary.
    """

    points: Points
    eyes: Points
    labels: NDArray[np.int16]

    def take(self, marked: Mask) -> NamedPoints:
        """Return those that are `marked` (N,)."""
        which = np.flatnonzero(marked)
        return NamedPoints(self.points[which], self.eyes[which], self.labels[which])

    def of(self, labels: Iterable[int]) -> NamedPoints:
        """Return those with one of `labels`."""
        return self.take(np.isin(self.labels, list(labels)))

    def but(self, labels: Iterable[int]) -> NamedPoints:
        """Return those with none of `labels`."""
        return self.take(np.isin(self.labels, list(labels), invert=True))

    @classmethod
    def join(cls, parts: Sequence[NamedPoints]) -> NamedPoints:
        """Return the points of all `parts`."""
        nothing = np.empty((0, 3), dtype=np.float32)
        return cls(
            np.concatenate([nothing, *(part.points for part in parts)]),
            np.concatenate([nothing, *(part.eyes for part in parts)]),
            np.concatenate([np.empty(0, dtype=np.int16), *(part.labels for part in parts)]),
        )


@dataclass(frozen=True, slots=True)
class Cloud:
    """background: (N, 3) float32, m, world, what no name was given to, thinned. things: the rest, in full."""

    background: Points
    things: NamedPoints


def fuse(frames: Mapping[str, Frame], masks: Masks, vocabulary: Sequence[Key], bounds: Floats) -> Cloud:
    """Put every pixel with depth into the world; the last key of `vocabulary` whose mask has it gives it its name.

    bounds: (2, 3) m, world; of what has no name, only what lies inside is kept.
    """
    background, things = [], []
    for camera, frame in frames.items():
        points = unproject(frame).reshape(-1, 3)
        labels = _labels(frame, camera, masks, vocabulary)
        labels[frame.depth <= 0] = _INVALID
        labels = labels.ravel()
        background.append(points[np.flatnonzero(labels == _NAMELESS)])
        named = np.flatnonzero(labels >= 0)
        eye = np.asarray(frame.world_from_cam[:3, 3], dtype=np.float32)
        things.append(NamedPoints(points[named], np.tile(eye, (len(named), 1)), labels[named]))
    return Cloud(_thin(np.concatenate(background), bounds), NamedPoints.join(things))


def _labels(frame: Frame, camera: str, masks: Masks, vocabulary: Sequence[Key]) -> NDArray[np.int16]:
    labels = np.full(frame.depth.shape, _NAMELESS, dtype=np.int16)
    for label, key in enumerate(vocabulary):
        mask = masks.get(key, {}).get(camera)
        if mask is not None:
            labels[mask] = label
    return labels


def _thin(points: Points, bounds: Floats) -> Points:
    points = points[np.flatnonzero(inside(points, bounds))]
    return points[one_per_voxel(points, CLOUD_VOXEL)]


def carry_over(new: Cloud, old: Cloud, frames: Iterable[Frame]) -> Cloud:
    """Add to what is seen now what was seen before and still holds.

    Nameless points stay unless a camera sees through them. A named thing, or part, keeps its old points, in their old
    place or moved along with what is seen of it now, or takes its new ones, whichever show more of it; never both: a
    thing that creeps would be smeared out.
    """
    frames = list(frames)
    solid = np.flatnonzero(~seen_through_any(old.background, frames))
    background = np.concatenate([new.background, old.background[solid]])
    things = []
    for label in np.union1d(new.things.labels, old.things.labels):
        things.append(_current(new.things.of([label]), old.things.of([label]), frames))
    return Cloud(background[one_per_voxel(background, CLOUD_VOXEL)], NamedPoints.join(things))


def _current(new: NamedPoints, old: NamedPoints, frames: Sequence[Frame]) -> NamedPoints:
    """Choose between two sights of one thing."""
    if not len(old.points):
        return new
    empty = seen_through_any(old.points, frames).mean()
    if not len(new.points):
        return old if empty < 0.5 else new
    if _coverage(new) > _coverage(old):
        return new
    bounds = np.array([old.points.min(axis=0) - STAYED, old.points.max(axis=0) + STAYED])
    if empty < 0.1 and inside(new.points, bounds).mean() > 0.95:
        return old
    moved = replace(old, points=old.points + shift_between(old.points, new.points))
    apart = cKDTree(moved.points).query(new.points)[0]
    fits = np.quantile(apart, 0.9) < COVERAGE_VOXEL and seen_through_any(moved.points, frames).mean() < 0.1
    return moved if fits else new


def _coverage(sight: NamedPoints) -> int:
    return len(one_per_voxel(sight.points, COVERAGE_VOXEL))
