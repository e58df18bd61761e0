"""A page that shows a plan in space: coloured cloud, value maps, the path through them and the way driven.

The page holds all that it needs, the plotting library included, and opens without a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..robots.cameras.camera import Frame
from ..robots.state import WORKSPACE
from .draw import COLORS, Drawing, Marks

Floats = NDArray[np.float64]

MOST_POINTS = 40_000
"""Points of the cloud that go into a page, which so stays under 8 MB and turns smoothly."""

MOST_NODES = 2_000
"""Nodes of each map that go into a page."""

OPACITY = {"goal": 0.5, "avoid": 0.15}
"""Of one node; what is to be avoided is large, and things inside it must be seen."""

AXIS_LENGTH = 0.04  # m, of a drawn tool frame


@dataclass(frozen=True, slots=True)
class Cloud:
    """points: (n, 3) m, world. colors: (n, 3) uint8."""

    points: Floats
    colors: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One sub-goal of the page. tools: (k, 7) xyz + wxyz, m, world, tool poses whose axes are drawn."""

    title: str
    drawing: Drawing
    tools: Floats | None = None


def colored_cloud(frames: Iterable[Frame], *, voxel: float = 0.006) -> Cloud:
    """Every surface that the frames show in the workspace and 10 cm around it, one point per cube of `voxel` m."""
    parts = [_unproject(frame) for frame in frames]
    points, colors = np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])
    near = ((points >= WORKSPACE[0] - 0.1) & (points <= WORKSPACE[1] + 0.1)).all(axis=1)
    points, colors = points[near], colors[near]
    _, first = np.unique(np.floor(points / voxel).astype(np.int64), axis=0, return_index=True)
    if len(first) > MOST_POINTS:
        first = np.random.default_rng(0).choice(first, MOST_POINTS, replace=False)
    return Cloud(points[first], colors[first])


def figure(title: str, cloud: Cloud | None, chapters: Sequence[Chapter]) -> Any:
    """Make a plotly figure with a button a chapter; the first one's maps and path are shown at the start."""
    import plotly.graph_objects as go

    ground = [_box(), *([] if cloud is None else [_points(cloud)])]
    parts = [_traces(chapter) for chapter in chapters]
    owner = [-1] * len(ground) + [number for number, part in enumerate(parts) for _ in part]
    traces = [go.Scatter3d(trace) for trace in chain(ground, *parts)]
    for trace, chapter_number in zip(traces, owner, strict=True):
        trace.visible = chapter_number <= 0
    made = go.Figure(traces)
    made.update_layout(
        legend_itemsizing="constant",
        title=title,
        updatemenus=_menus(chapters, owner),
        scene=_scene(),
        margin={"l": 0, "r": 0, "b": 0, "t": 50},
    )
    return made


