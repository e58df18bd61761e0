"""Inverse kinematics: residuals, wrist flips, and a servo that asks for nothing that safety would change."""

import numpy as np
import pytest

from valuefield.robots import panda
from valuefield.robots.geometry import compose, pose_error, pose_from, quat_from_axes
from valuefield.robots.ik import FLIP, CartesianServo, MoveResult, move_to, solve
from valuefield.robots.kinematics import PandaKinematics
from valuefield.robots.safety import SafetyState, clamp
from valuefield.robots.state import Floats, JointTarget

KINEMATICS = PandaKinematics()
LIMITS, HOME, DT = panda.LIMITS, panda.HOME_Q, 0.05
RNG = np.random.default_rng(3)
POSES = [
    pose_from(
        RNG.uniform([0.35, -0.3, 0.05], [0.6, 0.3, 0.4]), quat_from_axes((RNG.uniform(-0.4, 0.4), 0, -1), (x, 1, 0))
    )
    for x in RNG.uniform(-2, 2, 6)
]


def run(pose: Floats, speed: float = 0.25) -> tuple[Floats, MoveResult]:
    """All joint targets of a move from HOME, and how it ended."""
    moves, rows = move_to(CartesianServo(KINEMATICS, LIMITS, DT), HOME, pose, speed=speed), []
    while True:
        try:
            rows.append(next(moves))
        except StopIteration as end:
            return np.array(rows), end.value


def violations(rows: Floats) -> list[str]:
    """What `clamp` has to say about joint targets (m, 7), one a tick, sent to an arm that follows them."""
    q, dq, last, names = HOME, np.zeros(7), None, []
    for k, row in enumerate(rows):
        state = SafetyState(k * DT, q, dq, last, dq, (k - 1) * DT)
        sent, broken = clamp(JointTarget(row, 0.08), state, LIMITS, KINEMATICS, now=k * DT, dt=DT)
        names += [violation.name for violation in broken]
        q, dq, last = sent.q, (sent.q - q) / DT, sent
    return names


@pytest.mark.parametrize("pose", POSES)
def test_solutions_hold_the_pose_within_a_millimetre(pose: Floats) -> None:
    found = solve(KINEMATICS, pose, limits=LIMITS, seeds=[HOME])
    assert found
    for solution in found:
        position, rotation = pose_error(KINEMATICS.tool_pose(solution.q), solution.pose)
        assert position == pytest.approx(solution.position_error, abs=1e-9)
        assert position < 0.001
        assert rotation == pytest.approx(solution.rotation_error, abs=1e-6)
        assert rotation < 0.01
        assert solution.margin == pytest.approx(np.minimum(solution.q - LIMITS.q_min, LIMITS.q_max - solution.q).min())
        assert solution.margin > 0.02
        assert KINEMATICS.clearance(solution.q) >= LIMITS.clearance


@pytest.mark.parametrize("pose", POSES)
def test_both_wrist_flips_are_offered(pose: Floats) -> None:
    found = solve(KINEMATICS, pose, limits=LIMITS)
    for wanted in (pose, compose(pose, FLIP)):
        assert any(np.array_equal(solution.pose, wanted) for solution in found)
    alone = solve(KINEMATICS, pose, limits=LIMITS, flips=False)
    assert all(np.array_equal(solution.pose, pose) for solution in alone)


def test_solutions_are_distinct_sorted_and_the_same_each_time() -> None:
    found = solve(KINEMATICS, POSES[0], limits=LIMITS, seeds=[HOME])
    keys = [(s.margin < 0.1, np.abs(s.q - HOME).max()) for s in found]
    assert keys == sorted(keys)
    assert all(np.abs(a.q - b.q).max() > 0.05 for k, a in enumerate(found) for b in found[:k])
    again = solve(KINEMATICS, POSES[0], limits=LIMITS, seeds=[HOME])
    assert [s.q.tolist() for s in again] == [s.q.tolist() for s in found]


def test_nothing_is_found_where_nothing_is_within_reach() -> None:
    assert solve(KINEMATICS, pose_from((1.5, 0.0, 0.3), (0, 1, 0, 0)), limits=LIMITS) == []


