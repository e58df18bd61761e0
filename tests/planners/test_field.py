import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from valuefield.planners.field import REACH, Field, squared_distances
from valuefield.planners.grid import Grid
from valuefield.robots.errors import BadInput

GRID = Grid((0.0, 0.0, 0.0), 0.01, (40, 30, 50))
NOWHERE = np.zeros((0, 3), dtype=np.int64)


def occupied(*nodes: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(GRID.shape, dtype=bool)
    for node in nodes:
        mask[node] = True
    return mask


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 40), st.integers(2, 30))
def test_the_transform_is_scipys_cut_off_at_the_reach(seed: int, count: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((17, 23, 11), dtype=bool)
    mask[tuple(rng.integers(0, mask.shape, (count, 3)).T)] = True
    exact = distance_transform_edt(~mask) ** 2 if count else np.full(mask.shape, np.inf)
    assert np.allclose(squared_distances(mask, reach), np.minimum(exact, reach**2), atol=1e-3)


def test_clearance_is_in_metres() -> None:
    field = Field(GRID, occupied((10, 10, 10)))
    assert field.clearance[10, 10, 10] == 0
    assert field.clearance[13, 14, 10] == pytest.approx(0.05)
    assert field.clearance[13, 14, 22] == pytest.approx(0.13)
    assert field.clearance[39, 29, 49] >= REACH


def test_clearance_without_obstacles_is_the_reach() -> None:
    assert (Field(GRID, occupied()).clearance >= REACH).all()


def test_distances_between_nodes_and_outside_the_grid() -> None:
    field = Field(GRID, occupied((0, 10, 10)))
    inside = field.distance_at([(0.05, 0.10, 0.10), (0.055, 0.10, 0.10)])
    assert np.allclose(inside, (0.05, 0.055), atol=1e-6)
    assert np.allclose(field.distance_at([(-0.04, 0.10, 0.10), (-0.12, 0.15, 0.10)]), (0.04, 0.13), atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-0.5, 1.0)] * 3))
def test_a_distance_is_never_more_than_the_truth_allows(point: tuple[float, float, float]) -> None:
    nodes = [(3, 4, 5), (30, 20, 10), (12, 29, 49)]
    true = np.linalg.norm(GRID.to_world(nodes) - point, axis=1).min()
    read = Field(GRID, occupied(*nodes)).distance_at([point])[0]
    assert read <= true + 0.01


def test_without_a_radius_only_obstacles_block() -> None:
    mask = occupied((5, 5, 5), (20, 20, 20))
    blocked = Field(GRID, mask).blocked(np.array([0, 0, 0]), np.array([[39, 29, 49]]), radius=0.0, contact=0.0)
    assert np.array_equal(blocked, mask)


def test_an_obstacle_is_kept_at_the_radius_away_from_the_ends() -> None:
    field = Field(GRID, occupied((20, 15, 25)))
    blocked = field.blocked(np.array([0, 0, 0]), np.array([[39, 29, 49]]), radius=0.04, contact=0.02)
    assert np.array_equal(blocked, field.clearance < np.float32(0.04))


def test_clearance_is_given_up_towards_the_ends() -> None:
    table = occupied()
    table[:, :, 0] = True
    field = Field(GRID, table)
    start, goal = np.array([5, 15, 1]), np.array([[30, 15, 1]])
    blocked = field.blocked(start, goal, radius=0.04, contact=0.02)
    for x in (5, 30):
        assert not blocked[x, 15, :].any()  # straight up from the contact
    assert blocked[17, 15, :4].all()  # in the middle the whole radius is demanded
    assert not blocked[17, 15, 4:].any()
    assert blocked[36, 15, 1]  # 6 cm beside the goal 2 cm of clearance are demanded, and there is 1
    assert not blocked[36, 15, 3]


@given(st.floats(0, 0.06), st.floats(0, 0.03))
@settings(max_examples=20, deadline=None)
def test_the_ends_open_nodes_and_never_block_any(radius: float, contact: float) -> None:
    rng = np.random.default_rng(0)
    field = Field(GRID, rng.random(GRID.shape) < 0.002)
    blocked = field.blocked(np.array([3, 3, 3]), np.array([[30, 20, 40]]), radius=radius, contact=contact)
    assert not (blocked & (field.clearance >= radius) & ~field.occupied).any()
    away = np.linalg.norm(np.argwhere(field.occupied & ~blocked)[:, None] - [(3, 3, 3), (30, 20, 40)], axis=-1)
    assert (away.min(axis=1, initial=np.inf) < contact / GRID.spacing + 1e-6).all()


def test_obstacles_of_another_shape_are_refused() -> None:
    with pytest.raises(BadInput, match=r"\(3, 3, 3\).*\(40, 30, 50\)"):
        Field(GRID, np.zeros((3, 3, 3), dtype=bool))
