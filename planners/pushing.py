"""The stage that moves an object rather than the gripper: the object's own path, followed push by push."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..robots.errors import PlannerError
from ..robots.geometry import quat_from_axes
from ..robots.state import JointTarget
from .aim import single_goal
from .arm_path import Reach
from .field import Field
from .fingers import CLOSED
from .language.subgoal import SubGoal
from .path import plan_path
from .push import Push, plan_push
from .stage import Means, Observation, Outcome
from .value_map import ValueMaps

Floats = NDArray[np.float64]

MOST_PUSHES = 14
HALF_FINGER = 0.009
"""m from the tool point to the face of the closed fingers that is across their closing axis."""

ASIDE = 0.01
"""m by which the object's path may leave the straight line of one push."""

ABOVE, BACK = 0.10, 0.05
"""m the gripper comes down to a push and rises after it, and backs off before it rises."""

ROOM = 0.02
"""m between the place where a push begins and the nearest obstacle."""

DOWN = np.array([0.0, 0.0, -1.0])
UP = -DOWN


@dataclass(frozen=True, slots=True)
class PushPlan:
    """The next push. rows: (m, 7) rad, one a tick, None where there is none. distance: m from object to goal."""

    rows: Floats | None
    distance: float | None
    why: str = ""


class PushStage:
    """Looks, plans the object's path, pushes it along the first straight stretch, and looks again until it is there."""

    def __init__(self, subgoal: SubGoal, means: Means) -> None:
        self.outcome: Outcome | None = None
        self.distance: float | None = None
        self._subgoal, self._means = subgoal, means
        self._thought: Future[PushPlan] | None = None
        self._rows: deque[Floats] = deque()
        self._pushes = 0

    def tick(self, obs: Observation) -> JointTarget:
        """Give the target for the next control tick."""
        self._means.fingers.set(0.0)
        q = np.array(obs["q"], np.float64)
        if not self._rows:
            self._think(q)
        return self._means.order(self._rows.popleft() if self._rows else q)

    def _think(self, q: Floats) -> None:
        if self._thought is None:
            self._thought = self._means.think(self._plan, self._means.settings.cameras, q)
        if self._thought.done():
            plan, self._thought = self._thought.result(), None
            self._adopt(plan)

    def _adopt(self, plan: PushPlan) -> None:
        self.distance = plan.distance
        if plan.distance is not None and plan.distance <= self._means.settings.reached:
            self.outcome = Outcome(True, "reached", plan.distance)
        elif plan.rows is None:
            self.outcome = Outcome(False, plan.why, plan.distance)
        elif self._pushes == MOST_PUSHES:
            self.outcome = Outcome(False, f"not there after {MOST_PUSHES} pushes", plan.distance)
        else:
            self._pushes += 1
            self._rows.extend(plan.rows)

    def _plan(self, scene: Scene, q: Floats) -> PushPlan:
        name, means = self._subgoal.movable, self._means
        thing = scene.find(name)
        if thing is None:
            raise PlannerError(f"{name!r}, which is to be pushed, is not visible")
        others = means.obstacles(scene, self._subgoal.targets)
        radius = float(np.linalg.norm(thing.box.half_sizes[:2]))
        path = means.path(means.compose(scene, self._subgoal), others, thing.center, radius=radius, planar=True)
        if path.points_world is None:
            return PushPlan(None, None, path.reason)
        distance = float(np.linalg.norm((path.points_world[-1] - thing.center)[:2]))
        stretch = farthest_straight(path.points_world)
        push = plan_push(thing.points, stretch, free=lambda points: self._room(points, others))
        rows = self._rows_of(push, q, others, means.obstacles(scene, ()))
        return PushPlan(rows, distance, f"the arm cannot push the {name} from there")

    def _rows_of(self, push: Push, q: Floats, others: Field, everything: Field) -> Floats | None:
        """Joint rows of the way to the push, the stroke and the way off."""
        way_to = self._way_to(push, q, everything)
        rows, quat = [], _across(push)
        for reach, obstacles in ((way_to, everything), (_stroke(push), others), (_way_off(push), others)):
            path = None if reach is None else self._means.follow(q, replace(reach, quat=quat), obstacles)
            if path is None:
                return None
            rows.append(path.rows)
            q, quat = path.rows[-1], path.goal[3:]  # the way to it may have ended with the wrist the other way round
        return np.vstack(rows)

    def _room(self, points: Floats, others: Field) -> NDArray[np.bool_]:
        """Whether the gripper can start at each of the points (K, 3), and come down to it."""
        inside = self._means.grid.inside(self._means.grid.to_index(points))
        return np.asarray(inside & (others.distance_at(points + ROOM * UP) >= ROOM))

    def _way_to(self, push: Push, q: Floats, everything: Field) -> Reach | None:
        start = self._means.tool_point(q)
        above = push.before + ABOVE * UP
        path = plan_path(ValueMaps(goal=single_goal(self._means.grid, above)), everything, start)
        if path.points_world is None:
            return None
        points = np.vstack([path.points_world, above])
        return Reach(points, _across(push), approach=ABOVE, width=CLOSED)


def farthest_straight(points: Floats) -> Floats:
    """The last of the points (n, 3) up to which a path keeps within ASIDE of the straight line from its start."""
    for last in range(len(points) - 1, 1, -1):
        along = points[last] - points[0]
        share = np.clip((points[: last + 1] - points[0]) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
        if np.linalg.norm(points[: last + 1] - points[0] - share[:, None] * along, axis=1).max() <= ASIDE:
            return np.asarray(points[last])
    return np.asarray(points[min(1, len(points) - 1)])


def _across(push: Push) -> Floats:
    """The rotation of a hand that points down, its fingers closing across the push."""
    quat: Floats = quat_from_axes(DOWN, np.cross(UP, push.direction))
    return quat


def _stroke(push: Push) -> Reach:
    end = push.end - HALF_FINGER * push.direction
    return Reach(np.stack([push.before, end]), _across(push), width=CLOSED, loaded=True, detour=False)


def _way_off(push: Push) -> Reach:
    end = push.end - HALF_FINGER * push.direction
    back = end - BACK * push.direction
    return Reach(np.stack([end, back, back + ABOVE * UP]), _across(push), width=CLOSED, detour=False)
