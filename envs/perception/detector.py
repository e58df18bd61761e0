"""Who says which pixels belong to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...robots.cameras.camera import Frame
from ...robots.errors import BadInput, UnknownName

Key = tuple[str, str]
"""(name, part): ("top drawer", "handle"), or ("top drawer", "") for what belongs to no part."""

SCENERY = ("", "table", "floor")
"""Names that no thing has: every scene knows by itself that the table top is the plane z = 0."""

Masks = dict[Key, dict[str, NDArray[np.bool_]]]
"""For each thing that was found: camera -> (H, W) bool."""

ROBOT = "robot"
"""The name under which a detector reports the arm itself."""

DETECTORS = {
    "oracle": "the simulator's own masks (privileged: no camera gives them)",
    "open-vocabulary": "boxes from words, then masks, by models that you name (extra: perception)",
}
"""The names that commands take, and what each stands for."""


class Detector(Protocol):
    """Finds named things in pictures."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def vocabulary(self) -> Sequence[Key]:
        """The keys it can report.

        Those named ROBOT are the arm; without them, the arm is found from its joint angles. Where two masks overlap,
        the key that comes later has the pixel.
        """
        ...

    def detect(self, frames: Mapping[str, Frame]) -> Masks:
        """Find the vocabulary in `frames` (camera -> frame); a key without a pixel may be left out."""
        ...


class OracleDetector:
    """Reads names off the simulator's segmentation. Privileged: reports call it `oracle`.

    objects: segmentation id -> (name, part), `info["objects"]` of an environment's reset. Ids that are not in it, and
    those of SCENERY, are nothing.
    """

    name = "oracle"

    def __init__(self, objects: Mapping[int, Key]) -> None:
        if not objects or min(objects) < 0:
            raise BadInput(f"the oracle needs segmentation ids >= 0 with their names, not {dict(objects)}")
        named = {number: key for number, key in objects.items() if key[0] not in SCENERY}
        self.vocabulary: tuple[Key, ...] = tuple(dict.fromkeys(named.values()))
        index = {key: i for i, key in enumerate(self.vocabulary)}
        # One look-up per pixel: the last entry, which id -1 also reaches, stands for nothing.
        self._index_of_id = np.full(max(objects) + 2, -1)
        for number, key in named.items():
            self._index_of_id[number] = index[key]

    def detect(self, frames: Mapping[str, Frame]) -> Masks:
        """Read the masks of all `frames`. Raises BadInput when one carries no segmentation."""
        masks: Masks = {}
        nothing = len(self._index_of_id) - 1
        for camera, frame in frames.items():
            if frame.seg is None:
                raise BadInput(f"the oracle reads seg/{camera}, which this observation does not have")
            known = (frame.seg >= 0) & (frame.seg < nothing)
            index = self._index_of_id[np.where(known, frame.seg, nothing)]
            for i in np.flatnonzero(np.bincount(index[index >= 0])):
                masks.setdefault(self.vocabulary[i], {})[camera] = index == i
        return masks


def things_in(objects: Mapping[int, Key]) -> tuple[Key, ...]:
    """Return what a detector that knows no ids can be asked to find: `objects` of a reset, but for arm and SCENERY."""
    return tuple(dict.fromkeys(key for key in objects.values() if key[0] not in (ROBOT, *SCENERY)))


def check_detector(name: str) -> str:
    """Return `name` if it is one of DETECTORS. Raises UnknownName."""
    if name not in DETECTORS:
        raise UnknownName("detector", name, DETECTORS)
    return name
