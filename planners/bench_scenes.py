"""The scenes on which planners are compared: random boxes, one wall, an open bin; 100 voxels a side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SIZE = 100
FLOOR = 3
GOAL_CLEARED = 15
START_CLEARED = 10
"""voxels: how far obstacles are taken away around the goal (a ball) and around the start (a box), for every planner."""


@dataclass(frozen=True, slots=True)
class BenchScene:
    """solid: (100, 100, 100) bool, the obstacles as drawn. start, goal: (3,) int64 voxels, free."""

    solid: NDArray[np.bool_]
    start: NDArray[np.int64]
    goal: NDArray[np.int64]

    def cleared(self) -> NDArray[np.bool_]:
        """(100, 100, 100) bool: the obstacles without those next to goal and start, so that both can be reached."""
        solid = self.solid.copy()
        offsets = np.ogrid[tuple(slice(-c, SIZE - c) for c in self.goal)]
        solid[offsets[0] ** 2 + offsets[1] ** 2 + offsets[2] ** 2 < GOAL_CLEARED**2] = False
        low = np.maximum(self.start - START_CLEARED, 0)
        x, y, z = (slice(a, s + START_CLEARED) for a, s in zip(low, self.start, strict=True))
        solid[x, y, z] = False
        return solid


def boxes(rng: np.random.Generator) -> BenchScene:
    """Ten boxes anywhere; start and goal more than 50 voxels apart."""
    solid = _floor()
    for _ in range(10):
        center, half = rng.integers(15, 85, 3), rng.integers(4, 14, 3)
        x, y, z = (slice(c - h, c + h) for c, h in zip(center, half, strict=True))
        solid[x, y, z] = True
    while True:
        start, goal = rng.integers(5, 95, 3), rng.integers(5, 95, 3)
        if np.linalg.norm(start - goal) > 50 and not solid[tuple(start)] and not solid[tuple(goal)]:
            return BenchScene(solid, start, goal)


def wall(rng: np.random.Generator) -> BenchScene:
    """One wall between start and goal, open at both sides and above."""
    solid = _floor()
    x, y0, y1, z1 = rng.integers(42, 58), rng.integers(10, 30), rng.integers(70, 90), rng.integers(40, 75)
    solid[x - 3 : x + 3, y0:y1, :z1] = True
    start = _between(rng, (8, 20), (35, 65), (10, 30))
    return BenchScene(solid, start, _between(rng, (80, 92), (35, 65), (10, 30)))


def bin_(rng: np.random.Generator) -> BenchScene:
    """The goal on the floor of a bin that is open above."""
    solid = _floor()
    goal = np.append(_between(rng, (60, 75), (40, 60)), 10)
    start = _between(rng, (8, 20), (40, 60), (8, 20))
    x, y, _ = goal
    solid[x - 22 : x + 22, y - 22 : y + 22, FLOOR:45] = True
    solid[x - 18 : x + 18, y - 18 : y + 18, FLOOR:45] = False
    return BenchScene(solid, start, goal)


CLASSES: dict[str, Callable[[np.random.Generator], BenchScene]] = {"boxes": boxes, "wall": wall, "bin": bin_}


def scenes(name: str, seed: int = 7, count: int = 30) -> Iterator[BenchScene]:
    """Draw the scenes of a class, all from one generator."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield CLASSES[name](rng)


def collides(path: NDArray[np.float64], solid: NDArray[np.bool_]) -> bool:
    """Whether a polyline (n, 3) in voxels, sampled every half voxel, touches a solid voxel."""
    for a, b in pairwise(path):
        steps = max(1, int(np.ceil(np.linalg.norm(b - a) / 0.5)))
        samples = np.rint(a + np.linspace(0, 1, steps + 1)[:, None] * (b - a)).astype(int)
        if solid[tuple(samples.T)].any():
            return True
    return False


def _floor() -> NDArray[np.bool_]:
    solid = np.zeros((SIZE, SIZE, SIZE), dtype=bool)
    solid[:, :, :FLOOR] = True
    return solid


def _between(rng: np.random.Generator, *ranges: tuple[int, int]) -> NDArray[np.int64]:
    """One whole number from each range, the upper bound excluded."""
    return np.array([rng.integers(low, high) for low, high in ranges])
