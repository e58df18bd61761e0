"""Balls that cover the moving parts of the Panda, for collision tests against a distance field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.cluster.vq import kmeans2

from . import panda_meshes
from .state import Floats

COUNTS = {"link1": 4, "link2": 4, "link3": 5, "link4": 5, "link5": 10, "link6": 5, "link7": 3, "hand": 8, "finger": 3}
"""Balls of each part; both fingers have them. Fewer are faster to look up, more are slimmer."""


@dataclass(frozen=True)
class Cover:
    """body: (S,) names of the bodies they move with. center: (S, 3) m, in that body's frame. radius: (S,) m."""

    body: tuple[str, ...]
    center: Floats
    radius: Floats


@cache
def cover() -> Cover:
    """The balls of all parts, the same in every process."""
    bodies: list[str] = []
    centers, radii = [], []
    for part, count in COUNTS.items():
        center, radius = _cover_part(part, count)
        for body in ("left_finger", "right_finger") if part == "finger" else (part,):
            bodies += [body] * count
            centers.append(center)
            radii.append(radius)
    return Cover(tuple(bodies), np.concatenate(centers), np.concatenate(radii))


def _cover_part(part: str, count: int) -> tuple[Floats, Floats]:
    """k-means over points of the surface: each ball reaches from its cluster's mean to the farthest point of it."""
    points = np.concatenate([_surface_points(mesh) for mesh in panda_meshes.visual(part)])
    center, cluster = kmeans2(points, count, minit="++", rng=0)
    distance = np.linalg.norm(points - center[cluster], axis=1)
    return center, np.array([distance[cluster == k].max() for k in range(count)])


def _surface_points(mesh: panda_meshes.Mesh, spacing: float = 0.004) -> Floats:
    """Points (N, 3) spread evenly at random over the triangles, one a square of `spacing` m."""
    rng = np.random.default_rng(0)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = rng.choice(len(area), size=int(area.sum() / spacing**2) + 1, p=area / area.sum())
    u, v = np.sqrt(rng.random((len(face), 1))), rng.random((len(face), 1))
    points: Floats = a[face] * (1 - u) + b[face] * u * (1 - v) + c[face] * u * v
    return points
