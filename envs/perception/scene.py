"""What one observation shows: a world cloud without the robot, obstacles, and named things in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...robots.errors import BadInput, UnknownName
from ...robots.state import WORKSPACE
from .box import Box, fit_box
from .cloud import Floats, Mask, Points, inside, seen_through_any
from .detector import ROBOT, Detector
from .frames import frames_of
from .fusion import CLOUD_VOXEL, Cloud, carry_over, fuse
from .scene_object import SceneObject

BOUNDS: Floats = WORKSPACE + np.array([[-CLOUD_VOXEL], [CLOUD_VOXEL]])
"""(2, 3) m, world: the cloud is cut off here, a little outside the workspace so that the table top is in it."""

LEAST_POINTS = 5
"""Fewer points than this are not a sight of a thing."""

ARM_MARGIN, WITHIN_ARM = 0.015, 0.004
"""m around the arm's spheres within which points are the arm's, where the detector has no mask of it; and within which
what was seen before cannot be any more."""


class Grid(Protocol):
    """The nodes of a regular grid in the world."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes per axis."""
        ...

    def to_index(self, points_world: Any) -> Floats:
        """(..., 3) m, world -> (..., 3) fractional index."""
        ...

    def to_world(self, index: Any) -> Floats:
        """(..., 3) index -> (..., 3) m, world."""
        ...


class Kinematics(Protocol):
    """What a scene must know of an arm to leave it out."""

    def spheres(self, q: Floats, width: float) -> Floats:
        """(S, 4): centres and radii, m, world, of spheres that cover the arm, and fingers `width` m apart."""
        ...


