import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from hypothesis import given
from hypothesis import strategies as st

from valuefield.agents.people import Decision, NoPerson, SimulatedPerson
from valuefield.agents.takeover import Clutch, Override, Stalled
from valuefield.envs.minigrid import make
from valuefield.envs.minigrid_expert import GridExpert
from valuefield.robots.errors import BadInput, ExpertFailed, PlannerError

OURS, THEIRS = 3, 5


class Expert:
    """Always does OURS, and counts how often it is asked."""

    def __init__(self, action=OURS):
        self.action, self.began, self.asked = action, [], 0

    def reset(self, obs, info):
        self.began.append((obs, info))

    def act(self, obs):
        self.asked += 1
        return self.action


class Wanting:
    """Wants control at the steps that it is told."""

    def __init__(self, steps, turn_based=False):
        self.steps, self.turn_based = set(steps), turn_based

    def __repr__(self):
        return "Wanting"

    def reset(self):
        self.step, self.held = -1, []

    def wants(self, obs, proposal, advice, *, held):
        self.step += 1
        self.held.append(held)
        return self.step in self.steps


def episode(person, steps, seed=0):
    person.reset("first", {}, seed)
    return [person.decide("obs", THEIRS) for _ in range(steps)]


def taken(decisions):
    return [step for step, decision in enumerate(decisions) if decision.action is not None]


def test_nobody_lets_everything_pass():
    assert episode(NoPerson(), 3) == [Decision()] * 3


def test_a_person_acts_exactly_when_its_rule_wants_to():
    rule = Wanting([2, 3, 6])
    decisions = episode(SimulatedPerson(Expert(), rule), 8)
    assert taken(decisions) == [2, 3, 6] and decisions[2].action == OURS
    assert rule.held == [False, False, False, True, True, False, False, True]
    assert not any(decision.approved for decision in decisions)


def test_a_turn_based_person_holds_nothing_and_approves_what_it_lets_pass():
    rule = Wanting([1, 2], turn_based=True)
    decisions = episode(SimulatedPerson(Expert(), rule), 4)
    assert [decision.approved for decision in decisions] == [True, False, False, True]
    assert not any(rule.held)


@given(delay=st.integers(0, 6), runs=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 8)), min_size=1, max_size=5))
def test_every_takeover_begins_so_many_steps_late(delay, runs):
    wanted, expected, step = [], [], 0
    for pause, length in runs:
        step += pause
        wanted += range(step, step + length)
        expected += range(step + delay, step + length)
        step += length
    assert taken(episode(SimulatedPerson(Expert(), Wanting(wanted), delay=delay), step + 3)) == expected


def test_lapses_are_as_frequent_as_is_said_where_control_is_not_held():
    person = SimulatedPerson(Expert(), Wanting(range(5000), turn_based=True), lapse=0.1)
    assert len(taken(episode(person, 5000))) == pytest.approx(4500, abs=90)  # 4 standard deviations


def test_a_lapse_delays_but_does_not_lose_control():
    person = SimulatedPerson(Expert(), Wanting(range(40)), lapse=0.8)
    steps = taken(episode(person, 40, seed=1))
    assert steps[0] > 0 and steps == list(range(steps[0], 40))


def test_noise_is_as_frequent_as_is_said_and_of_the_action_space():
    person = SimulatedPerson(Expert(), Wanting(range(7000)), noise=0.5, action_space=Discrete(7))
    counts = np.bincount([decision.action for decision in episode(person, 7000)], minlength=7)
    assert counts.sum() == 7000 and counts[OURS] == pytest.approx(4000, abs=170)  # half, and a seventh of the rest
    assert np.delete(counts, OURS) == pytest.approx(np.full(6, 500), abs=90)


def test_all_that_is_random_follows_from_the_seed_of_the_episode():
    def actions(person, seed):
        return [decision.action for decision in episode(person, 200, seed)]

    space = Discrete(7)
    options = {"lapse": 0.3, "noise": 0.5, "action_space": space}
    one = SimulatedPerson(Expert(), Wanting(range(200), turn_based=True), **options)
    other = SimulatedPerson(Expert(), Wanting(range(200), turn_based=True), **options)
    first = actions(one, 7)
    assert actions(one, 8) != first
    space.seed(123)  # and not from what others do with the space
    assert actions(other, 7) == first == actions(one, 7)


