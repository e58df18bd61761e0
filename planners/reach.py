"""The stage that brings the gripper to a goal of the value maps and works its fingers there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..robots.errors import PlannerError
from ..robots.geometry import pose_error, rotate
from ..robots.panda import HOME_Q
from ..robots.state import JointTarget
from .arm_path import ArmPath, Reach
from .field import Field
from .grid import Grid
from .language.subgoal import SubGoal
from .stage import CLOSED, OPEN, Means, Observation, Outcome
from .value_map import DenseMap, RegionMap, ValueMaps

Floats = NDArray[np.float64]

TOUCH_MARGIN = 0.02
"""m around an object's box within which a goal is a contact with it."""

AT_GOAL = 0.03
"""m: a tool nearer to its goal than this is at it; the way to it then begins an approach's length before the goal."""

MOVED = 0.01
"""m a goal must move before the arm changes its way."""

BEHIND, STALL_TICKS = 0.03, 10
"""rad, ticks: the arm waits for a joint that is farther behind; after so long it has met something."""

SETTLE_TICKS = 12
GRIP_TICKS, RESTS = (6, 40), 3e-4
"""Least and most ticks for the fingers, and the m a tick below which they rest."""

HELD_WIDTH, HELD_FORCE = 0.002, 0.5
"""m, N: with less between the fingers, or less force on either pad, nothing is held."""


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


