"""The stage that moves an object rather than the gripper: the object's own path, followed push by push."""

from __future__ import annotations

from collections import deque
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..envs.perception.scene_object import SceneObject
from ..robots.errors import PlannerError
from ..robots.geometry import quat_from_axes
from ..robots.state import JointTarget
from .arm_path import Reach
from .field import Field
from .language.subgoal import SubGoal
from .path import plan_path
from .push import Push, plan_push
from .reach import single_goal
from .stage import CLOSED, Means, Observation, Outcome
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


class PushStage:
    """Looks, plans the object's path, pushes it along the first straight stretch, and looks again until it is there."""

    def __init__(self, subgoal: SubGoal, means: Means) -> None:
        self.outcome: Outcome | None = None
        self.distance: float | None = None
        self._subgoal, self._means = subgoal, means
        self._rows: deque[Floats] = deque()
        self._pushes = 0

    def tick(self, obs: Observation) -> JointTarget:
        """Give the target for the next control tick."""
        self._means.width = CLOSED
        q = np.array(obs["q"], np.float64)
        if not self._rows:
            self._look_and_push(q)
        return self._means.order(self._rows.popleft() if self._rows else q)

    def _look_and_push(self, q: Floats) -> None:
        began = perf_counter()
        scene, maps = self._means.see(self._means.settings.cameras, self._subgoal)
        thing = self._thing(scene)
        stretch = self._stretch(thing, maps, scene)
        if self.distance is not None and self.distance <= self._means.settings.reached:
            self.outcome = Outcome(True, "reached", self.distance)
        elif stretch is None or self._pushes == MOST_PUSHES:
            self.outcome = Outcome(False, self._why, self.distance)
        else:
            self._push(q, thing, stretch, scene)
        self._means.timed(began)

    _why = f"not there after {MOST_PUSHES} pushes"

    def _thing(self, scene: Scene) -> SceneObject:
        found = scene.find(self._subgoal.movable)
        if found is None:
            raise PlannerError(f"{self._subgoal.movable!r}, which is to be pushed, is not visible")
        return found

    def _stretch(self, thing: SceneObject, maps: ValueMaps, scene: Scene) -> Floats | None:
        """(3,) m: how far along its own path the object can be pushed in a straight line; sets `distance`."""
        field = self._means.obstacles(scene, self._subgoal.targets)
        radius = float(np.linalg.norm(thing.box.half_sizes[:2]))
        result = plan_path(maps, field, thing.center, radius=radius, planar=True)
        if self._means.view is not None:
            self._means.view.path_world = result.points_world
        if result.points_world is None:
            self._why = result.reason
            return None
        self.distance = float(np.linalg.norm((result.points_world[-1] - thing.center)[:2]))
        return farthest_straight(result.points_world)

    def _push(self, q: Floats, thing: SceneObject, target: Floats, scene: Scene) -> None:
        means = self._means
        others = means.obstacles(scene, self._subgoal.targets)
        everything = means.obstacles(scene, ())
        push = plan_push(thing.points, target, free=lambda points: self._room(points, others))
        self._pushes += 1
        legs = ((self._way_to(push, q, everything), everything), (_stroke(push), others), (_way_off(push), others))
        for reach, field in legs:
            path = None if reach is None else means.follow(q, reach, field)
            if path is None:
                self._rows.clear()
                self.outcome = Outcome(False, f"the arm cannot push {self._subgoal.movable} from there", self.distance)
                return
            self._rows.extend(path.rows)
            q = path.rows[-1]

    def _room(self, points: Floats, others: Field) -> NDArray[np.bool_]:
        """Whether the gripper can start at each of the points (K, 3), and come down to it."""
        inside = self._means.grid.inside(self._means.grid.to_index(points))
        return np.asarray(inside & (others.distance_at(points + ROOM * UP) >= ROOM))

    def _way_to(self, push: Push, q: Floats, everything: Field) -> Reach | None:
        start = self._means.kinematics.tool_pose(q)[:3]
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
            return points[last]
    return points[-1] if len(points) == 1 else points[1]


def _across(push: Push) -> Floats:
    """The rotation of a hand that points down, its fingers closing across the push."""
    return quat_from_axes(DOWN, np.cross(UP, push.direction))


def _stroke(push: Push) -> Reach:
    end = push.end - HALF_FINGER * push.direction
    return Reach(np.stack([push.before, end]), _across(push), width=CLOSED, gentle=True, detour=False)


def _way_off(push: Push) -> Reach:
    end = push.end - HALF_FINGER * push.direction
    back = end - BACK * push.direction
    return Reach(np.stack([end, back, back + ABOVE * UP]), _across(push), width=CLOSED, detour=False)
