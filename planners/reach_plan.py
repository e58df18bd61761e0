"""From a look at the scene to a way for the arm: compose the maps, aim, plan a path over them, and the arm along it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..robots.errors import ProgramError
from ..robots.panda import HOME_Q
from .aim import Aim, aim_at, lined_up, single_goal
from .arm_path import ArmPath, Reach
from .field import Field
from .fingers import OPEN
from .language.subgoal import SubGoal
from .stage import Means
from .value_map import ValueMaps

Floats = NDArray[np.float64]

MOVED = 0.01
"""m a goal must move before the arm changes its way."""


@dataclass(frozen=True, slots=True)
class ReachPlan:
    """A way to what the maps ask for. path: None where there is none, and `why`. aim: None on the way home."""

    path: ArmPath | None
    aim: Aim | None
    why: str = ""


class ReachPlanner:
    """Plans one sub-goal of the gripper. It only reads what it is given, so that it can work beside a moving arm."""

    def __init__(self, subgoal: SubGoal, means: Means) -> None:
        self._subgoal, self._means = subgoal, means

    def plan(self, scene: Scene, q: Floats) -> ReachPlan:
        """The first plan, from joints `q` (7,). Raises what the map programs and `aim_at` raise."""
        if self._subgoal.home:
            path = self._means.arm.go(q, HOME_Q, self._obstacles(scene).distance_at)
            return ReachPlan(path, None, "no free way back to the resting pose")
        maps = self._means.compose(scene, self._subgoal)
        aim = aim_at(self._subgoal, maps, scene)
        if maps.goal is None:
            return ReachPlan(ArmPath(q[None], 0, scene.tool_pose, followed=True), aim)
        return self._route(
            scene, maps, aim, q, self._means.fingers.width if aim.opening is None else OPEN * aim.opening[0]
        )

    def replan(self, scene: Scene, q: Floats, now: ReachPlan, at: int) -> ReachPlan:
        """Plan again while the arm is at row `at` of `now`; `now` itself if there is no reason to change the way."""
        if now.path is None or now.aim is None or at >= now.path.approach:
            return now
        try:
            maps = self._means.compose(scene, self._subgoal)
        except ProgramError:
            return now  # what the programs ask for is hidden for a moment, often by the hand that goes there
        if maps.goal is None:
            return now
        aim = now.aim
        if not self._carries_its_goal():
            aim = replace(aim, goal=aim_at(self._subgoal, maps, scene).goal)
        ahead = now.path.rows[at : now.path.approach]
        obstacles = self._obstacles(scene)
        if np.linalg.norm(aim.goal - now.aim.goal) <= MOVED:
            self._means.path(maps, obstacles, scene.tool_pose[:3])
            if self._means.arm.still_free(q, ahead, obstacles.distance_at, self._means.fingers.width):
                return now
        found = self._route(scene, maps, aim, now.path.rows[max(at - 1, 0)], self._means.fingers.width)
        return found if found.path is not None else now

    def _route(self, scene: Scene, maps: ValueMaps, aim: Aim, q: Floats, width: float) -> ReachPlan:
        means, tool = self._means, scene.tool_pose
        obstacles = self._obstacles(scene)
        approach = 0.0 if aim.touches is None else means.approach_to(aim.goal, aim.axis, obstacles)
        reach = Reach(
            np.stack([tool[:3], aim.goal]),
            aim.quat,
            approach=approach,
            width=width,
            backing=means.settings.backing if aim.grasps else 0.0,
            loaded=means.watcher.held is not None,
        )
        if approach and lined_up(tool, aim, approach):
            approach = float((aim.goal - tool[:3]) @ aim.axis)
            reach = replace(reach, approach=approach, points=np.stack([tool[:3], aim.goal - approach * aim.axis]))
        else:
            if approach:
                maps = replace(maps, goal=single_goal(means.grid, aim.goal - approach * aim.axis))
            way_out = means.way_out(tool, obstacles)
            result = means.path(maps, obstacles, way_out[-1])
            if result.points_world is None:
                return ReachPlan(None, aim, result.reason)
            factors = None if result.speed is None else np.concatenate([np.ones(len(way_out)), result.speed])
            reach = replace(reach, points=np.vstack([way_out, result.points_world]), factors=factors)
        at_contact = means.obstacles(scene, self._subgoal.targets) if approach else None
        path = means.follow(q, reach, obstacles, at_contact)
        return ReachPlan(path, aim, "the arm cannot get there without touching something")

    def _carries_its_goal(self) -> bool:
        """Whether all that the sub-goal names moves with the hand: then it no longer tells where to go."""
        held = self._means.watcher.held
        return held is not None and all(held == name or held.startswith(f"{name} ") for name in self._subgoal.targets)

    def _obstacles(self, scene: Scene) -> Field:
        """Everything but the hand's load; what moves along with that load is named by the sub-goal."""
        return self._means.obstacles(scene, self._subgoal.targets if self._means.watcher.held else ())