class ReachStage:
    """Plans on value maps, moves, replans while moving, then opens or closes the gripper as the map says."""

    def __init__(self, subgoal: SubGoal, means: Means) -> None:
        self.outcome: Outcome | None = None
        self.distance: float | None = None
        self._subgoal, self._means = subgoal, means
        self._aim: Aim | None = None
        self._path: ArmPath | None = None
        self._at = self._ticks = 0
        self._fingers = Fingers(means)
        self._waiting = Patience(STALL_TICKS)
        self._settling = Patience(SETTLE_TICKS)

    def tick(self, obs: Observation) -> JointTarget:
        """Give the target for the next control tick."""
        q = np.array(obs["q"], np.float64)
        if self._path is None:
            self._begin(q)
        elif self._ticks % self._means.settings.replan_ticks == 0 and self._at < self._path.approach:
            self._replan(q)
        self._ticks += 1
        if self.outcome is not None or self._path is None:
            return self._means.order(q)
        if self._at == len(self._path.rows):
            self._arrive(obs)
        elif self._keeps_up(q):
            self._at += 1
        return self._means.order(self._path.rows[max(self._at - 1, 0)])

    def _begin(self, q: Floats) -> None:
        began = perf_counter()
        scene, maps = self._means.see(self._means.settings.cameras, self._subgoal)
        if self._subgoal.home:
            self._path = self._way_home(q, scene)
        elif maps.goal is None:
            self._path, self._aim = self._stay(q, maps, scene)
        else:
            self._aim = self._aim_at(maps, maps.goal, scene)
            self._fingers.set(self._aim.opening[0] if self._aim.opening else None)
            self._path = self._plan(q, self._aim, maps, scene)
        self._means.timed(began)

    def _replan(self, q: Floats) -> None:
        """Compose and plan again from two cameras; the arm changes its way only for a reason."""
        if self._path is None or self._aim is None or self._subgoal.home:
            return
        began = perf_counter()
        scene, maps = self._means.see(self._means.settings.glance, self._subgoal)
        if maps.goal is not None:
            aim = replace(self._aim_at(maps, maps.goal, scene), quat=self._aim.quat, opening=self._aim.opening)
            moved = float(np.linalg.norm(aim.goal - self._aim.goal)) > MOVED
            if moved or not self._is_free(q, scene):
                path, _ = self._route(self._path.rows[max(self._at - 1, 0)], aim, maps, scene)
                if path is not None:
                    self._path, self._aim, self._at = path, aim, 0
            else:
                self._means.path(maps, self._obstacles(scene), scene.tool_pose[:3])
        self._means.timed(began)

    def _is_free(self, q: Floats, scene: Scene) -> bool:
        """Whether what is left of the way to the approach is still free."""
        if self._path is None:
            return False
        ahead = self._path.rows[self._at : self._path.approach]
        return self._means.arm.still_free(q, ahead, self._obstacles(scene).distance_at, self._means.width)

    def _way_home(self, q: Floats, scene: Scene) -> ArmPath | None:
        field = self._means.obstacles(scene, self._subgoal.targets)
        path = self._means.arm.go(q, HOME_Q, field.distance_at)
        if path is None:
            self.outcome = Outcome(False, "no free way back to the resting pose")
        return path

    def _stay(self, q: Floats, maps: ValueMaps, scene: Scene) -> tuple[ArmPath, Aim]:
        """A program without a goal turns the tool, or works the gripper, where it is."""
        tool = scene.tool_pose
        opening = None if maps.gripper is None else (_opening(maps.gripper, tool[:3]),) * 2
        return ArmPath(q[None], 0, tool, followed=True), Aim(tool[:3], tool[3:], None, opening)

    def _aim_at(self, maps: ValueMaps, goal_map: DenseMap, scene: Scene) -> Aim:
        tool = scene.tool_pose
        goal = best_goal(goal_map, tool[:3])
        quat = tool[3:] if maps.rotation is None else maps.rotation.at(goal_map.grid.to_index(goal)[None])[0]
        touches = next((name for name in self._subgoal.targets if _touches(scene, name, goal)), None)
        aim = Aim(goal, quat, touches)
        if maps.gripper is None:
            return aim
        far = np.linalg.norm(tool[:3] - goal) > AT_GOAL
        start = tool[:3] if far else goal - self._means.settings.approach * aim.axis
        return replace(aim, opening=(_opening(maps.gripper, start), _opening(maps.gripper, goal)))

    def _plan(self, q: Floats, aim: Aim, maps: ValueMaps, scene: Scene) -> ArmPath | None:
        """A path over the maps and the arm along it; where there is none, `outcome` says why."""
        found, why = self._route(q, aim, maps, scene)
        if found is None:
            self.outcome = Outcome(False, why, float(np.linalg.norm(aim.goal - scene.tool_pose[:3])))
        return found

    def _route(self, q: Floats, aim: Aim, maps: ValueMaps, scene: Scene) -> tuple[ArmPath | None, str]:
        means, tool = self._means, scene.tool_pose
        obstacles = self._obstacles(scene)
        approach = 0.0 if aim.touches is None else means.approach_to(aim.goal, aim.axis, obstacles)
        reach = Reach(
            np.stack([tool[:3], aim.goal]), aim.quat, width=means.width, gentle=means.watcher.held is not None
        )
        reach = replace(reach, approach=approach, backing=means.settings.backing if aim.grasps else 0.0)
        if approach and _lined_up(tool, aim, approach):
            approach = float((aim.goal - tool[:3]) @ aim.axis)
            reach = replace(reach, approach=approach, points=np.stack([tool[:3], aim.goal - approach * aim.axis]))
        else:
            if approach:
                maps = replace(maps, goal=single_goal(means.grid, aim.goal - approach * aim.axis))
            result = means.path(maps, obstacles, tool[:3])
            if result.points_world is None:
                return None, result.reason
            reach = replace(reach, points=_at_least_two(result.points_world), factors=result.speed)
        at_contact = means.obstacles(scene, self._subgoal.targets) if approach else None
        path = means.follow(q, reach, obstacles, at_contact)
        return path, "the arm cannot get there without touching something"

    def _obstacles(self, scene: Scene) -> Field:
        """Everything but the hand's load; what moves along with that load is named by the sub-goal."""
        return self._means.obstacles(scene, self._subgoal.targets if self._means.watcher.held else ())

    def _keeps_up(self, q: Floats) -> bool:
        """Whether the arm is where it was sent. If it stays behind, something is in the way, and it goes no farther."""
        if self._path is None or self._at == 0:
            return True
        behind = float(np.abs(q - self._path.rows[self._at - 1]).max()) > BEHIND
        if self._waiting.over(behind):
            self._path = replace(self._path, rows=self._path.rows[: self._at])
        return not behind

    def _arrive(self, obs: Observation) -> None:
        """At the end of the path: wait for the arm, then for the fingers, then judge."""
        goal = self._means.kinematics.tool_pose(HOME_Q) if self._path is None else self._path.goal
        self.distance = float(np.linalg.norm(goal[:3] - obs["ee_pose"][:3]))
        near = self.distance < 0.5 * self._means.settings.reached
        if not near and not self._settling.over(True):
            return
        opening = self._aim.opening[1] if self._aim is not None and self._aim.opening is not None else None
        self._fingers.set(opening)
        if self._fingers.settled(obs):
            self.outcome = self._judge(obs, self.distance)

    def _judge(self, obs: Observation, distance: float) -> Outcome:
        aim, means = self._aim, self._means
        if aim is not None and aim.opening is not None and aim.opening[1] > 0.5:
            means.watcher.held = None
        if distance > means.settings.reached:
            return Outcome(False, f"stopped {100 * distance:.1f} cm short of the goal", distance)
        if aim is not None and aim.grasps:
            if not holds(obs):
                return Outcome(False, f"the fingers closed on nothing at the {aim.touches}", distance)
            means.watcher.held = aim.touches
        return Outcome(True, "reached", distance)


