"""How often an actor succeeds: one episode a seed, and the interval that so many episodes allow."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from ..robots.errors import BadInput, InstructionRefused, PlannerError, ProgramError
from .actor import Actor

GIVEN_UP = (PlannerError, ProgramError, InstructionRefused)
"""What an actor may raise and so fail an episode. Anything else is no matter of skill and ends the evaluation."""

SETTLING_STEPS = 20
"""Control steps that an actor which says it is `finished` is still waited for: what it let go of may be falling."""


Observation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tick:
    """One control step: what the actor did, and what came of it. obs: after the step."""

    action: Any
    obs: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one episode went. reason: why it failed, where more is known than that time ran out. seconds: wall clock.

    violations: name of a limit -> physics steps on which it was broken.
    """

    seed: int
    instruction: str
    variation: int | None
    success: bool
    steps: int
    reason: str
    violations: Mapping[str, int]
    seconds: float


def evaluate(actor: Actor, env: gymnasium.Env[Any, Any], *, episodes: int, seed: int) -> Iterator[EpisodeResult]:
    """Let `actor` drive `env` for one episode of each seed from `seed` on, and yield each result when it is there.

    Raises BadInput for less than one episode or a negative seed.
    """
    if episodes < 1:
        raise BadInput(f"an evaluation takes at least 1 episode, not {episodes}")
    if seed < 0:
        raise BadInput(f"a seed is 0 or more, not {seed}")
    return (_episode(actor, env, each) for each in range(seed, seed + episodes))


def drive(actor: Actor, env: gymnasium.Env[Any, Any], obs: Observation, info: dict[str, Any]) -> Iterator[Tick]:
    """Let `actor` act after a reset that gave `obs` and `info`, until the episode is over or the actor is finished.

    Raises what the actor raises.
    """
    actor.reset(obs, info)
    left, over = SETTLING_STEPS, False
    while not over and left > 0:
        action = actor.act(obs)
        obs, reward, terminated, truncated, info = env.step(action)
        yield Tick(action, obs, float(reward), terminated, truncated, info)
        over = terminated or truncated
        left -= getattr(actor, "finished", False)


def _episode(actor: Actor, env: gymnasium.Env[Any, Any], seed: int) -> EpisodeResult:
    start = time.perf_counter()
    obs, info = env.reset(seed=seed)
    about = (seed, str(info.get("instruction", "")), info.get("variation"))
    violations: Counter[str] = Counter()
    steps, success, reason = 0, False, ""
    try:
        for tick in drive(actor, env, obs, info):
            steps += 1
            violations.update(tick.info.get("violations", {}))
            reason = str(tick.info.get("fault", ""))
            success = bool(tick.info.get("success", False)) and not reason
        reason = reason if success else reason or str(getattr(actor, "reason", ""))
    except GIVEN_UP as error:
        success, reason = False, f"{type(error).__name__}: {error}"
    return EpisodeResult(*about, success, steps, reason, dict(violations), time.perf_counter() - start)


def act_ms(actor: Actor, obs: Any, *, calls: int = 100) -> float:
    """How long one action takes, ms: the median of `calls` on the same observation."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        actor.act(obs)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def wilson(successes: int, episodes: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a success rate (Wilson 1927). Raises BadInput unless 0 <= successes <= episodes > 0."""
    if not 0 <= successes <= episodes or episodes == 0:
        raise BadInput(f"{successes} successes of {episodes} episodes")
    z = 1.959964
    rate, share = successes / episodes, z**2 / episodes
    center = (rate + share / 2) / (1 + share)
    half = z / (1 + share) * np.sqrt(rate * (1 - rate) / episodes + share / (4 * episodes))
    return float(max(center - half, 0.0)), float(min(center + half, 1.0))
