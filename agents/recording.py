"""Journals of episodes as policies see them: what `record` and `train --record` write, and `fill` and `replay` read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..envs.episodes import EpisodeHeader, EpisodeWriter, Step, read_episode
from ..envs.episodes_journal import recover
from ..envs.policy_env import Recipe
from .replay import Transition

ALONE = "obs"
"""Key in an episode of an observation that is an array and no dict."""


GIVEN = "given"
"""Key in a step's info of the action as the environment was given it, not as it was sent on."""


class Recorder:
    """Writes episode after episode into `folder`, each row as replay keeps it; a Discrete action as a row of one."""

    def __init__(self, folder: Path, recipe: Recipe, ctrl_dt: float | None) -> None:
        self._folder, self._recipe, self._ctrl_dt = folder, recipe, ctrl_dt
        self._writer: EpisodeWriter | None = None

    def begin(self, seed: int, obs: Any, info: Mapping[str, Any]) -> None:
        """Open the journal of an episode with what its reset gave."""
        kept = {name: info[name] for name in ("roles", "objects") if name in info}
        header = EpisodeHeader(
            env=self._recipe.env,
            instruction=str(info.get("instruction", "")),
            action=self._recipe.action,
            ctrl_dt=self._ctrl_dt or 1.0,
            seed=seed,
            variation=info.get("variation"),
            reset_info={**kept, "recipe": self._recipe.as_json()},
        )
        self._writer = EpisodeWriter(self._folder, header, keyed(obs))

    def step(self, row: Transition, given: Any) -> None:
        """Append a transition, and beside it the action that the environment was `given`, which it may have changed."""
        assert self._writer is not None
        step = Step(
            action=np.atleast_1d(row.action),
            reward=row.reward,
            terminated=row.terminated,
            truncated=row.truncated,
            policy_action=None if row.policy_action is None else np.atleast_1d(row.policy_action),
            intervened=row.intervened,
            takeover_start=row.takeover_start,
            approved=row.approved,
            info={GIVEN: np.atleast_1d(given)},
        )
        self._writer.step(step, keyed(row.next_obs))

    def end(self, *, success: bool | None) -> Path:
        """End the episode; success is None where nobody judged it. Returns the file."""
        assert self._writer is not None
        return self._writer.finish(success)


def discard_from(folder: Path, seed: int) -> None:
    """Remove the episodes in `folder` that were reset with `seed` or a later one, for they are to be run again."""
    recover(folder)
    for path in folder.glob("episode-*.parquet"):
        recorded = read_episode(path, keys=()).header.seed
        if recorded is not None and recorded >= seed:
            path.unlink()


def keyed(obs: Any) -> Mapping[str, NDArray[Any]]:
    """The observation as a dict."""
    return obs if isinstance(obs, Mapping) else {ALONE: obs}
