import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.push import BEHIND, CONE, FARTHEST, plan_push
from valuefield.robots.errors import BadInput, PlannerError

HALF = np.array([0.03, 0.05, 0.02])
angles = st.floats(-np.pi, np.pi)


def block(center: tuple[float, float] = (0.5, 0.0), turn: float = 0.0, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """(600, 3) points on the surface of a block that stands on the table."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (600, 3))
    points[np.arange(600), rng.integers(0, 3, 600)] = rng.choice([-1, 1], 600)
    corners = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
    points = np.vstack([points, corners]) * HALF
    c, s = np.cos(turn), np.sin(turn)
    points = points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return points + np.array([*center, HALF[2]]) + rng.normal(0, noise, points.shape)


def test_a_push_straight_ahead() -> None:
    push = plan_push(block(), (0.57, 0.0, 0.3))
    assert np.allclose(push.contact, (0.47, 0.0, 0.02), atol=2e-3)
    assert np.allclose(push.direction, (1, 0, 0), atol=0.03)
    assert push.distance == pytest.approx(0.07, abs=1e-3)
    assert push.remaining < 2e-3
    assert np.allclose(push.before, push.contact - 0.08 * push.direction)
    assert np.allclose(push.end, (0.54, 0.0, 0.02), atol=5e-3)


@settings(max_examples=40, deadline=None)
@given(angles, angles, st.floats(0.02, 0.3), st.sampled_from([0.0, 0.001, 0.002]))
def test_every_push_goes_through_the_centre_and_gets_nearer(turn: float, aim: float, away: float, noise: float) -> None:
    center = np.array([0.5, 0.1])
    target = center + away * np.array([np.cos(aim), np.sin(aim)])
    push = plan_push(block(tuple(center), turn, noise), (*target, 0.0))
    assert np.linalg.norm(push.direction) == pytest.approx(1)
    assert push.direction[2] == 0
    lever = push.direction[0] * (center - push.contact[:2])[1] - push.direction[1] * (center - push.contact[:2])[0]
    assert abs(lever) < 0.004
    assert 0 < push.distance <= FARTHEST
    moved = center + push.distance * push.direction[:2]
    assert np.linalg.norm(target - moved) == pytest.approx(push.remaining, abs=0.004)
    assert push.remaining < away


@settings(max_examples=20, deadline=None)
@given(angles, angles)
def test_a_push_meets_its_side_within_the_cone(turn: float, aim: float) -> None:
    push = plan_push(block(turn=turn), (0.5 + 0.2 * np.cos(aim), 0.2 * np.sin(aim), 0.0))
    c, s = np.cos(turn), np.sin(turn)
    local = np.abs(np.array([[c, s], [-s, c]]) @ push.direction[:2])
    assert local.max() >= CONE - 0.1


@settings(max_examples=20, deadline=None)
@given(angles, angles, st.floats(0.05, 0.3))
def test_pushes_lead_to_the_target(turn: float, aim: float, away: float) -> None:
    center = np.array([0.5, 0.0])
    target = center + away * np.array([np.cos(aim), np.sin(aim)])
    for _ in range(12):
        push = plan_push(block(tuple(center), turn), (*target, 0.0))
        center = center + push.distance * push.direction[:2]
    assert np.linalg.norm(center - target) < 0.01


@settings(max_examples=20, deadline=None)
@given(angles, st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
def test_the_push_turns_and_moves_with_the_world(turn: float, shift: tuple[float, float]) -> None:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    there = rotation @ np.array([0.6, 0.07]) + shift
    moved = block((0.0, 0.0), 0.3)
    moved[:, :2] = (moved[:, :2] + (0.5, 0.0)) @ rotation.T + shift
    still = block((0.5, 0.0), 0.3)
    a, b = plan_push(still, (0.6, 0.07, 0.0)), plan_push(moved, (*there, 0.0))
    assert b.remaining == pytest.approx(a.remaining, abs=0.005)
    assert np.allclose(rotation @ a.direction[:2], b.direction[:2], atol=0.1)


def test_the_best_of_ten_thousand_samples_through_the_centre_is_no_better() -> None:
    """The sampled search that the closed form stands in for."""
    rng = np.random.default_rng(0)
    center, target = np.array([0.5, 0.0]), np.array([0.58, 0.02])
    turn, lengths = rng.uniform(-np.pi, np.pi, 10_000), rng.uniform(-0.02, FARTHEST, 10_000)
    directions = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    meets_side = np.abs(directions).max(axis=1) >= CONE
    sampled = np.linalg.norm(center + lengths[:, None] * directions - target, axis=1)[meets_side].min()
    assert plan_push(block(), (*target, 0.0)).remaining <= sampled + 0.003


def test_a_place_to_start_that_is_not_free_is_not_used() -> None:
    wall = 0.42
    push = plan_push(block(), (0.6, 0.05, 0.0), free=lambda starts: starts[:, 0] > wall)
    assert push.before[0] > wall
    assert push.direction[1] > 0.8
    with pytest.raises(PlannerError, match="no side"):
        plan_push(block(), (0.6, 0.0, 0.0), free=lambda starts: np.zeros(len(starts), dtype=bool))


def test_the_start_is_behind_the_contact() -> None:
    push = plan_push(block(), (0.2, 0.0, 0.0))
    assert np.allclose(push.before - push.contact, (BEHIND, 0, 0), atol=0.01)


def test_an_object_at_its_target_is_not_moved() -> None:
    assert plan_push(block(), (0.5, 0.0, 0.0)).distance < 2e-3


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3)),
        np.zeros((5, 3)),
        np.linspace(0, 1, 30).reshape(10, 3),
        np.zeros((4, 2)),
        np.full((9, 3), np.nan),
    ],
)
def test_points_without_a_footprint_are_refused(points: np.ndarray) -> None:
    with pytest.raises(BadInput):
        plan_push(points, (0.5, 0.0, 0.0))
