"""Draw the success tables of docs/results.md from the lines of benchmarks/results/*.jsonl.

Each file is one table, each of its lines a finished cell of `valuefield eval --results NAME`. Run by `make docs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from valuefield.agents.evaluate import wilson

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "results.md"

HEAD = """# Results

Drawn by `make docs` from benchmarks/results/; do not edit by hand. A rate is that of one policy, with Wilson's 95 %
interval over its episodes. `oracle` means the simulator's own masks. A commit with `+` had uncommitted changes.
"""


def main() -> None:
    """Write the page."""
    tables = [table(path) for path in sorted(RESULTS.glob("*.jsonl"))]
    PAGE.write_text("\n".join([HEAD, *tables]), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(tables)} tables")


def table(path: Path) -> str:
    """One Markdown table a file, under the command that adds to it."""
    cells = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    evaluated = [cell for cell in cells if "successes" in cell["result"]]
    lines = [f"## {path.stem}", "", *commands(evaluated, path.stem), ""]
    lines += [
        "| environment | policy | successes | rate | 95 % | violations | commit |",
        "|---|---|---|---|---|---|---|",
    ]
    rates = [cell["result"]["successes"] / cell["result"]["episodes"] for cell in evaluated]
    mean = f"Mean rate of the rows: {sum(rates) / len(rates):.2f}" if rates else "No cell is finished yet."
    return "\n".join([*lines, *(row(cell) for cell in evaluated), "", mean, ""])


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
