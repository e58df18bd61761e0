"""What `bench learner` measures: updates, sampling and acting beside Stable-Baselines3's TD3 with the same networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from ..planners.bench_row import Row
from ..robots.errors import MissingExtra
from .intervention_replay import InterventionReplay
from .pvp import PVP, PVPConfig
from .replay import Replay
from .rows import Transition
from .td3 import TD3, TD3Config

OBS = spaces.Box(-np.inf, np.inf, (30,), np.float32)
ACTIONS = spaces.Box(-1.0, 1.0, (7,), np.float32)
HIDDEN = (256, 256)
BATCH = 128
ROWS = 4096
"""rows in each replay"""

REPEATS = {"td3_update": 4, "pvp_td3_update": 4, "replay_sample": 100, "act": 100}
"""calls in one round; an update draws its batch itself, as in training"""

Call = Callable[[], object]


class LearnerBench:
    """Ours and the baseline in turn, `rounds` times; a row is the median over the rounds, CPU time of one thread.

    Raises MissingExtra where Stable-Baselines3 is not installed.
    """

    def __init__(self, seed: int, rounds: int) -> None:
        self.rounds = rounds
        self._calls = calls(seed)
        self._ms: dict[tuple[str, int], list[float]] = {(name, side): [] for name in REPEATS for side in (0, 1)}

    def run(self) -> Iterator[str]:
        """Measure round by round, after one that does not count; yields what was measured."""
        with one_thread():
            for number in range(self.rounds + 1):
                for name, sides in self._calls.items():
                    for side, call in enumerate(sides):
                        ms = _timed(call, REPEATS[name])
                        if number > 0:
                            self._ms[name, side].append(ms)
                    yield name

    def rows(self) -> list[Row]:
        """Return the table."""
        median = {key: float(np.median(ms)) for key, ms in self._ms.items()}
        return [Row(name, median[name, 0], median[name, 1], "ms") for name in REPEATS]


def calls(seed: int) -> dict[str, tuple[Call, Call]]:
    """What is measured by name: ours, the baseline's. Every other row is a person's."""
    td3 = TD3(OBS, ACTIONS, TD3Config(hidden=HIDDEN), seed=seed, device="cpu")
    pvp = PVP(OBS, ACTIONS, PVPConfig(hidden=HIDDEN), seed=seed, device="cpu")
    flat, halves = Replay(OBS, ACTIONS, ROWS, seed=seed), InterventionReplay(OBS, ACTIONS, ROWS, seed=seed)
    model = baseline(seed)
    for row in transitions(seed):
        flat.add(row)
        halves.add(row)
        end, reward = np.array([row.terminated]), np.array([row.reward])
        model.replay_buffer.add(row.obs, row.next_obs, row.action, reward, end, [{}])
    obs = np.zeros((1, 30), np.float32)

    def train() -> None:
        model.train(1, BATCH)

    return {
        "td3_update": (lambda: td3.update(flat.sample(BATCH)), train),
        "pvp_td3_update": (lambda: pvp.update(halves.sample(BATCH)), train),
        "replay_sample": (lambda: flat.sample(BATCH), lambda: model.replay_buffer.sample(BATCH)),
        "act": (lambda: td3.act(obs), lambda: model.predict(obs, deterministic=True)),
    }


def baseline(seed: int) -> Any:
    """Stable-Baselines3's TD3 with our networks, ready to train. Raises MissingExtra."""
    try:
        from stable_baselines3 import TD3 as Baseline
        from stable_baselines3.common.logger import Logger
    except ModuleNotFoundError as error:
        raise MissingExtra("stable-baselines3", "bench") from error

    sizes = {"net_arch": list(HIDDEN)}
    model = Baseline("MlpPolicy", Still(), buffer_size=ROWS, policy_kwargs=sizes, seed=seed, device="cpu")
    model.set_logger(Logger(None, []))
    return model


def transitions(seed: int) -> Iterator[Transition]:
    """ROWS random rows, every other one a person's."""
    rng = np.random.default_rng(seed)
    for number in range(ROWS):
        obs, after = rng.normal(size=(2, 30)).astype(np.float32)
        action, proposal = rng.uniform(-1, 1, (2, 7)).astype(np.float32)
        ours = number % 2 == 0
        yield Transition(
            obs, action if ours else proposal, proposal, float(rng.normal()), after, number % 50 == 0, False, ours
        )


class Still(gymnasium.Env[Any, Any]):
    """Spaces, for a baseline that asks for an environment; it is never stepped."""

    observation_space = OBS
    action_space = ACTIONS


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _timed(call: Call, repeats: int) -> float:
    """CPU ms of one call."""
    began = process_time()
    for _ in range(repeats):
        call()
    return 1e3 * (process_time() - began) / repeats
