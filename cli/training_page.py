"""The page of a training run: its numbers and its learning curve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..robots.errors import BadInput

TRAINING, CURVE = "train.json", "curve.html"
"""The report of a training, and its learning curve, in the run's folder."""

NUMBERS = ("env_steps", "updates", "human_steps", "takeovers", "human_by_quarter", "success", "act_ms", "seconds")


def read_training(report: Path) -> dict[str, Any]:
    """What `train` wrote of a finished run. Raises BadInput for what is no such report."""
    try:
        result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        _ = [result[name] for name in ("algo", "env", "curve", "curve_online", *NUMBERS)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{report} is not the report of a training: {error!r}") from error
    return result


def numbers_table(result: Mapping[str, Any]) -> str:
    """The run's numbers as HTML."""
    rows = ((name.replace("_", " "), str(result[name])) for name in NUMBERS)
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def write_curve(result: Mapping[str, Any], page: Path) -> None:
    """Success over steps as a page of its own; of two curves where the policy acts with an average."""
    import plotly.graph_objects as go

    last = [[result["env_steps"] or result["updates"], result["success"]]]
    drawn = {"as it acts": result["curve"] or last, "the network in training": result["curve_online"]}
    figure = go.Figure(layout={"template": "plotly_white", "margin": {"t": 20}})
    for name, points in drawn.items():
        if points:
            steps, successes = zip(*points, strict=True)
            figure.add_trace(go.Scatter(x=steps, y=successes, name=name, mode="lines+markers"))
    figure.update_xaxes(title="steps", rangemode="tozero")
    figure.update_yaxes(title="success without help", range=[-0.02, 1.02])
    figure.write_html(page, include_plotlyjs=True, default_height="95vh")
