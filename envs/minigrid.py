"""MiniGrid's environments with observations that a small network learns from quickly."""

from __future__ import annotations

import os
import warnings
from collections import deque
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from ..robots.errors import UnknownName
from . import minigrid_view

Info = dict[str, Any]
View = NDArray[np.uint8]
Env = gymnasium.Env[Any, Any]

TYPES, COLOURS, STATES = 11, 6, 3
"""How many object types, colours and door states MiniGrid has codes for."""

CHANNELS = TYPES + COLOURS + STATES
FRAMES = 4

SIX_ROOMS = "MiniGrid-MultiRoom-N4-S5-v0"
"""Kept on purpose: that id always makes six rooms, and is the task that the PVP paper calls fourroom."""

GENERATED = "MiniGrid-WFC-"
"""Left out: these make their mazes with libraries that do not come with MiniGrid."""


def make(env_id: str) -> GridViews:
    """Any of MiniGrid's environments, such as `MiniGrid-MultiRoom-N2-S4-v0`, seen through `GridViews`.

    Raises:
        UnknownName: MiniGrid has no such environment.
    """
    if env_id not in (known := ids()):
        raise UnknownName("environment", env_id, known)
    with warnings.catch_warnings():
        if env_id == SIX_ROOMS:  # Gymnasium advises -v1, which is another task: four rooms
            warnings.filterwarnings("ignore", ".*is out of date", DeprecationWarning)
        env = gymnasium.make(env_id, disable_env_checker=True)
    return GridViews(env)


def ids() -> list[str]:
    """Ids of the environments that `make` takes."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # standard output belongs to `--json`
    import minigrid  # noqa: F401  (registers them)

    return [name for name in gymnasium.registry if name.startswith("MiniGrid-") and not name.startswith(GENERATED)]


class GridViews(gymnasium.Wrapper[View, Any, Any, Any], RecordConstructorArgs):
    """The agent's own view as one-hot codes, the last four of them: (7, 7, 80) uint8 of 0 and 1.

    Axis 0 is the view's columns from left to right, axis 1 its rows, of which the last, in whose middle the agent
    stands, is nearest. Of the 80 channels each 20 are one view, the oldest first, zeros before an episode's first:
    0-10 the object's type (unseen, empty, wall, floor, door, key, ball, box, goal, lava, agent), 11-16 its colour
    (red, green, blue, purple, yellow, grey), 17-19 its state (open, closed, locked). As in MiniGrid, what has no
    colour is red and what is no door is open.

    The reward is MiniGrid's. Reaching the goal terminates, the step limit truncates, and never both.
    `info`: instruction; after a step also success.
    """

    def __init__(self, env: Env) -> None:
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        base: Any = env.unwrapped
        base.gen_obs = partial(minigrid_view.observe, base)  # `step` and `reset` spend most of their time in there
        self.observation_space = Box(0, 1, (minigrid_view.SIZE, minigrid_view.SIZE, CHANNELS * FRAMES), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[View, Info]:
        """Lay out the grid anew."""
        raw, _ = self.env.reset(seed=seed, options=options)
        blank = np.zeros((minigrid_view.SIZE, minigrid_view.SIZE, CHANNELS), np.uint8)
        self._views = deque([blank] * FRAMES, maxlen=FRAMES)
        return self._seen(raw), {"instruction": raw["mission"]}

    def step(self, action: Any) -> tuple[View, float, bool, bool, Info]:
        """Do one of MiniGrid's actions: left, right, forward, pickup, drop, toggle, done."""
        raw, reward, terminated, truncated, _ = self.env.step(action)
        info = {"instruction": raw["mission"], "success": float(reward) > 0}
        return self._seen(raw), float(reward), terminated, truncated and not terminated, info

    def _seen(self, raw: dict[str, Any]) -> View:
        self._views.append(one_hot(raw["image"]))
        return np.concatenate(self._views, axis=-1)


def one_hot(image: View) -> View:
    """(7, 7, 20) of 0 and 1 for MiniGrid's (7, 7, 3) of (type, colour, state)."""
    return np.asarray(TABLE[image @ WEIGHTS])


def _table() -> View:
    """(198, 20): the channels of each (type, colour, state), counted with the state fastest."""
    codes = np.stack(np.unravel_index(np.arange(TYPES * COLOURS * STATES), (TYPES, COLOURS, STATES)), axis=1)
    parts = [np.eye(count, dtype=np.uint8)[codes[:, k]] for k, count in enumerate((TYPES, COLOURS, STATES))]
    return np.concatenate(parts, axis=1)


WEIGHTS = np.array([COLOURS * STATES, STATES, 1], np.uint8)
TABLE = _table()
