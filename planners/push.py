"""A push that brings an object on a table nearer to a target, in closed form.

The object is taken to be rigid and to follow the push: its centre c moves to c + m d for a push of length m along the
unit vector d. That holds only if the push does not turn the object, so every push considered goes through the centre of
its footprint, and within the cone of friction of the side that it meets. With d fixed, |c + m d - t| is least for
m = (t - c) . d, so nothing has to be sampled but the place of contact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, QhullError

from ..robots.errors import BadInput, PlannerError
from .smooth import resampled

Floats = NDArray[np.float64]

BEHIND = 0.08
"""m: how far before the contact the gripper starts."""

FARTHEST = 0.09
"""m: the longest push; then it is time to look again."""

CONE = np.cos(np.deg2rad(25.0))
"""Cosine of the largest angle between a push and the inward normal of the side that it meets, lest it slips off."""

SKEW_COST = 0.01
"""m of distance to the target for which a push as skew as CONE allows is taken instead of a straight one."""

RING_STEP, NORMAL_REACH = 0.002, 5
"""m between the places of contact considered, and how many of them to either side a normal is measured over."""


@dataclass(frozen=True, slots=True)
class Push:
    """A straight, horizontal push.

    contact: (3,) m, world, on the side of the object at half its height. direction: (3,) unit vector. distance: m that
    the object is to move. remaining: m, horizontal distance from target to object that will be left.
    """

    contact: Floats
    direction: Floats
    distance: float
    remaining: float

    @property
    def before(self) -> Floats:
        """(3,) m, world: where the gripper starts, BEHIND the contact."""
        return self.contact - BEHIND * self.direction

    @property
    def end(self) -> Floats:
        """(3,) m, world: where the place of contact is at the end."""
        return self.contact + self.distance * self.direction


def plan_push(
    points_world: ArrayLike,
    target_world: ArrayLike,
    *,
    free: Callable[[Floats], NDArray[np.bool_]] | None = None,
) -> Push:
    """Choose the push after which the object's centre is nearest to the target, seen from above.

    points_world: (N, 3) m, on the object's surface. target_world: (3,) m, of which x and y count.
    free: (K, 3) m, world -> (K,) bool, whether the gripper can start there; all can if not given.
    Raises BadInput for points that span no area seen from above, PlannerError where no place of contact can be used.
    """
    points = np.asarray(points_world, dtype=np.float64)
    corners = _footprint(points)
    center, height = _centroid(corners), points[:, 2].min() / 2 + points[:, 2].max() / 2
    contacts, normals = _ring(corners)
    directions = center - contacts
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    straightness = (directions * normals).sum(axis=1)
    wanted = np.asarray(target_world, dtype=np.float64)[:2] - center
    lengths = np.clip(directions @ wanted, 0.0, FARTHEST)
    remaining = np.linalg.norm(wanted - lengths[:, None] * directions, axis=1)
    cost = remaining + SKEW_COST * (1 - straightness) / (1 - CONE)
    usable = straightness >= CONE
    if free is not None:
        usable &= free(_at_height(contacts - BEHIND * directions, height))
    if not usable.any():
        raise PlannerError(
            f"no side of the object at {np.round(center, 3)} m can be pushed: no free place to start from"
        )
    best = int(np.where(usable, cost, np.inf).argmin())
    contact, direction = _at_height(contacts[best], height), _at_height(directions[best], 0.0)
    return Push(contact, direction, float(lengths[best]), float(remaining[best]))


def _footprint(points: Floats) -> Floats:
    """(C, 2) m: corners of the convex hull seen from above, counter-clockwise."""
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise BadInput(f"an object's points are (N, 3) finite metres, not {points.shape}")
    try:
        return points[ConvexHull(points[:, :2]).vertices, :2]
    except (QhullError, ValueError) as error:
        raise BadInput(f"the object's {len(points)} points span no area seen from above") from error


def _centroid(corners: Floats) -> Floats:
    """(2,) m: centre of area of a polygon, the centre of mass of an even block seen from above."""
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
    return np.asarray(((corners + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum()))


def _ring(corners: Floats) -> tuple[Floats, Floats]:
    """(K, 2) m points along a counter-clockwise polygon, and the (K, 2) inward unit normals there.

    A normal is measured over a stretch, so that the many short edges of a hull around noisy points do not matter.
    """
    ring = resampled(np.vstack([corners, corners[:1]]), RING_STEP)[:-1]
    along = np.roll(ring, -NORMAL_REACH, axis=0) - np.roll(ring, NORMAL_REACH, axis=0)
    normals = np.stack([-along[:, 1], along[:, 0]], axis=1)
    return ring, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _at_height(points: Floats, height: float) -> Floats:
    """(..., 2) -> (..., 3)."""
    return np.concatenate([points, np.full((*points.shape[:-1], 1), height)], axis=-1)
