"""Draw the tables of docs/results.md from the lines of benchmarks/results/*.jsonl.

Each line is a finished cell of `valuefield eval` or `train --results NAME`, or of `valuefield bench NAME --results`.
Run by `make docs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curves import draw
from training_tables import training_tables

from valuefield.agents.evaluate import wilson

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "results.md"
PICTURES = ROOT / "docs" / "images"

HEAD = """# Results

Drawn by `make docs` from benchmarks/results/; do not edit by hand. A rate is that of one policy, with Wilson's 95 %
interval over its episodes. What is claimed of a method is a mean over training seeds, with a t interval over them;
its episodes are never pooled. `oracle` means the simulator's own masks. A commit with `+` had uncommitted changes.
"""


def main() -> None:
    """Write the page."""
    tables = [table(path) for path in sorted(RESULTS.glob("*.jsonl"))]
    PAGE.write_text("\n".join([HEAD, *tables]), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(tables)} tables")


def table(path: Path) -> str:
    """The file's cells as Markdown: of `eval` a line each, of `train` a line a method, of `bench` a table each."""
    cells = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    trained = [cell for cell in cells if "algo" in cell["result"]]
    evaluated = [cell for cell in cells if "successes" in cell["result"]]
    measured = [cell for cell in cells if "rows" in cell["result"]]
    parts = [success_table(evaluated, path.stem)] if evaluated else []
    parts += [training_tables(trained, path.stem)] if trained else []
    parts += pictures(trained, path.stem)
    parts += [bench_table(cell) for cell in measured]
    return "\n\n".join([f"## {path.stem}", *(parts or ["No cell is finished yet."])]) + "\n"


def pictures(cells: list[dict[str, Any]], name: str) -> list[str]:
    """The learning curves as a picture, if there are any."""
    picture = PICTURES / f"{name}_curves.svg"
    link = f"![Learning curves: mean over the training seeds, shaded from worst to best](images/{picture.name})"
    return [link] if cells and draw(cells, picture) else []


def success_table(cells: list[dict[str, Any]], name: str) -> str:
    """The commands, a line a cell, and the mean of the rates."""
    head = "| environment | policy | successes | rate | 95 % | violations | commit |\n|---|---|---|---|---|---|---|"
    rates = [cell["result"]["successes"] / cell["result"]["episodes"] for cell in cells]
    rows = "\n".join(row(cell) for cell in cells)
    return "\n\n".join(
        ["\n".join(commands(cells, name)), f"{head}\n{rows}", f"Mean rate: {sum(rates) / len(rates):.2f}"]
    )


def bench_table(cell: dict[str, Any]) -> str:
    """The command, and a line a row of the bench."""
    config = dict(cell["config"])
    flags = " ".join(f"--{key} {value}" for key, value in config.items() if key != "bench")
    lines = [f"    valuefield bench {config['bench']} {flags} --results", "", f"Commit {cell['commit']}.", ""]
    lines += ["| row | ours | baseline | ratio | unit |", "|---|---|---|---|---|"]
    for each in cell["result"]["rows"]:
        ratio = "" if each["ratio"] is None else f"{each['ratio']:.1f}"
        lines.append(f"| {each['name']} | {each['ours']:.4g} | {each['baseline']:.4g} | {ratio} | {each['unit']} |")
    return "\n".join(lines)


def commands(cells: list[dict[str, Any]], name: str) -> Iterator[str]:
    """Each command of the file once, with all the environments that it was run on."""
    together: dict[str, list[str]] = {}
    for cell in cells:
        config = dict(cell["config"])
        what, env = config.pop("what"), config.pop("env")
        flags = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in config.items() if value is not None)
        together.setdefault(f"valuefield eval {what} --env {{}} {flags} --results {name}", []).append(env)
    yield from (f"    {command.format(' '.join(envs))}" for command, envs in together.items())


def row(cell: dict[str, Any]) -> str:
    """One cell as a line of the table."""
    config, result = cell["config"], cell["result"]
    successes, episodes = result["successes"], result["episodes"]
    low, high = wilson(successes, episodes)
    rate = f"{successes / episodes:.2f} | {low:.2f} to {high:.2f}"
    counts = f"{successes}/{episodes}"
    return f"| {config['env']} | {config['what']} | {counts} | {rate} | {result['violations']} | {cell['commit']} |"


if __name__ == "__main__":
    main()
