"""Where the five cameras of the tabletop stand."""

from __future__ import annotations

import mujoco
import numpy as np

from ...robots.geometry import quat_from_matrix
from ...robots.state import Floats

CAMERAS = ("front", "left_shoulder", "right_shoulder", "overhead", "wrist")

_STANDS = {  # name: (eye, point looked at, field of view deg); world, m
    "front": ((0.40, -1.15, 0.70), (0.57, 0.0, 0.12), 48),  # aside: from straight ahead it would see the cabinet's back
    "left_shoulder": ((0.00, 0.85, 0.85), (0.57, -0.02, 0.13), 45),
    "right_shoulder": ((0.00, -0.85, 0.85), (0.57, 0.02, 0.13), 45),
    "overhead": ((0.25, 0.0, 1.60), (0.52, 0.0, 0.0), 42),
}
_WRIST = ((0.08, 0.0, 0.00), (0.03, 0.0, 0.15), 75)  # hand frame


def add_cameras(spec: mujoco.MjSpec) -> None:
    """Add the five cameras; the wrist's rides on the hand and sees the finger tips."""
    for name, (eye, target, fovy) in _STANDS.items():
        spec.worldbody.add_camera(name=name, pos=eye, quat=_looking(eye, target, up=(0, 0, 1)), fovy=fovy)
    eye, target, fovy = _WRIST
    spec.body("hand").add_camera(name="wrist", pos=eye, quat=_looking(eye, target, up=(1, 0, 0)), fovy=fovy)


def _looking(eye: tuple[float, ...], target: tuple[float, ...], *, up: tuple[float, ...]) -> Floats:
    """(4,) rotation of a MuJoCo camera: x right, y up, looks along -z."""
    backward = np.subtract(eye, target) / np.linalg.norm(np.subtract(eye, target))
    right = np.cross(up, backward)
    right /= np.linalg.norm(right)
    return quat_from_matrix(np.stack([right, np.cross(backward, right), backward], axis=-1))
