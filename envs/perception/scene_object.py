"""A named thing as far as the cameras have seen it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .box import Box
from .cloud import SAME_SURFACE, Floats, Points, normals, one_per_voxel, planes

NORMAL_VOXEL = 0.005
"""m: normals are estimated on one point per cube of this size, so that a near camera does not outvote a far one."""

FLAT = 0.8
"""A part of which less than this share of the points has one normal has no front of its own."""

NARROW = 0.025
"""m: nor has a part that is not wider than this, because the neighbours of each of its points lie along a line."""


@dataclass(frozen=True)
class SceneObject:
    """A thing, or a part of one.

    name: as asked for. points: (N, 3) float32, m, world, on its visible surface. eyes: (N, 3) float32, m, world,
    position of the camera that saw each point. box: upright, around the points. whole: the thing this is a part of.
    mounted: (3,) m, world, where the named parts of this thing are, None if it has none.
    """

    name: str
    points: Points = field(repr=False)
    eyes: Points = field(repr=False)
    box: Box
    whole: SceneObject | None = field(default=None, repr=False)
    mounted: Floats | None = field(default=None, repr=False)

    @property
    def parent(self) -> str | None:
        """The name of the thing this is a part of."""
        return self.whole.name if self.whole else None

    @property
    def center(self) -> Floats:
        """(3,) m, world: the middle of the box. The mean of the points would lie on the side that is seen."""
        return self.box.center

    @property
    def aabb(self) -> Floats:
        """(2, 3) m, world: lowest and highest corner."""
        reach = self.box.half_sizes @ np.abs(self.box.axes)
        return np.array([self.center - reach, self.center + reach])

    @cached_property
    def normal(self) -> Floats:
        """(3,) unit vector, world: where its front faces.

        That of the largest visible plane; on a thing with parts, of the side that the parts are on. A part that is
        not flat, such as a bar, has the normal of the side it is on.
        """
        if self.whole is None:
            return self._planes[0][0] if self.mounted is None else self._front(self.mounted)
        wide = 2 * np.sort(self.box.half_sizes)[1] > NARROW
        own, share = self._planes[0]
        return own if wide and share >= FLAT else self.whole._front(self.center)

    @cached_property
    def _planes(self) -> list[tuple[Floats, float]]:
        kept = one_per_voxel(self.points, NORMAL_VOXEL)
        kept = kept[:: -(-len(kept) // 1000)]
        return planes(normals(self.points[kept], self.eyes[kept]))

    def _front(self, mounted: Floats) -> Floats:
        """Normal of the visible plane on that side of the box where `mounted` (3,) is, or of that side itself."""
        offset = self.box.axes @ (mounted - self.center) / np.maximum(self.box.half_sizes, 1e-3)
        side = int(np.abs(offset).argmax())
        outward = self.box.axes[side] * np.sign(offset[side])
        seen = max((normal for normal, _ in self._planes), key=lambda normal: float(normal @ outward))
        return seen if seen @ outward > SAME_SURFACE else outward
