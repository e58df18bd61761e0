"""Whatever it is given, `clamp` returns a target inside all limits, or says that there is none."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.robots import panda
from valuefield.robots.errors import LimitViolation
from valuefield.robots.kinematics import PandaKinematics
from valuefield.robots.safety import SafetyState, clamp, fastest_stop
from valuefield.robots.state import Floats, JointTarget, Limits

DT = 0.05
LIMITS = panda.LIMITS
KINEMATICS = PandaKinematics()
HOME = panda.HOME_Q
EPS = 1e-6


def at_rest(q: Floats = HOME, t: float = 1.0) -> SafetyState:
    return SafetyState(t, q, np.zeros(7), None, np.zeros(7), -np.inf)


def moving(q: Floats, dq: Floats, measured: Floats | None = None) -> SafetyState:
    """Sent to `q` at speed `dq` one period ago; it is where it was sent unless `measured` says otherwise."""
    return SafetyState(1.0, q if measured is None else measured, dq, JointTarget(q, 0.08), dq, 1.0 - DT)


def send(target: JointTarget, state: SafetyState, limits: Limits = LIMITS) -> tuple[JointTarget, set[str]]:
    sent, violations = clamp(target, state, limits, KINEMATICS, now=1.0, dt=DT)
    return sent, {violation.name for violation in violations}


def outside(q: Floats) -> float:
    low, high = LIMITS.workspace
    pos = KINEMATICS.tool_pose(q)[:3]
    return float(np.maximum(np.maximum(low - pos, pos - high), 0).max())


def share_of(low: Floats, high: Floats) -> st.SearchStrategy[Floats]:
    return st.lists(st.floats(0, 1), min_size=7, max_size=7).map(lambda s: low + np.array(s) * (high - low))


inside = share_of(LIMITS.q_min, LIMITS.q_max)
slow_or_fast = share_of(-LIMITS.dq_max, LIMITS.dq_max)
wild = st.lists(st.floats() | st.floats(-4, 4), min_size=7, max_size=7).map(np.array)
targets = st.builds(JointTarget, wild | inside, st.floats() | st.floats(0, 0.1), st.floats() | st.floats(0, 100))
states = st.builds(
    moving, inside, slow_or_fast | st.just(np.zeros(7)), st.none() | inside | share_of(HOME - 0.3, HOME + 0.3)
) | st.builds(at_rest, inside)


@settings(max_examples=400, deadline=None)
@given(targets, states)
def test_result_is_inside_all_limits_or_refused(target: JointTarget, state: SafetyState) -> None:
    try:
        sent, _ = send(target, state)
    except LimitViolation:
        return
    start = state.q if state.last_target is None else state.last_target.q
    dq = (sent.q - start) / DT
    assert (sent.q >= np.minimum(LIMITS.q_min, start) - EPS).all()
    assert (sent.q <= np.maximum(LIMITS.q_max, start) + EPS).all()
    assert (np.abs(dq) <= LIMITS.dq_max + EPS).all()
    assert (np.abs(dq - state.last_dq) <= LIMITS.ddq_max * DT + EPS).all()
    assert (np.abs(sent.q - state.q) <= np.maximum(LIMITS.jump, np.abs(start - state.q)) + EPS).all()
    assert outside(sent.q) <= max(0.0, outside(start)) + EPS
    assert KINEMATICS.clearance(sent.q) >= min(LIMITS.clearance, KINEMATICS.clearance(start)) - EPS
    assert 0 <= sent.width <= LIMITS.width_max
    assert 0 <= sent.force <= LIMITS.force_max


@settings(max_examples=400, deadline=None)
@given(targets, states)
def test_a_clamped_target_is_not_clamped_again(target: JointTarget, state: SafetyState) -> None:
    try:
        sent, _ = send(target, state)
    except LimitViolation:
        return
    again, names = send(sent, state)
    assert names == set()
    np.testing.assert_allclose(again.q, sent.q, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(wild.filter(lambda q: bool(np.isfinite(q).all())) | inside, min_size=1, max_size=8), st.integers(1, 15))
def test_an_arm_that_follows_is_never_refused(goals: list[Floats], ticks: int) -> None:
    """From a good start, any sequence of finite targets is turned into one that holds all limits."""
    state = at_rest()
    for goal in goals:
        for _ in range(ticks):
            start = state.q
            sent, _ = send(JointTarget(goal, 0.08), state)
            assert outside(sent.q) <= EPS
            assert KINEMATICS.clearance(sent.q) >= LIMITS.clearance - EPS
            state = moving(sent.q, (sent.q - start) / DT)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused(bad: float) -> None:
    q = HOME.copy()
    q[3] = bad
    for target in (JointTarget(q, 0.08), JointTarget(HOME, bad), JointTarget(HOME, 0.08, bad)):
        with pytest.raises(LimitViolation, match="finite"):
            send(target, at_rest())
    with pytest.raises(LimitViolation, match="finite"):
        send(JointTarget(HOME, 0.08), at_rest(q))


def test_wrong_shape_is_refused_and_both_shapes_are_named() -> None:
    with pytest.raises(LimitViolation, match=r"\(6,\).*\(7,\)"):
        send(JointTarget(np.zeros(6), 0.08), at_rest())


@pytest.mark.parametrize("t", [0.5, 1.1])
def test_state_of_another_time_is_refused(t: float) -> None:
    with pytest.raises(LimitViolation, match="old"):
        send(JointTarget(HOME, 0.08), at_rest(t=t))


def test_good_target_passes_unchanged() -> None:
    q = HOME + 0.005
    sent, names = send(JointTarget(q, 0.03, 15.0), at_rest())
    assert names == set()
    np.testing.assert_allclose(sent.q, q, atol=1e-12)
    assert (sent.width, sent.force) == (0.03, 15.0)


def test_first_step_towards_a_far_target_by_hand() -> None:
    """From rest, joint 2 may gain 3.75 rad/s^2 x 0.05 s, and goes that fast for 0.05 s."""
    sent, names = send(JointTarget(HOME + np.array([0, 0.3, 0, 0, 0, 0, 0]), 0.08), at_rest())
    assert sent.q[1] - HOME[1] == pytest.approx(0.5 * 7.5 * 0.05 * 0.05)
    assert names >= {"acceleration", "speed"}


@pytest.mark.parametrize(
    ("name", "target"), [("width", JointTarget(HOME, 0.2)), ("force", JointTarget(HOME, 0.02, 500.0))]
)
def test_gripper_violations_are_named(name: str, target: JointTarget) -> None:
    assert send(target, at_rest())[1] == {name}


def test_arm_that_is_not_where_it_was_sent_is_refused() -> None:
    with pytest.raises(LimitViolation, match="joint 1 is at"):
        send(JointTarget(HOME, 0.08), moving(HOME + np.array([1.2, 0, 0, 0, 0, 0, 0]), LIMITS.dq_max, HOME))


def test_limits_of_the_caller_count() -> None:
    slow = dataclasses.replace(LIMITS, ddq_max=0.1 * LIMITS.ddq_max)
    fast, _ = send(JointTarget(HOME + 0.1, 0.08), at_rest())
    slower, _ = send(JointTarget(HOME + 0.1, 0.08), at_rest(), slow)
    np.testing.assert_allclose(slower.q - HOME, 0.1 * (fast.q - HOME), atol=1e-12)


@given(st.floats(0, 3), st.floats(0.5, 20))
def test_fastest_stop_stops_just_in_time(distance: float, rate: float) -> None:
    speed, gone = float(fastest_stop(distance, rate, DT)), 0.0
    while speed > 1e-12:
        gone += speed * DT
        speed -= rate * DT
    assert gone == pytest.approx(distance, abs=1e-9)
