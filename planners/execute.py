"""The closed loop: sub-goal after sub-goal is observed, composed, planned and moved until it is reached or given up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..envs.perception.detector import Detector
from ..envs.perception.scene import Scene
from ..envs.robot_env import RobotEnv
from ..robots.state import JointTarget
from .arm_path import ArmPlanner
from .grid import Grid
from .language.subgoal import GRIPPER, SubGoal
from .pushing import PushStage
from .reach import ReachStage
from .report import SubGoalReport
from .stage import AtOnce, Means, Observation, Outcome, Settings, Stage, View
from .tool_path import Pace
from .watch import Watcher


class Planner(Protocol):
    """What turns language into sub-goals."""

    def plan(self, instruction: str, scene: Scene) -> list[str]:
        """Sentences, one a sub-task, for an instruction."""
        ...

    def compose(self, text: str, scene: Scene) -> list[SubGoal]:
        """The sub-goals of one sub-task."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """What the executor is at. planning_ms: of the newest replan. distance: m to the goal, None without one."""

    text: str
    number: int
    planning_ms: float | None
    distance: float | None

    def line(self) -> str:
        """The status in words."""
        parts = [f"{self.number}. {self.text}"] if self.text else ["done"]
        if self.planning_ms is not None:
            parts.append(f"replan {self.planning_ms:.0f} ms")
        if self.distance is not None:
            parts.append(f"{100 * self.distance:.1f} cm to go")
        return "   ".join(parts)


class Executor:
    """An actor that carries out sub-goals in a `RobotEnv`, acting only through the actions it returns.

    `act` is one tick: it looks, plans or moves on, and simulated time stands still meanwhile; with `realtime` it plans
    in a thread beside and follows its last path until the new one is there. When `finished`, it holds the arm;
    `succeeded` says whether every sub-goal was reached.
    """

    def __init__(
        self,
        env: RobotEnv,
        planner: Planner,
        detector: Callable[[dict[str, Any]], Detector],
        *,
        settings: Settings | None = None,
        realtime: bool = False,
        seed: int = 0,
    ) -> None:
        self._env, self._planner, self._detector = env, planner, detector
        self._settings, self._seed = settings or Settings(), seed
        self._thinker = ThreadPoolExecutor(1) if realtime else AtOnce()

    def reset(self, obs: Observation, info: dict[str, Any]) -> None:
        """Begin `info["instruction"]`: look once and plan its sub-tasks. Raises what the planner raises."""
        robot = self._env.robot
        own = deepcopy(robot.kinematics)  # the environment's may be at work while a thought is
        arm = ArmPlanner(own, robot.limits, np.random.default_rng(self._seed), Pace(dt=self._env.ctrl_dt))
        watcher = Watcher(self._env, self._detector(info), own)
        self._means = Means(
            watcher,
            arm,
            robot.kinematics,
            Grid.workspace(),
            self._settings,
            self._thinker,
            markers=tuple(info.get("markers", ())),
        )
        self.reports: list[SubGoalReport] = []
        self.finished = False
        self._queue: deque[SubGoal] = deque()
        self._text = self._text_before = ""
        self._setbacks = 0
        self._named: tuple[str, ...] = ()
        self._now = self._since = 0.0
        self._stage: Stage | None = None
        self._tries = 0
        self._texts = deque(self._planner.plan(info["instruction"], watcher.look(self._settings.cameras)))

    @property
    def succeeded(self) -> bool:
        """Whether the plan is done and every sub-goal of it was reached."""
        return self.finished and all(report.reached for report in self.reports)

    @property
    def reason(self) -> str:
        """Why the newest sub-goal that was not reached was not; empty if all were."""
        return next((f"{r.text}: {r.reason}" for r in reversed(self.reports) if not r.reached), "")

    @property
    def planning_ms(self) -> list[float]:
        """How long each replan took so far, looking included, ms."""
        return self._means.planning_ms

    @property
    def view(self) -> View | None:
        """The newest scene, maps and path."""
        return self._means.view

    @property
    def current(self) -> SubGoal | None:
        """The sub-goal under way."""
        return self._queue[0] if self._queue else None

    @property
    def status(self) -> Status:
        """A line's worth of progress."""
        text = self.current.text if self.current is not None else ""
        latest = self.planning_ms[-1] if self.planning_ms else None
        return Status(text, len(self.reports) + 1, latest, self._stage.distance if self._stage else None)

    @property
    def named(self) -> tuple[str, ...]:
        """What the sub-goal under way, or the one before it, names: the things that may be touched now."""
        held = self._means.watcher.held
        return self._named if held is None else (*self._named, held)

    def end(self, *, success: bool) -> None:
        """Report the sub-goal under way when the episode is over before it is."""
        if self._stage is not None:
            reason = "the task was done" if success else "the episode ended"
            self._tries += 1
            self._report(Outcome(success, reason))
        self._stage, self.finished = None, True

    def act(self, obs: Observation) -> NDArray[np.floating[Any]]:
        """The action for this control tick, in the environment's own action space."""
        self._now = float(obs["time"][0])
        return self._env.encode(self._target(obs))

    def _target(self, obs: Observation) -> JointTarget:
        if self._stage is None and not self.finished:
            self._begin(obs)
        if self._stage is None:
            return self._means.order(self._resting)
        target = self._stage.tick(obs)
        if self._stage.outcome is not None:
            self._end(self._stage.outcome, target)
        return target

    def _begin(self, obs: Observation) -> None:
        """Start the next sub-goal, or the same one once more, composed anew from what is seen now."""
        self._resting = np.array(obs["q"], np.float64)
        if self._tries > 0:
            left = len(self._queue)
            self._queue = deque(self._compose(self._text)[-left:])
        while not self._queue and self._texts:
            self._text_before, self._text = self._text, self._texts.popleft()
            self._queue.extend(self._compose(self._text))
        if not self._queue:
            self.finished = True
            return
        if self._tries == 0:
            self._since = self._now
        subgoal = self._queue[0]
        self._named = subgoal.targets
        self._stage = (ReachStage if subgoal.movable == GRIPPER else PushStage)(subgoal, self._means)

    def _compose(self, text: str) -> list[SubGoal]:
        return self._planner.compose(text, self._means.watcher.look(self._settings.cameras))

    def _end(self, outcome: Outcome, target: JointTarget) -> None:
        self._stage, self._resting = None, target.q
        self._tries += 1
        if outcome.dropped and self._setbacks < self._settings.tries and self._text_before:
            self._go_back()
            return
        if not outcome.reached and self._tries < self._settings.tries:
            return
        self._report(outcome)
        self.finished = not outcome.reached

    def _go_back(self) -> None:
        """Do the sub-task before once more, as when what it picked up was dropped."""
        self._setbacks += 1
        self._queue.clear()
        self._texts.extendleft([self._text, self._text_before])
        self._text, self._tries = "", 0

    def _report(self, outcome: Outcome) -> None:
        done = self._queue.popleft()
        seconds = self._now - self._since
        self.reports.append(
            SubGoalReport(done.text, done.program, outcome.reached, outcome.reason, seconds, self._tries)
        )
        self._tries = 0