def test_nothing_is_found_inside_the_table() -> None:
    assert solve(KINEMATICS, pose_from((0.5, 0.0, 0.005), (0, 1, 0, 0)), limits=LIMITS, seeds=[HOME]) == []


@pytest.mark.parametrize("speed", [0.1, 0.25, 0.5])
def test_move_reaches_on_a_straight_line_and_clamp_changes_nothing(speed: float) -> None:
    start = KINEMATICS.tool_pose(HOME)
    pose = compose(start, pose_from((0.1, 0.15, 0.2), (np.cos(0.3), 0, 0, np.sin(0.3))))
    rows, result = run(pose, speed)
    assert result.reached
    assert result.position_error < 0.002
    assert violations(rows) == []
    tool = np.array([KINEMATICS.tool_pose(row)[:3] for row in rows])
    along = (pose - start)[:3] / np.linalg.norm((pose - start)[:3])
    aside = (tool - start[:3]) - np.outer((tool - start[:3]) @ along, along)
    assert np.linalg.norm(aside, axis=1).max() < 0.003
    steps = np.linalg.norm(np.diff(tool, axis=0), axis=1)
    assert steps.max() < 1.05 * speed * DT


def test_move_that_cannot_arrive_says_by_how_much_it_missed() -> None:
    rows, result = run(pose_from((1.2, 0.0, 0.3), (0, 1, 0, 0)))
    assert not result.reached
    left = pose_error(KINEMATICS.tool_pose(rows[-1]), pose_from((1.2, 0.0, 0.3), (0, 1, 0, 0)))
    assert (result.position_error, result.rotation_error) == pytest.approx(left)
    assert result.position_error > 0.2


def test_move_without_a_way_to_go_arrives_at_once() -> None:
    rows, result = run(KINEMATICS.tool_pose(HOME))
    assert result.reached
    np.testing.assert_allclose(rows, np.tile(HOME, (len(rows), 1)), atol=1e-4)


def test_servo_brakes_for_a_far_pose_that_stands_still() -> None:
    servo = CartesianServo(KINEMATICS, LIMITS, DT)
    servo.reset(HOME)
    goal = KINEMATICS.tool_pose(HOME) + np.array([0.1, 0.2, -0.2, 0, 0, 0, 0])
    rows = np.array([servo.step(goal) for _ in range(40)])
    errors = [pose_error(KINEMATICS.tool_pose(row), goal)[0] for row in rows]
    assert violations(rows) == []
    assert errors[-1] < 1e-4
    assert max(np.diff(errors)) < 1e-4  # never past it and back


def test_servo_follows_a_moving_pose_without_lag() -> None:
    servo = CartesianServo(KINEMATICS, LIMITS, DT)
    servo.reset(HOME)
    pose = KINEMATICS.tool_pose(HOME)
    for k in range(30):
        pose = pose + np.array([0, min(k, 8) / 8 * 0.25 * DT, 0, 0, 0, 0, 0])
        q = servo.step(pose)
    assert pose_error(KINEMATICS.tool_pose(q), pose)[0] < 1e-3


def test_servo_reset_elsewhere_starts_from_rest() -> None:
    servo = CartesianServo(KINEMATICS, LIMITS, DT)
    servo.reset(HOME)
    away = KINEMATICS.tool_pose(HOME) + np.array([0, 0.2, 0, 0, 0, 0, 0])
    first = servo.step(away)
    servo.step(away)
    servo.reset(HOME)
    np.testing.assert_allclose(servo.step(away), first, atol=1e-9)


def test_servo_reset_at_a_speed_cannot_stop_within_one_tick() -> None:
    servo = CartesianServo(KINEMATICS, LIMITS, DT)
    servo.reset(HOME, np.array([0.8, 0, 0, 0, 0, 0, 0]))
    assert servo.step(KINEMATICS.tool_pose(HOME))[0] == pytest.approx(HOME[0] + (0.8 - LIMITS.ddq_max[0] * DT) * DT)
