"""What a person keeps of a run: a video with maps and path drawn in, and a page with every sub-goal's plan in space."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from ..robots.cameras.camera import Frame
from .draw import Drawing, Floats, Marks, marks, side_by_side
from .execute import Executor, Status
from .map_file import write_maps
from .report import VIDEO, VIEW
from .stage import View
from .value_map import DenseMap
from .video import Video
from .view3d import Chapter, Cloud, colored_cloud, write_page

CAMERAS = ("front", "left_shoulder")
EVERY = 2
"""Control ticks a picture."""

HALO = 0.05
"""m around a goal in which its value is drawn, for a goal of one node would be too small to see."""

_BALL = np.argwhere(np.linalg.norm(np.indices((11, 11, 11)) - 5, axis=0) <= 5) - 5


class Rig(Protocol):
    """Cameras that are read together."""

    def read(self, names: tuple[str, ...]) -> dict[str, Frame]:
        """One frame of each camera of `names`."""
        ...


class Film:
    """Films one run of an executor into `folder`; a context manager that finishes video and page however the run ends.

    rig: its cameras, at the size of the video. fps: of the video when every control tick were shown.
    """

    def __init__(self, folder: Path, title: str, rig: Rig, *, ctrl_dt: float) -> None:
        self._folder, self._title, self._rig = folder, title, rig
        self._video = Video(folder / VIDEO, fps=1.0 / (EVERY * ctrl_dt))
        self._cloud: Cloud | None = None
        self._chapters: dict[int, Chapter] = {}
        self._driven: list[Floats] = []
        self._ticks = 0

    def shoot(self, executor: Executor, tool_pose: Floats) -> None:
        """Take the picture of this control tick, if one is due, with the executor's newest plan drawn in."""
        self._driven.append(tool_pose)
        if self._ticks % EVERY == 0:
            frames = self._rig.read(CAMERAS)
            status, drawing = executor.status, drawing_of(executor.view, np.array(self._driven)[:, :3])
            self._video.write(side_by_side(frames, drawing, [self._title, status.line()]))
            if executor.view is not None and status.text:
                self._keep(frames, status, executor.view)
        self._ticks += 1

    def _keep(self, frames: dict[str, Frame], status: Status, view: View) -> None:
        """A sub-goal's chapter, and its maps on disk, are of its first plan; the cloud is that of the start."""
        if self._cloud is None:
            self._cloud = colored_cloud(frames.values())
        if status.number not in self._chapters:
            title = f"{status.number}. {status.text}"
            self._chapters[status.number] = Chapter(title, drawing_of(view), np.array(self._driven[-1:]))
            write_maps(self._folder / "maps" / f"{status.number}.npz", view.maps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.close()
        write_page(self._folder / VIEW, self._title, self._cloud, list(self._chapters.values()))


def drawing_of(view: View | None, driven: Floats | None = None) -> Drawing:
    """The maps and the path of a plan as marks to draw."""
    if view is None:
        return Drawing(driven=driven)
    goal, cost = view.maps.goal, view.maps.cost
    return Drawing(
        goal=_around(goal) if goal is not None else None,
        avoid=marks(cost) if cost is not None else None,
        path=view.path_world,
        driven=driven,
    )


def _around(goal: DenseMap) -> Marks | None:
    """The value that the path climbs near the goals: 1 at the best, falling to 0 at HALO from it."""
    found = marks(goal, most=50)
    if found is None:
        return None
    nodes = np.unique(np.rint(goal.grid.to_index(found.points)[:, None] + _BALL).reshape(-1, 3).astype(int), axis=0)
    points = goal.grid.to_world(nodes[goal.grid.inside(nodes)])
    away = np.linalg.norm(points[:, None] - found.points, axis=2)
    values = (found.strengths * np.maximum(0.0, 1.0 - away / HALO)).max(axis=1)
    return Marks(points[values > 0], values[values > 0])
