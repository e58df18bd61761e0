"""What a policy sees of poses: everything from the tool, in numbers of about unit size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray

from ..robots.errors import BadInput
from ..robots.geometry import matrix_from_quat
from ..robots.state import WORKSPACE, Floats

Observation = dict[str, Any]
Env = gymnasium.Env[Observation, Any]

FAR, FINE = 0.25, 0.025
"""m, that a far and a fine offset of 1 stand for. A fine one ends at 1: it is what a step of `ee_delta` can do."""

TILT = 0.2
"""The horizontal part of the tool's unit approach direction that counts as 1."""

PRESS, WIDEST = 5.0, 0.08
"""N, of a pad, and m, of the gripper, that the reading is scaled by."""

OBJECT_SIZE, TOOL_SIZE = 21, 14


class ToolView(gymnasium.ObservationWrapper[Observation, Any, Observation]):
    """Replaces `objects` (R, 8) and proprioception by `objects` (R, 21) and `tool` (14,), float32, about 1 in size.

    A row of `objects`: whether it is found; its offset from the tool far (/ 25 cm) and fine (/ 2.5 cm, at most 1), in
    world axes; cos and sin of 2 and of 4 times its heading less the tool's, which are the same for a box, or a square
    one, however it is turned; its offset from the first object, far, and cos and sin of 2 times the direction of that
    offset less the tool's heading; and where the tool is to the line on which the first object would be pushed to this
    one: the horizontal unit vector along it (2), how far along it the tool is from the first object (far), and the
    horizontal offset of the tool from it (2, fine). An object that was never found is zeros.

    `tool`: its position from the middle of the workspace (/ 25 cm); how far it leans from pointing down (2); cos and
    sin of 2 times its heading, that of its closing axis; opening in -1..1; the pad forces (6), as tanh(N / 5).

    Args:
        env: with proprioception and, as `ObjectState` makes them, `objects`.
        keep: other keys to let through.
    """

    def __init__(self, env: Env, *, keep: Sequence[str] = ()) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, Dict) or "ee_pose" not in space.spaces:
            raise BadInput(f"ToolView needs proprioception in a Dict of observations, not {space}")
        kept: dict[str, gymnasium.Space[Any]] = {"tool": _unbounded(TOOL_SIZE)}
        if "objects" in space.spaces:
            rows = space["objects"].shape
            assert rows is not None
            kept["objects"] = _unbounded(rows[0], OBJECT_SIZE)
        self._keep = tuple(keep)
        self.observation_space = Dict({**kept, **{key: space[key] for key in keep}})

    def observation(self, observation: Observation) -> Observation:
        """The observation as seen from the tool."""
        seen: Observation = {"tool": tool_features(observation).astype(np.float32)}
        if "objects" in observation:
            rows = object_features(observation["objects"], observation["ee_pose"])
            seen["objects"] = rows.astype(np.float32)
        return seen | {key: observation[key] for key in self._keep}


def tool_features(proprio: Observation) -> Floats:
    """(14,) of `ee_pose` (7,), `gripper` (1,) and `touch` (6,): see `ToolView`."""
    axes = matrix_from_quat(proprio["ee_pose"][3:])
    return np.concatenate(
        [
            (proprio["ee_pose"][:3] - WORKSPACE.mean(axis=0)) / FAR,
            axes[:2, 2] / TILT,
            _turned(np.array([_heading(axes[:, 1])]), 2)[0],
            2 * proprio["gripper"] / WIDEST - 1,
            np.tanh(proprio["touch"] / PRESS),
        ]
    )


def object_features(objects: NDArray[np.floating[Any]], tool: Floats) -> Floats:
    """(R, 21) of `objects` (R, 8), as `ObjectState` makes them, and the pose (7,) of the tool: see `ToolView`."""
    poses, found = np.asarray(objects[:, :7], np.float64), objects[:, 7:]
    known = np.abs(poses).max(axis=1, keepdims=True) > 0
    offset, aside = poses[:, :3] - tool[:3], poses[:, :3] - poses[0, :3]
    closing = _heading(matrix_from_quat(tool[3:])[:, 1])
    turn = np.array([_heading(matrix_from_quat(pose[3:])[:, 0]) for pose in poses]) - closing
    way = np.arctan2(aside[:, 1], aside[:, 0]) - closing
    rows = np.hstack(
        [
            found,
            offset / FAR,
            np.clip(offset / FINE, -1, 1),
            _turned(turn, 2),
            _turned(turn, 4),
            aside / FAR,
            _turned(way, 2),
            _to_line(tool[:2] - poses[0, :2], aside[:, :2]),
        ]
    )
    return np.where(known, rows, 0.0)


def _to_line(point: Floats, ways: Floats) -> Floats:
    """(R, 5): unit vector along each of `ways` (R, 2), how far along it `point` (2,) is, far, and beside it, fine."""
    along = ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
    reach = along @ point
    beside = point - reach[:, None] * along
    return np.hstack([along, reach[:, None] / FAR, np.clip(beside / FINE, -1, 1)])


def _heading(axis: Floats) -> float:
    """Direction of the horizontal part of an axis (3,), rad."""
    return float(np.arctan2(axis[1], axis[0]))


def _turned(angles: Floats, times: int) -> Floats:
    """(R, 2) cos and sin of `times` each angle (R,)."""
    return np.column_stack([np.cos(times * angles), np.sin(times * angles)])


def _unbounded(*shape: int) -> Box:
    return Box(-np.inf, np.inf, shape, np.float32)
