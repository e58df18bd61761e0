import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.envs.perception.box import fit_box


def turned(points, degrees):
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return (points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])).astype(np.float32)


def faces(half, spacing=0.005, only=(0, 1, 2)):
    """Points on the faces of a box around the origin, on both sides of each axis in `only`."""
    found = []
    for axis in only:
        u, v = (np.arange(-half[i], half[i] + 1e-9, spacing) for i in range(3) if i != axis)
        grid = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
        for side in (-half[axis], half[axis]):
            found.append(np.insert(grid, axis, side, axis=1))
    return np.concatenate(found)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 180), st.floats(-1, 1), st.floats(0, 0.5))
def test_a_turned_box_is_found_again(degrees, x, z):
    box = fit_box(turned(faces((0.06, 0.02, 0.03)), degrees) + np.float32([x, 0, z]))
    np.testing.assert_allclose(box.center, [x, 0, z], atol=1e-3)
    np.testing.assert_allclose(box.half_sizes, [0.06, 0.02, 0.03], atol=1.5e-3)
    heading = np.rad2deg(np.arctan2(box.axes[0, 1], box.axes[0, 0]))
    assert abs((heading - degrees + 90) % 180 - 90) < 2


@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
def test_two_faces_are_enough_for_the_heading(degrees):
    sides = faces((0.04, 0.04, 0.04), only=(0, 1))
    seen = sides[(sides[:, 0] > 0.039) | (sides[:, 1] > 0.039)]
    box = fit_box(turned(seen, degrees))
    heading = np.rad2deg(np.arctan2(box.axes[0, 1], box.axes[0, 0]))
    assert abs((heading - degrees + 45) % 90 - 45) < 2
    np.testing.assert_allclose(box.half_sizes, 0.04, atol=2e-3)


def test_axes_are_a_right_handed_frame_with_the_longer_edge_first():
    box = fit_box(turned(faces((0.02, 0.06, 0.09)), 30))
    np.testing.assert_allclose(box.axes @ box.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(box.axes) == pytest.approx(1)
    assert box.half_sizes[0] > box.half_sizes[1]
    np.testing.assert_array_equal(box.axes[2], [0, 0, 1])


def test_filling_a_box_down_keeps_its_top():
    box = fit_box(faces((0.02, 0.02, 0.02)) + np.array([0, 0, 0.1])).down_to(0.0)
    assert box.bottom == pytest.approx(0.0)
    assert box.center[2] + box.half_sizes[2] == pytest.approx(0.12)


def test_one_point_is_a_box_and_none_is_an_error():
    assert fit_box(np.array([[1, 2, 3]])).half_sizes.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="at least one"):
        fit_box(np.empty((0, 3)))
