"""What the stages of a sub-goal share: the means they work with, the orders they give, how they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.scene import Scene
from ..robots.geometry import rotate
from ..robots.kinematics import ArmKinematics
from ..robots.state import JointTarget
from .aim import APPROACH
from .arm_path import ArmPath, ArmPlanner, Reach
from .field import Field
from .fingers import Fingers
from .grid import Grid
from .language.subgoal import SubGoal
from .path import PathResult, plan_path
from .value_map import ValueMaps
from .watch import Watcher

Floats = NDArray[np.float64]
Observation = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

GRIP_FORCE = 20.0
"""N a finger."""

CLEAR, LONGEST_APPROACH = 0.03, 0.40
"""m, m: the straight way in to a contact begins, and the way out ends, this far from everything; neither is longer."""

CONTACT = 0.02
"""m to the nearest obstacle: a tool that is nearer is in contact."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a plan is carried out. All cameras look when a sub-goal starts, the two of `glance` at every replan."""

    cameras: tuple[str, ...] = ("front", "left_shoulder", "right_shoulder", "overhead", "wrist")
    glance: tuple[str, str] = ("front", "overhead")
    replan_ticks: int = 4  # control ticks between two replans: 5 Hz at 0.05 s
    backing: float = 0.20  # m, arm poses from which the arm can back out this far are preferred for a grasp
    reached: float = 0.015  # m, a goal counts as reached within this
    tries: int = 2  # attempts at a sub-goal, each from a fresh look


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sub-goal ended. distance: m from the tool point (or the moved object) to the goal, None without a goal.

    dropped: whether what the hand held was lost on the way.
    """

    reached: bool
    reason: str
    distance: float | None = None
    dropped: bool = False


@dataclass(slots=True)
class View:
    """The newest plan, for those who draw it. path_world: (n, 3) m, or None where there was no path."""

    maps: ValueMaps
    path_world: Floats | None = None


@dataclass(slots=True)
class Means:
    """What every stage works with, and the record it keeps.

    thinker: runs thoughts, at once or beside the moving arm.
    markers: names of things that can be seen and not touched. planning_ms: of every replan, looking included.
    """

    watcher: Watcher
    arm: ArmPlanner
    kinematics: ArmKinematics
    grid: Grid
    settings: Settings
    thinker: Executor
    markers: tuple[str, ...] = ()
    fingers: Fingers = field(default_factory=Fingers)
    planning_ms: list[float] = field(default_factory=list)
    view: View | None = None

    def think(
        self, plan: Callable[Concatenate[Scene, P], T], cameras: Sequence[str], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Look through `cameras` now, and let `plan(scene, ...)` be worked out by the thinker."""
        began = perf_counter()
        scene = self.watcher.look(cameras)

        def timed() -> T:
            result = plan(scene, *args, **kwargs)
            self.planning_ms.append(1e3 * (perf_counter() - began))
            return result

        return self.thinker.submit(timed)

    def compose(self, scene: Scene, subgoal: SubGoal) -> ValueMaps:
        """The maps of `subgoal` in `scene`, kept for drawing."""
        maps = subgoal.maps(scene)
        self.view = View(maps)
        return maps

    def obstacles(self, scene: Scene, ignore: Sequence[str]) -> Field:
        """One distance transform of everything in the scene but `ignore` and the markers."""
        left_out = [name for name in (*ignore, *self.markers) if name in scene.names]
        return Field(self.grid, scene.occupancy(self.grid, ignore=left_out))

    def path(
        self, maps: ValueMaps, obstacles: Field, start_world: Floats, *, radius: float = 0.04, planar: bool = False
    ) -> PathResult:
        """Plan over the maps (see `plan_path`), and keep the path for drawing."""
        result = plan_path(maps, obstacles, start_world, radius=radius, planar=planar)
        if self.view is not None:
            self.view.path_world = result.points_world
        return result

    def follow(self, q: Floats, reach: Reach, obstacles: Field, at_contact: Field | None = None) -> ArmPath | None:
        """Joint rows for `reach`. at_contact: the obstacles without what the approach is to touch."""
        return self.arm.plan(q, reach, obstacles.distance_at, at_contact.distance_at if at_contact else None)

    def approach_to(self, goal: Floats, axis: Floats, obstacles: Field) -> float:
        """How long, m, the straight way in along `axis` to `goal` must be to begin clear of all `obstacles`."""
        return self._clear_length(np.arange(APPROACH, LONGEST_APPROACH, 0.01), goal, axis, obstacles)

    def way_out(self, tool: Floats, obstacles: Field) -> Floats:
        """(k, 3) m: where the tool is, and, if that is a contact, where it is clear of it straight back out."""
        if obstacles.distance_at(tool[None, :3])[0] >= CONTACT:
            return tool[None, :3]
        axis = rotate(tool[3:], np.array([0.0, 0.0, 1.0]))
        length = self._clear_length(np.arange(0.02, LONGEST_APPROACH, 0.01), tool[:3], axis, obstacles)
        return np.stack([tool[:3], tool[:3] - length * axis]) if length else tool[None, :3]

    def _clear_length(self, lengths: Floats, point: Floats, axis: Floats, obstacles: Field) -> float:
        """The first of `lengths`, m, back along `axis` from `point` that ends inside the grid and clear; 0 if none."""
        ends = point - lengths[:, None] * axis
        good = self.grid.inside(self.grid.to_index(ends)) & (obstacles.distance_at(ends) >= CLEAR)
        return float(lengths[good][0]) if good.any() else 0.0

    def tool_point(self, q: Floats) -> Floats:
        """(3,) m, world, at joints `q` (n,)."""
        return self.kinematics.tool_pose(q)[:3]

    def order(self, q: Floats) -> JointTarget:
        """The next joint target with the gripper as it should be now."""
        return JointTarget(q, self.fingers.width, GRIP_FORCE)


class Stage(Protocol):
    """One sub-goal under way. `outcome` is None until it has ended; `distance` is m to the goal, if known."""

    outcome: Outcome | None
    distance: float | None

    def tick(self, obs: Observation) -> JointTarget:
        """Give the target for the next control tick; never waits."""
        ...


class AtOnce(Executor):
    """Works a thought out while the caller waits: for simulated time, which stands still meanwhile."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` now."""
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
