"""Cells of published tables: each finished cell is one line of benchmarks/results/NAME.jsonl, and is not run twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..robots.errors import BadInput

RESULTS = Path("benchmarks/results")
"""Where `--results NAME` is looked for, from the working folder."""


class Cells:
    """The lines of one results file. A cell is known by its configuration, the seed included, not by its commit."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the result of the cell with this configuration; None if it is yet to be run. Raises BadInput."""
        wanted = config_hash(config)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                cell = json.loads(line)
                if cell["hash"] == wanted:
                    return dict(cell["result"])
            except (ValueError, TypeError, KeyError) as error:
                raise BadInput(f"{self.path}:{number} is not a cell: {error}") from error
        return None

    def append(self, config: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Add a finished cell, with the commit that it was run on."""
        cell = {"hash": config_hash(config), "config": config, "commit": commit(), "result": result}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(cell, ensure_ascii=False) + "\n")


def config_hash(config: Mapping[str, Any]) -> str:
    """12 hexadecimal digits of the SHA-256 of a configuration, whatever the order of its keys."""
    text = json.dumps(config, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def commit() -> str:
    """Return the commit of the source that runs, with `+` if files differ from it; `unknown` outside a repository."""
    source = Path(__file__).parent
    command = ["git", "-C", str(source), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
