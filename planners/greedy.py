"""The baseline: greedy descent on one cost map, after the rule that VoxPoser was released with.

Written anew from a description of that rule, its weaknesses included, and calling what the release calls at each stage,
so that both quality and time can be compared. Nothing but `bench planner` plans with it. Voxels throughout.

    T = norm(distance to target)      O = norm(Gaussian of obstacles, sigma 10)      C = norm(2 T + O)

with norm(a) = (a - min) / (max - min). Each step goes to the neighbour of least C, without looking at obstacles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.signal import savgol_filter

Floats = NDArray[np.float64]
Nodes = NDArray[np.int64]

SIGMA = 10.0
TARGET_WEIGHT, OBSTACLE_WEIGHT = 2.0, 1.0
AROUND = np.array([offset for offset in np.ndindex(5, 5, 5) if offset != (2, 2, 2)]) - 2
STOP_THRESHOLD = 0.001
MAX_STEPS = 300
SAVGOL_WINDOW, SAVGOL_ORDER = 20, 3
MAX_CURVATURE, CURVATURE_FROM = 3.0, 5
SPACING = 1.0


class Stages:
    """CPU milliseconds spent in each named stage, and how often it ran."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = defaultdict(float)
        self.runs: dict[str, int] = defaultdict(int)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        began = process_time()
        yield
        self.ms[name] += 1e3 * (process_time() - began)
        self.runs[name] += 1


@dataclass(frozen=True, slots=True)
class GreedyPath:
    """path: (n, 3) voxels. missed: voxels from where the descent ended to the target; a straight line fills the gap."""

    path: Floats
    missed: float


def greedy(start: Nodes, target: Floats, obstacles: Floats, stages: Stages) -> GreedyPath:
    """Descend from `start` (3,); target, obstacles: (N, N, N) float64, where only a value of exactly 1 is a target."""
    costs = cost_map(target, obstacles, stages)
    path = descend(start, costs, stages)
    with stages.timed("post-process"):
        smooth = thinned(cut_at_curves(smoothed(np.array(path, dtype=np.float64))))
    with stages.timed("list targets"):
        targets = np.argwhere(target == 1)
    if target[tuple(np.rint(smooth[-1]).astype(int))] != 1:
        nearest = targets[np.linalg.norm(targets - smooth[-1], axis=1).argmin()]
        smooth = np.vstack([smooth, nearest])
    missed = float(np.linalg.norm(targets - path[-1], axis=1).min())
    return GreedyPath(np.clip(smooth, 0, np.array(target.shape) - 1), missed)


def cost_map(target: Floats, obstacles: Floats, stages: Stages) -> Floats:
    """C of the module's head, (N, N, N) float64."""
    with stages.timed("target transform"):
        distance = distance_transform_edt(1 - target)
    with stages.timed("Gaussian"):
        blurred = gaussian_filter(obstacles, sigma=SIGMA)
    with stages.timed("normalise"):
        # The release keeps copies of the maps it was given; they belong to its time.
        target.copy(), obstacles.copy()
        return normalised(TARGET_WEIGHT * normalised(distance) + OBSTACLE_WEIGHT * normalised(blurred))


def normalised(values: Floats) -> Floats:
    """(a - min) / (max - min), or `values` where that is constant."""
    low, high = values.min(), values.max()
    return values if low == high else (values - low) / (high - low)


def descend(start: Nodes, costs: Floats, stages: Stages) -> list[Nodes]:
    """Step to the cheapest neighbour until none is below the place reached plus a threshold, or MAX_STEPS are done."""
    costs = costs.copy()
    path = [np.asarray(start)]
    for _ in range(MAX_STEPS):
        with stages.timed("step"):
            around = neighbours(path[-1], costs.shape)
            following = around[costs[tuple(around.T)].argmin()]
            costs[tuple(path[-1])] += 1  # so as not to come back
            path.append(following)
        with stages.timed("stop test"):
            if arrived(path[-1], costs):
                break
    return path


def arrived(place: Nodes, costs: Floats) -> bool:
    """Whether no neighbour is cheaper than `place` plus the threshold; the whole grid is searched for NaN each time."""
    if np.isnan(costs).any():
        raise FloatingPointError("the cost map holds NaN")
    around = neighbours(place, costs.shape)
    return not (costs[tuple(around.T)] < costs[tuple(place)] + STOP_THRESHOLD).any()


def neighbours(place: Nodes, shape: tuple[int, ...]) -> Nodes:
    """(K, 3): the nodes around `place`, clipped to the grid, each once."""
    around = np.unique(np.clip(place + AROUND, 0, np.array(shape) - 1), axis=0)
    return np.asarray(around[(around != place).any(axis=1)])


def smoothed(path: Floats) -> Floats:
    """Savitzky-Golay over each coordinate; a path too short for the polynomial stays as it is."""
    window = min(len(path), SAVGOL_WINDOW)
    return path if window <= SAVGOL_ORDER else np.asarray(savgol_filter(path, window, SAVGOL_ORDER, axis=0))


def cut_at_curves(path: Floats) -> Floats:
    """Cut the path shortly before the first place, but for its beginning, that is curved too much."""
    if len(path) < 3:
        return path
    first = np.gradient(path, axis=0)
    bend = np.linalg.norm(np.cross(first, np.gradient(first, axis=0)), axis=1)
    speed = np.linalg.norm(first, axis=1) ** 3
    sharp = np.flatnonzero(bend > MAX_CURVATURE * speed)
    sharp = sharp[sharp > CURVATURE_FROM]
    return path[: int(0.9 * sharp[0])] if len(sharp) else path


def thinned(path: Floats) -> Floats:
    """Drop inner points until neighbours are about SPACING apart."""
    mean = np.linalg.norm(np.diff(path, axis=0), axis=1).mean() if len(path) > 1 else SPACING
    ratio = round(SPACING / mean) if mean > 0 else 1
    return path if ratio <= 1 else np.vstack([path[:1], path[1:-1:ratio], path[-1:]])
