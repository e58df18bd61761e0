import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from valuefield.planners.astar import DIAGONAL, SPACE_DIAGONAL, Route, halve, search, shortest

START = np.array([0, 0, 0])


def plain(shape: tuple[int, int, int], goal: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    goal_cost = np.full(shape, np.inf, dtype=np.float32)
    goal_cost[goal] = 0
    return np.ones(shape, dtype=np.float32), np.zeros(shape, dtype=bool), goal_cost


def check(route: Route, blocked: np.ndarray) -> np.ndarray:
    """The route is a chain of neighbours whose spanned boxes are free."""
    assert route.nodes is not None
    assert np.abs(np.diff(route.nodes, axis=0)).max(initial=0) <= 1
    for a, b in zip(route.nodes[:-1], route.nodes[1:], strict=True):
        low, high = np.minimum(a, b), np.maximum(a, b) + 1
        assert not blocked[low[0] : high[0], low[1] : high[1], low[2] : high[2]].any()
    return route.nodes


def dijkstra_cost(weight: np.ndarray, blocked: np.ndarray, goal: tuple[int, int, int]) -> float:
    """The same graph, solved by another library."""
    rows, columns, values = [], [], []
    for a in np.argwhere(~blocked):
        for move in np.argwhere(np.ones((3, 3, 3))) - 1:
            b = a + move
            if not move.any() or (b < 0).any() or (b >= weight.shape).any():
                continue
            low, high = np.minimum(a, b), np.maximum(a, b) + 1
            if not blocked[low[0] : high[0], low[1] : high[1], low[2] : high[2]].any():
                rows.append(np.ravel_multi_index(tuple(a), weight.shape))
                columns.append(np.ravel_multi_index(tuple(b), weight.shape))
                values.append(np.linalg.norm(move) * (weight[tuple(a)] + weight[tuple(b)]) / 2)
    graph = coo_array((values, (rows, columns)), shape=(weight.size, weight.size)).tocsr()
    return float(dijkstra(graph, indices=0)[np.ravel_multi_index(goal, weight.shape)])


def test_a_straight_way_costs_its_length() -> None:
    route = shortest(*plain((10, 10, 10), (5, 3, 1)), START)
    assert len(check(route, np.zeros((10, 10, 10), dtype=bool))) == 6
    assert route.cost == pytest.approx(2 + 2 * DIAGONAL + SPACE_DIAGONAL)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.4))
def test_the_search_finds_the_optimum(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    weight, blocked, goal_cost = plain((7, 6, 5), (6, 5, 4))
    weight += rng.random(weight.shape).astype(np.float32) * 4
    blocked |= rng.random(weight.shape) < density
    blocked[0, 0, 0] = blocked[6, 5, 4] = False
    route = shortest(weight, blocked, goal_cost, START)
    expected = dijkstra_cost(weight, blocked, (6, 5, 4))
    assert route.cost == pytest.approx(expected, rel=1e-4)
    if np.isfinite(expected):
        check(route, blocked)
    else:
        assert route.nodes is None


def test_a_corner_is_not_cut() -> None:
    weight, blocked, goal_cost = plain((2, 2, 1), (1, 1, 0))
    blocked[1, 0, 0] = True
    route = shortest(weight, blocked, goal_cost, START)
    assert check(route, blocked).tolist() == [[0, 0, 0], [0, 1, 0], [1, 1, 0]]


def test_the_cheapest_goal_wins_by_way_plus_its_own_cost() -> None:
    for extra, expected in ((3.0, 4), (1.0, 2)):
        weight, blocked, goal_cost = plain((10, 1, 1), (4, 0, 0))
        goal_cost[2, 0, 0] = extra
        route = shortest(weight, blocked, goal_cost, START)
        assert route.nodes is not None
        assert route.nodes[-1, 0] == expected
        assert route.cost == min(4.0, 2.0 + extra)


def test_a_start_on_the_goal_is_a_way_of_one_node() -> None:
    route = shortest(*plain((40, 40, 40), (0, 0, 0)), START)
    assert route.nodes is not None
    assert route.nodes.tolist() == [[0, 0, 0]]
    assert route.cost == 0


@pytest.mark.parametrize("seed", range(4))
def test_coarse_to_fine_is_close_to_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight, blocked, goal_cost = plain((81, 101, 71), (75, 90, 60))
    for _ in range(12):
        low = rng.integers(5, 60, 3)
        x, y, z = (slice(a, a + n) for a, n in zip(low, rng.integers(5, 25, 3), strict=True))
        weight[x, y, z] += rng.random() * 5
        blocked[x, y, z] |= rng.random() < 0.7
    blocked[40:44, :, :55] = True
    exact = search(weight, blocked, goal_cost, START)
    route = shortest(weight, blocked, goal_cost, START)
    check(route, blocked)
    assert exact[0] <= route.cost + 1e-3
    assert route.cost <= 1.03 * exact[0]
    assert route.expanded < 0.5 * exact[3]


def test_a_gap_of_one_voxel_is_found() -> None:
    weight, blocked, goal_cost = plain((64, 64, 64), (60, 60, 60))
    blocked[31] = True
    blocked[31, 17, 45] = False
    assert [31, 17, 45] in check(shortest(weight, blocked, goal_cost, START), blocked).tolist()


def test_a_corridor_that_leads_nowhere_is_given_up() -> None:
    """The straight gap is closed by two half walls that a halved grid cannot tell from a gap."""
    weight, blocked, goal_cost = plain((64, 64, 64), (60, 0, 0))
    blocked[30] = True
    blocked[30, 0, 0] = False
    blocked[31] = True
    blocked[31, 1, 0] = False
    blocked[30:32, 50, 50] = False
    nodes = check(shortest(weight, blocked, goal_cost, START), blocked)
    assert [31, 50, 50] in nodes.tolist()


def test_no_way_is_found_to_be_none_on_the_coarse_grid() -> None:
    weight, blocked, goal_cost = plain((80, 80, 80), (70, 70, 70))
    blocked[40:44] = True
    route = shortest(weight, blocked, goal_cost, START)
    assert route.nodes is None
    assert np.isinf(route.cost)
    assert route.expanded < weight.size / 64


def test_halving_keeps_what_is_free_and_what_is_a_goal() -> None:
    weight, blocked, goal_cost = plain((3, 2, 2), (2, 1, 1))
    goal_cost[2, 1, 1] = 6
    blocked[0:2] = True
    blocked[0, 0, 0] = False
    coarse = halve(weight, blocked, goal_cost, 41.0)
    assert coarse[0][:, 0, 0].tolist() == [36.0, 1.0]
    assert not coarse[1].any()
    assert coarse[2][:, 0, 0].tolist() == [np.inf, 3.0]
    blocked[0, 0, 0] = True
    assert halve(weight, blocked, goal_cost, 41.0)[1][:, 0, 0].tolist() == [True, False]
