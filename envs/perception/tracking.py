"""Which of several sights is the thing that was meant before: identity by place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cloud import Floats
from .detector import Key, Masks

NEAR = 0.03
"""m: sights whose bounds are this near to each other can be of one thing."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Something in one picture that may be what `key` names.

    score: 0-1, the model's. mask: (H, W) bool. bounds: (2, 3) m, world, lowest and highest corner of its points.
    """

    key: Key
    camera: str
    score: float
    mask: NDArray[np.bool_]
    bounds: Floats


class Tracker:
    """Holds one place per name, and takes of each camera the sight that is there.

    A name without a place, or of which nothing is near its place any more, gets that of its best sight. So two cameras
    never show two things under one name, and a name does not jump between things that look alike.
    """

    def __init__(self) -> None:
        self._bounds: dict[Key, Floats] = {}

    def choose(self, sights: Iterable[Sight]) -> Masks:
        """Return one mask per name and camera out of all `sights` of one moment, and move the places along."""
        by_key: dict[Key, list[Sight]] = {}
        for sight in sorted(sights, key=lambda sight: -sight.score):
            by_key.setdefault(sight.key, []).append(sight)
        return {key: self._follow(key, found) for key, found in by_key.items()}

    def _follow(self, key: Key, found: list[Sight]) -> dict[str, NDArray[np.bool_]]:
        """`found`: best first, at least one."""
        place = self._bounds.get(key)
        if place is None or not any(_near(place, sight.bounds) for sight in found):
            place = found[0].bounds
        chosen: dict[str, Sight] = {}
        for sight in found:
            if _near(place, sight.bounds):
                chosen.setdefault(sight.camera, sight)
        seen = np.stack([sight.bounds for sight in chosen.values()])
        self._bounds[key] = np.array([seen[:, 0].min(axis=0), seen[:, 1].max(axis=0)])
        return {camera: sight.mask for camera, sight in chosen.items()}


def _near(one: Floats, other: Floats) -> bool:
    gap = np.maximum(one[0], other[0]) - np.minimum(one[1], other[1])
    return bool((gap < NEAR).all())
