"""Many frames to one cloud in which the points of named things know what they belong to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...robots.cameras.camera import Frame
from .cloud import Floats, Mask, Points, inside, one_per_voxel, seen_through_any, shift_between, unproject_pixels
from .detector import Key, Masks

CLOUD_VOXEL = 0.005
"""m: one nameless point is kept per cube of this size."""

STAYED = 0.005
"""m: a thing has stayed where it was while what is seen of it lies this near to its old bounds."""

COVERAGE_VOXEL = 0.01
"""m: of two sights of a thing that has not moved, the one that touches more cubes of this size is kept."""


_NAMELESS, _INVALID = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What is seen of a thing, or of a part of one.

    points: (N, 3) float32, m, world. eyes: (N, 3) float32, m, world, position of the camera that saw each.
    """

    points: Points
    eyes: Points

    def take(self, marked: Mask) -> Surface:
        """Return the points that are `marked` (N,)."""
        return self if marked.all() else Surface(self.points[marked], self.eyes[marked])

    @classmethod
    def join(cls, parts: Sequence[Surface]) -> Surface:
        """Return the points of all `parts`."""
        if len(parts) == 1:
            return parts[0]
        parts = [_NOTHING, *parts]
        return cls(np.concatenate([part.points for part in parts]), np.concatenate([part.eyes for part in parts]))


_NOTHING = Surface(*np.empty((2, 0, 3), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Cloud:
    """background: (N, 3) float32, m, world, what no name was given to, thinned. things: the rest, in full.

    The keys of `things` are indices into the detector's vocabulary.
    """

    background: Points
    things: Mapping[int, Surface]

    def of(self, labels: Iterable[int]) -> Surface:
        """Return what is seen of all `labels` together."""
        return Surface.join([self.things[label] for label in labels if label in self.things])

    def but(self, labels: Container[int]) -> Points:
        """(N, 3): everything but `labels`."""
        things = [sight.points for label, sight in self.things.items() if label not in labels]
        return np.concatenate([self.background, *things])


def fuse(frames: Mapping[str, Frame], masks: Masks, vocabulary: Sequence[Key], bounds: Floats | None) -> Cloud:
    """Put every pixel with depth into the world; the last key of `vocabulary` whose mask has it gives it its name.

    bounds: (2, 3) m, world; of what has no name, only what lies inside is kept, and without bounds nothing.
    """
    background, things = [np.empty((0, 3), dtype=np.float32)], dict[int, list[Surface]]()
    for camera, frame in frames.items():
        labels = _labels(frame, camera, masks, vocabulary)
        labels[frame.depth <= 0] = _INVALID
        labels = labels.ravel()
        if bounds is not None:
            background.append(unproject_pixels(frame, np.flatnonzero(labels == _NAMELESS)))
        pixels = np.flatnonzero(labels >= 0)
        names, points = labels[pixels], unproject_pixels(frame, pixels)
        eye = np.asarray(frame.world_from_cam[:3, 3], dtype=np.float32)
        for label in np.flatnonzero(np.bincount(names)):
            seen = points[names == label]
            things.setdefault(int(label), []).append(Surface(seen, np.tile(eye, (len(seen), 1))))
    nameless = np.concatenate(background)
    thinned = nameless if bounds is None else _thin(nameless, bounds)
    return Cloud(thinned, {label: Surface.join(sights) for label, sights in things.items()})


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
    background = np.concatenate([new.background, old.background[~seen_through_any(old.background, frames)]])
    things = {}
    for label in sorted({*new.things, *old.things}):
        things[label] = _current(new.things.get(label, _NOTHING), old.things.get(label, _NOTHING), frames)
    return Cloud(background[one_per_voxel(background, CLOUD_VOXEL)], things)


def _current(new: Surface, old: Surface, frames: Sequence[Frame]) -> Surface:
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


def _coverage(sight: Surface) -> int:
    return len(one_per_voxel(sight.points, COVERAGE_VOXEL))
