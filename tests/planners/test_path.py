from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.field import Field
from valuefield.planners.grid import Grid
from valuefield.planners.path import FOUND, PathResult, plan_path
from valuefield.planners.value_map import DenseMap, RegionMap, ValueMaps
from valuefield.robots.errors import BadInput

GRID = Grid.workspace()
EMPTY = np.zeros(GRID.shape, dtype=bool)
TABLE = EMPTY.copy()
TABLE[:, :, 0] = True
START = (0.3, -0.3, 0.3)


def box(low: tuple[float, float, float], high: tuple[float, float, float], base: np.ndarray = TABLE) -> np.ndarray:
    """`base` and a box, corners in m."""
    mask = base.copy()
    a, b = GRID.nearest(GRID.to_index(low)), GRID.nearest(GRID.to_index(high)) + 1
    mask[a[0] : b[0], a[1] : b[1], a[2] : b[2]] = True
    return mask


def goal_at(*points: tuple[float, float, float], value: float = 1.0, radius: float = 0.0) -> DenseMap:
    goal = DenseMap(GRID, highest=1.0)
    for point in points:
        goal.set_ball(GRID.to_index(point), radius, value)
    return goal


def found(result: PathResult) -> np.ndarray:
    assert result.reason == FOUND
    assert result.points_world is not None
    return result.points_world


def test_a_free_path_is_straight_in_steps_of_a_centimetre() -> None:
    result = plan_path(ValueMaps(goal=goal_at((0.3, 0.3, 0.3))), Field(GRID, EMPTY), START)
    points = found(result)
    assert np.allclose(points[[0, -1]], [START, (0.3, 0.3, 0.3)])
    assert np.allclose(np.diff(points, axis=0), [(0, 0.01, 0)], atol=1e-6)
    assert len(points) == 61
    assert result.clearance == 0.04
    assert result.cost == pytest.approx(0.6, rel=0.05)
    assert result.ms > 0


def test_the_ends_are_exact_although_nodes_are_a_centimetre_apart() -> None:
    start, goal = (0.3041, -0.2987, 0.3049), (0.5524, 0.1013, 0.1977)
    points = found(plan_path(ValueMaps(goal=goal_at(goal)), Field(GRID, EMPTY), start))
    assert np.allclose(points[[0, -1]], [start, goal], atol=1e-9)


def test_a_path_keeps_its_distance_in_the_middle_and_ends_in_contact() -> None:
    mask = box((0.4, -0.2, 0.0), (0.5, 0.2, 0.25))
    field = Field(GRID, mask)
    start, goal = (0.3, 0.0, 0.02), (0.51, 0.0, 0.1)
    points = found(plan_path(ValueMaps(goal=goal_at(goal)), field, start))
    away = np.minimum(np.linalg.norm(points - start, axis=1), np.linalg.norm(points - goal, axis=1))
    clearance = field.distance_at(points)
    assert clearance[away > 0.11].min() > 0.04 - 0.01
    assert np.allclose(points[-1], goal)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_path_never_touches_an_obstacle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = TABLE.copy()
    for low in rng.uniform((0.2, -0.4, 0.0), (0.7, 0.3, 0.3), (5, 3)):
        mask = box(tuple(low), tuple(low + rng.uniform(0.03, 0.15, 3)), mask)
    start, goal = GRID.to_world(GRID.nearest(GRID.to_index(rng.uniform((0.1, -0.5, 0.4), (0.9, 0.5, 0.7), (2, 3)))))
    low_goal = np.array([goal[0], goal[1], 0.1])
    result = plan_path(ValueMaps(goal=goal_at(tuple(low_goal))), Field(GRID, mask), start, contact=0.0)
    if result.points_world is None:
        assert mask[tuple(GRID.nearest(GRID.to_index(low_goal)))] or "closed off" in result.reason
    else:
        dense = np.concatenate([np.linspace(a, b, 9) for a, b in pairwise(result.points_world)])
        assert not mask[tuple(GRID.nearest(GRID.to_index(dense)).T)].any()


def test_the_best_goal_is_chosen_by_value_and_way() -> None:
    near, far = (0.3, -0.2, 0.3), (0.3, 0.3, 0.3)
    for value, expected in ((0.8, near), (0.2, far)):
        goal = goal_at(far)
        goal.set_ball(GRID.to_index(near), 0.0, value)
        points = found(plan_path(ValueMaps(goal=goal), Field(GRID, EMPTY), START))
        assert np.allclose(points[-1], expected)


def test_a_goal_region_is_entered_at_its_edge() -> None:
    points = found(plan_path(ValueMaps(goal=goal_at((0.3, 0.3, 0.3), radius=0.1)), Field(GRID, EMPTY), START))
    assert np.linalg.norm(points[-1] - (0.3, 0.3, 0.3)) == pytest.approx(0.1, abs=0.005)


def test_a_path_goes_around_what_costs() -> None:
    cost = DenseMap(GRID)
    cost.set_ball(GRID.to_index((0.3, 0.0, 0.3)), 0.12, 1.0)
    points = found(plan_path(ValueMaps(goal=goal_at((0.3, 0.3, 0.3)), cost=cost), Field(GRID, EMPTY), START))
    assert np.linalg.norm(points - (0.3, 0.0, 0.3), axis=1).min() > 0.11


def test_a_path_goes_through_what_costs_where_there_is_no_other_way() -> None:
    cost = DenseMap(GRID)
    cost[:, 50, :] = 1.0
    assert found(plan_path(ValueMaps(goal=goal_at((0.3, 0.3, 0.3)), cost=cost), Field(GRID, EMPTY), START)).any()


