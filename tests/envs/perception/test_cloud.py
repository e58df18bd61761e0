import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.envs.perception.cloud import (
    inside,
    normals,
    one_per_voxel,
    planes,
    seen_through,
    shift_between,
    unproject,
)
from valuefield.robots.cameras.camera import Frame


def frame(depth, world_from_cam=None):
    """A camera with focal length 2 pixels whose principal point is the centre of pixel (1, 1)."""
    depth = np.asarray(depth, dtype=np.float32)
    return Frame(
        rgb=np.zeros((*depth.shape, 3), np.uint8),
        depth=depth,
        seg=None,
        world_from_cam=np.eye(4) if world_from_cam is None else world_from_cam,
        intrinsics=np.array([[2.0, 0, 1], [0, 2, 1], [0, 0, 1]]),
        time=0.0,
    )


def test_a_pixel_ends_where_the_pinhole_model_says():
    points = unproject(frame(np.full((3, 3), 4.0)))
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[1, 1], [0, 0, 4])
    np.testing.assert_allclose(points[0, 2], [2, -2, 4])  # one pixel right and up: 1/2 x 4 m


def test_points_are_in_the_world():
    pose = np.array([[0, 0, 1.0, 5], [-1, 0, 0, 6], [0, -1, 0, 7], [0, 0, 0, 1]])  # looks along world x
    np.testing.assert_allclose(unproject(frame(np.full((3, 3), 4.0), pose))[0, 2], [9, 4, 9])


def test_inside_includes_its_bounds():
    bounds = np.array([[0, 0, 0], [1, 1, 1]], dtype=np.float64)
    points = np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 1.01], [-0.01, 0.5, 0.5]], dtype=np.float32)
    assert inside(points, bounds).tolist() == [True, True, False, False]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.1, 1.0]))
def test_thinning_keeps_exactly_one_point_per_cube(count, seed, size):
    points = np.random.default_rng(seed).uniform(-1, 1, (count, 3)).astype(np.float32)
    cubes = [tuple(cube) for cube in np.floor(points / np.float32(size)).astype(int)]
    kept = one_per_voxel(points, size)
    assert sorted(cubes[i] for i in kept) == sorted(set(cubes))


def test_thinning_nothing_gives_nothing():
    assert len(one_per_voxel(np.empty((0, 3), np.float32), 0.1)) == 0


def test_only_what_lies_clearly_before_the_surface_is_seen_through():
    wall = frame(np.full((3, 3), 2.0))
    points = np.array([[0, 0, 1.0], [0, 0, 1.99], [0, 0, 2.5], [0, 0, -1.0], [5, 0, 1.0]], dtype=np.float32)
    assert seen_through(points, wall).tolist() == [True, False, False, False, False]


def test_missing_depth_proves_nothing_and_outlines_are_kept():
    hole = np.full((3, 3), 2.0)
    hole[0, 0] = 0.0
    assert not seen_through(np.array([[0, 0, 1.0]], np.float32), frame(hole)).any()
    hole[0, 0] = 1.0  # the neighbouring pixel sees a surface just where the point is
    assert not seen_through(np.array([[0, 0, 1.0]], np.float32), frame(hole)).any()


def test_normals_of_a_plane_look_at_the_camera():
    x, y = np.meshgrid(np.arange(10), np.arange(10))
    points = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3).astype(np.float32)
    below = np.tile(np.float32([5, 5, -3]), (100, 1))
    np.testing.assert_allclose(normals(points, below), np.tile([0, 0, -1.0], (100, 1)), atol=1e-5)


def test_normals_of_two_points_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        normals(np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32))


def test_planes_come_by_share():
    up, side = np.tile([0, 0, 1.0], (6, 1)), np.tile([1.0, 0, 0], (3, 1))
    stray = np.array([[0, 1.0, 0]])
    (first, six), (second, three), (_, one) = planes(np.concatenate([side, up, stray]))
    np.testing.assert_allclose([first, second], [[0, 0, 1], [1, 0, 0]], atol=1e-9)
    assert (six, three, one) == (0.6, 0.3, 0.1)
    assert len(planes(np.concatenate([side, up, stray]), least=0.2)) == 2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-0.01, 0.01), min_size=3, max_size=3))
def test_the_shift_of_a_partly_seen_thing_is_found(shift):
    across = np.random.default_rng(0).uniform(0, 0.1, (6000, 2))
    corner = np.concatenate([np.insert(across[axis::3], axis, 0.0, axis=1) for axis in range(3)])
    seen = corner[1::2][corner[1::2].sum(axis=1) < 0.08]
    found = shift_between(corner[::2].astype(np.float32), (seen + shift).astype(np.float32))
    np.testing.assert_allclose(found, shift, atol=0.003)
