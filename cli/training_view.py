"""A training as it is watched: a line of progress, and event files for TensorBoard."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from ..agents import train

EVERY = 100
"""Steps between two lines of the event file."""

RECENT = 1000
"""Steps over which the human share is taken."""


class TrainingView:
    """Shows a training that goes on from `counters` to `steps`; a context manager. Event files go into `folder`."""

    def __init__(self, screen: Console, folder: Path, counters: train.Counters, *, steps: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[told]}"))
        self._bar = Progress(*columns, console=screen, transient=True)
        self._task = self._bar.add_task("", total=steps, completed=counters.steps, told="")
        self._log = SummaryWriter(str(folder), purge_step=counters.steps + 1)
        self._points = len(counters.curve)

    def update(self, progress: train.Progress) -> None:
        """Show a step."""
        counters = progress.counters
        for step, success in counters.curve[self._points :]:
            self._log.add_scalar("success", success, step)
        self._points = len(counters.curve)
        if counters.steps % EVERY:
            return
        for name, value in progress.metrics.items():
            self._log.add_scalar(name, value, counters.steps)
        share = human_share(counters)
        self._log.add_scalar("human share", share, counters.steps)
        latest = f"success {counters.curve[-1][1]:.2f}  " if counters.curve else ""
        told = f"{latest}human {share:.0%}  {counters.steps / counters.seconds:.0f} steps/s"
        self._bar.update(self._task, completed=counters.steps, told=told)

    def __enter__(self) -> TrainingView:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._bar.stop()
        self._log.close()


def human_share(counters: train.Counters) -> float:
    """The share of the last `RECENT` steps at which a person acted."""
    window = min(RECENT, counters.steps)
    acted = len(counters.human_at) - bisect_left(counters.human_at, counters.steps - window)
    return acted / window
