"""Recorded episodes once more: by what was done, or by where the arm was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..envs import tabletop
from ..envs.episodes import Episode
from ..envs.policy_env import PolicyEnv, Recipe, policy_env
from ..envs.robot_env import RobotEnv
from ..robots.errors import BadInput
from ..robots.state import JointTarget
from .evaluate import SETTLING_STEPS
from .recording import GIVEN, keyed

IMAGES = ("rgb/", "depth/", "seg/")
"""Keys of observations that an episode keeps rounded, and that are not compared."""

Watcher = Callable[[PolicyEnv], None]


@dataclass(frozen=True, slots=True)
class Playback:
    """What became of an episode when it was played again.

    success, recorded: of this time and of then, None where nobody judged it then. steps: played.
    deviation: key of the observation -> the most that any number of it was off at any step, by action only.
    """

    success: bool
    recorded: bool | None
    steps: int
    deviation: Mapping[str, float]

    @property
    def same(self) -> bool:
        """Whether it succeeded again, and had not failed then."""
        return self.success and self.recorded is not False


def environment_for(episode: Episode, *, size: int = 128) -> PolicyEnv:
    """The environment of an episode, with the readings of it that cost little. Raises as its making does.

    size: pixels a side of what `picture` draws, where that is not a matter of the recipe of the episode.
    """
    header = episode.header
    if "recipe" in header.reset_info:
        return policy_env(Recipe.from_json(header.reset_info["recipe"]))
    readings = ["proprio", *(["state"] if "state" in episode.obs else [])]
    return tabletop.make(header.env, obs=readings, cameras=(), action=header.action, size=size)


def play_actions(episode: Episode, env: PolicyEnv, watch: Watcher | None = None) -> Playback:
    """Do again what was done, from the same start, and see how far off that leads. watch: shown after each step.

    Raises BadInput for an episode without a seed or of another kind of action.
    """
    rows = [np.asarray(step.info.get(GIVEN, step.action)) for step in episode.steps]
    actions = [row if env.action_space.shape else np.int64(row[0]) for row in rows]
    observed = [_start(episode, env)]
    success = False
    for obs, info in _driven(env, actions, watch):
        observed.append(obs)
        success = bool(info.get("success", False))
    off = [_off(episode, row, obs) for row, obs in enumerate(observed)]
    deviation = {key: max(each[key] for each in off) for key in off[0]}
    return Playback(success, episode.success, len(observed) - 1, deviation)


def play_states(episode: Episode, env: PolicyEnv, watch: Watcher | None = None) -> Playback:
    """Drive the arm to the joints that it had after each step, with the gripper as commanded then, and let things rest.

    Raises BadInput for an episode without a seed or without joint positions.
    """
    if "q" not in episode.obs or not isinstance(env, RobotEnv):
        raise BadInput("an episode without joint positions cannot be played by state; try --by action")
    _start(episode, env)
    steps, width = list(zip(episode.obs["q"][1:], episode.steps, strict=True)), env.robot.limits.width_max
    targets = [JointTarget(q, width * float(step.action[-1] > 0)) for q, step in steps]
    actions = (env.encode(target) for target in [*targets, *targets[-1:] * SETTLING_STEPS])
    success, count = False, 0
    for _, info in _driven(env, actions, watch):
        success, count = bool(info["success"]), count + 1
    return Playback(success, episode.success, count, {})


def _driven(env: PolicyEnv, actions: Iterable[Any], watch: Watcher | None) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Observation and info after each action, until the episode is over."""
    for action in actions:
        obs, _, terminated, truncated, info = env.step(action)
        if watch:
            watch(env)
        yield obs, info
        if terminated or truncated:
            return


def picture(env: PolicyEnv) -> NDArray[np.uint8]:
    """(H, W, 3) uint8, the environment as people see it. Raises BadInput for one that cannot be drawn."""
    base: Any = env.unwrapped
    if isinstance(base, RobotEnv):
        return np.asarray(base.look(["front"])["rgb/front"])
    if hasattr(base, "get_frame"):
        return np.asarray(base.get_frame(tile_size=32), np.uint8)
    raise BadInput(f"{type(base).__name__} has no picture to make a video of")


def _start(episode: Episode, env: PolicyEnv) -> Any:
    """Reset as at the recording; the first observation.

    A variation that was asked for then was not drawn, which leaves other random numbers for the rest of the reset.
    """
    header = episode.header
    if header.seed is None or not episode.steps:
        raise BadInput("an episode without a seed, or without a step, cannot be played again")
    obs, _ = env.reset(seed=header.seed)
    if header.variation is not None and any(_off(episode, 0, obs).values()):
        obs, _ = env.reset(seed=header.seed, options={"variation": header.variation})
    return obs


def _off(episode: Episode, row: int, obs: Any) -> dict[str, float]:
    """By how much each key of `obs` is off the row of the episode."""
    compared = {key: now for key, now in keyed(obs).items() if key in episode.obs and not key.startswith(IMAGES)}
    return {key: float(np.abs(now - episode.obs[key][row].astype(np.float64)).max()) for key, now in compared.items()}
