"""Pictures for people: a camera image with the value maps, the planned path and the way driven drawn into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from ..robots.cameras.camera import Frame
from .value_map import DenseMap

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]

COLORS = {"goal": (0, 190, 130), "avoid": (230, 80, 0), "path": (255, 225, 40), "driven": (90, 190, 255)}
"""RGB of each thing that is drawn; they stay apart for readers who are colour-blind."""

NEAR = 0.02  # m, what is closer to the lens is not drawn
HIDDEN = 0.4  # how strongly a mark behind a surface is drawn
BEHIND = 0.02  # m, how far behind a surface a mark counts as hidden
SOFTNESS = 0.008  # blur of the marks, as a part of the picture's height


@dataclass(frozen=True, slots=True)
class Marks:
    """The nodes of a value map that are worth drawing. points: (n, 3) m, world. strengths: (n,) from 0 to 1."""

    points: Floats
    strengths: Floats


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn into a picture, each if it is there. path, driven: (n, 3) m, world."""

    goal: Marks | None = None
    avoid: Marks | None = None
    path: Floats | None = None
    driven: Floats | None = None


def marks(values: DenseMap, *, most: int = 4000, least: float = 0.1) -> Marks | None:
    """At most `most` nodes whose value is over `least` times the highest, spread evenly; None for a map of zeros."""
    top = float(values.values.max())
    if top <= 0:
        return None
    index = np.argwhere(values.values > least * top)
    if len(index) > most:
        index = index[np.random.default_rng(0).choice(len(index), most, replace=False)]
    return Marks(values.grid.to_world(index), values.values[tuple(index.T)].astype(np.float64) / top)


def project(points_world: ArrayLike, frame: Frame) -> tuple[Floats, Floats]:
    """(n, 3) m, world -> (n, 2) pixels (u right, v down; the first pixel's centre is 0, 0) and (n,) m in front."""
    points = np.asarray(points_world, dtype=np.float64).reshape(-1, 3)
    rotation, position = frame.world_from_cam[:3, :3], frame.world_from_cam[:3, 3]
    in_cam = (points - position) @ rotation
    front = in_cam[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = (in_cam @ frame.intrinsics.T)[:, :2] / front[:, None]
    return pixels, front


def overlay(frame: Frame, drawing: Drawing, *, height: int = 480) -> Picture:
    """Draw into the camera's image, enlarged to `height` rows. Returns (height, width, 3) uint8."""
    picture = frame.rgb
    for name, found in (("avoid", drawing.avoid), ("goal", drawing.goal)):
        if found is not None:
            picture = _blend(picture, _density(found, frame), COLORS[name])
    scale = height / frame.rgb.shape[0]
    canvas = Image.fromarray(picture).resize((round(frame.rgb.shape[1] * scale), height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    for name, line in (("path", drawing.path), ("driven", drawing.driven)):
        if line is not None:
            _polyline(pen, _enlarged(line, frame, scale), COLORS[name], max(3, height // 120))
    if drawing.path is not None and len(drawing.path):
        _ring(pen, _enlarged(drawing.path[-1:], frame, scale), max(4, height // 60))
    return np.asarray(canvas)


def side_by_side(frames: Mapping[str, Frame], drawing: Drawing, lines: Sequence[str], *, height: int = 480) -> Picture:
    """Every camera's overlay with its name, in one row, over a bar with `lines` of text and the legend."""
    row = Image.fromarray(np.hstack([overlay(frame, drawing, height=height) for frame in frames.values()]))
    text = ImageFont.load_default(size=height // 26)
    bar = round(height / 26 * 1.5)
    canvas = Image.new("RGB", (row.width, height + bar * (len(lines) + 1)), (16, 18, 22))
    canvas.paste(row)
    pen = ImageDraw.Draw(canvas)
    for column, name in enumerate(frames):
        pen.text((column * row.width / len(frames) + 8, 6), name, (255, 255, 255), text, stroke_width=2, stroke_fill=0)
    for number, line in enumerate(lines):
        pen.text((8, height + bar * number + 3), line, (235, 235, 235), text)
    _legend(pen, text, height + bar * len(lines) + 3, drawing)
    return np.asarray(canvas)


def _density(found: Marks, frame: Frame) -> Floats:
    """(H, W) from 0 to 1: how strongly the marks colour each pixel; those behind a surface do so less."""
    rows, columns = frame.rgb.shape[:2]
    pixels, front = project(found.points, frame)
    ahead = front > NEAR
    strengths = found.strengths[ahead] * np.where(_hidden(pixels[ahead], front[ahead], frame), HIDDEN, 1.0)
    column, row = np.rint(pixels[ahead]).astype(int).T
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    density = np.zeros((rows, columns))
    np.add.at(density, (row[inside], column[inside]), strengths[inside])
    sigma = SOFTNESS * rows
    # A lone mark reaches 1 - 1/e at its middle, however wide the blur is.
    blurred = gaussian_filter(density, sigma) * (2 * np.pi * sigma**2)
    return np.asarray(1 - np.exp(-blurred))


def _hidden(pixels: Floats, front: Floats, frame: Frame) -> NDArray[np.bool_]:
    """(n,) whether a surface lies before each point; a pixel without a valid depth hides nothing."""
    rows, columns = frame.depth.shape
    column, row = np.rint(pixels).astype(int).T
    surface = frame.depth[row.clip(0, rows - 1), column.clip(0, columns - 1)]
    return np.asarray((surface > 0) & (front > surface + BEHIND))


def _blend(picture: Picture, density: Floats, color: tuple[int, int, int], opacity: float = 0.5) -> Picture:
    alpha = (opacity * density)[..., None]
    return np.asarray(picture * (1 - alpha) + np.array(color) * alpha, dtype=np.uint8)


def _enlarged(points_world: Floats, frame: Frame, scale: float) -> Floats:
    """(n, 2) pixels in the enlarged picture; NaN for points behind the lens."""
    pixels, front = project(points_world, frame)
    pixels[front <= NEAR] = np.nan
    return (pixels + 0.5) * scale - 0.5


def _polyline(pen: ImageDraw.ImageDraw, pixels: Floats, color: tuple[int, int, int], width: int) -> None:
    """Draw the pieces between neighbours that are both before the lens, with a dark rim."""
    for rim, shade in ((2, (20, 20, 20)), (0, color)):
        for start, end in pairwise(pixels):
            if np.isfinite([start, end]).all():
                pen.line((*start, *end), shade, width + rim)


def _ring(pen: ImageDraw.ImageDraw, pixels: Floats, radius: int) -> None:
    if np.isfinite(pixels).all():
        u, v = pixels[0]
        pen.ellipse((u - radius, v - radius, u + radius, v + radius), outline=COLORS["path"], width=2)


def _legend(
    pen: ImageDraw.ImageDraw, text: ImageFont.FreeTypeFont | ImageFont.ImageFont, top: float, drawing: Drawing
) -> None:
    """Name what is drawn, each in its colour."""
    left = 8.0
    for name, color in COLORS.items():
        if getattr(drawing, name) is not None:
            pen.text((left, top), name, color, text)
            left += pen.textlength(name + "    ", text)