def write_page(path: Path, title: str, cloud: Cloud | None, chapters: Sequence[Chapter]) -> None:
    """Write `figure` as one HTML file that fills the window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    html = figure(title, cloud, chapters).to_html(include_plotlyjs=True, default_height="97vh")
    path.write_text(html, encoding="utf-8")


def _menus(chapters: Sequence[Chapter], owner: Sequence[int]) -> list[dict[str, Any]]:
    """List the chapters; choosing one shows its traces and those that belong to none (owner -1)."""
    buttons = [
        {"label": chapter.title, "method": "update", "args": [{"visible": [each in (-1, number) for each in owner]}]}
        for number, chapter in enumerate(chapters)
    ]
    return [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1, "yanchor": "top"}] if buttons else []


def _unproject(frame: Frame) -> tuple[Floats, NDArray[np.uint8]]:
    """Pixels with a depth -> (n, 3) m, world, and their colours."""
    rows, columns = np.nonzero(frame.depth > 0)
    depth = frame.depth[rows, columns].astype(np.float64)
    rays = np.column_stack([columns, rows, np.ones(len(rows))]) @ np.linalg.inv(frame.intrinsics).T
    points = (rays * depth[:, None]) @ frame.world_from_cam[:3, :3].T + frame.world_from_cam[:3, 3]
    return np.asarray(points, dtype=np.float64), frame.rgb[rows, columns]


def _traces(chapter: Chapter) -> list[dict[str, Any]]:
    drawing = chapter.drawing
    traces = [
        _blob(name, found) for name, found in (("goal", drawing.goal), ("avoid", drawing.avoid)) if found is not None
    ]
    traces += [
        _line(name, line) for name, line in (("path", drawing.path), ("driven", drawing.driven)) if line is not None
    ]
    if chapter.tools is not None:
        traces += _tool_frames(chapter.tools)
    return traces


def _points(cloud: Cloud) -> dict[str, Any]:
    colors = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in cloud.colors.tolist()]
    return {"name": "cloud", "mode": "markers", "marker": {"size": 2, "color": colors}, **_xyz(cloud.points)}


def _blob(name: str, found: Marks) -> dict[str, Any]:
    step = -(-len(found.points) // MOST_NODES)
    strengths = np.round(found.strengths[::step], 2)
    scale = [[0, _rgb(name, paler=0.7)], [1, _rgb(name)]]
    marker = {"size": 4, "opacity": OPACITY[name], "color": strengths, "colorscale": scale, "cmin": 0, "cmax": 1}
    return {"name": name, "mode": "markers", "marker": marker, "text": strengths, **_xyz(found.points[::step])}


def _line(name: str, points: Floats) -> dict[str, Any]:
    return {"name": name, "mode": "lines", "line": {"width": 7, "color": _rgb(name)}, **_xyz(points)}


def _tool_frames(poses: Floats) -> list[dict[str, Any]]:
    """Draw the tool's axes: x red, y (along which the fingers close) green, z (which they point along) blue."""
    rotations = Rotation.from_quat(poses[:, 3:], scalar_first=True).as_matrix()
    traces = []
    for axis, color in enumerate(("red", "green", "blue")):
        tips = poses[:, :3] + AXIS_LENGTH * rotations[:, :, axis]
        gaps = np.full_like(tips, np.nan)  # so that the strokes of neighbours are not joined
        strokes = np.stack([poses[:, :3], tips, gaps], axis=1).reshape(-1, 3)
        name = f"tool {'xyz'[axis]}"
        traces.append({"name": name, "mode": "lines", "line": {"width": 4, "color": color}, **_xyz(strokes)})
    return traces


def _box() -> dict[str, Any]:
    """Draw the edges of the workspace in one stroke that walks each of them at least once."""
    walk = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 0, 0), (1, 0, 1)]
    walk += [(1, 1, 1), (1, 1, 0), (1, 1, 1), (0, 1, 1), (0, 1, 0), (0, 1, 1), (0, 0, 1)]
    corners = np.array([[WORKSPACE[corner[axis], axis] for axis in range(3)] for corner in walk])
    return {"name": "workspace", "mode": "lines", "line": {"width": 1, "color": "gray"}, **_xyz(corners)}


def _xyz(points: Floats) -> dict[str, Any]:
    return dict(zip("xyz", np.round(points, 4).astype(np.float32).T, strict=True))


def _rgb(name: str, *, paler: float = 0.0) -> str:
    """Return the colour of a thing for plotly, mixed with a share of white."""
    red, green, blue = (round(part + paler * (255 - part)) for part in COLORS[name])
    return f"rgb({red}, {green}, {blue})"


def _scene() -> dict[str, Any]:
    return {
        "aspectmode": "data",
        "xaxis": {"title": "x, forward (m)"},
        "yaxis": {"title": "y, robot's left (m)"},
        "zaxis": {"title": "z, up (m)"},
        "camera": {"eye": {"x": -1.25, "y": -1.55, "z": 0.9}},  # from the robot's side: what it reaches for faces it,
    }