def test_a_gap_that_is_too_narrow_for_the_radius_is_passed_and_named() -> None:
    mask = box((0.1, 0.0, 0.0), (0.9, 0.05, 0.7))
    mask[:, 50:56, 28:33] = False  # a slot of 5 cm
    result = plan_path(ValueMaps(goal=goal_at((0.3, 0.3, 0.3))), Field(GRID, mask), START)
    assert found(result).any()
    assert result.clearance == 0.02


def test_why_there_is_no_path() -> None:
    wall = box((0.1, 0.0, 0.0), (0.9, 0.03, 0.7))
    beyond = ValueMaps(goal=goal_at((0.3, 0.3, 0.3)))
    cases = [
        ("no value above 0", ValueMaps(goal=DenseMap(GRID, highest=1.0)), TABLE),
        ("closed off", beyond, wall),
        (r"start blocked: \(0.30, -0.30, 0.30\) m", beyond, box((0.2, -0.4, 0.2), (0.4, -0.2, 0.4))),
        (r"goal blocked: \(0.30, 0.30, 0.30\) m", beyond, box((0.2, 0.2, 0.2), (0.4, 0.4, 0.4))),
    ]
    for reason, maps, mask in cases:
        result = plan_path(maps, Field(GRID, mask), START, contact=0.0)
        assert result.points_world is None
        assert np.isinf(result.cost)
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(result.reason)


def test_without_a_goal_map_the_path_is_the_start() -> None:
    gripper = RegionMap(GRID, 1.0)
    result = plan_path(ValueMaps(gripper=gripper), Field(GRID, EMPTY), START)
    assert np.allclose(found(result), [START])
    assert result.gripper is not None
    assert result.gripper.tolist() == [1.0]


def test_a_start_on_the_goal() -> None:
    points = found(plan_path(ValueMaps(goal=goal_at((0.302, -0.3, 0.3))), Field(GRID, EMPTY), START))
    assert np.allclose(points[[0, -1]], [START, (0.302, -0.3, 0.3)])


@pytest.mark.parametrize("start", [(0.1, -0.5, 0.01), (0.9, 0.5, 0.7), (0.1, 0.5, 0.7)])
def test_a_start_on_the_border(start: tuple[float, float, float]) -> None:
    points = found(plan_path(ValueMaps(goal=goal_at((0.5, 0.0, 0.3))), Field(GRID, TABLE), start))
    assert np.allclose(points[0], start)


def test_a_start_outside_is_refused_with_or_without_a_goal() -> None:
    for maps in (ValueMaps(), ValueMaps(goal=goal_at((0.3, 0.3, 0.3)))):
        with pytest.raises(BadInput, match=r"point \(0\.300, 0\.000, 0\.800\)"):
            plan_path(maps, Field(GRID, EMPTY), (0.3, 0.0, 0.8))


@pytest.mark.parametrize("height", [0.02, 0.30])
def test_a_planar_path_stays_at_the_height_of_the_start(height: float) -> None:
    mask = box((0.45, -0.1, 0.0), (0.55, 0.1, 0.2))
    start = (0.3, 0.0, 0.034)
    maps = ValueMaps(goal=goal_at((0.7, 0.004, height)))
    points = found(plan_path(maps, Field(GRID, mask), start, radius=0.03, contact=0.0, planar=True))
    assert np.allclose(points[:, 2], 0.034)
    assert np.allclose(points[[0, -1], :2], [(0.3, 0.0), (0.7, 0.004)])
    assert np.abs(points[:, 1]).max() > 0.12
    assert Field(GRID, mask & ~TABLE).distance_at(points).min() > 0.02


def test_rotation_speed_and_gripper_are_read_at_the_points() -> None:
    down, flat = (0.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
    maps = ValueMaps(
        goal=goal_at((0.3, 0.3, 0.3)),
        rotation=RegionMap(GRID, down),
        speed=RegionMap(GRID, 1.0),
        gripper=RegionMap(GRID, 1.0),
    )
    assert maps.rotation and maps.speed and maps.gripper
    maps.rotation.set_ball(GRID.to_index((0.3, 0.3, 0.3)), 0.05, flat)
    maps.speed[:, :50, :] = 0.5
    maps.gripper.set_ball(GRID.to_index((0.3, 0.3, 0.3)), 0.01, 0.0)
    result = plan_path(maps, Field(GRID, EMPTY), START)
    n = len(found(result))
    assert result.rotation is not None and result.speed is not None and result.gripper is not None
    assert result.rotation.shape == (n, 4)
    assert result.rotation[[0, -1]].tolist() == [list(down), list(flat)]
    assert result.speed[[0, -1]].tolist() == [0.5, 1.0]
    assert result.gripper[[0, -3, -1]].tolist() == [1.0, 1.0, 0.0]


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.integers(-8, 8)] * 3))
def test_the_cost_of_a_path_does_not_depend_on_where_it_is(shift: tuple[int, int, int]) -> None:
    results = []
    for at in (np.zeros(3), np.array(shift) * GRID.spacing):
        corners = np.array([(0.4, -0.1, 0.2), (0.5, 0.1, 0.4), (0.3, 0.0, 0.3), (0.6, 0.0, 0.3)])
        low, high, start, goal = corners + at
        field = Field(GRID, box(tuple(low), tuple(high), EMPTY))
        results.append(plan_path(ValueMaps(goal=goal_at(tuple(goal))), field, start).cost)
    assert results[0] == pytest.approx(results[1], rel=0.02)
