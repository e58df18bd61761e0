import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.astar import shortest
from valuefield.planners.smooth import resampled, shortcut, smoothed, spline, touches

SHAPE = (40, 40, 40)
lines = st.lists(st.tuples(*[st.floats(0, 39)] * 3), min_size=2, max_size=12).map(np.array)


def route_through(blocked: np.ndarray, weight: np.ndarray, goal: tuple[int, int, int]) -> np.ndarray:
    goal_cost = np.full(SHAPE, np.inf, dtype=np.float32)
    goal_cost[goal] = 0
    route = shortest(weight, blocked, goal_cost, np.array([1, 1, 1]))
    assert route.nodes is not None
    return route.nodes.astype(float)


@given(lines, st.floats(0.2, 5))
@settings(deadline=None)
def test_resampling_keeps_the_ends_and_the_distance(line: np.ndarray, step: float) -> None:
    points = resampled(line, step)
    assert np.array_equal(points[[0, -1]], line[[0, -1]])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= step + 1e-6


def test_resampling_a_straight_line() -> None:
    assert np.allclose(resampled(np.array([(0, 0, 0), (3.0, 0, 0)]), 1.0), [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)])


@given(lines)
@settings(deadline=None)
def test_a_spline_keeps_the_ends_and_stays_in_the_box_of_its_corners(line: np.ndarray) -> None:
    curve = spline(line, 4.0)
    assert np.allclose(curve[[0, -1]], line[[0, -1]])
    assert (curve >= line.min(axis=0) - 1e-9).all()
    assert (curve <= line.max(axis=0) + 1e-9).all()


def test_touching_is_seen() -> None:
    blocked = np.zeros(SHAPE, dtype=bool)
    blocked[10, 10, 10] = True
    assert touches(np.array([(5.0, 10.0, 10.0), (15.0, 10.0, 10.0)]), blocked)
    assert touches(np.array([(5.0, 10.0, 10.4), (15.0, 10.0, 10.4)]), blocked)
    assert not touches(np.array([(5.0, 10.0, 10.6), (15.0, 10.0, 10.6)]), blocked)


def test_a_zigzag_in_free_space_becomes_straight() -> None:
    zigzag = np.array([(x, 10.0 + x % 2, 10.0) for x in range(5, 36)])
    weight, blocked = np.ones(SHAPE, dtype=np.float32), np.zeros(SHAPE, dtype=bool)
    assert shortcut(zigzag, weight, blocked).tolist() == [0, 30]
    line = smoothed(zigzag, weight, blocked, step=1.0)
    assert np.allclose(np.diff(line[:, 1]), np.diff(line[:, 1])[0], atol=1e-6)


def test_a_shortcut_does_not_pay_with_a_costly_node() -> None:
    weight, blocked = np.ones(SHAPE, dtype=np.float32), np.zeros(SHAPE, dtype=bool)
    weight[15:25, :15] = 10.0
    route = np.array(
        [(10.0, 10.0, 10.0), (15.0, 16.0, 10.0), (20.0, 16.0, 10.0), (25.0, 16.0, 10.0), (30.0, 10.0, 10.0)]
    )
    assert 2 not in shortcut(route, weight, blocked)
    assert len(shortcut(route, weight, blocked)) == 4


@pytest.mark.parametrize("seed", range(12))
def test_a_smoothed_route_touches_nothing_is_no_longer_and_keeps_its_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocked = np.zeros(SHAPE, dtype=bool)
    for low in rng.integers(3, 30, (14, 3)):
        blocked[low[0] : low[0] + 5, low[1] : low[1] + 5, low[2] : low[2] + 7] = True
    blocked[:3, :3, :3] = blocked[37:, 37:, 37:] = False
    weight = 1 + rng.random(SHAPE).astype(np.float32) * (seed % 3)
    route = route_through(blocked, weight, (38, 38, 38))
    line = smoothed(route, weight, blocked, step=1.0)
    assert not touches(line, blocked)
    assert np.array_equal(line[[0, -1]], route[[0, -1]])
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert length <= np.linalg.norm(np.diff(route, axis=0), axis=1).sum() + 1e-6
    bends, route_bends = (np.linalg.norm(np.diff(each, n=2, axis=0), axis=1).sum() for each in (line, route))
    assert bends < 0.7 * route_bends


def test_a_corner_without_room_is_kept() -> None:
    blocked = np.ones(SHAPE, dtype=bool)
    blocked[10:21, 10, 10] = blocked[20, 10:21, 10] = False
    route = np.array([(x, 10, 10) for x in range(10, 21)] + [(20, y, 10) for y in range(11, 21)], dtype=float)
    line = smoothed(route, np.ones(SHAPE, dtype=np.float32), blocked, step=1.5)
    assert not touches(line, blocked)
    assert np.linalg.norm(line - (20, 10, 10), axis=1).min() <= 0.75
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() <= 1.5
