"""What value maps ask of the tool: where to, turned how, touching what, with open or closed fingers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..robots.errors import PlannerError
from ..robots.geometry import pose_error, rotate
from .grid import Grid
from .language.subgoal import SubGoal
from .value_map import DenseMap, RegionMap, ValueMaps

Floats = NDArray[np.float64]

TOUCH_MARGIN = 0.02
"""m around an object's box within which a goal is a contact with it."""

AT_GOAL = 0.03
"""m: a tool nearer to its goal than this is at it; the way to it then begins APPROACH before the goal."""

APPROACH = 0.08
"""m, the least straight way in to a contact."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the maps ask of the tool. goal: (3,) m, world. quat: wxyz there. touches: the object it is to touch.

    opening: gripper openings (1 open, 0 closed) on the way and at the goal, or None where the program wrote none.
    """

    goal: Floats
    quat: Floats
    touches: str | None = None
    opening: tuple[float, float] | None = None

    @property
    def axis(self) -> Floats:
        """(3,) unit vector in which the fingers point at the goal."""
        return rotate(self.quat, np.array([0.0, 0.0, 1.0]))

    @property
    def grasps(self) -> bool:
        """Whether the fingers close around what the tool touches."""
        return self.touches is not None and self.opening is not None and self.opening[0] > 0.5 > self.opening[1]


def aim_at(subgoal: SubGoal, maps: ValueMaps, scene: Scene) -> Aim:
    """What `maps` ask of the tool in `scene`. Without a goal the tool stays where it is. Raises PlannerError."""
    tool = scene.tool_pose
    if maps.goal is None:
        opening = None if maps.gripper is None else (_opening(maps.gripper, tool[:3]),) * 2
        return Aim(tool[:3], tool[3:], None, opening)
    goal = best_goal(maps.goal, tool[:3])
    quat = tool[3:] if maps.rotation is None else maps.rotation.at(maps.goal.grid.to_index(goal)[None])[0]
    aim = Aim(goal, quat, next((name for name in subgoal.targets if _touches(scene, name, goal)), None))
    if maps.gripper is None:
        return aim
    start = tool[:3] if np.linalg.norm(tool[:3] - goal) > AT_GOAL else goal - APPROACH * aim.axis
    return replace(aim, opening=(_opening(maps.gripper, start), _opening(maps.gripper, goal)))


def best_goal(goal: DenseMap, tool_world: Floats) -> Floats:
    """(3,) m, world: of the nodes of the highest value the one nearest to the tool."""
    best = goal.values.max()
    if best <= 0:
        raise PlannerError("the affordance map has no goal: no voxel was given a value above 0")
    nodes = np.argwhere(goal.values == best)
    away = np.linalg.norm(goal.grid.to_world(nodes) - tool_world, axis=1)
    return goal.grid.to_world(goal.exact(nodes[int(away.argmin())]))


def single_goal(grid: Grid, point_world: Floats) -> DenseMap:
    """A goal map with one point."""
    goal = DenseMap(grid, highest=1.0)
    goal.set_ball(grid.to_index(point_world), 0.0, 1.0)
    return goal


def _opening(gripper: RegionMap, point_world: Floats) -> float:
    return float(gripper.at(gripper.grid.to_index(point_world)[None])[0, 0])


def _touches(scene: Scene, name: str, goal: Floats) -> bool:
    """Whether `goal` lies within TOUCH_MARGIN of the object's box."""
    found = scene.find(name) if name in scene.names else None
    if found is None:
        return False
    local = found.box.axes @ (goal - found.box.center)
    return bool((np.abs(local) <= found.box.half_sizes + TOUCH_MARGIN).all())


def lined_up(tool: Floats, aim: Aim, approach: float) -> bool:
    """Whether the tool already stands on the straight way in."""
    away = aim.goal - tool[:3]
    along = float(away @ aim.axis)
    beside = float(np.linalg.norm(away - along * aim.axis))
    turned = pose_error(tool, np.concatenate([tool[:3], aim.quat]))[1]
    return 0.0 <= along <= approach + 0.02 and beside < 0.01 and turned < 0.1
