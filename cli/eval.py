"""`valuefield eval`: how often a planner or a checkpoint succeeds, task by task."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..robots.errors import BadInput
from .cells import RESULTS, Cells
from .output import CommonArgs, console, emit

if TYPE_CHECKING:
    from ..agents.evaluate import EpisodeResult

SEED = 100_000
"""First of the seeds that are kept for tuning and evaluation; training uses those below."""


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """Success table of a planner or a checkpoint, with Wilson's 95 % interval of each rate."""

    what: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="WHAT")]
    """Planner, expert or checkpoint: voxposer, scripted, random, or a path."""
    env: tuple[str, ...]
    """Environments or suites: tabletop/open_drawer, tabletop/first6, MiniGrid-MultiRoom-N2-S4-v0."""
    episodes: int = 25
    """Episodes of each environment; they have the seeds SEED, SEED + 1, and so on."""
    seed: int = SEED
    """Seed of the first episode."""
    llm: str = "rules"
    """Who writes the language programs: `rules`, which needs no network, or `openai`, an endpoint of that protocol."""
    detector: str = "oracle"
    """Who finds the objects: `oracle` (the simulator's masks) or `open-vocabulary`."""
    detector_folder: Path | None = None
    """Folder of the open-vocabulary models."""
    random_steps: int = 0
    """Actions at the start of each episode that are left to chance, before WHAT takes over."""
    results: str | None = None
    """Name of a table: finished rows are kept in benchmarks/results/NAME.jsonl, and taken from there next time."""


def run(args: Args) -> int:
    """Evaluate every environment and show the table; 0 once all have run, whatever the rates are."""
    from ..agents.evaluate import wilson

    screen = console(args)
    rows = []
    for env_id in expand(args.env):
        cell = Cells(RESULTS / f"{args.results}.jsonl") if args.results else None
        result = cell.find(_config(args, env_id)) if cell else None
        if result is None:
            result = _evaluate(args, env_id, screen)
            if cell:
                cell.append(_config(args, env_id), result)
        low, high = wilson(result["successes"], result["episodes"])
        rows.append({"env": env_id, **result, "rate": result["successes"] / result["episodes"], "ci95": [low, high]})
    mean = sum(row["rate"] for row in rows) / len(rows)
    screen.print(_table(args, rows, mean))
    emit(args, {"rows": rows, "mean": mean})
    return 0


def expand(names: Sequence[str]) -> list[str]:
    """Replace suites by their environments, each once. Raises UnknownName for what is neither, BadInput for nothing."""
    from ..envs.policy_env import check_env
    from ..envs.tabletop import SUITES

    ids = [name for given in names for name in SUITES.get(given, (given,))]
    if not ids:
        raise BadInput("--env names no environment; for example: --env tabletop/first6")
    return list(dict.fromkeys(map(check_env, ids)))


def _config(args: Args, env_id: str) -> dict[str, Any]:
    """What a result depends on, and what thus tells its cell from others."""
    names = ("what", "episodes", "seed", "llm", "detector")
    folder = str(args.detector_folder) if args.detector_folder else None
    config = {"env": env_id, "detector_folder": folder} | {name: getattr(args, name) for name in names}
    return config | ({"random_steps": args.random_steps} if args.random_steps else {})


def _evaluate(args: Args, env_id: str, screen: Console) -> dict[str, Any]:
    """Run one environment's episodes; each is in episodes.jsonl of the run's folder as soon as it is over."""
    from ..agents.evaluate import evaluate
    from ..agents.load import PolicyOptions, environment_of, load_policy

    env, _ = environment_of(args.what, env_id)
    replies = args.out / "replies"
    options = PolicyOptions(
        args.llm, args.detector, args.detector_folder, replies, args.seed, random_steps=args.random_steps
    )
    results = []
    args.out.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        actor = load_policy(args.what, env, options)
        episodes = evaluate(actor, env, episodes=args.episodes, seed=args.seed)
        with Progress(*columns, console=screen, transient=True) as progress:
            for result in progress.track(episodes, total=args.episodes, description=env_id):
                results.append(result)
                _keep(args.out / "episodes.jsonl", env_id, result)
    finally:
        env.close()  # type: ignore[no-untyped-call]
    return summary(results)


def summary(results: Iterable[EpisodeResult]) -> dict[str, Any]:
    """Add up the episodes of a row; the failed ones are named with what is known of why."""
    results = list(results)
    failed = [result for result in results if not result.success]
    return {
        "episodes": len(results),
        "successes": len(results) - len(failed),
        "violations": sum(sum(result.violations.values()) for result in results),
        "seconds": round(sum(result.seconds for result in results), 1),
        "failures": [
            {"seed": result.seed, "variation": result.variation, "reason": result.reason} for result in failed
        ],
    }


def _keep(path: Path, env_id: str, result: EpisodeResult) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"env": env_id, **asdict(result)}, ensure_ascii=False) + "\n")


def _table(args: Args, rows: Sequence[dict[str, Any]], mean: float) -> Table:
    table = Table(
        "environment", "successes", "rate", "95 %", "violations", "s", title=f"{args.what}, seeds from {args.seed}"
    )
    for row in rows:
        low, high = row["ci95"]
        counts = f"{row['successes']}/{row['episodes']}"
        table.add_row(
            row["env"],
            counts,
            f"{row['rate']:.2f}",
            f"{low:.2f} to {high:.2f}",
            str(row["violations"]),
            f"{row['seconds']:.0f}",
        )
    table.add_section()
    table.add_row("mean", "", f"{mean:.2f}")
    return table
