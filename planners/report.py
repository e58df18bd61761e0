"""What a run of one instruction came to: `report.json` and the table that is printed at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from ..robots.errors import BadInput

REPORT, VIDEO, VIEW = "report.json", "video.mp4", "view.html"
"""Names of a run's files in its folder."""


@dataclass(frozen=True, slots=True)
class SubGoalReport:
    """How one sub-goal went. program: what the language model wrote for it. seconds: of the robot's time.

    reason: why it ended as it did. tries: attempts made.
    """

    text: str
    program: str
    reached: bool
    reason: str
    seconds: float
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """One instruction, end to end.

    success: None where no task judges the instruction. planning_ms: one entry a replan (observe, recompose, plan).
    collisions: control ticks with more than 1 N between robot or held object and what no sub-goal names.
    violations: name of a limit -> how often it was broken, measured by the simulator at 500 Hz. seconds: wall clock.
    """

    success: bool | None
    instruction: str
    env: str
    variation: int | None
    seed: int
    llm: str
    detector: str
    subgoals: Sequence[SubGoalReport]
    planning_ms: Sequence[float]
    collisions: int
    violations: Mapping[str, int]
    seconds: float
    folder: Path = field(default=Path())

    @property
    def done(self) -> bool:
        """Whether the task succeeded or, where none judges, every sub-goal was reached."""
        if self.success is None:
            return bool(self.subgoals) and all(subgoal.reached for subgoal in self.subgoals)
        return self.success

    def as_json(self) -> dict[str, Any]:
        """Return the fields of `plan --json`; what breaks down a number follows it under a longer name."""
        plain = {
            name: getattr(self, name)
            for name in ("success", "instruction", "env", "variation", "seed", "llm", "detector")
        }
        return plain | {
            "subgoals": [asdict(subgoal) for subgoal in self.subgoals],
            "replans": len(self.planning_ms),
            "planning_ms": {"median": _quantile(self.planning_ms, 0.5), "p99": _quantile(self.planning_ms, 0.99)},
            "collisions": self.collisions,
            "violations": sum(self.violations.values()),
            "violations_by_limit": dict(self.violations),
            "seconds": round(self.seconds, 3),
            "video": str(self.folder / VIDEO),
            "view": str(self.folder / VIEW),
        }

    def write(self) -> Path:
        """Write `report.json` into the run's folder and return its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / REPORT
        path.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    def table(self) -> Group:
        """Sub-goals with their times, then a line of totals."""
        rows = Table("", "sub-goal", "", "tries", "s", "why", box=None, pad_edge=False)
        for number, each in enumerate(self.subgoals, 1):
            mark = "[green]reached" if each.reached else "[red]not reached"
            times = (str(each.tries), f"{each.seconds:.1f}")
            rows.add_row(str(number), escape(each.text), mark, *times, escape(each.reason))
        verdict = {True: "[green]succeeded[/]", False: "[red]failed[/]", None: "has no task that judges it"}[
            self.success
        ]
        broken = ", ".join(f"{name} {count}" for name, count in self.violations.items() if count) or "none"
        median = _quantile(self.planning_ms, 0.5)
        return Group(
            rows,
            f"{escape(repr(self.instruction))} {verdict}; {self.seconds:.1f} s in all",
            f"{len(self.planning_ms)} replans" + ("" if median is None else f", median {median:.0f} ms"),
            f"collisions: {self.collisions}; violations: {broken}",
        )


def read_report(folder: Path) -> dict[str, Any]:
    """Read the `report.json` of a run. Raises BadInput if there is none or it is not one."""
    path = folder / REPORT
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not the report of a run: {error}") from error
    if not (isinstance(report, dict) and "subgoals" in report):
        raise BadInput(f"{path} is not the report of a run: it lists no sub-goals")
    return report


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None
