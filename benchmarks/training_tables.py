"""Tables of trainings: the training seed is the unit, and what varies between methods is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import stats

from valuefield.agents.load import ALGORITHMS, config_of
from valuefield.robots.errors import ValuefieldError

Cell = Mapping[str, Any]
Key = tuple[str, str, int]
"""Environment, method and steps."""

SETTLED = 500
"""Steps from which on the lowest point of the curves is looked for."""

COLUMNS = ("environment", "method", "seeds", "steps", "success", "95 % (t)", "worst seed", "lowest point")
COLUMNS += ("human steps", "takeovers", "against the first, 95 % (t)")


def training_tables(cells: Sequence[Cell], name: str) -> str:
    """The command, a line a method with all its seeds, and the curves where there are any."""
    groups = grouped(cells)
    first = first_groups(groups)
    lines = [_row(line(key, group, first[key[0]])) for key, group in groups.items()]
    curves = [_row(text) for key, group in groups.items() for text in curve_lines(key, group)]
    about = (
        f"Lowest point: of any seed's curve, from {SETTLED} steps on. Against the first: mean of the differences, seed "
        "by seed, to the first method of the environment. In the curves: mean over the seeds [worst seed]."
    )
    tables = [_table(COLUMNS, lines), about, _table(("environment", "method", "success at steps"), curves)]
    return "\n\n".join([f"    python benchmarks/cells.py {name}", *tables])


def first_groups(groups: Mapping[Key, list[Cell]]) -> dict[str, list[Cell]]:
    """The first method of each environment, which the others are held against."""
    first: dict[str, list[Cell]] = {}
    for (env, _, _), group in groups.items():
        first.setdefault(env, group)
    return first


def grouped(cells: Sequence[Cell]) -> dict[Key, list[Cell]]:
    """Cells that differ in nothing but the training seed, by environment, method and steps."""
    groups: dict[Key, list[Cell]] = {}
    for cell in cells:
        config = cell["config"]
        groups.setdefault((config["env"], method_of(config), config["steps"]), []).append(cell)
    return groups


def method_of(config: Cell) -> str:
    """What tells a training from others in the same environment: algorithm, changed settings, person, data."""
    defaults = json.loads(json.dumps(asdict(default_config(config["algo"], config["config"]))))
    changed = [f"{key}={value}" for key, value in config["config"].items() if value != defaults[key]]
    person = [] if config["person"] == "nobody" else [without_defaults(config["person"])]
    seen = [f"observing {config['observe']}"] if config["observe"] else []
    return "; ".join([" ".join([config["algo"], *changed]), *seen, *person, *data_of(config)])


def without_defaults(person: str) -> str:
    """The name of a simulated person without the settings of one who is prompt, attentive and precise."""
    for default in (", delay=0", ", lapse=0.0", ", noise=0.0", "lax=False"):
        person = re.sub(re.escape(default) + r"(?![\d.])", "", person)
    return person.replace("()", "")


def data_of(config: Cell) -> Iterator[str]:
    """Which recorded rows were learned from, the training seed left out of their paths."""
    for path in config["data"]:
        kept = [part for part in path.split("/") if not part.isdigit()][-2:]
        most = "" if config["max_rows"] is None else ", as many as the person's"
        yield f"{config['rows']} rows of {'/'.join(kept)}{most}"


def default_config(algo: str, given: Mapping[str, Any]) -> Any:
    """The algorithm's defaults, in that of its forms that has the given keys; it may have got more since."""
    for form in ALGORITHMS[algo]:
        made = config_of(algo, form)()
        if given.keys() <= asdict(made).keys():
            return made
    raise ValuefieldError(f"no form of {algo} has the settings {', '.join(given)}")


def line(key: Key, group: Sequence[Cell], first: Sequence[Cell]) -> list[str]:
    """A method's line."""
    env, method, steps = key
    results = [cell["result"] for cell in group]
    success = [result["success"] for result in results]
    points = [rate for result in results for step, rate in result["curve"] if step >= SETTLED]
    low, high = (min(max(bound, 0.0), 1.0) for bound in t_interval(success))
    spread = f"{low:.2f} to {high:.2f}" if len(success) > 1 else ""
    rates = [f"{np.mean(success):.3f}", spread, f"{min(success):.2f}", f"{min(points):.2f}" if points else ""]
    people = [f"{np.mean([result[name] for result in results]):.0f}" for name in ("human_steps", "takeovers")]
    return [env, method, str(len(group)), str(steps), *rates, *people, "" if group is first else against(group, first)]


def against(group: Sequence[Cell], first: Sequence[Cell]) -> str:
    """Mean and t interval of the differences to `first` over the training seeds that both have."""
    theirs = {cell["config"]["seed"]: cell["result"]["success"] for cell in first}
    pairs = [(cell["result"]["success"], theirs.get(cell["config"]["seed"])) for cell in group]
    differences = [ours - other for ours, other in pairs if other is not None]
    if len(differences) < 2:
        return ""
    low, high = t_interval(differences)
    return f"{np.mean(differences):+.3f} ({low:+.2f} to {high:+.2f})"


def curve_lines(key: Key, group: Sequence[Cell]) -> Iterator[list[str]]:
    """The curve of a method, and that of the networks in training where it acts with their average."""
    env, method, _ = key
    for name, of in (("curve", ""), ("curve_online", " (online network)")):
        by_step: dict[int, list[float]] = {}
        for cell in group:
            for step, rate in cell["result"][name]:
                by_step.setdefault(step, []).append(rate)
        points = (f"{step}: {np.mean(rates):.2f} [{min(rates):.2f}]" for step, rates in sorted(by_step.items()))
        if by_step:
            yield [env, method + of, ", ".join(points)]


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of a mean over training seeds by Student's t; unbounded for a single one."""
    if len(values) < 2:
        return -np.inf, np.inf
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


def _table(columns: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([_row(columns), _row(["---"] * len(columns)), *rows]) if rows else "No curve was measured."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
