"""Named things found by pretrained models: boxes from words, masks from boxes, identities from places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...robots.cameras.camera import Frame
from .cloud import largest_cluster, unproject
from .detector import Key, Masks
from .tracking import Sight, Tracker
from .vision_models import Boxes, BoxModel, MaskModel, Scores

LEAST_POINTS = 5
"""Masks with fewer pixels with depth than this are dropped."""

SAME_BOX = 0.7
"""Intersection over union above which two boxes for one name are one."""


@dataclass(frozen=True, slots=True)
class VisionModels:
    """What an `OpenVocabularyDetector` asks; loaded once, used in every episode."""

    boxes: BoxModel
    masks: MaskModel

    @classmethod
    def load(cls, folder: Path) -> VisionModels:
        """Load `folder`/boxes (OWL-ViT, OWLv2 or Grounding DINO) and `folder`/masks (SAM); for the errors see there."""
        return cls(BoxModel(folder / "boxes"), MaskModel(folder / "masks"))


class OpenVocabularyDetector:
    """Looks for the words of its vocabulary in every picture, and keeps each name with one thing.

    vocabulary: (name, part) to look for; a part is asked for as "<name> <part>". threshold: least score, 0-1. rivals:
    how many boxes a name may have in a picture, for the tracker to choose from.
    A picture that was just looked at is not looked at again.
    """

    name = "open-vocabulary"

    def __init__(
        self, models: VisionModels, vocabulary: Sequence[Key], *, threshold: float = 0.2, rivals: int = 3
    ) -> None:
        self.vocabulary = tuple(vocabulary)
        self._models, self._threshold, self._rivals = models, threshold, rivals
        self._tracker = Tracker()
        self._seen: dict[str, tuple[Frame, list[Sight]]] = {}

    def detect(self, frames: Mapping[str, Frame]) -> Masks:
        """Find the vocabulary in `frames`."""
        return self._tracker.choose([sight for camera in frames for sight in self._look(camera, frames[camera])])

    def _look(self, camera: str, frame: Frame) -> list[Sight]:
        last, sights = self._seen.get(camera, (None, []))
        if last is None or not (np.array_equal(last.rgb, frame.rgb) and np.array_equal(last.depth, frame.depth)):
            sights = list(self._sights(camera, frame))
            self._seen[camera] = frame, sights
        return sights

    def _sights(self, camera: str, frame: Frame) -> Iterator[Sight]:
        texts = [f"{name} {part}".strip() for name, part in self.vocabulary]
        scores, boxes = self._models.boxes.find(frame.rgb, texts)
        picked = [(key, query) for key in range(len(texts)) for query in self._best(scores[:, key], boxes)]
        masks = self._models.masks.cut_out(frame.rgb, boxes[[query for _, query in picked]])
        points = unproject(frame)
        for (key, query), mask in zip(picked, masks, strict=True):
            solid = mask & (frame.depth > 0)
            # A mask that runs over an outline takes in the background: another cluster of points.
            solid[solid] = largest_cluster(points[solid])
            if solid.sum() >= LEAST_POINTS:
                bounds = np.array([points[solid].min(axis=0), points[solid].max(axis=0)], dtype=np.float64)
                yield Sight(self.vocabulary[key], camera, float(scores[query, key]), solid, bounds)

    def _best(self, scores: Scores, boxes: Boxes) -> list[int]:
        """Indices of the best boxes for one name, none of which covers another."""
        kept: list[int] = []
        for query in np.argsort(-scores):
            if scores[query] < self._threshold or len(kept) == self._rivals:
                break
            if all(_overlap(boxes[query], boxes[other]) < SAME_BOX for other in kept):
                kept.append(int(query))
        return kept


def _overlap(one: Boxes, other: Boxes) -> float:
    """Intersection over union of two boxes (4,)."""
    common = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    union = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - common
    return float(common / union) if union > 0 else 0.0
