"""Evaluation: which seeds, when an episode ends, what counts as success, and Wilson's interval."""

import time
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuefield.agents.evaluate import SETTLING_STEPS, act_ms, evaluate, wilson
from valuefield.robots.errors import BadInput, NotConnected, PlannerError


class Counting(gymnasium.Env[dict[str, Any], Any]):
    """Succeeds once the actions of an episode add up to `goal`; faults at 99; truncates after 50 steps."""

    goal = 3

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        self.total = self.steps = 0
        return {"seed": seed}, {"instruction": f"count from {seed}", "variation": 1}

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.total += action
        self.steps += 1
        info: dict[str, Any] = {"success": self.total == self.goal, "violations": {"speed": 2, "torque": 0}}
        if action == 99:
            info |= {"fault": "NaN", "success": True}
        return {}, 0.0, bool(info["success"]), self.steps >= 50, info


class Adder:
    """Adds `step` each time; raises `error` instead, on odd seeds."""

    def __init__(self, step: int, error: Exception | None = None) -> None:
        self.step, self.error, self.finished = step, error, False

    def reset(self, obs: dict[str, Any], info: dict[str, Any]) -> None:
        self.odd = obs["seed"] % 2 == 1

    def act(self, obs: dict[str, Any]) -> Any:
        if self.error is not None and self.odd:
            raise self.error
        return self.step


def test_each_seed_is_one_episode_in_order():
    results = list(evaluate(Adder(1), Counting(), episodes=3, seed=200))
    assert [result.seed for result in results] == [200, 201, 202]
    assert [result.instruction for result in results] == ["count from 200", "count from 201", "count from 202"]
    assert all(result.success and result.steps == 3 for result in results)
    assert results[0].violations == {"speed": 6, "torque": 0}


def test_results_come_one_by_one():
    results = evaluate(Adder(1), Counting(), episodes=10**9, seed=0)
    assert next(results).seed == 0


def test_running_out_of_time_is_no_success():
    (result,) = evaluate(Adder(0), Counting(), episodes=1, seed=0)
    assert (result.success, result.steps, result.reason) == (False, 50, "")


def test_a_fault_is_no_success_whatever_the_task_says():
    (result,) = evaluate(Adder(99), Counting(), episodes=1, seed=0)
    assert (result.success, result.reason) == (False, "NaN")


def test_an_actor_that_gives_up_fails_that_episode_alone():
    results = list(evaluate(Adder(1, PlannerError("no path")), Counting(), episodes=2, seed=0))
    assert [result.success for result in results] == [True, False]
    assert results[1].reason == "PlannerError: no path"


def test_a_machine_that_fails_ends_the_evaluation():
    with pytest.raises(NotConnected):
        list(evaluate(Adder(1, NotConnected("cable")), Counting(), episodes=2, seed=0))


def test_a_finished_actor_is_waited_for_a_moment():
    actor = Adder(0)
    actor.finished = True
    (result,) = evaluate(actor, Counting(), episodes=1, seed=0)
    assert result.steps == SETTLING_STEPS < 50


def test_how_long_an_action_takes_is_the_median():
    class Slow:
        calls = 0

        def act(self, obs: Any) -> None:
            assert obs == "seen"
            self.calls += 1
            time.sleep(0.05 if self.calls == 1 else 0.002)  # the first call of a network is slow

    actor = Slow()
    assert 2.0 <= act_ms(actor, "seen", calls=9) < 40.0
    assert actor.calls == 9


@pytest.mark.parametrize(("episodes", "seed"), [(0, 0), (-1, 0), (1, -1)])
def test_nonsense_is_refused_at_once(episodes: int, seed: int):
    with pytest.raises(BadInput):
        evaluate(Adder(1), Counting(), episodes=episodes, seed=seed)


@pytest.mark.parametrize(
    ("successes", "episodes", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (22, 25, 0.7004, 0.9583)],
)
def test_wilson_by_hand(successes: int, episodes: int, low: float, high: float):
    np.testing.assert_allclose(wilson(successes, episodes), (low, high), atol=1e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_rate_and_mirrors(counts: tuple[int, int]):
    successes, episodes = counts
    low, high = wilson(successes, episodes)
    assert 0 <= low <= successes / episodes + 1e-12
    assert successes / episodes - 1e-12 <= high <= 1
    np.testing.assert_allclose(wilson(episodes - successes, episodes), (1 - high, 1 - low), atol=1e-12)


@pytest.mark.parametrize("counts", [(1, 0), (0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_impossible_counts(counts: tuple[int, int]):
    with pytest.raises(BadInput):
        wilson(*counts)
