import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valuefield.planners.grid import Grid
from valuefield.robots.errors import BadInput
from valuefield.robots.state import WORKSPACE

GRID = Grid.workspace()
nodes = st.tuples(st.integers(0, 80), st.integers(0, 100), st.integers(0, 70))
points = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))


def test_the_workspace_grid_has_nodes_on_the_bounds() -> None:
    assert GRID.shape == (81, 101, 71)
    assert np.allclose(GRID.bounds_world, WORKSPACE, atol=1e-12)


def test_a_hand_computed_node() -> None:
    assert np.allclose(GRID.to_world((10, 60, 5)), (0.2, 0.1, 0.05))
    assert np.allclose(GRID.to_index((0.2, 0.1, 0.05)), (10, 60, 5))


@given(nodes)
def test_every_node_comes_back_from_the_world(node: tuple[int, int, int]) -> None:
    assert GRID.nearest(GRID.to_index(GRID.to_world(node))).tolist() == list(node)


@given(points)
def test_every_point_comes_back_from_the_index(point: tuple[float, float, float]) -> None:
    assert np.allclose(GRID.to_world(GRID.to_index(point)), point, rtol=0, atol=1e-12)


@given(points)
def test_the_nearest_node_is_within_half_a_voxel_or_the_point_is_refused(point: tuple[float, float, float]) -> None:
    index = GRID.to_index(point)
    if GRID.inside(index):
        assert np.abs(GRID.to_world(GRID.nearest(index)) - point).max() <= GRID.spacing / 2 + 1e-9
    else:
        with pytest.raises(BadInput):
            GRID.nearest(index)


def test_shapes_are_kept() -> None:
    index = np.zeros((4, 5, 3))
    assert GRID.inside(index).shape == (4, 5)
    assert GRID.nearest(index).shape == GRID.to_world(index).shape == (4, 5, 3)


def test_an_outside_point_is_named_with_the_bounds_and_the_nearest_choice() -> None:
    with pytest.raises(
        BadInput, match=r"point \(1\.200, 0\.000, 0\.300\) m.*0\.900.*nearest point inside: \(0\.900"
    ) as error:
        GRID.nearest(GRID.to_index([(0.5, 0.0, 0.3), (1.2, 0.0, 0.3)]))
    assert "(80, 100, 70)" in str(error.value)


def test_not_a_number_is_outside() -> None:
    assert not GRID.inside((np.nan, 1, 1))
    with pytest.raises(BadInput, match="nan"):
        GRID.nearest((np.nan, 1, 1))


@pytest.mark.parametrize(("spacing", "shape"), [(0.0, (2, 2, 2)), (np.nan, (2, 2, 2)), (0.01, (2, 0, 2))])
def test_an_empty_grid_is_refused(spacing: float, shape: tuple[int, int, int]) -> None:
    with pytest.raises(BadInput):
        Grid((0.0, 0.0, 0.0), spacing, shape)
