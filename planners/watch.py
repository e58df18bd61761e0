"""Looking during a run: scenes that remember what earlier looks saw, and what the hand holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..envs.perception.detector import Detector
from ..envs.perception.scene import Kinematics, Scene

Observation = dict[str, Any]


class Looker(Protocol):
    """An environment that can be asked for pictures between two steps."""

    def look(self, cameras: Sequence[str]) -> Observation:
        """The newest observation with the images, depths and poses of these cameras."""
        ...


class Watcher:
    """Makes one `Scene` a look. Each scene carries over what the look before saw and this one does not.

    held: name of the object in the hand, or None; its points are no obstacle, for they move with the hand.
    """

    def __init__(self, looker: Looker, detector: Detector, kinematics: Kinematics) -> None:
        self._looker, self._detector, self._kinematics = looker, detector, kinematics
        self.held: str | None = None
        self.scene: Scene | None = None

    def look(self, cameras: Sequence[str]) -> Scene:
        """Look through `cameras` now."""
        self.scene = Scene(
            self._looker.look(cameras),
            self._detector,
            kinematics=self._kinematics,
            previous=self.scene,
            attached=self.held,
        )
        return self.scene
