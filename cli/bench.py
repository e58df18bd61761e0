"""`valuefield bench`: a performance table, against a baseline in the same run."""

from __future__ import annotations

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
    from ..planners.bench_planner import PlannerBench, Row, StageTime

BENCHES = ("planner",)


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """A performance table; in every row, a ratio above 1 means that ours is better than the baseline."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """Which: planner (paths among boxes, around a wall and into a bin, against greedy descent)."""
    scenes: int = 30
    """Scenes of each class."""
    seed: int = 7
    """Seed of the scenes, anew for each class."""
    results: bool = False
    """Add the table to benchmarks/results/NAME.jsonl too, not only to NAME.jsonl in the run's folder."""


def run(args: Args) -> int:
    """Measure, show and keep the table; 0 once it is complete, whatever the figures are."""
    if args.name not in BENCHES:
        raise UnknownName("bench", args.name, BENCHES)
    if args.scenes < 1:
        raise BadInput(f"--scenes is 1 or more, not {args.scenes}")
    screen = console(args)
    bench = _measured(args, screen)
    rows = [{**asdict(row), "ratio": row.ratio} for row in bench.rows()]
    stages = {name: {**asdict(stage), "counted": stage.counted} for name, stage in bench.stages().items()}
    screen.print(_table(bench.rows()), _stage_table(bench.stages()))
    _keep(args, {"rows": rows, "stages": stages})
    emit(args, {"rows": rows, "stages": stages, "seed": args.seed})
    return 0


def _measured(args: Args, screen: Console) -> PlannerBench:
    from ..planners.bench_planner import PlannerBench  # compiles the planner

    bench = PlannerBench(args.seed, args.scenes)
    with Progress(console=screen, transient=True) as progress:
        task = progress.add_task("compiling", total=None)
        for name in bench.run():
            progress.update(task, description=name, total=3 * args.scenes, advance=1)
    return bench


def _keep(args: Args, result: dict[str, Any]) -> None:
    """Append the table as one line, with its configuration and commit."""
    config = {"bench": args.name, "scenes": args.scenes, "seed": args.seed}
    for folder in (args.out, RESULTS) if args.results else (args.out,):
        Cells(folder / f"{args.name}.jsonl").append(config, result)


def _table(rows: list[Row]) -> Table:
    table = Table("row", "ours", "baseline", "ratio", "unit", title="our planner against greedy descent")
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.1f}"
        table.add_row(row.name, f"{row.ours:.4g}", f"{row.baseline:.4g}", ratio, row.unit)
    return table


def _stage_table(stages: dict[str, StageTime]) -> Table:
    """The baseline's stages beside the release's own figures, and which of the two counts."""
    table = Table("stage of the baseline", "here, ms", "release, ms", "counts", title="CPU time of one run")
    for name, stage in stages.items():
        counts = "release's" if stage.counted == stage.listed else "here"
        table.add_row(name, f"{stage.measured:.3g}", f"{stage.listed:.3g}", counts)
    return table
