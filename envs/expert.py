"""The scripted expert: does a tabletop task from the simulator's own state, one control step at a time."""

from __future__ import annotations

import numpy as np

from ..robots.geometry import pose_error
from ..robots.state import Floats, JointTarget
from .actions import Action
from .approach import BACK, BACK_SPEED, Approach, Route
from .keyframe import Keyframe, behind, near
from .observations import Observation
from .robot_env import Info
from .straight import StraightMove, brake
from .tabletop.env import TabletopEnv

ON_ROUTE = 0.08
"""rad, the farthest a joint may be from a route that is still followed."""

AT_REST = 0.05
"""rad/s of the fastest joint, below which a route may begin."""


class ScriptedExpert:
    """An actor for any `TabletopEnv`: it follows the last keyframe of the task whose condition holds now.

    It keeps no count of what it has done, so it can take over anywhere; the route it remembers is only a plan, dropped
    as soon as the arm is not on it.
    """

    def __init__(self, env: TabletopEnv) -> None:
        self._env = env
        self._approach = Approach(env.world, env.task, env.robot)
        self._straight = StraightMove(env.robot.kinematics, env.robot.limits, env.ctrl_dt)

    def reset(self, obs: Observation, info: Info) -> None:
        """Forget the episode before."""
        self._route: Route | None = None
        self._grip: Floats | None = None
        self._failed_at: Floats | None = None
        self._rng = np.random.default_rng(0)

    def act(self, obs: Observation) -> Action:
        """The action for now; `obs` is not looked at."""
        keyframe = self._active()
        q = self._line(keyframe.pose, keyframe.speed) if keyframe.straight else self._free(keyframe)
        return self._env.encode(JointTarget(q, keyframe.width))

    def _active(self) -> Keyframe:
        """The keyframe to follow now, with the grip of the last route, or else the one with which most is done."""
        world, task = self._env.world, self._env.task
        grips = self._approach.grips if self._grip is None else [self._grip]
        frames = [task.keyframes(world, grip) for grip in grips]
        done = [max(k for k, frame in enumerate(stages) if frame.when) for stages in frames]
        best = int(np.argmax(done))
        return frames[best][done[best]]

    def _free(self, keyframe: Keyframe) -> Floats:
        """The next joints on a route to the keyframe, which is looked for if there is none."""
        row = self._next_row(keyframe)
        if row is not None:
            return row
        anchor = self._env.anchor
        back = self._approach.way_back(anchor.q, keyframe.touches)
        if back is not None:
            return self._line(back, BACK_SPEED)
        if np.abs(anchor.dq).max() > AT_REST:
            return brake(anchor.q, anchor.dq, self._env.robot.limits, self._env.ctrl_dt)
        return self._plan(keyframe)

    def _plan(self, keyframe: Keyframe) -> Floats:
        """The first joints of a new route; where none is found, nor was from nearby, those of a step back."""
        q = self._env.anchor.q
        if self._failed_at is None or np.abs(q - self._failed_at).max() > ON_ROUTE:
            self._route = self._approach.route(keyframe.name, q, self._rng)
            self._failed_at = q if self._route is None else None
        if self._route is None:
            return self._line(behind(self._env.anchor.pose, BACK), BACK_SPEED)
        self._grip = self._route.grip
        return np.asarray(self._route.rows[1])

    def _next_row(self, keyframe: Keyframe) -> Floats | None:
        """The next joints on the route, at its end what is left to the keyframe; None if it is of no use now."""
        route = self._route
        if route is None or route.keyframe.name != keyframe.name or not near(route.keyframe.pose, keyframe.pose):
            return None
        at = self._place_on(route.rows)
        if at is not None and at + 1 == len(route.rows):
            return self._line(keyframe.pose, speed=0.1)
        return None if at is None else np.asarray(route.rows[at + 1])

    def _place_on(self, rows: Floats) -> int | None:
        """Index of the row where the arm is; None if it is not on the route.

        With actions of the tool the elbow may be elsewhere, and the tool alone tells.
        """
        off = np.abs(rows - self._env.anchor.q).max(axis=1)
        if off.min() < ON_ROUTE:
            return int(np.argmin(off))
        poses = np.array([self._env.robot.kinematics.tool_pose(row) for row in rows])
        off = np.array([sum(pose_error(pose, self._env.anchor.pose)) for pose in poses])
        return int(np.argmin(off)) if off.min() < ON_ROUTE else None

    def _line(self, pose: Floats, speed: float) -> Floats:
        """The next joints on the straight line to a pose."""
        anchor = self._env.anchor
        return self._straight.step(anchor.q, anchor.dq, pose, speed)
