"""The loop that trains an agent beside a person: propose, decide, execute, keep, update; and measure on the way."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import gymnasium

from ..robots.errors import BadInput
from .actor import PolicyActor, batched
from .agent import Agent
from .evaluate import evaluate
from .feedback import Feedback
from .people import Person
from .recording import Recorder
from .replay import Replay, Transition

SEEDS = range(10)
"""Training seeds; all that they lead to stays below the seeds of evaluations."""

EPISODES_A_SEED = 10_000
"""The k-th episode of training seed s is reset with this times s, plus k."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long an agent is trained, and how often it is measured.

    steps: of the environment. offline: no step is taken, and `steps` counts those that would have been. eval_every:
    steps between two points of the curve, 0 for none. eval_episodes: of each point, with seeds from eval_seed on.
    """

    steps: int
    seed: int = 0
    offline: bool = False
    eval_every: int = 0
    eval_episodes: int = 100
    eval_seed: int = 100_000

    def __post_init__(self) -> None:
        """Raise BadInput for what no training can be made of."""
        if self.seed not in SEEDS:
            raise BadInput(f"training seed {self.seed}; allowed: {SEEDS[0]} to {SEEDS[-1]}")
        for name, least in (("steps", 1), ("eval_every", 0), ("eval_episodes", 1), ("eval_seed", 0)):
            if getattr(self, name) < least:
                raise BadInput(f"{name} is {getattr(self, name)}; allowed: {least} or more")


@dataclass
class Counters:
    """What a training counts; with the agent and the replay, all that there is to resume.

    steps: done, of the configured ones; seconds: that they took. data_rows: in replay before the first. human_at: the
    steps at which a person acted. given_up: steps at which the person's expert did not know what to do.
    curve: (steps, success) of the policy as it acts; curve_online: of the network that is being trained, where the
    policy acts with the average of it.
    """

    steps: int = 0
    updates: int = 0
    data_rows: int = 0
    episodes: int = 0
    takeovers: int = 0
    given_up: int = 0
    seconds: float = 0.0
    human_at: list[int] = field(default_factory=list)
    curve: list[tuple[int, float]] = field(default_factory=list)
    curve_online: list[tuple[int, float]] = field(default_factory=list)

    def human_by_quarter(self, steps: int) -> list[int]:
        """Human steps in each quarter of the first `steps`."""
        quarters = [min(4 * at // steps, 3) for at in self.human_at]
        return [quarters.count(quarter) for quarter in range(4)]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training is after a step. metrics: of the last update, empty before the first.

    at_rest: whether an episode is just over, so that nothing but `Counters`, agent and replay is needed to go on.
    """

    counters: Counters
    metrics: Mapping[str, float]
    at_rest: bool