class Patience:
    """Counts how long a thing has gone on without a break."""

    def __init__(self, ticks: int) -> None:
        self._ticks, self._count = ticks, 0

    def over(self, going_on: bool) -> bool:
        """Whether it has now gone on for more than the allowed number of ticks."""
        self._count = self._count + 1 if going_on else 0
        return self._count > self._ticks


class Fingers:
    """Sets the gripper's width and waits until the fingers have come to rest."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._ticks = 0
        self._moving = False
        self._last = np.inf

    def set(self, opening: float | None) -> None:
        """Order an opening (1 open, 0 closed); None leaves the gripper as it is."""
        if opening is None:
            return
        width = OPEN if opening > 0.5 else CLOSED
        if width != self._means.width:
            self._means.width, self._moving, self._ticks = width, True, 0

    def settled(self, obs: Observation) -> bool:
        """Whether the fingers rest, or have had all the time that they get."""
        width = float(obs["gripper"][0])
        self._ticks += 1
        rests = abs(width - self._last) < RESTS and self._ticks >= GRIP_TICKS[0]
        self._last = width
        self._moving = self._moving and not rests and self._ticks < GRIP_TICKS[1]
        return not self._moving


def holds(obs: Observation) -> bool:
    """Whether both pads press on something between them."""
    left, right = np.linalg.norm(np.asarray(obs["touch"]).reshape(2, 3), axis=1)
    return bool(obs["gripper"][0] > HELD_WIDTH and min(left, right) > HELD_FORCE)


def best_goal(goal: DenseMap, tool_world: Floats) -> Floats:
    """(3,) m, world: of the nodes of the highest value the one nearest to the tool."""
    best = goal.values.max()
    if best <= 0:
        raise PlannerError("the affordance map has no goal: no voxel was given a value above 0")
    nodes = np.argwhere(goal.values == best)
    away = np.linalg.norm(goal.grid.to_world(nodes) - tool_world, axis=1)
    return goal.grid.to_world(goal.exact(nodes[int(away.argmin())]))


def _at_least_two(points: Floats) -> Floats:
    return points if len(points) > 1 else np.repeat(points, 2, axis=0)


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


def _lined_up(tool: Floats, aim: Aim, approach: float) -> bool:
    """Whether the tool already stands on the straight way in."""
    away = aim.goal - tool[:3]
    along = float(away @ aim.axis)
    beside = float(np.linalg.norm(away - along * aim.axis))
    turned = pose_error(tool, np.concatenate([tool[:3], aim.quat]))[1]
    return 0.0 <= along <= approach + 0.02 and beside < 0.01 and turned < 0.1