class Scene:
    """One observation, understood on demand, and each thing at most once.

    obs: `depth/`, `cam_pose/` and `intrinsics/` of at least one camera, `q`, `ee_pose`, `gripper` and `time`.
    kinematics: tells the arm's points where the detector has no mask of it. previous: an older scene of the same
    world and detector; what it saw holds on, but for what these cameras see through and the old places of things
    that moved. attached: the name of what the gripper holds; it moves with the tool and is no obstacle. named_only:
    leave out what has no name, for whoever wants nothing but to find things, several times as fast.
    Raises BadInput without a camera or for a scene of another detector, UnknownName for an unknown `attached`.
    """

    def __init__(
        self,
        obs: Mapping[str, Any],
        detector: Detector,
        *,
        kinematics: Kinematics,
        previous: Scene | None = None,
        attached: str | None = None,
        named_only: bool = False,
    ) -> None:
        self.time = float(obs["time"][0])
        self.tool_pose = np.array(obs["ee_pose"], dtype=np.float64)
        self.gripper = float(obs["gripper"][0])
        self.attached, self._named_only = attached, named_only
        self._q = np.array(obs["q"], dtype=np.float64)
        self._detector, self._kinematics = detector, kinematics
        self._frames = frames_of(obs)
        self._objects: dict[str, SceneObject | None] = {}
        self._held = self._labels(attached) if attached is not None else ()
        # Its points, not the scene itself: a chain of scenes would keep every image of the run.
        self._carried = self._from(previous) if previous is not None else None
        self._fitted: dict[str, tuple[Points, Box]] = {}
        self._fitted_before = previous._fitted if previous is not None else {}
        self._hanging: frozenset[str | None] = previous._hanging - {attached} if previous is not None else frozenset()

    @cached_property
    def names(self) -> list[str]:
        """Everything that can be asked for, seen or not: things, then each one's parts as `<name> <part>`."""
        things: dict[str, list[str]] = {}
        for name, part in self._detector.vocabulary:
            if name != ROBOT:
                things.setdefault(name, []).extend([f"{name} {part}"] if part else [])
        return [name for thing, parts in things.items() for name in (thing, *parts)]

    @cached_property
    def cloud(self) -> Points:
        """(N, 3) float32, m, world: every surface in the workspace but the robot's."""
        things = self._fused.of(self._fused.things).points
        return np.concatenate([self._fused.background, things[inside(things, BOUNDS)]])

    def find(self, name: str) -> SceneObject | None:
        """Return the thing, or the part, of that name; None when no camera sees it. Raises UnknownName."""
        if name not in self._objects:
            self._objects[name] = self._build(name, self._labels(name))
        return self._objects[name]

    def occupancy(self, grid: Grid, ignore: Sequence[str] = ()) -> NDArray[np.bool_]:
        """(X, Y, Z) bool: nodes of `grid` with a surface in their cube, and all at or below the table top.

        ignore: names of things that are no obstacles, with their parts; neither is what the gripper holds.
        """
        labels = {label for name in ignore for label in self._labels(name)} | set(self._held)
        surfaces = self._fused.but(labels)
        x, y, z = np.rint(grid.to_index(surfaces)).astype(np.intp).T
        in_grid = (x >= 0) & (y >= 0) & (z >= 0) & (x < grid.shape[0]) & (y < grid.shape[1]) & (z < grid.shape[2])
        solid = np.zeros(grid.shape, dtype=bool)
        solid[x[in_grid], y[in_grid], z[in_grid]] = True
        table = int(np.floor(grid.to_index(np.zeros(3))[2] + 1e-6))
        solid[:, :, : max(table + 1, 0)] = True
        return solid

    def free(self, grid: Grid) -> NDArray[np.bool_]:
        """(X, Y, Z) bool: nodes of `grid` that a camera of this observation sees through."""
        nodes = grid.to_world(np.indices(grid.shape).reshape(3, -1).T).astype(np.float32)
        return seen_through_any(nodes, self._frames.values()).reshape(grid.shape)

    @cached_property
    def _fused(self) -> Cloud:
        bounds = None if self._named_only else BOUNDS
        cloud = fuse(self._frames, self._detector.detect(self._frames), self._detector.vocabulary, bounds)
        cloud = self._without_robot(cloud)
        return cloud if self._carried is None else carry_over(cloud, self._carried, self._frames.values())

    def _without_robot(self, cloud: Cloud) -> Cloud:
        arm = [label for label, (name, _) in enumerate(self._detector.vocabulary) if name == ROBOT]
        if arm:
            return replace(cloud, things={k: seen for k, seen in cloud.things.items() if k not in arm})
        return replace(cloud, background=cloud.background[self._outside_arm(cloud.background, ARM_MARGIN)])

    def _outside_arm(self, points: Points, margin: float) -> Mask:
        """(N,) whether each point is farther than `margin` m from all of the arm's spheres; margin < 0 is inside."""
        spheres = np.asarray(self._kinematics.spheres(self._q, self.gripper), dtype=np.float32)
        centers, reach = spheres[:, :3], spheres[:, 3:] + np.float32(margin)
        outside = ~inside(points, np.array([(centers - reach).min(axis=0), (centers + reach).max(axis=0)]))
        near = points[~outside]
        # |p - c|^2 > r^2, written so that the only (N, S) work is one matrix product.
        apart = (near**2).sum(axis=1)[:, None] - 2 * near @ centers.T + (centers**2).sum(axis=1)
        outside[~outside] = (apart > reach[:, 0] ** 2).all(axis=1)
        return outside

    def _from(self, previous: Scene) -> Cloud:
        if tuple(previous._detector.vocabulary) != tuple(self._detector.vocabulary):
            raise BadInput("an older scene can only be carried over with the same detector")
        # Where the arm is now there is nothing else any more, though it hides the place from the cameras.
        background = previous._fused.background[self._outside_arm(previous._fused.background, WITHIN_ARM)]
        things = {}
        for label, seen in previous._fused.things.items():
            if label in self._held:
                things[label] = replace(seen, points=_moved(seen.points, previous.tool_pose, self.tool_pose))
            else:
                things[label] = seen.take(self._outside_arm(seen.points, WITHIN_ARM))
        return Cloud(background, things)

    def _labels(self, name: str) -> tuple[int, ...]:
        """Indices of the vocabulary that make up a thing (with its parts) or a part. Raises UnknownName."""
        found = tuple(
            label
            for label, (thing, part) in enumerate(self._detector.vocabulary)
            if thing != ROBOT and name in (thing, f"{thing} {part}")
        )
        if not found:
            raise UnknownName("object", name, self.names)
        return found

    def _build(self, name: str, labels: Sequence[int]) -> SceneObject | None:
        keys = [self._detector.vocabulary[label] for label in labels]
        seen = self._fused.of(labels)
        if len(seen.points) < LEAST_POINTS:
            return None
        box = self._fit(name, seen.points)
        if name != keys[0][0]:
            return SceneObject(name, seen.points, seen.eyes, box, whole=self.find(keys[0][0]))
        parts = self._fused.of(label for label, (_, part) in zip(labels, keys, strict=True) if part)
        mounted = parts.points.mean(axis=0, dtype=np.float64) if len(parts.points) else None
        if name not in self._hanging and name != self.attached:
            box = self._filled(name, box, labels)
        return SceneObject(name, seen.points, seen.eyes, box, mounted=mounted)

    def _fit(self, name: str, points: Points) -> Box:
        """Fit a box, unless it is that of the scene before: then nothing has changed."""
        before, box = self._fitted_before.get(name, (None, None))
        if box is None or before is not points:
            box = fit_box(points)
        self._fitted[name] = points, box
        return box

    def _filled(self, name: str, box: Box, labels: Sequence[int]) -> Box:
        """Reach down to what the thing stands on, unless a camera looks under it: then it hangs, and is known to."""
        others = self._fused.but(labels)
        ground = float(others[inside(others, _footprint(box)), 2].max(initial=0.0))
        heights = np.arange(box.bottom, ground, -0.01)[1:]
        column = np.column_stack([np.tile(box.center[:2], (len(heights), 1)), heights]).astype(np.float32)
        if seen_through_any(column, self._frames.values()).any():
            self._hanging |= {name}
            return box
        return box.down_to(min(ground, box.bottom))


def _moved(points: Points, before: Floats, after: Floats) -> Points:
    """Move `points` (N, 3) as a body that is fixed to a tool going from one pose (7,) to another."""
    turn = Rotation.from_quat(after[3:], scalar_first=True) * Rotation.from_quat(before[3:], scalar_first=True).inv()
    return (turn.apply(points - before[:3]) + after[:3]).astype(np.float32)


def _footprint(box: Box, margin: float = 0.01) -> Floats:
    """(2, 3): bounds, m, world, of what lies under `box` or, horizontally, less than `margin` beside it."""
    reach = box.half_sizes @ np.abs(box.axes) + margin
    low, high = box.center - reach, box.center + reach
    return np.array([[low[0], low[1], 0.0], [high[0], high[1], max(box.bottom, 0.0)]])
