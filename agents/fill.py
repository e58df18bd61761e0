"""The replay that an algorithm asks for, and recorded episodes as its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import gymnasium
from gymnasium import spaces
from numpy.typing import NDArray

from ..envs.episodes import Episode, read_episode
from ..envs.episodes_journal import recover
from ..envs.policy_env import Recipe
from ..robots.errors import BadInput
from .feedback_replay import FeedbackReplay
from .intervention_replay import InterventionReplay
from .recording import ALONE
from .replay import Replay, Transition

EPISODES = "episodes"
"""Folder of a run in which its episodes are."""


def make_replay(
    config: Any,
    observation_space: gymnasium.Space[Any],
    action_space: gymnasium.Space[Any],
    capacity: int,
    *,
    seed: int,
) -> Replay:
    """The replay that an algorithm of this config learns from: flat, intervention or feedback.

    Raises BadInput as the replay does.
    """
    spaces = (observation_space, action_space, capacity)
    if config.replay == "intervention":
        return InterventionReplay(*spaces, seed=seed, legacy=getattr(config, "legacy", False))
    if config.replay == "feedback":
        window, every = config.window, config.replay_every
        return FeedbackReplay(*spaces, seed=seed, ctrl_dt=config.ctrl_dt, window=window, every=every)
    return Replay(*spaces, seed=seed)


def fill(
    replay: Replay,
    paths: Sequence[Path],
    recipe: Recipe,
    *,
    rows: Literal["all", "intervened"] = "all",
    most: int | None = None,
) -> int:
    """Add the rows of the episodes at `paths` to `replay`, in order and `most` at most, and return how many.

    A path is an episode, a folder of such or the folder of a run. Journals that a dead process left there are
    recovered first. Where the policy was asked for no proposal, the action stands for it.

    Raises BadInput where there is no episode or none with such a row, and for an episode of another environment, form
    of action or observation than those of `recipe` and `replay`; RecordingFailed when a journal cannot be recovered.
    """
    count = 0
    for path in [file for each in paths for file in _files(Path(each))]:
        for number, row in enumerate(_transitions(path, replay, recipe)):
            if count == most:
                return count
            if rows == "intervened" and not row.intervened:
                continue
            try:
                replay.add(row)
            except BadInput as error:
                raise BadInput(f"step {number} of {path}: {error}") from error
            count += 1
    if count == 0:
        raise BadInput(f"{', '.join(map(str, paths))} has no rows to learn from (of rows: {rows})")
    return count


def _files(path: Path) -> list[Path]:
    """The episodes at a path; BadInput where there are none."""
    folder = path / EPISODES if (path / EPISODES).is_dir() else path
    if folder.is_dir() or folder.suffix == ".journal":
        recover(folder if folder.is_dir() else folder.parent)
    files = sorted(folder.glob("episode-*.parquet")) if folder.is_dir() else [folder.with_suffix(".parquet")]
    if not files or not all(file.exists() for file in files):
        raise BadInput(f"{path} is no episode and no folder of episodes that are over (episode-<number>.parquet)")
    return files


def _transitions(path: Path, replay: Replay, recipe: Recipe) -> Iterator[Transition]:
    space = replay.observation_space
    keyed = isinstance(space, spaces.Dict)
    episode = read_episode(path, keys=list(space.spaces) if isinstance(space, spaces.Dict) else [ALONE])
    _check(path, episode, recipe)
    discrete = isinstance(replay.action_space, spaces.Discrete)
    for k, step in enumerate(episode.steps):
        proposal = step.action if step.policy_action is None else step.policy_action
        yield Transition(
            obs=_observation(episode, k, keyed),
            action=_one(step.action) if discrete else step.action,
            policy_action=_one(proposal) if discrete else proposal,
            reward=step.reward,
            next_obs=_observation(episode, k + 1, keyed),
            terminated=step.terminated,
            truncated=step.truncated,
            intervened=step.intervened,
            takeover_start=step.takeover_start,
            approved=step.approved,
        )


def _check(path: Path, episode: Episode, recipe: Recipe) -> None:
    """Raise BadInput unless the episode is one of the recipe's environment."""
    header = episode.header
    seen = header.reset_info.get("recipe", {}).get("observe", recipe.observe)
    there, here = (header.env, header.action, seen), (recipe.env, recipe.action, recipe.observe)
    for name, theirs, ours in zip(("environment", "action", "way to observe"), there, here, strict=True):
        if theirs != ours:
            raise BadInput(f"{path} has the {name} {theirs!r}; this training has {ours!r}")


def _observation(episode: Episode, k: int, keyed: bool) -> Any:
    return {key: values[k] for key, values in episode.obs.items()} if keyed else episode.obs[ALONE][k]


def _one(row: NDArray[Any]) -> Any:
    """A Discrete action, which an episode keeps as a row of one number; any other row stays, to be refused."""
    return row[0] if len(row) == 1 else row
