"""`valuefield view`: a run, a training, an episode or a value map as a page in the browser."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro
from numpy.typing import NDArray

from ..robots.errors import BadInput
from .output import CommonArgs, console, emit
from .training_page import CURVE, TRAINING, numbers_table, read_training, write_curve

if TYPE_CHECKING:
    from ..envs.episodes import Episode
    from ..robots.cameras.camera import Frame

STYLE = "body{font:16px sans-serif;margin:1.5em}video{max-width:100%}iframe{width:100%;height:80vh;border:0}"
STYLE += "td,th{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}pre{margin:0}"


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """Show a run or a training (its folder), an episode (.parquet) or a value map (.npz) in the browser.

    The page is written beside what it shows and needs no server and no network.
    """

    path: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PATH")]
    """Folder of a run, or file of an episode or a value map."""
    no_open: bool = False
    """Only write the page and name it."""


def run(args: Args) -> int:
    """Write the page, name it, and open it unless told not to."""
    kind, make = _kind(args.path)
    page = make(args.path)
    console(args).print(f"{kind}: {page}")
    if not args.no_open:
        webbrowser.open(page.resolve().as_uri())
    emit(args, {"kind": kind, "page": page})
    return 0


def _kind(path: Path) -> tuple[str, Callable[[Path], Path]]:
    """Tell what `path` is and how its page is made. Raises BadInput, naming what there is to see in a folder."""
    if not path.exists():
        raise BadInput(f"{path} does not exist; give the folder of a run, or the file of an episode or a value map")
    if (path / "report.json").exists():
        return "run", run_page
    if (path / TRAINING).exists():
        return "training", training_page
    if path.suffix == ".parquet":
        return "episode", episode_page
    if path.suffix == ".npz":
        return "value map", map_page
    inside = sorted(str(found) for found in path.glob("**/*") if found.suffix in (".parquet", ".npz"))[:5]
    hint = f"; in it are {', '.join(inside)}" if inside else ""
    raise BadInput(
        f"{path} is no run (a folder with report.json or {TRAINING}), episode (.parquet) or value map (.npz){hint}"
    )


def run_page(folder: Path) -> Path:
    """Write `index.html` of a run: verdict, sub-goals with their programs, video and 3-D view."""
    from ..planners.report import VIDEO, VIEW, read_report

    report = read_report(folder)
    rows = "".join(_subgoal_row(number, each) for number, each in enumerate(report["subgoals"], 1))
    verdict = {True: "succeeded", False: "failed", None: "no task judged it"}[report["success"]]
    numbers = f"{report['replans']} replans, {report['collisions']} collisions, {report['violations']} violations"
    body = f"<p>{escape(report['env'])}: {verdict}; {report['seconds']:.1f} s, {numbers}</p><table>{rows}</table>"
    return _write_page(folder / "index.html", report["instruction"], body, VIDEO, VIEW)


def training_page(folder: Path) -> Path:
    """Write `index.html` of a training: its numbers and its learning curve."""
    result = read_training(folder / TRAINING)
    write_curve(result, folder / CURVE)
    title = f"{result['algo']} in {result['env']}, seed {result['seed']}"
    return _write_page(folder / "index.html", title, numbers_table(result), "", CURVE)


def _subgoal_row(number: int, subgoal: dict[str, Any]) -> str:
    reached = "reached" if subgoal["reached"] else "not reached"
    program = f"<details><summary>program</summary><pre>{escape(subgoal['program'])}</pre></details>"
    cells = (str(number), escape(subgoal["text"]), reached, f"{subgoal['seconds']:.1f} s", program)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def episode_page(path: Path) -> Path:
    """Write the page of an episode: what its cameras saw, and the way of the tool in the first cloud."""
    from ..envs.episodes import read_episode
    from ..planners.draw import Drawing
    from ..planners.view3d import Chapter, colored_cloud, write_page

    episode = read_episode(path)
    cameras = [key.removeprefix("rgb/") for key in episode.obs if key.startswith("rgb/")]
    video, view = path.with_suffix(".mp4"), path.with_suffix(".view.html")
    driven = episode.obs["ee_pose"][:, :3] if "ee_pose" in episode.obs else None
    cloud = colored_cloud(_frames(episode, cameras, 0).values()) if cameras else None
    write_page(view, episode.header.instruction, cloud, [Chapter("driven", Drawing(driven=driven))])
    if cameras:
        _film(episode, cameras, driven, video)
    verdict = {True: "succeeded", False: "failed", None: "was cut short or not judged"}[episode.success]
    seconds = len(episode.steps) * episode.header.ctrl_dt
    body = f"<p>{escape(episode.header.env)}: {verdict}; {len(episode.steps)} steps, {seconds:.1f} s</p>"
    return _write_page(path.with_suffix(".html"), episode.header.instruction, body, video.name, view.name)


def _film(episode: Episode, cameras: list[str], driven: NDArray[np.float64] | None, path: Path) -> None:
    from ..planners.draw import Drawing, side_by_side
    from ..planners.video import Video

    with Video(path, fps=1.0 / episode.header.ctrl_dt) as video:
        for number in range(len(episode.steps) + 1):
            lines = [episode.header.instruction, f"{number * episode.header.ctrl_dt:.2f} s"]
            drawing = Drawing(driven=driven[: number + 1] if driven is not None else None)
            video.write(side_by_side(_frames(episode, cameras, number), drawing, lines, height=320))


def _frames(episode: Episode, cameras: list[str], number: int) -> dict[str, Frame]:
    """What the cameras saw; where no depth was recorded it is 0, which is invalid."""
    from ..robots.cameras.camera import Frame

    frames = {}
    for name in cameras:
        rgb, pose, intrinsics = (episode.obs[f"{key}/{name}"][number] for key in ("rgb", "cam_pose", "intrinsics"))
        recorded = episode.obs.get(f"depth/{name}")
        depth = recorded[number] if recorded is not None else np.zeros(rgb.shape[:2], np.float32)
        frames[name] = Frame(rgb, depth, None, pose, intrinsics, number * episode.header.ctrl_dt)
    return frames


def map_page(path: Path) -> Path:
    """Write the page of a value map: its goal and what it avoids."""
    from ..planners.draw import Drawing, marks
    from ..planners.map_file import read_maps
    from ..planners.view3d import Chapter, write_page

    maps = read_maps(path)
    goal = marks(maps.goal) if maps.goal is not None else None
    avoid = marks(maps.cost) if maps.cost is not None else None
    page = path.with_suffix(".html")
    write_page(page, path.name, None, [Chapter(path.stem, Drawing(goal=goal, avoid=avoid))])
    return page


def _write_page(page: Path, title: str, body: str, video: str, view: str) -> Path:
    """Put `body`, a video and a view, both files beside the page, under a title; what is not there is left out."""
    parts = [f"<h1>{escape(title)}</h1>", body]
    if (page.parent / video).is_file():
        parts.append(f'<video src="{escape(video)}" controls autoplay muted loop></video>')
    if (page.parent / view).exists():
        parts.append(f'<iframe src="{escape(view)}"></iframe>')
    head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    page.write_text(head + "".join(parts), encoding="utf-8")
    return page
