"""The rest of the baseline's closed-loop step: what VoxPoser's release does around its planner for every waypoint.

As `greedy.py`, written anew from a description, calling what the release calls: full maps, a loop over points, and the
distance to the target transformed two more times. Voxels of a grid of 100 a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from .bench_scenes import GOAL_CLEARED, SIZE, START_CLEARED
from .greedy import Floats, Nodes, Stages, greedy

SHAPE = (SIZE, SIZE, SIZE)
FINISHED = 2.0
"""voxels from the target at which a sub-goal is done."""

GRIPPER_REACH = 3.0
"""voxels within which the last point takes the rarer of the gripper map's values."""

DOWN = np.array([0.0, 1.0, 0.0, 0.0])


@dataclass(slots=True)
class FullMaps:
    """One float64 value a node for goal, cost, speed and gripper, four for the rotation."""

    goal: Floats
    cost: Floats
    speed: Floats
    gripper: Floats
    rotation: Floats


def release_step(cloud: Floats, start: Nodes, goal: Nodes, stages: Stages) -> Floats:
    """Go from a cloud (N, 3) to the next waypoint: (9,) voxel, wxyz, speed, gripper."""
    with stages.timed("default maps"):
        maps = FullMaps(np.zeros(SHAPE), np.zeros(SHAPE), np.ones(SHAPE), np.ones(SHAPE), np.tile(DOWN, (*SHAPE, 1)))
    maps.goal[tuple(goal)] = 1
    maps.gripper[tuple(slice(max(c - 1, 0), c + 2) for c in goal)] = 0
    with stages.timed("voxelise"):
        solid = voxelised(cloud)
    with stages.timed("clear"):
        cost = cleared(maps, solid, start)
    path = greedy(start, maps.goal, cost, stages).path
    with stages.timed("read maps"):
        waypoints = read(path, maps)
    with stages.timed("finish test"):
        finished = distance_transform_edt(1 - maps.goal)[tuple(start)] <= FINISHED
    return np.asarray(waypoints[-1 if finished else 1])


def voxelised(cloud: Floats) -> Floats:
    """(N, N, N): 1 where a point is; one point after the other."""
    solid = np.zeros(SHAPE)
    for x, y, z in np.clip(np.rint(cloud), 0, SIZE - 1).astype(np.int32).tolist():
        solid[x, y, z] = 1
    return solid


def cleared(maps: FullMaps, solid: Floats, start: Nodes) -> Floats:
    """The cost map with the obstacles added, but for those next to the goal and the start."""
    solid = solid.copy()
    solid[distance_transform_edt(1 - maps.goal) < GOAL_CLEARED] = 0
    x, y, z = (slice(max(c - START_CLEARED, 0), c + START_CLEARED) for c in start)
    solid[x, y, z] = 0
    return np.clip(maps.cost + solid, 0, 1)


def read(path: Floats, maps: FullMaps) -> Floats:
    """(n, 9): the path with rotation, speed and gripper of each point; the gripper of the last one looks around."""
    rows = []
    for point in path:
        node = tuple(np.rint(point).astype(int))
        rows.append(np.concatenate([point, maps.rotation[node], [maps.speed[node]], [maps.gripper[node]]]))
    rows[-1][-1] = last_gripper(path[-1], maps.gripper, rows[-1][-1])
    return np.array(rows)


def last_gripper(point: Floats, gripper: Floats, value: float) -> float:
    """The rarer value of the gripper map if it is written within GRIPPER_REACH of the point, else `value`."""
    closed: NDArray[np.bool_] = gripper == 0
    if closed.all() or not closed.any():
        return value
    rare = 0.0 if 2 * np.count_nonzero(closed) < closed.size else 1.0
    away = np.linalg.norm(np.argwhere(gripper == rare) - point, axis=1)
    return rare if away.min() <= GRIPPER_REACH else value
