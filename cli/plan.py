"""`valuefield plan`: one instruction end to end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import tyro
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..agents.evaluate import drive
from ..envs.episodes import EpisodeHeader, EpisodeWriter, Step
from ..planners.film import CAMERAS as FILM_CAMERAS
from ..planners.film import Film
from ..planners.report import REPORT, VIDEO, VIEW, Report
from ..robots.cameras.simulated import SimCameras
from ..robots.clock import RealClock
from .output import CommonArgs, console, emit

if TYPE_CHECKING:
    from ..envs.tabletop.env import TabletopEnv
    from ..envs.tabletop.task import Task
    from ..planners.execute import Executor

TABLE = "table"
"""What is grasped stands on it, and the arm itself touching it is a violation: it is not counted a second time."""

VIDEO_SIZE = (360, 480)
"""Rows and columns of each of the two pictures of the video."""


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """Do what a sentence says: perceive, compose value maps, plan, move, replan. Leaves a video, a view, a report."""

    instruction: tyro.conf.Positional[str]
    """What the arm should do, such as "open the top drawer"."""
    env: str = "tabletop/open_drawer"
    """Environment."""
    variation: int | None = None
    """Variation of the task; by default the one whose sentences include the instruction."""
    llm: str = "rules"
    """Who writes the language programs: `rules`, which needs no network, or `openai`, an endpoint of that protocol."""
    detector: str = "oracle"
    """Who finds the objects: `oracle` (the simulator's masks) or `open-vocabulary`."""
    detector_folder: Path | None = None
    """Folder of the open-vocabulary models."""
    realtime: bool = False
    """Let time run while the planner thinks: the arm follows its last path at 20 Hz meanwhile."""


def run(args: Args) -> int:
    """Run the instruction; 0 when the task succeeded (or, unjudged, all sub-goals were reached), else 1."""
    from ..agents.load import PolicyOptions, load_policy
    from ..envs.tabletop import make

    out = console(args)
    env = make(args.env, action="joint")
    options = PolicyOptions(
        args.llm, args.detector, args.detector_folder, args.out / "replies", args.seed, args.realtime
    )
    try:
        report = _Run(args, env, load_policy("voxposer", env, options), out).report()  # type: ignore[arg-type]
    finally:
        env.close()
    report.write()
    out.print(report.table())
    out.print(f"video  {args.out}/{VIDEO}\nview   {args.out}/{VIEW}\nreport {args.out}/{REPORT}")
    emit(args, report.as_json())
    return 0 if report.done else 1


class _Run:
    """One instruction under way, with all that is kept of it."""

    def __init__(self, args: Args, env: TabletopEnv, executor: Executor, out: Console) -> None:
        self._args, self._env, self._executor, self._out = args, env, executor, out
        self._tally = Tally()
        self._judged = args.variation
        if self._judged is None:
            self._judged = matching_variation(env.task, args.instruction)

    def report(self) -> Report:
        """Run to the end and report."""
        began, args = perf_counter(), self._args
        options = {} if self._judged is None else {"variation": self._judged}
        obs, info = self._env.reset(seed=args.seed, options=options)
        info["instruction"] = args.instruction
        header = EpisodeHeader(args.env, args.instruction, "joint", self._env.ctrl_dt, args.seed, info["variation"])
        rig = SimCameras(self._env.world.model, self._env.world.data, FILM_CAMERAS, VIDEO_SIZE)
        with (
            EpisodeWriter(args.out / "episodes", header, obs) as journal,
            Film(args.out, args.instruction, rig, ctrl_dt=self._env.ctrl_dt) as film,
        ):
            self._drive(obs, info, journal, film)
            success = self._tally.success if self._judged is not None else None
            journal.finish(success)
        return self._report(success, perf_counter() - began)

    def _drive(self, obs: dict[str, Any], info: dict[str, Any], journal: EpisodeWriter, film: Film) -> None:
        """Act until the episode is over, or the plan is done and things have come to rest."""
        executor, clock = self._executor, RealClock()
        with Live(console=self._out, refresh_per_second=8, transient=True) as live:
            for tick in drive(executor, self._env, obs, info):
                journal.step(Step(tick.info["action_sent"], tick.reward, tick.terminated, tick.truncated), tick.obs)
                self._tally.add(tick.info, executor.named)
                film.shoot(executor, tick.obs["ee_pose"])
                live.update(Text(executor.status.line()))
                if self._args.realtime:
                    clock.wait(self._env.ctrl_dt)
        executor.end(success=self._tally.success)

    def _report(self, success: bool | None, seconds: float) -> Report:
        args, executor = self._args, self._executor
        return Report(
            success=success,
            instruction=args.instruction,
            env=args.env,
            variation=self._judged,
            seed=args.seed,
            llm=args.llm,
            detector=args.detector,
            subgoals=executor.reports,
            planning_ms=executor.planning_ms,
            collisions=self._tally.collisions,
            violations=dict(self._tally.violations),
            seconds=seconds,
            folder=args.out,
        )


def matching_variation(task: Task, instruction: str) -> int | None:
    """The first variation one of whose sentences is the instruction, but for case, spaces and a full stop."""
    wanted = _plain(instruction)
    for k in range(task.variation_count):
        if wanted in map(_plain, task.templates(k)):
            return k
    return None


def _plain(sentence: str) -> str:
    return " ".join(sentence.lower().strip(" .!").split())


class Tally:
    """Counts what the simulator saw go wrong, step by step."""

    def __init__(self) -> None:
        self.success = False
        self.collisions = 0
        self.violations: Counter[str] = Counter()

    def add(self, info: dict[str, Any], named: tuple[str, ...]) -> None:
        """Add a step's info. named: what the sub-goal names, and may touch."""
        self.success = self.success or bool(info["success"])
        touched = {other for _, other, _ in info.get("collisions", ())}
        self.collisions += any(not _is_named(other, named) for other in touched - {TABLE})
        self.violations.update(info.get("violations", {}))


def _is_named(name: str, named: tuple[str, ...]) -> bool:
    """Whether a thing, or one of its parts, is among the names."""
    return any(each == name or each.startswith(f"{name} ") for each in named)