def test_the_expert_is_first_told_of_the_episode_when_it_is_first_asked_and_asked_once_a_step():
    expert = Expert()
    person = SimulatedPerson(expert, Stalled(2))
    info = {"instruction": "go"}
    person.reset("first", info, 0)
    assert [person.decide(k, THEIRS).action for k in range(4)] == [None, None, OURS, OURS]
    assert expert.began == [(2, info)] and expert.asked == 2
    person.reset("first", info, 1)
    assert [person.decide(k, THEIRS).action for k in range(3)] == [None, None, OURS]
    assert len(expert.began) == 2

    expert = Expert(np.ones(3))
    person = SimulatedPerson(expert, Clutch(patience=1))
    person.reset("first", info, 0)
    for step in range(1, 4):
        assert person.decide("obs", -np.ones(3)).action is not None
        assert expert.asked == step


def test_what_a_person_hands_out_is_a_copy():
    expert = Expert(np.ones(3))
    proposal = -np.ones(3)
    person = SimulatedPerson(expert, Stalled(0))
    person.reset("first", {}, 0)
    action = person.decide("obs", proposal).action
    expert.action[:] = 0
    assert (action == 1).all() and (proposal == -1).all()


def test_the_name_says_all_that_a_table_must():
    person = SimulatedPerson(Expert(), Override(None, lax=True), lapse=0.1, noise=0.05, action_space=Discrete(7))
    assert person.name == "Expert, Override(lax=True), delay=0, lapse=0.1, noise=0.05"
    assert "dead_zone=0.5" in SimulatedPerson(Expert(), Clutch()).name


# An expert that fails


class Failing(Expert):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def act(self, obs):
        super().act(obs)
        raise self.error


def test_an_expert_that_gives_up_leaves_the_rest_of_the_episode_to_the_policy_and_says_why():
    expert = Failing(PlannerError("no path"))
    person = SimulatedPerson(expert, Stalled(1))
    for began in (1, 2):
        assert episode(person, 4) == [Decision()] + [Decision(given_up="PlannerError: no path")] * 3
        assert expert.asked == began


def test_an_expert_that_breaks_is_reported_in_one_line_with_its_error_as_the_cause():
    person = SimulatedPerson(Failing(ZeroDivisionError("by nought")), Stalled(0))
    person.reset("first", {}, 0)
    with pytest.raises(ExpertFailed, match=r"Failing, Stalled.*ZeroDivisionError: by nought") as caught:
        person.decide("obs", THEIRS)
    assert "\n" not in str(caught.value) and isinstance(caught.value.__cause__, ZeroDivisionError)


def test_bad_input_to_an_expert_stays_bad_input():
    env = make("MiniGrid-DoorKey-5x5-v0")
    obs, info = env.reset(seed=0)
    person = SimulatedPerson(GridExpert(env), Stalled(0))
    person.reset(obs, info, 0)
    with pytest.raises(BadInput, match="GridExpert knows"):
        person.decide(obs, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delay": -1}, "delay=-1"),
        ({"lapse": 1.5}, "lapse=1.5"),
        ({"noise": -0.1}, "noise=-0.1"),
        ({"lapse": float("nan")}, "lapse=nan"),
        ({"noise": 0.1}, "action space"),
    ],
)
def test_what_no_person_can_be_is_refused(options, message):
    with pytest.raises(BadInput, match=message):
        SimulatedPerson(Expert(), Stalled(0), **options)


# Override


def overrides(costs, proposals, lax):
    """Which of the proposals are overridden, with the costs at each step as given."""
    now = iter(costs)
    rule = Override(SimpleNamespace(costs=lambda obs: np.array(next(now), float)), lax=lax)
    rule.reset()
    return [rule.wants(None, proposal, None, held=False) for proposal in proposals]


def test_the_strict_person_overrides_all_that_is_not_best():
    costs = [4, 4, 5, 6, np.inf]
    assert overrides([costs] * 5, range(5), lax=False) == [False, False, True, True, True]


def test_the_lax_person_overrides_what_leads_away_and_the_second_wasted_step_in_a_row():
    at_5, at_4 = [4, 5, 6], [3, 4, 5]
    best, wasted, away = range(3)
    assert overrides([at_5], [away], lax=True) == [True]
    assert overrides([at_5, at_5], [wasted, wasted], lax=True) == [False, True]
    assert overrides([at_5, at_5, at_4], [wasted, best, wasted], lax=True) == [False, False, False]
    # overridden at the second: the third step is the first one wasted again
    assert overrides([at_5, at_5, at_4, at_4], [wasted, wasted, wasted, wasted], lax=True) == [False, True, False, True]


