"""How planners feed policies: value maps around the tool point as an observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ..robots.errors import BadInput
from .field import Field
from .value_map import DenseMap, ValueMaps

Observation = dict[str, Any]
Info = dict[str, Any]
Env = gymnasium.Env[Observation, Any]
MapSource = Callable[[Observation], tuple[ValueMaps, Field]]
"""Composes the maps of the sub-goal under way, and the obstacles, from an observation."""

KEY = "value_maps"


class ValueMapFeatures(gymnasium.ObservationWrapper[Observation, Any, Observation]):
    """Adds `value_maps` (2, n, n, n) float32, m: how far the goal and how far an obstacle is, around the tool point.

    The cube's axes are the world's and its middle is the tool point itself, so that the features move as smoothly as
    the tool. [0] is the distance to the nearest node of the highest goal value, 0 where there is no goal; [1] is the
    distance to the nearest obstacle, cut off where `Field` cuts it off.

    Args:
        env: its observations are a Dict with `ee_pose` (7,).
        source: makes, from the info of a reset, what composes the maps of an observation.
        nodes: n, along each side of the cube.
        spacing: m between them.

    Raises:
        BadInput: for observations without `ee_pose`, fewer than one node, or a spacing that is not positive.
    """

    def __init__(self, env: Env, source: Callable[[Info], MapSource], *, nodes: int = 8, spacing: float = 0.03) -> None:
        super().__init__(env)
        space = env.observation_space
        if not (isinstance(space, Dict) and "ee_pose" in space.spaces):
            raise BadInput(f"ValueMapFeatures needs a Dict of observations with ee_pose, not {space}")
        if nodes < 1 or spacing <= 0:
            raise BadInput(f"a cube has 1 node a side or more and a spacing > 0 m, not {nodes} and {spacing}")
        features = Box(0.0, np.inf, (2, nodes, nodes, nodes), np.float32)
        self.observation_space = Dict({**space.spaces, KEY: features})
        steps = (np.arange(nodes) - (nodes - 1) / 2) * spacing
        self._cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
        self._shape = features.shape
        self._make_source = source

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Reset the environment and the source of the maps."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._source = self._make_source(info)
        return self.observation(obs), info

    def observation(self, observation: Observation) -> Observation:
        """Return a copy of `observation` with the maps around its tool point."""
        maps, field = self._source(observation)
        points = self._cube + observation["ee_pose"][:3]
        features = np.stack([goal_distance(maps.goal, points), field.distance_at(points)])
        return {**observation, KEY: features.reshape(self._shape).astype(np.float32)}


def goal_distance(goal: DenseMap | None, points_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) m, world -> (n,) m to the nearest node of the highest value above 0; zeros where there is none."""
    if goal is None or not goal.values.any():
        return np.zeros(len(points_world))
    nodes = np.argwhere(goal.values == goal.values.max())
    return np.asarray(KDTree(goal.grid.to_world(nodes)).query(points_world)[0])
