"""`valuefield replay`: a recorded episode once more, in the simulator."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from .output import CommonArgs, console, emit

VIDEO = "replay.mp4"
SIZE = 360
"""Pixels a side of the video of a tabletop."""


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """Play an episode again from its seed: does what was recorded lead to what was recorded?"""

    episode: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="EPISODE")]
    """File of an episode (.parquet)."""
    by: Literal["action", "state"] = "action"
    """Do the same actions, or drive the arm to the joints that were recorded."""
    video: bool = False
    """Make a video too."""


def run(args: Args) -> int:
    """Play, compare and say; 0 if it succeeded again, else 1."""
    from ..agents.playback import environment_for, picture, play_actions, play_states
    from ..envs.episodes import read_episode
    from ..planners.video import Video

    episode, screen = read_episode(args.episode), console(args)
    env = environment_for(episode, size=SIZE)
    play = play_actions if args.by == "action" else play_states
    with ExitStack() as opened:
        opened.callback(env.close)
        film = opened.enter_context(Video(args.out / VIDEO, fps=1.0 / episode.header.ctrl_dt)) if args.video else None
        played = play(episode, env, (lambda env: film.write(picture(env))) if film else None)
    screen.print(f"{args.episode}: {_words(played.recorded)} then, {_words(played.success)} now, {played.steps} steps")
    if played.deviation:
        key, most = max(played.deviation.items(), key=lambda item: item[1])
        screen.print(f"largest deviation {most:.3g}, of {key}")
    result = {**asdict(played), "by": args.by, "episode": args.episode}
    emit(args, result | ({"video": args.out / VIDEO} if args.video else {}))
    return 0 if played.same else 1


def _words(success: bool | None) -> str:
    return {True: "succeeded", False: "failed", None: "not judged"}[success]
