from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.grid import Grid
from valuefield.planners.value_map import DenseMap, RegionMap, ValueMaps
from valuefield.robots.errors import BadInput

GRID = Grid((0.0, 0.0, 0.0), 0.01, (40, 40, 40))
ALL_NODES = np.argwhere(np.ones(GRID.shape, dtype=bool))
DOWN = (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("voxels", range(5, 20))
def test_a_ball_has_the_volume_of_a_ball(voxels: int) -> None:
    ball = DenseMap(GRID)
    ball.set_ball((20, 20, 20), voxels * 0.01, 1.0)
    assert np.count_nonzero(ball.values) == pytest.approx(4 / 3 * np.pi * voxels**3, rel=0.05)


@pytest.mark.parametrize(("radius", "count"), [(0.0, 1), (0.004, 1), (0.01, 7), (0.0142, 19), (0.02, 33)])
def test_small_balls_are_never_empty(radius: float, count: int) -> None:
    ball = DenseMap(GRID)
    ball.set_ball((20.3, 19.6, 20), radius, 1.0)
    assert np.count_nonzero(ball.values) == count
    assert ball[20, 20, 20] == 1.0


def test_a_ball_over_the_border_is_cut_and_does_not_wrap() -> None:
    ball = DenseMap(GRID)
    ball.set_ball((0, 0, 39), 0.02, 1.0)
    assert np.count_nonzero(ball.values) == 11  # 33 nodes, of which those with x, y >= 0 and z <= 0 remain
    assert not ball.values[3:].any()
    assert not ball.values[:, :, :37].any()


def test_a_ball_around_a_centre_outside_is_refused() -> None:
    for each in (DenseMap(GRID), RegionMap(GRID, 1.0)):
        with pytest.raises(BadInput, match=r"point \(0\.410"):
            each.set_ball((41, 0, 0), 0.5, 1.0)


@pytest.mark.parametrize("radius", [-0.01, np.nan, np.inf])
def test_a_radius_that_is_none_is_refused(radius: float) -> None:
    with pytest.raises(BadInput, match="radius"):
        DenseMap(GRID).set_ball((1, 1, 1), radius, 1.0)


def test_items_are_written_and_read_by_whole_and_fractional_indices_and_slices() -> None:
    written = DenseMap(GRID)
    written[1, 2.4, 3.5] = 0.25
    written[10:12, :, 39] = 0.5
    assert written.values[1, 2, 4] == written[1, 2, 4] == 0.25
    assert np.count_nonzero(written.values) == 1 + 2 * 40
    assert written[10:12, 5, 39].tolist() == [0.5, 0.5]
    assert written[39:, :, 0].shape == (1, 40)


@pytest.mark.parametrize(
    "key",
    [(40, 0, 0), (0, -1, 0), (0, 0, 39.5), (0, np.nan, 0), (slice(0, 41), 0, 0), (slice(-3, None), 0, 0), (0, 0, "1")],
)
def test_an_index_out_of_range_is_refused(key: Any) -> None:
    dense, regions = DenseMap(GRID), RegionMap(GRID, 1.0)
    with pytest.raises(BadInput, match="out of range; allowed: 0 to"):
        dense[key] = 1.0
    with pytest.raises(BadInput, match="out of range"):
        regions[key] = 1.0
    with pytest.raises(BadInput, match="out of range"):
        dense[key]
    assert not dense.values.any()


def test_other_keys_are_refused() -> None:
    dense: Any = DenseMap(GRID)
    with pytest.raises(BadInput, match="indexed by"):
        dense[3] = 1.0
    with pytest.raises(BadInput, match="no step"):
        dense[::2, 0, 0] = 1.0


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf, "1"])
def test_a_goal_value_is_between_0_and_1(value: Any) -> None:
    goal = DenseMap(GRID, highest=1.0)
    with pytest.raises(BadInput, match="0 to 1"):
        goal.set_ball((1, 1, 1), 0.0, value)
    assert not goal.values.any()


def test_a_goal_keeps_the_exact_point_that_was_written() -> None:
    goal = DenseMap(GRID, highest=1.0)
    goal.set_ball((10.4, 9.7, 3.2), 0.01, 1.0)
    goal[5.25, 6, 7] = 0.5
    assert goal.exact((10, 10, 3)).tolist() == [10.4, 9.7, 3.2]
    assert goal.exact((5, 6, 7)).tolist() == [5.25, 6.0, 7.0]
    assert goal.exact((11, 10, 3)).tolist() == [11.0, 10.0, 3.0]


writes = st.lists(
    st.tuples(
        st.booleans(),
        st.tuples(*[st.floats(0, 39)] * 3),
        st.floats(0, 0.15),
        st.tuples(*[st.integers(0, 40)] * 6),
        st.integers(0, 5),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(writes)
def test_regions_read_what_a_dense_map_with_the_same_writes_holds(writes: list[Any]) -> None:
    dense, regions = DenseMap(GRID), RegionMap(GRID, 0.0)
    for is_ball, center, radius, (a, b, c, d, e, f), value in writes:
        for each in (dense, regions):
            if is_ball:
                each.set_ball(center, radius, value)
            else:
                each[a:b, c:d, e:f] = value
    assert np.array_equal(regions.at(ALL_NODES)[:, 0], dense.values.ravel())


def test_the_last_rotation_written_wins() -> None:
    turn = np.array([1.0, 0.0, 0.0, 1.0]) / np.sqrt(2)
    regions = RegionMap(GRID, DOWN)
    regions.set_ball((10, 10, 10), 0.05, (1.0, 0.0, 0.0, 0.0))
    regions[10, 10, 10] = turn
    read = regions.at([(10.2, 9.8, 10), (12, 10, 10), (30, 10, 10)])
    assert np.allclose(read, [turn, (1, 0, 0, 0), DOWN])


def test_reading_outside_is_refused() -> None:
    with pytest.raises(BadInput, match="outside the workspace"):
        RegionMap(GRID, 1.0).at([(0, 0, 0), (0, 0, 40)])


@pytest.mark.parametrize("value", [np.nan, (1.0, 0.0), (0.0, 0.0, 0.0, 2.0)])
def test_values_of_the_wrong_kind_are_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        RegionMap(GRID, value)
    with pytest.raises(BadInput):
        RegionMap(GRID, 1.0).set_ball((1, 1, 1), 0.0, value)


def test_the_maps_of_a_sub_goal_share_one_grid() -> None:
    other = Grid((0.0, 0.0, 0.0), 0.01, (40, 40, 41))
    ValueMaps(goal=DenseMap(GRID), speed=RegionMap(GRID, 1.0))
    with pytest.raises(BadInput, match="share one grid"):
        ValueMaps(goal=DenseMap(GRID), speed=RegionMap(other, 1.0))
