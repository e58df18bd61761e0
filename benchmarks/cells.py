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
from pathlib import Path

SEEDS = range(5)
FIRST_EPISODE = 230_000
"""Seed of the first episode of every published evaluation."""
RUNS = Path("runs/cells")

N2, N4, SIX, EMPTY = (
    f"MiniGrid-{name}"
    for name in ("MultiRoom-N2-S4-v0", "MultiRoom-N4-S5-v1", "MultiRoom-N4-S5-v0", "Empty-Random-6x6-v0")
)
GRIDS = {N2: (1500, 250), N4: (2000, 250), SIX: (1000, 250)}
"""Steps, and steps between two points of the curve."""
NOISY = ("--lapse", "0.1", "--noise", "0.05")

Command = tuple[str, ...]


def main() -> None:
    """Run the cells of the table that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="training seeds")
    args = parser.parse_args()
    for seed in args.seeds:
        for command in TABLES[args.table](seed):
            run(command)


def minigrid(seed: int) -> Iterator[Command]:
    """PVP with all its variants, and what else could be made of the same help."""
    for env, (steps, every) in GRIDS.items():
        pvp = learn("pvp", env, seed, steps, every, "pvp", "--expert", "scripted", "--record")
        yield pvp
        yield learn("pvp", env, seed, steps, every, "approve", "--expert", "scripted", "--config", "approve=true")
        yield learn("hg-dagger", env, seed, steps, every, "hg-dagger", "--expert", "scripted")
        yield learn("dqn", env, seed, steps, every, "dqn")
        yield from imitations(env, seed, folder("minigrid", env, "pvp", seed))
    steps, every = GRIDS[N2]
    lax = ("--lax", "--config", "average_from=500")
    yield learn("pvp", EMPTY, seed, 500, 100, "pvp", "--expert", "scripted")
    yield learn("pvp", N2, seed, steps, every, "noisy", "--expert", "scripted", *NOISY)
    yield learn("pvp", N2, seed, steps, every, "noisy-lax", "--expert", "scripted", *NOISY, *lax)
    yield learn("pvp", N2, seed, steps, every, "legacy", "--expert", "scripted", "--config", "legacy=true")
    steps, every = GRIDS[N4]
    unlabelled = ("--config", "negative_label=false")
    yield learn("pvp", N4, seed, steps, every, "no-negative-label", "--expert", "scripted", *unlabelled)


def imitations(env: str, seed: int, taught: Path) -> Iterator[Command]:
    """BC on the rows of a run with a person, and on as many rows of demonstrations as the person acted in."""
    episodes, demos = str(taught / "episodes"), folder("minigrid", env, "demonstrations", seed)
    if not demos.exists():
        seeds = ("--seed", str(10_000 * seed), "--episodes", "60", "--out", str(demos))
        yield ("record", "--expert", "scripted", "--env", env, *seeds)
    for label, rows in (("bc-takeovers", "intervened"), ("bc-executed", "all")):
        yield learn("bc", env, seed, 1500, 0, label, "--data", episodes, "--rows", rows)
    human = json.loads((taught / "train.json").read_text(encoding="utf-8"))["human_steps"]
    yield learn("bc", env, seed, 1500, 0, "bc-demonstrations", "--data", str(demos), "--max-rows", str(human))


def learn(algorithm: str, env: str, seed: int, steps: int, every: int, label: str, *more: str) -> Command:
    """One cell of `valuefield train`; with `every`, its curve too."""
    out, evaluated = folder("minigrid", env, label, seed), ("--eval-seed", str(FIRST_EPISODE))
    counts = ("--env", env, "--steps", str(steps), "--seed", str(seed), "--eval-every", str(every))
    return ("train", algorithm, *counts, *evaluated, *more, "--results", "minigrid", "--out", str(out))


def folder(table: str, env: str, label: str, seed: int) -> Path:
    """Where a cell's run is kept."""
    return RUNS / table / env / label / str(seed)


def run(command: Command) -> None:
    """Run one command; one that was cut short goes on from its last checkpoint. Its failure ends it all."""
    print("valuefield", *command, flush=True)
    out = Path(command[command.index("--out") + 1])
    words: Sequence[str] = (*command, "--resume") if command[0] == "train" and (out / "checkpoints").exists() else command
    done = subprocess.run([Path(sys.executable).with_name("valuefield"), *words, "--json"], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.returncode)


TABLES: dict[str, Callable[[int], Iterator[Command]]] = {"minigrid": minigrid}
"""Name of each table, which is that of its file of results, and its cells for one training seed, in order."""


if __name__ == "__main__":
    main()
