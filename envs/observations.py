"""What an observation is made of: proprioception, and images of cameras that are read together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from ..robots.cameras.camera import Frame
from ..robots.errors import BadInput
from ..robots.robot import Robot
from ..robots.state import RobotState

Observation = dict[str, NDArray[Any]]
Spaces = dict[str, gymnasium.Space[Any]]

IMAGES = ("rgb", "depth", "seg")
READINGS = ("proprio", "state", *IMAGES)


class Rig(Protocol):
    """Cameras that are read together."""

    @property
    def names(self) -> Sequence[str]:
        """Of the cameras."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, pixels."""
        ...

    def read(self, names: Sequence[str], *, seg: bool, rgb: bool) -> dict[str, Frame]:
        """One frame of each camera of `names`, taken now, with segmentation if `seg`; colour is only used if `rgb`."""
        ...


def proprio(robot: Robot, state: RobotState) -> Observation:
    """The entries that the robot itself brings."""
    return {
        "q": state.q,
        "dq": state.dq,
        "ee_pose": robot.kinematics.tool_pose(state.q),
        "gripper": np.array([state.width]),
        "touch": state.touch,
        "time": np.array([state.time]),
    }


def proprio_spaces(robot: Robot) -> Spaces:
    """Spaces of `proprio`."""
    n = len(robot.limits.q_min)
    sizes = {"q": n, "dq": n, "ee_pose": 7, "gripper": 1, "touch": 6, "time": 1}
    return {name: unbounded(size) for name, size in sizes.items()}


def images(camera: str, frame: Frame, kinds: Sequence[str]) -> Observation:
    """The entries of an observation that one camera brings.

    Raises:
        BadInput: segmentation of a camera that gives none.
    """
    if "seg" in kinds and frame.seg is None:
        raise BadInput(f"camera {camera!r} gives no segmentation")
    images = {f"{kind}/{camera}": getattr(frame, kind) for kind in kinds}
    return images | {
        f"cam_pose/{camera}": frame.world_from_cam,
        f"intrinsics/{camera}": frame.intrinsics,
    }


def image_spaces(camera: str, size: tuple[int, int], kinds: Sequence[str]) -> Spaces:
    """Spaces of `images`, which are `size` (height, width) pixels large."""
    if not kinds:
        return {}
    every = {
        "rgb": Box(0, 255, (*size, 3), np.uint8),
        "depth": Box(0, np.inf, size, np.float32),
        "seg": Box(-1, np.iinfo(np.int32).max, size, np.int32),
    }
    spaces: Spaces = {f"{kind}/{camera}": every[kind] for kind in kinds}
    return spaces | {f"cam_pose/{camera}": unbounded(4, 4), f"intrinsics/{camera}": unbounded(3, 3)}


def unbounded(*shape: int) -> Box:
    """Space of what is measured in SI units and has no bound that a crash could not break."""
    return Box(-np.inf, np.inf, shape, np.float64)
