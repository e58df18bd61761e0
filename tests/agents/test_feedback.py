"""A simulated trainer, and when it says what."""

from __future__ import annotations

import numpy as np
import pytest

from valuefield.agents.feedback import Best, Feedback, SameWay, SimulatedTrainer
from valuefield.robots.errors import BadInput


class Costs:
    """After action a at observation k there are |a - k| steps to go; after the last of three, none arrive."""

    def costs(self, obs):
        return np.array([abs(0 - obs), abs(1 - obs), np.inf])


class Expert:
    """Acts as the observation says."""

    resets = 0

    def reset(self, obs, info):
        self.resets += 1

    def act(self, obs):
        return np.array(obs)


def said(trainer: SimulatedTrainer, steps: int, action=0, seed: int = 0) -> list[tuple[int, Feedback]]:
    """What was said at which step, at observations that action 0 is right at when they are 0."""
    trainer.reset(0, {}, seed)
    heard = []
    for k in range(steps):
        decision = trainer.decide(k % 2, action)
        assert decision.action is None
        assert not decision.approved
        heard += [(k, each) for each in decision.feedback]
    return heard + [(steps, each) for each in trainer.finish()]


def test_each_action_is_said_to_be_right_or_wrong_after_its_delay():
    trainer = SimulatedTrainer(Best(Costs()), ctrl_dt=0.5, delay=(0.5, 0.5))
    heard = said(trainer, 3)
    assert [(step, each.value) for step, each in heard] == [(2, 1.0), (3, -1.0), (3, 1.0)]
    for k, (_, each) in enumerate(heard):
        assert 0.5 * k + 0.5 <= each.time < 0.5 * (k + 1) + 0.5, "it noticed the action at some moment of its step"


def test_nothing_is_said_early_nor_kept_back_and_all_within_the_delay():
    heard = said(SimulatedTrainer(Best(Costs()), ctrl_dt=0.1, delay=(0.2, 4.0)), 400)
    assert len(heard) == 400
    assert all(each.time <= 0.1 * step < each.time + 0.1 for step, each in heard if step < 400)
    delays = [each.time for step, each in heard]
    assert 0.2 <= min(delays)
    assert max(delays) <= 0.1 * 400 + 4.0


def test_it_speaks_at_its_rate_and_the_seed_decides_of_what():
    trainer = SimulatedTrainer(Best(Costs()), ctrl_dt=0.1, rate=0.3)
    heard = said(trainer, 2000)
    assert 520 < len(heard) < 680
    assert said(trainer, 2000) == heard
    assert said(trainer, 2000, seed=1) != heard
    assert said(SimulatedTrainer(Best(Costs()), ctrl_dt=0.1, rate=0.0), 50) == []


def test_what_was_not_said_is_not_said_in_the_next_episode():
    trainer = SimulatedTrainer(Best(Costs()), ctrl_dt=0.1, delay=(1.0, 1.0))
    trainer.reset(0, {}, 0)
    trainer.decide(0, 0)
    trainer.reset(0, {}, 1)
    assert trainer.finish() == ()


def test_the_best_choices_are_right_also_where_there_are_two():
    right = Best(Costs())
    assert [right(0, action) for action in range(3)] == [True, False, False]
    assert [right(0.5, action) for action in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("wanted", "action", "right"),
    [
        ([1.0, 0.0, 1.0], [0.2, 5.0, 0.5], True),
        ([1.0, 0.0, 1.0], [-0.2, 5.0, 0.5], False),
        ([1.0, 0.0, 1.0], [0.2, 0.0, -0.5], False),
        ([1.0, 0.0, 1.0], [0.0, 1.0, 0.5], False),
        ([0.01, 0.0, -1.0], [-1.0, 1.0, -0.1], True),
        ([0.01, 0.0, -1.0], [1.0, 0.0, 0.1], False),
    ],
    ids=["along", "against", "wrong gripper", "across", "at rest", "at rest with the wrong gripper"],
)
def test_an_action_is_right_that_goes_the_experts_way(wanted, action, right):
    expert = Expert()
    same_way = SameWay(expert)
    same_way.reset(wanted, {})
    assert expert.resets == 1
    assert same_way(wanted, np.array(action)) is right


@pytest.mark.parametrize(("value", "time"), [(1.5, 0.0), (float("nan"), 0.0), (1.0, -0.1), (1.0, float("inf"))])
def test_feedback_that_makes_no_sense_is_refused(value, time):
    with pytest.raises(BadInput, match="feedback"):
        Feedback(value, time)


@pytest.mark.parametrize("settings", [{"rate": 1.5}, {"delay": (4.0, 0.2)}, {"delay": (-1.0, 0.0)}, {"ctrl_dt": 0.0}])
def test_a_trainer_that_makes_no_sense_is_refused(settings):
    with pytest.raises(BadInput):
        SimulatedTrainer(Best(Costs()), **{"ctrl_dt": 0.1} | settings)
