"""Keyframes: where a scripted motion goes next, and the geometry by which a task says when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..robots.geometry import compose, inverse, matrix_from_quat, pose_error, pose_from, quat_from_axes
from ..robots.state import Floats

OPEN, CLOSED = 0.08, 0.0
"""m, widths that a keyframe asks for: an action knows only these two."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One stage of a scripted motion; of those whose `when` holds, the last is the one to follow.

    pose: (7,) tool point, m and wxyz, world. width: m, opening on the way and at the end. straight: a line of the tool,
    else any collision-free way of the joints. speed: m/s of the tool, where straight. touches: the body that the
    fingers are meant to touch on the way. when: whether the stage before it is done.
    """

    name: str
    pose: Floats
    width: float = OPEN
    straight: bool = False
    speed: float = 0.15
    touches: str = ""
    when: bool = True


def grips_down(*yaws_deg: float) -> tuple[Floats, ...]:
    """Tool rotations (4,) pointing straight down, closing axis `yaws_deg` from the x axis of what is touched."""
    yaws = np.deg2rad(yaws_deg)
    return tuple(quat_from_axes((0, 0, -1), (np.cos(yaw), np.sin(yaw), 0)) for yaw in yaws)


def grip_at(position: Floats, yaw: float, grip: Floats) -> Floats:
    """Tool pose (7,) at (3,) m with rotation `grip` (4,), which is given in a frame turned by `yaw` rad about z."""
    frame = pose_from(position, (np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)))
    return compose(frame, pose_from(np.zeros(3), grip))


def heading(pose: Floats) -> float:
    """Turn of a box about the vertical, rad: of its first axis that lies flat, so that it may rest on any face."""
    axes = matrix_from_quat(pose[3:]).T
    flat = axes[0] if abs(axes[0, 2]) < 0.7 else axes[1]
    return float(np.arctan2(flat[1], flat[0]))


def moved(pose: Floats, offset: Floats | tuple[float, float, float]) -> Floats:
    """The pose (7,) shifted by (3,) m in world axes."""
    return np.concatenate([pose[:3] + offset, pose[3:]])


def behind(pose: Floats, distance: float) -> Floats:
    """The pose `distance` m back along the tool's approach direction."""
    return compose(pose, pose_from((0, 0, -distance), (1, 0, 0, 0)))


def near(tool: Floats, pose: Floats, *, distance: float = 0.008, angle: float = 0.12) -> bool:
    """Whether the tool is within `distance` m and `angle` rad of a pose."""
    off, turned = pose_error(tool, pose)
    return off < distance and turned < angle


def on_the_way_in(tool: Floats, pose: Floats, *, length: float, aside: float = 0.01, angle: float = 0.12) -> bool:
    """Whether the tool is on the last `length` m of the straight way to a pose, at most `aside` m beside it."""
    x, y, z = compose(inverse(pose), tool)[:3]
    return float(np.hypot(x, y)) < aside and -length - aside < z < aside and pose_error(tool, pose)[1] < angle
