"""Draw the learning curves of a table of trainings: one picture a table, one panel an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from training_tables import Cell, Key, grouped

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "curves", "svg.fonttype": "none", "font.size": 9})  # the same file every time


def draw(cells: Sequence[Cell], path: Path) -> bool:
    """Write the picture: means over the training seeds, shaded from worst to best. False if there is no curve."""
    groups = {key: group for key, group in grouped(cells).items() if group[0]["result"]["curve"]}
    envs = list(dict.fromkeys(env for env, _, _ in groups))
    if not envs:
        return False
    figure, axes = plt.subplots(len(envs), 1, figsize=(8, 3.2 * len(envs)), squeeze=False, layout="constrained")
    for axis, env in zip(axes[:, 0], envs, strict=True):
        panel(axis, env, {key: group for key, group in groups.items() if key[0] == env})
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def panel(axis: Any, env: str, groups: Mapping[Key, Sequence[Cell]]) -> None:
    """The curves of one environment."""
    for (_, method, _), group in groups.items():
        steps = [step for step, _ in group[0]["result"]["curve"]]
        rates = np.array([[rate for _, rate in cell["result"]["curve"]] for cell in group])
        (line,) = axis.plot(steps, rates.mean(axis=0), label=f"{method} ({len(group)} seeds)")
        axis.fill_between(steps, rates.min(axis=0), rates.max(axis=0), color=line.get_color(), alpha=0.12, lw=0)
    axis.set(title=env, xlabel="environment steps", ylabel="success without help", ylim=(-0.02, 1.02))
    axis.grid(alpha=0.3)
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7)
