"""The stage that brings the gripper to a goal of the value maps and works its fingers there."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..robots.state import JointTarget
from .arm_path import ArmPath
from .fingers import CLOSED, Patience, holds
from .language.subgoal import SubGoal
from .reach_plan import ReachPlan, ReachPlanner
from .stage import Means, Observation, Outcome

Floats = NDArray[np.float64]

BEHIND, STALL_TICKS = 0.03, 5
"""rad, ticks: the arm waits for a joint that is farther behind; after so long it has met something."""

SETTLE_TICKS = 12
DROP_TICKS = 3
"""A grip is lost when both pads have not pressed for longer."""


class ReachStage:
    """Plans on value maps, moves, replans while moving, then opens or closes the gripper as the map says."""

    def __init__(self, subgoal: SubGoal, means: Means) -> None:
        self.outcome: Outcome | None = None
        self.distance: float | None = None
        self._means, self._planner = means, ReachPlanner(subgoal, means)
        self._plan: ReachPlan | None = None
        self._thought: Future[ReachPlan] | None = None
        self._at = self._ticks = 0
        self._waiting = Patience(STALL_TICKS)
        self._settling = Patience(SETTLE_TICKS)
        self._dropping = Patience(DROP_TICKS)

    def tick(self, obs: Observation) -> JointTarget:
        """Give the target for the next control tick."""
        q = np.array(obs["q"], np.float64)
        self._think(q)
        path = self._path
        self._watch_the_grip(obs)
        if path is None or self.outcome is not None:
            return self._means.order(q)
        self.distance = float(np.linalg.norm(path.goal[:3] - obs["ee_pose"][:3]))
        if self._at == len(path.rows):
            self._arrive(obs, self.distance)
        elif self._keeps_up(q, path):
            self._at += 1
        return self._means.order(path.rows[max(self._at - 1, 0)])

    @property
    def _path(self) -> ArmPath | None:
        return None if self._plan is None else self._plan.path

    def _think(self, q: Floats) -> None:
        """Begin a thought when one is due, and act on it when it is done: at once, or some ticks later in real time."""
        means, settings = self._means, self._means.settings
        if self._thought is None and self._plan is None:
            self._thought = means.think(self._planner.plan, settings.cameras, q)
        elif self._thought is None and self._plan is not None and self._on_the_way():
            if self._ticks % settings.replan_ticks == 0:
                self._thought = means.think(self._planner.replan, settings.glance, q, self._plan, self._at)
        if self._thought is not None and self._thought.done():
            plan, self._thought = self._thought.result(), None
            self._adopt(plan, q)
        self._ticks += 1

    def _on_the_way(self) -> bool:
        return self._path is not None and self._at < self._path.approach

    def _adopt(self, plan: ReachPlan, q: Floats) -> None:
        if plan is self._plan or not (self._plan is None or self._on_the_way()):
            return
        if plan.path is None:
            away = None if plan.aim is None else float(np.linalg.norm(plan.aim.goal - self._means.tool_point(q)))
            self.outcome = Outcome(False, plan.why, away)
        else:
            if self._plan is None and plan.aim is not None and plan.aim.opening is not None and len(plan.path.rows) > 1:
                self._open_or_close(plan.aim.opening[0])
            # The arm has gone on while the plan was made: join it where it comes nearest.
            self._at = int(np.abs(plan.path.rows[: plan.path.approach] - q).max(axis=1).argmin()) if self._ticks else 0
        self._plan = plan

    def _watch_the_grip(self, obs: Observation) -> None:
        held = self._means.watcher.held
        if self._dropping.over(held is not None and self._means.fingers.width == CLOSED and not holds(obs)):
            self._means.watcher.held = None
            self.outcome = Outcome(False, f"lost the grip on the {held}", self.distance, dropped=True)

    def _keeps_up(self, q: Floats, path: ArmPath) -> bool:
        """Whether the arm is where it was sent. If it stays behind, something is in the way, and it stops there."""
        behind = self._at > 0 and float(np.abs(q - path.rows[self._at - 1]).max()) > BEHIND
        if self._waiting.over(behind) and self._plan is not None:
            rows = np.vstack([path.rows[: self._at - 1], q])
            self._plan = replace(self._plan, path=replace(path, rows=rows, approach=min(path.approach, len(rows))))
        return not behind

    def _arrive(self, obs: Observation, distance: float) -> None:
        """At the end of the path: wait for the arm, then for the fingers, then judge."""
        near = distance < 0.5 * self._means.settings.reached
        if not near and not self._settling.over(True):
            return
        aim = None if self._plan is None else self._plan.aim
        if aim is not None and aim.opening is not None:
            self._open_or_close(aim.opening[1])
        if self._means.fingers.settled(obs):
            self.outcome = self._judge(obs, distance)

    def _open_or_close(self, opening: float) -> None:
        self._means.fingers.set(opening)
        if opening > 0.5:
            self._means.watcher.held = None

    def _judge(self, obs: Observation, distance: float) -> Outcome:
        aim, means = None if self._plan is None else self._plan.aim, self._means
        if distance > means.settings.reached:
            return Outcome(False, f"stopped {100 * distance:.1f} cm short of the goal", distance)
        if aim is not None and aim.grasps:
            if not holds(obs):
                return Outcome(False, f"the fingers closed on nothing at the {aim.touches}", distance)
            means.watcher.held = aim.touches
        return Outcome(True, "reached", distance)
