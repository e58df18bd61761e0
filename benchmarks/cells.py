"""Run the cells of a published table: one command each, those that are finished are skipped.

    python benchmarks/cells.py minigrid            # all of it, one after the other
    python benchmarks/cells.py minigrid --seeds 3  # only training seed 3, beside another process with other seeds

Each command is one of `valuefield`'s own, is printed before it runs, and adds its line to
benchmarks/results/<table>.jsonl. `make docs` draws the tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path

SEEDS = range(5)
FIRST_EPISODE = 231_000
"""Seed of the first episode of every published evaluation; 230,000 was that of a first measurement."""
RUNS = Path("runs/cells")

N2, N4, SIX, EMPTY = (
    f"MiniGrid-{name}"
    for name in ("MultiRoom-N2-S4-v0", "MultiRoom-N4-S5-v1", "MultiRoom-N4-S5-v0", "Empty-Random-6x6-v0")
)
GRIDS = {N2: (1500, 250), N4: (2000, 250), SIX: (1000, 250)}
"""Steps, and steps between two points of the curve."""
NOISY = ("--lapse", "0.1", "--noise", "0.05")
SCRIPT = ("--expert", "scripted")
SAME_NET = ("--config", "hidden=64")
"""Behind the same convolutions as PVP's."""
CLONING = 1500
"""Updates of BC."""

Command = tuple[str, ...]


def main() -> None:
    """Run the cells of the table that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="training seeds")
    args = parser.parse_args()
    for same_cell in zip_longest(
        *(TABLES[args.table](seed) for seed in args.seeds)
    ):  # a row is complete before the next
        for command in filter(None, same_cell):
            run(command)


def minigrid(seed: int) -> Iterator[Command]:
    """PVP with all its variants, and what else could be made of the same help."""
    cells = [
        partial(train, "minigrid", env=env, seed=seed, steps=steps, every=every)
        for env, (steps, every) in GRIDS.items()
    ]
    pvp = [cell("pvp", "pvp", *SCRIPT, "--record") for cell in cells]
    yield from pvp
    two_rooms, four_rooms, _ = cells
    yield two_rooms("noisy", "pvp", *SCRIPT, *NOISY)
    yield two_rooms("noisy-lax", "pvp", *SCRIPT, *NOISY, "--lax")
    yield four_rooms("no-negative-label", "pvp", *SCRIPT, "--config", "negative_label=false")
    yield train("minigrid", "pvp", "pvp", *SCRIPT, env=EMPTY, seed=seed, steps=500, every=100)
    for env, command in zip(GRIDS, pvp, strict=True):
        yield from imitations(env, seed, command)
    yield from (cell("hg-dagger", "hg-dagger", *SCRIPT, *SAME_NET) for cell in cells)
    yield from (cell("approve", "pvp", *SCRIPT, "--config", "approve=true") for cell in cells)
    yield from (cell("dqn", "dqn") for cell in cells)
    yield two_rooms("legacy", "pvp", *SCRIPT, "--config", "legacy=true")


def imitations(env: str, seed: int, pvp: Command) -> Iterator[Command]:
    """BC on the rows of a PVP run, and on as many rows of demonstrations as its person acted in."""
    taught, demos = folder("minigrid", env, "pvp", seed), folder("minigrid", env, "demonstrations", seed)
    if not (taught / "train.json").exists():  # a finished cell of another machine's
        yield tuple(word for word in pvp if word not in ("--results", "minigrid"))
    if not demos.exists():
        seeds = ("--seed", str(10_000 * seed), "--episodes", "60", "--out", str(demos))
        yield ("record", "--expert", "scripted", "--env", env, *seeds)
    cell = partial(train, "minigrid", env=env, seed=seed, steps=CLONING)
    for label, rows in (("bc-takeovers", "intervened"), ("bc-executed", "all")):
        yield cell(label, "bc", "--data", str(taught / "episodes"), "--rows", rows, *SAME_NET)
    human = json.loads((taught / "train.json").read_text(encoding="utf-8"))["human_steps"]
    yield cell("bc-demonstrations", "bc", "--data", str(demos), "--max-rows", str(human), *SAME_NET)


def train(
    table: str, label: str, algorithm: str, *more: str, env: str, seed: int, steps: int, every: int = 0
) -> Command:
    """One cell of `valuefield train`; with `every`, its curve too. label: of its folder."""
    counts = ("--env", env, "--steps", str(steps), "--seed", str(seed), "--eval-every", str(every))
    kept = ("--eval-seed", str(FIRST_EPISODE), "--results", table, "--out", str(folder(table, env, label, seed)))
    return ("train", algorithm, *counts, *more, *kept)


def folder(table: str, env: str, label: str, seed: int) -> Path:
    """Where a cell's run is kept."""
    return RUNS / table / env / label / str(seed)


def run(command: Command) -> None:
    """Run one command; one that was cut short goes on from its last checkpoint. Its failure ends it all."""
    print("valuefield", *command, flush=True)
    out = Path(command[command.index("--out") + 1])
    words: Sequence[str] = (
        (*command, "--resume") if command[0] == "train" and (out / "checkpoints").exists() else command
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("valuefield"), *words, "--json"], check=False, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit(done.returncode)


TABLES: dict[str, Callable[[int], Iterator[Command]]] = {"minigrid": minigrid}
"""Name of each table, which is that of its file of results, and its cells for one training seed, in order."""


if __name__ == "__main__":
    main()
