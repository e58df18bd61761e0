"""`valuefield bench`: a performance table, against a baseline in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ..robots.errors import BadInput, UnknownName
from .cells import RESULTS, Cells
from .output import CommonArgs, console, emit

if TYPE_CHECKING:
    from ..planners.bench_planner import StageTime
    from ..planners.bench_row import Row


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """A performance table; in every row, a ratio above 1 means that ours is better than the baseline."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """Which: planner (paths among boxes, around a wall and into a bin, against greedy descent) or learner (updates,
    sampling and acting, against Stable-Baselines3's TD3)."""
    scenes: int = 30
    """Scenes of each class, of planner."""
    rounds: int = 60
    """Rounds over which the median is taken, of learner."""
    seed: int = 7
    """Seed of the scenes, anew for each class; of networks and rows."""
    results: bool = False
    """Add the table to benchmarks/results/NAME.jsonl too, not only to NAME.jsonl in the run's folder."""


def run(args: Args) -> int:
    """Measure, show and keep the table; 0 once it is complete, whatever the figures are."""
    if args.name not in BENCHES:
        raise UnknownName("bench", args.name, BENCHES)
    for name in ("scenes", "rounds"):
        if getattr(args, name) < 1:
            raise BadInput(f"--{name} is 1 or more, not {getattr(args, name)}")
    size, result = BENCHES[args.name](args, console(args))
    _keep(args, {"bench": args.name, **size, "seed": args.seed}, result)
    emit(args, {**result, "seed": args.seed})
    return 0


def _planner(args: Args, screen: Console) -> tuple[dict[str, int], dict[str, Any]]:
    from ..planners.bench_planner import PlannerBench  # compiles the planner

    bench = PlannerBench(args.seed, args.scenes)
    _follow(bench.run(), 3 * args.scenes, screen)
    screen.print(_table(bench.rows(), "our planner against greedy descent"), _stage_table(bench.stages()))
    stages = {name: {**asdict(stage), "counted": stage.counted} for name, stage in bench.stages().items()}
    return {"scenes": args.scenes}, {"rows": _as_json(bench.rows()), "stages": stages}


def _learner(args: Args, screen: Console) -> tuple[dict[str, int], dict[str, Any]]:
    from ..agents.bench_learner import REPEATS, LearnerBench

    bench = LearnerBench(args.seed, args.rounds)
    _follow(bench.run(), (args.rounds + 1) * len(REPEATS), screen)
    screen.print(_table(bench.rows(), "our learner against Stable-Baselines3's"))
    return {"rounds": args.rounds}, {"rows": _as_json(bench.rows())}


BENCHES: dict[str, Callable[[Args, Console], tuple[dict[str, int], dict[str, Any]]]] = {
    "learner": _learner,
    "planner": _planner,
}
"""What each measures: its size, for the configuration of the cell, and its result."""


def _follow(names: Iterator[str], total: int, screen: Console) -> None:
    with Progress(console=screen, transient=True) as progress:
        task = progress.add_task("compiling", total=None)
        for name in names:
            progress.update(task, description=name, total=total, advance=1)


def _keep(args: Args, config: dict[str, Any], result: dict[str, Any]) -> None:
    """Append the table as one line, with its configuration and commit."""
    for folder in (args.out, RESULTS) if args.results else (args.out,):
        Cells(folder / f"{args.name}.jsonl").append(config, result)


def _as_json(rows: list[Row]) -> list[dict[str, Any]]:
    return [{**asdict(row), "ratio": row.ratio} for row in rows]


def _table(rows: list[Row], title: str) -> Table:
    table = Table("row", "ours", "baseline", "ratio", "unit", title=title)
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, f"{row.ours:.4g}", f"{row.baseline:.4g}", ratio, row.unit)
    return table


def _stage_table(stages: dict[str, StageTime]) -> Table:
    """The baseline's stages beside the release's own figures, and which of the two counts."""
    table = Table("stage of the baseline", "here, ms", "release, ms", "counts", title="CPU time of one run")
    for name, stage in stages.items():
        counts = "release's" if stage.counted == stage.listed else "here"
        table.add_row(name, f"{stage.measured:.3g}", f"{stage.listed:.3g}", counts)
    return table
