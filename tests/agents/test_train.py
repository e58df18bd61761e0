"""The training loop with a small world, a small agent and people who do as they are told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from valuefield.agents.feedback import Feedback
from valuefield.agents.people import Decision, NoPerson
from valuefield.agents.replay import Replay
from valuefield.agents.train import Counters, TrainConfig, Training
from valuefield.robots.errors import BadInput

SEED_OF_2 = 20_000


class Corridor(gymnasium.Env[np.ndarray, int]):
    """Five cells; 1 goes right, 0 left. Cell 4 is the goal; 12 steps are the limit. What was executed is `done`."""

    observation_space = Box(0, 1, (5,), np.float32)
    action_space = Discrete(2)

    def __init__(self, **extra: Any) -> None:
        self.seeds: list[int | None] = []
        self.done: list[int] = []
        self.extra = extra

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.at, self.steps = int(self.np_random.integers(3)), 0
        return self._see(), {"instruction": "go right"}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.done.append(int(action))
        self.at = min(max(self.at + 2 * int(action) - 1, 0), 4)
        self.steps += 1
        won = self.at == 4
        return self._see(), float(won), won, self.steps >= 12, {"success": won, **self.extra}

    def _see(self) -> np.ndarray:
        return np.eye(5, dtype=np.float32)[self.at]


@dataclass(frozen=True)
class Config:
    batch_size: int = 4
    updates_per_step: int = 2
    learning_starts: int = 3
    replay: str = "flat"


class Tally:
    """Goes left unless it has been updated `right_from` times; exploring draws from its generator."""

    def __init__(self, config: Any = None, right_from: int = 10**9) -> None:
        self.config = config or Config()
        self.averaged = False
        self.right_from = right_from
        self.updates, self.sum = 0, torch.zeros(1)
        self.generator = torch.Generator().manual_seed(0)
        self.batches: list[Any] = []

    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> np.ndarray:
        if explore:
            return torch.randint(2, (len(obs),), generator=self.generator).numpy()
        right = self.updates >= self.right_from and not (self.averaged and online)
        return np.full(len(obs), int(right), np.int64)

    def update(self, batch: Any) -> dict[str, float]:
        self.updates += 1
        self.sum += batch["obs"].sum() + batch["action"].sum()
        self.batches.append(batch)
        return {"loss": float(self.sum)}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {
            "updates": torch.tensor(self.updates),
            "sum": self.sum.clone(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: Any) -> None:
        self.updates, self.sum = int(state["updates"]), state["sum"].clone()
        self.generator.set_state(state["generator"])


class Shover:
    """Goes right at the given steps of each episode, and remembers what it was asked."""

    name = "shover"

    def __init__(self, at: Any = range(100)) -> None:
        self.at, self.resets, self.proposals = at, [], []

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        self.resets.append(seed)
        self.step = -1

    def decide(self, obs: Any, proposal: Any) -> Decision:
        self.step += 1
        self.proposals.append(int(proposal))
        return Decision(action=np.int64(1)) if self.step in self.at else Decision(approved=True)

    def finish(self) -> tuple[Any, ...]:
        return ()


def training(person: Any = None, env: Any = None, agent: Any = None, capacity: int = 200, **config: Any) -> Training:
    env = env or Corridor()
    replay = Replay(env.observation_space, env.action_space, capacity, seed=1)
    plan = TrainConfig(**({"steps": 60, "seed": 2} | config))
    return Training(agent or Tally(), env, replay, person or NoPerson(), plan, eval_env=Corridor())


def rows(one: Training) -> dict[str, torch.Tensor]:
    return one.replay._rows.read(torch.arange(len(one.replay)))


def test_episodes_and_people_are_seeded_in_order():
    person = Shover()
    one = training(person)
    list(one.run())
    episodes = one.counters.episodes
    assert one.env.seeds[:episodes] == list(range(SEED_OF_2, SEED_OF_2 + episodes))
    assert person.resets == one.env.seeds


def test_a_row_keeps_what_was_proposed_and_what_was_done():
    person = Shover(at=(1, 2, 4))
    one = training(person, steps=30)
    list(one.run())
    kept = rows(one)
    assert kept["action"].tolist() == one.env.done
    assert kept["policy_action"].tolist() == person.proposals
    assert len(kept["action"]) == 30
    human = kept["intervened"].tolist()
    assert one.counters.human_at == [k for k, acted in enumerate(human) if acted]
    assert kept["approved"].tolist() == [not acted for acted in human]
    over = [True, *(kept["terminated"] | kept["truncated"]).tolist()]
    alone = [over[k] or not human[k - 1] for k in range(30)]
    assert kept["takeover_start"].tolist() == [human[k] and alone[k] for k in range(30)]
    assert one.counters.takeovers == int(kept["takeover_start"].sum()) > 3


def test_a_takeover_does_not_reach_into_the_next_episode():
    one = training(Shover(), steps=20)  # acts at every step
    list(one.run())
    assert one.counters.takeovers == one.counters.episodes + (one.counters.steps > int(_ends(one)[-1]) + 1)


def _ends(one: Training) -> torch.Tensor:
    kept = rows(one)
    return (kept["terminated"] | kept["truncated"]).nonzero().squeeze(1)


def test_chance_proposes_first_and_nothing_is_learned_then():
    agent = Tally()
    one = training(agent=agent, steps=5)
    progress = list(one.run())
    assert [each.counters.updates for each in progress][-1] == agent.updates == 2 * 2
    again = training(steps=3, seed=2)
    list(again.run())
    assert again.env.done == one.env.done[:3]  # from the seed alone, whatever the agent is


def test_what_was_sent_is_what_is_kept():
    one = training(env=Corridor(action_sent=np.int64(0)), steps=8)
    list(one.run())
    assert rows(one)["action"].tolist() == [0] * 8


def test_a_faulty_step_ends_the_episode_and_is_not_kept():
    class Faulty(Corridor):
        def step(self, action: int) -> Any:
            seen, reward, _, truncated, info = super().step(action)
            broken = len(self.done) == 4
            return (
                seen * (np.nan if broken else 1),
                reward,
                broken,
                truncated,
                info | ({"fault": "NaN"} if broken else {}),
            )

    one = training(env=Faulty(), steps=8)
    list(one.run())
    assert len(one.replay) == 7
    assert one.counters.episodes == 1
    assert one.env.seeds == [SEED_OF_2, SEED_OF_2 + 1]


def test_numbers_that_are_none_are_refused_with_the_name_of_the_field():
    class Broken(Corridor):
        def _see(self) -> np.ndarray:
            return super()._see() * (np.nan if len(self.done) == 3 else 1)

    one = training(env=Broken(), steps=8)
    with pytest.raises(BadInput, match="next_obs of a transition holds nan"):
        list(one.run())
    assert len(one.replay) == 2


def test_feedback_reaches_a_replay_that_can_use_it_and_no_other():
    class Critic(Shover):
        def decide(self, obs: Any, proposal: Any) -> Decision:
            return Decision(feedback=(Feedback(1.0, 0.0),))

        def finish(self) -> tuple[Any, ...]:
            return (Feedback(-1.0, 0.5),)

    heard: list[float] = []
    one = training(Critic(), steps=30)
    with pytest.raises(BadInput, match="deep-tamer"):
        list(one.run())
    one = training(Critic(), steps=30)
    one.replay.feedback = lambda given: heard.extend(each.value for each in given)
    list(one.run())
    assert heard.count(1.0) == 30
    assert heard.count(-1.0) == one.counters.episodes > 0


def test_an_end_that_is_also_a_time_limit_is_an_end():
    class Both(Corridor):
        def step(self, action: int) -> Any:
            seen, reward, terminated, _, info = super().step(action)
            return seen, reward, terminated, terminated, info

    one = training(Shover(), env=Both(), steps=20)
    list(one.run())
    kept = rows(one)
    assert kept["terminated"].any()
    assert not kept["truncated"].any()


def test_the_curve_is_measured_at_its_steps_and_disturbs_nothing():
    plain, measured = training(), training(eval_every=25, eval_episodes=3)
    list(plain.run())
    list(measured.run())
    assert [step for step, _ in measured.counters.curve] == [25, 50]
    assert measured.eval_env.seeds == [100_000, 100_001, 100_002] * 2
    assert measured.env.done == plain.env.done
    assert torch.equal(measured.agent.sum, plain.agent.sum)


def test_success_is_of_the_greedy_policy_and_online_beside_it():
    agent = Tally(right_from=40)
    one = training(agent=agent, steps=50, eval_every=10, eval_episodes=4)
    list(one.run())
    assert one.counters.curve == [(10, 0.0), (20, 0.0), (30, 1.0), (40, 1.0), (50, 1.0)]
    assert one.counters.curve_online == []
    agent.averaged = True
    assert (one.success(4), one.success(4, online=True)) == (1.0, 0.0)


def test_human_steps_by_quarter():
    counters = Counters(human_at=[0, 1, 24, 25, 99])
    assert counters.human_by_quarter(100) == [3, 1, 0, 1]


def test_without_a_world_only_what_is_recorded_is_learned():
    one = training(offline=True, steps=10)
    assert not next(one.run()).metrics  # nothing is there yet
    donor = training(steps=10)
    list(donor.run())
    one.replay.load_state_dict(donor.replay.state_dict())
    assert all(each.at_rest for each in one.run())
    assert (one.counters.updates, one.env.seeds) == (2 * 9, [])


@pytest.mark.parametrize("capacity", [200, 10])
def test_resumed_at_any_episode_end_it_ends_alike(capacity: int):
    whole = training(Shover(at=(1, 5)), capacity=capacity)
    ends = [k for k, each in enumerate(whole.run()) if each.at_rest]
    assert len(ends) > 3
    for end in ends[:3]:
        broken = training(Shover(at=(1, 5)), capacity=capacity)
        for k, each in enumerate(broken.run()):
            if k == end:
                assert each.at_rest
                break
        state = broken.agent.state_dict(), broken.replay.state_dict(), asdict(broken.counters)
        resumed = training(Shover(at=(1, 5)), capacity=capacity)
        resumed.resume(*state)
        list(resumed.run())
        assert torch.equal(resumed.agent.sum, whole.agent.sum)
        assert torch.equal(resumed.agent.generator.get_state(), whole.agent.generator.get_state())
        assert asdict(resumed.counters) | {"seconds": 0} == asdict(whole.counters) | {"seconds": 0}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": -5}, "steps is -5"),
        ({"seed": 10}, "allowed: 0 to 9"),
        ({"eval_every": -1}, "eval_every"),
        ({"eval_episodes": 0}, "eval_episodes"),
        ({"eval_seed": -1}, "eval_seed"),
    ],
)
def test_nonsense_is_refused(wrong: dict[str, int], named: str):
    with pytest.raises(BadInput, match=named):
        TrainConfig(**({"steps": 10} | wrong))
