"""What a task may know of the simulated world: poses, joints and contacts, by name."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from ...robots.geometry import inverse, transform
from ...robots.state import Floats

TOUCH = 0.2
"""N, contact of one pad below which it does not hold anything."""

RESTING = 0.1
"""rad/s."""


class World:
    """Typed access to a compiled scene with an arm in it.

    model, data: of the scene; both are written to by `place` and `set_joint`. names: {body: what people call it in this
    episode}; a body that is not in it goes by its own name.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.model, self.data = model, data
        self.names: Mapping[str, str] = {}
        self._robot_root = model.body("link0").id
        self._tool = model.site("tool").id
        self._arm = [model.joint(f"joint{i}").dofadr[0] for i in range(1, 8)]
        self._pads = (model.geom("pad_left").id, model.geom("pad_right").id)
        self._pad_geoms = np.isin(np.arange(model.ngeom), self._pads)
        self._robot_geoms = np.array([self.is_robot(geom) for geom in range(model.ngeom)])
        self._fingers = [model.joint(f"{side}_finger").qposadr[0] for side in ("left", "right")]

    # --- reading

    @property
    def tool(self) -> Floats:
        """(7,) pose of the tool point, m and wxyz, world."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self.data.site_xmat[self._tool])
        return np.concatenate([self.data.site_xpos[self._tool], quat])

    @property
    def width(self) -> float:
        """Opening of the gripper, m."""
        return float(self.data.qpos[self._fingers].sum())

    @property
    def arm_rests(self) -> bool:
        """Whether no joint of the arm turns faster than `RESTING`."""
        return bool(np.abs(self.data.qvel[self._arm]).max() < RESTING)

    def pose(self, body: str) -> Floats:
        """(7,) pose of a body, m and wxyz, world."""
        seen = self.data.body(body)
        pose: Floats = np.concatenate([seen.xpos, seen.xquat])
        return pose

    def position(self, body: str) -> Floats:
        """(3,) origin of a body, m, world."""
        return np.array(self.data.body(body).xpos)

    def above(self, body: str, height: float) -> Floats:
        """(3,) the point `height` m above a body's origin, world."""
        raised: Floats = self.position(body) + np.array([0.0, 0.0, height])
        return raised

    def in_frame(self, body: str, point: Floats) -> Floats:
        """A point (3,) of the world, seen from a body, m."""
        return transform(inverse(self.pose(body)), point)

    def joint(self, name: str) -> float:
        """Value of a slide joint, m."""
        return float(self.data.joint(name).qpos[0])

    def state(self, body: str) -> Floats:
        """(7,) pose of a body, then the value of its slide joint if it has one."""
        slides = self.model.body(body).dofnum[0] == 1
        return np.append(self.pose(body), self.joint(body)) if slides else self.pose(body)

    def speed(self, body: str) -> float:
        """Of a movable body's origin, m/s."""
        return float(np.linalg.norm(self.data.joint(body).qvel[:3]))

    def name(self, geom: int) -> tuple[str, str]:
        """(object, part) of a geom: "robot" for the arm, the world's own geoms by their names."""
        body = int(self.model.geom_bodyid[geom])
        own = self.model.geom(geom).name
        if self.is_robot(geom):
            return "robot", ""
        if body == 0:
            return own, ""
        called = self.model.body(body).name
        return self.names.get(called, called), own.partition(":")[2]

    def objects(self) -> dict[int, tuple[str, str]]:
        """{geom id, as in `seg` images: (name, part)} of everything in the scene."""
        return {geom: self.name(geom) for geom in range(self.model.ngeom)}

    def markers(self) -> tuple[str, ...]:
        """Names of what is seen and cannot be touched, such as a place in the air."""
        touchable = (self.model.geom_contype | self.model.geom_conaffinity) > 0
        solid = {self.name(int(geom))[0] for geom in np.flatnonzero(touchable)}
        return tuple(sorted({name for name, _ in self.objects().values()} - solid))

    def is_robot(self, geom: int) -> bool:
        """Whether a geom belongs to the arm or its gripper."""
        return bool(self.model.body_rootid[self.model.geom_bodyid[geom]] == self._robot_root)

    # --- contacts

    def holds(self, body: str) -> bool:
        """Whether the pads squeeze the body between them."""
        return self.model.body(body).id in self._squeezed()

    def collisions(self, above: float = 1.0) -> list[tuple[str, str, float]]:
        """(robot part or held object, what it touches, N) of each pair that presses with more than `above` N now.

        A robot part goes by its link's name. What the arm does to itself is left out: the driver's monitor counts it.
        """
        held = self._squeezed()
        mine = self._robot_geoms | np.isin(self.model.geom_bodyid, list(held))
        total: dict[tuple[str, str], float] = defaultdict(float)
        for one, other, force, _ in self._contacts(mine):
            for a, b in ((one, other), (other, one)):
                body = int(self.model.geom_bodyid[a])
                if self.is_robot(b) or not (self.is_robot(a) or body in held):
                    continue
                part = self.model.body(body).name if self.is_robot(a) else self.name(a)[0]
                total[part, self.name(b)[0]] += force
        return [(a, b, force) for (a, b), force in total.items() if force > above]

    def _squeezed(self) -> set[int]:
        """Ids of the bodies on which both pads press along the closing axis."""
        closing = self.data.site_xmat[self._tool].reshape(3, 3)[:, 1]
        pressed: dict[int, set[int]] = {pad: set() for pad in self._pads}
        for one, other, force, normal in self._contacts(self._pad_geoms):
            for a, b in ((one, other), (other, one)):
                if a in pressed and force > TOUCH and abs(normal @ closing) > 0.7:
                    pressed[a].add(int(self.model.geom_bodyid[b]))
        left, right = pressed.values()
        return {body for body in left & right if self.model.body_rootid[body] != self._robot_root}

    def _contacts(self, geoms: NDArray[np.bool_]) -> Iterator[tuple[int, int, float, Floats]]:
        """(geom, geom, N, normal (3,) in world axes) of every contact now of one of `geoms` (ngeom,)."""
        wrench, pairs = np.empty(6), self.data.contact.geom
        for k in np.flatnonzero(geoms[pairs].any(axis=1)):
            mujoco.mj_contactForce(self.model, self.data, int(k), wrench)
            one, other = pairs[k]
            yield int(one), int(other), math.hypot(*wrench[:3]), self.data.contact.frame[k, :3]

    # --- writing, at reset

    def place(self, body: str, at: Sequence[float] | Floats, *, yaw: float = 0.0) -> None:
        """Put a body of the world at (3,) m, turned by `yaw` rad; what moves on its own is at rest there."""
        pose = np.array([*at, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)])
        spot = self.model.body(body)
        if spot.dofnum[0] == 6:
            joint = self.data.joint(int(spot.jntadr[0]))
            joint.qpos, joint.qvel = pose, 0
        else:
            spot.pos, spot.quat = pose[:3], pose[3:]

    def set_joint(self, name: str, value: float) -> None:
        """Set a slide joint, m, at rest."""
        joint = self.data.joint(name)
        joint.qpos, joint.qvel = value, 0

    def paint(self, body: str, rgba: Sequence[float], *, part: str = "") -> None:
        """Colour the geoms of a body that belong to `part`."""
        first, count = self.model.body(body).geomadr[0], self.model.body(body).geomnum[0]
        for geom in range(first, first + count):
            if self.model.geom(geom).name.partition(":")[2] == part:
                self.model.geom_rgba[geom] = rgba


def scatter(
    rng: np.random.Generator, count: int, low: Sequence[float], high: Sequence[float], *, apart: float
) -> Floats:
    """(count, d) points, uniform in the box `low`..`high`, no two nearer than `apart` m.

    RuntimeError after 1000 tries: the box is too small for them, which is a mistake in a task.
    """
    for _ in range(1000):
        points = rng.uniform(low, high, size=(count, len(low)))
        gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(count, 1)]
        if (gaps >= apart).all():
            return points
    raise RuntimeError(f"no room for {count} things {apart} m apart in {list(low)}..{list(high)} m")