@pytest.mark.parametrize("lax", [False, True])
def test_where_nothing_arrives_nothing_is_overridden(lax):
    assert overrides([[np.inf] * 3] * 3, [0, 1, 2], lax=lax) == [False] * 3


def test_a_strict_persons_episodes_are_as_short_as_can_be_whatever_is_proposed():
    env = make("MiniGrid-MultiRoom-N2-S4-v0")
    expert = GridExpert(env)
    person = SimulatedPerson(expert, Override(expert))
    rng = np.random.default_rng(0)
    for seed in range(10):
        obs, info = env.reset(seed=seed)
        person.reset(obs, info, seed)
        steps, least, terminated = 0, expert.costs(obs).min() + 1, False
        while not terminated:
            proposal = int(rng.integers(7))
            decision = person.decide(obs, proposal)
            assert decision.approved == (decision.action is None)
            obs, _, terminated, _, info = env.step(proposal if decision.action is None else decision.action)
            steps += 1
        assert info["success"] and steps == least


# Clutch


def hold(rule, proposals):
    """Whether the person acts at each step of the proposals, of which each is given as how far off it is."""
    person = SimulatedPerson(Expert(np.zeros(4)), rule)
    person.reset(None, {}, 0)
    return [person.decide(None, off * np.array([1.0, 0, 0, 0])).action is not None for off in proposals]


def test_the_dead_zone_is_of_the_norm_so_that_opposite_differences_do_not_cancel():
    rule = Clutch(dead_zone=0.3, gripper=False)
    still = np.zeros(2)
    assert not rule.agree(np.array([0.5, -0.5]), still)  # the sum is 0
    assert not rule.agree(np.array([0.25, 0.25]), still)  # each is inside, the norm is 0.35
    assert rule.agree(np.array([0.2, -0.2]), still)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_agreement_is_mutual_and_with_oneself(one, other):
    rule, one, other = Clutch(), np.array(one), np.array(other)
    assert rule.agree(one, one) and rule.agree(one, other) == rule.agree(other, one)


def test_of_the_gripper_only_opening_or_closing_counts():
    rule = Clutch(dead_zone=0.1)
    assert rule.agree(np.array([0, 0, 1.0]), np.array([0, 0, 0.01]))
    assert not rule.agree(np.array([0, 0, 0.0]), np.array([0, 0, 0.01]))


def test_control_is_taken_after_patience_and_handed_back_after_so_much_agreement():
    rule = Clutch(dead_zone=0.5, patience=2, hand_back=3, least=1)
    off = [1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1]
    acts = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1]
    assert hold(rule, off) == [bool(each) for each in acts]


def test_control_is_held_for_the_least_time_even_in_agreement():
    rule = Clutch(patience=1, hand_back=1, least=5)
    assert hold(rule, [1] + [0] * 9) == [True] * 5 + [False] * 5


def test_a_policy_on_the_edge_of_the_dead_zone_does_not_make_control_chatter():
    acts = hold(Clutch(dead_zone=0.5, patience=2, hand_back=6, least=1), [0.49, 0.51] * 3 + [0.51] + [0.49, 0.51] * 20)
    assert np.count_nonzero(np.diff(acts)) == 1  # taken once, never handed back


@pytest.mark.parametrize("options", [{"dead_zone": 0.0}, {"dead_zone": float("nan")}, {"patience": 0}, {"least": 0}])
def test_a_clutch_with_numbers_that_make_no_sense_is_refused(options):
    with pytest.raises(BadInput):
        Clutch(**options)
    with pytest.raises(BadInput, match="-1"):
        Stalled(-1)


def test_a_random_action_at_the_clutch_is_of_the_action_space():
    space = Box(-1, 1, (7,), np.float32)
    person = SimulatedPerson(Expert(np.ones(7)), Clutch(patience=1), noise=1.0, action_space=space)
    person.reset(None, {}, 0)
    one, other = (person.decide(None, -np.ones(7)).action for _ in range(2))
    assert one in space and other in space and (one != other).all()


def test_people_come_without_torch():
    code = "import sys, valuefield.agents.people; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