class Training:
    """Trains `agent` in `env`, beside `person`, from `replay`; agent and replay are changed in place.

    Chance proposes instead of the agent for its first `learning_starts` steps. A step with `info["fault"]` is not kept.
    Curves are measured in `eval_env`, so that no episode of `env` is disturbed. `recorder` is shown every step.
    """

    def __init__(
        self,
        agent: Agent,
        env: gymnasium.Env[Any, Any],
        replay: Replay,
        person: Person,
        config: TrainConfig,
        *,
        eval_env: gymnasium.Env[Any, Any],
        recorder: Recorder | None = None,
    ) -> None:
        self.agent, self.env, self.replay, self.person, self.config = agent, env, replay, person, config
        self.eval_env, self.counters = eval_env, Counters()
        self._recorder = recorder
        self._chance = copy.deepcopy(env.action_space)
        self._metrics: Mapping[str, float] = {}

    def run(self) -> Iterator[Progress]:
        """Train until the configured number of steps is done, and tell of each one."""
        began = perf_counter() - self.counters.seconds
        while self.counters.steps < self.config.steps:
            for progress in self._offline() if self.config.offline else self._episode():
                self.counters.seconds = perf_counter() - began
                yield progress

    def resume(self, agent: Mapping[str, Any], replay: Mapping[str, Any], counters: Mapping[str, Any]) -> None:
        """Go on from the end of an episode: the states of agent and replay, and `Counters` as a dict."""
        self.agent.load_state_dict(agent)
        self.replay.load_state_dict(replay)
        self.counters = Counters(**counters)

    @property
    def next_seed(self) -> int:
        """What the next episode is reset with."""
        return EPISODES_A_SEED * self.config.seed + self.counters.episodes

    def success(self, episodes: int, *, online: bool = False) -> float:
        """Success rate of the policy as it is now, without help; nothing random that training depends on is drawn."""
        results = evaluate(
            PolicyActor(self.agent, online=online), self.eval_env, episodes=episodes, seed=self.config.eval_seed
        )
        return sum(result.success for result in results) / episodes

    def _offline(self) -> Iterator[Progress]:
        self._learn()
        yield Progress(self.counters, self._metrics, at_rest=True)

    def _episode(self) -> Iterator[Progress]:
        """One episode, cut short where the training ends."""
        seed = self.next_seed
        obs, info = self.env.reset(seed=seed)
        self.person.reset(obs, info, seed)
        self._chance.seed(seed)
        self.replay.begin()
        if self._recorder:
            self._recorder.begin(seed, obs, info)
        over, held = False, False
        while not over and self.counters.steps < self.config.steps:
            row, info = self._step(obs, held)
            obs, held, over = row.next_obs, row.intervened, row.terminated or row.truncated
            self._hear(self.person.finish() if over else ())
            self.counters.episodes += over
            self._learn()
            if self._recorder and over:
                self._recorder.end(success=info.get("success"))
            yield Progress(self.counters, self._metrics, at_rest=over)
        if self._recorder and not over:
            self._recorder.end(success=None)

    def _step(self, obs: Any, held: bool) -> tuple[Transition, dict[str, Any]]:
        """Propose, let the person decide, execute, keep. held: whether the person chose the action before this one."""
        proposal = self._propose(obs)
        decision = self.person.decide(obs, proposal)
        self._hear(decision.feedback)
        human = decision.action is not None
        given = decision.action if human else proposal
        next_obs, reward, terminated, truncated, info = self.env.step(given)
        self.counters.takeovers += human and not held
        self.counters.given_up += bool(decision.given_up)
        self.counters.human_at += [self.counters.steps] if human else []
        row = Transition(
            obs=obs,
            action=info.get("action_sent", given),
            policy_action=proposal,
            reward=float(reward),
            next_obs=next_obs,
            terminated=terminated,
            truncated=truncated and not terminated,
            intervened=human,
            takeover_start=human and not held,
            approved=decision.approved,
        )
        if "fault" not in info:
            self.replay.add(row)
            if self._recorder:
                self._recorder.step(row, given)
        return row, info

    def _hear(self, feedback: tuple[Feedback, ...]) -> None:
        if feedback:
            self.replay.feedback(feedback)

    def _propose(self, obs: Any) -> Any:
        if self.counters.steps < self.agent.config.learning_starts:
            return self._chance.sample()
        return self.agent.act(batched(obs), explore=True)[0]

    def _learn(self) -> None:
        """The updates of one step, and the point of the curve that is due after it."""
        config = self.agent.config
        learning = self.config.offline or self.counters.steps >= config.learning_starts
        for _ in range(config.updates_per_step if learning else 0):
            if self.replay.ready(config.batch_size):
                self._metrics = self.agent.update(self.replay.sample(config.batch_size))
                self.counters.updates += 1
        self.counters.steps += 1
        if self.config.eval_every and self.counters.steps % self.config.eval_every == 0:
            self._measure()

    def _measure(self) -> None:
        episodes, steps = self.config.eval_episodes, self.counters.steps
        self.counters.curve.append((steps, self.success(episodes)))
        if self.agent.averaged:
            self.counters.curve_online.append((steps, self.success(episodes, online=True)))
