"""Rendered pictures against what must be in them."""

import mujoco
import numpy as np
import pytest

from valuefield.robots import panda
from valuefield.robots.cameras.camera import Frame
from valuefield.robots.cameras.simulated import SKY, SimCameras
from valuefield.robots.errors import BadInput, UnknownName
from valuefield.robots.geometry import quat_from_axes
from valuefield.robots.state import Floats

CUBE, HALF = np.array([0.5, 0.1, 0.05]), 0.05


@pytest.fixture(scope="module")
def world() -> tuple[mujoco.MjModel, mujoco.MjData]:
    spec = panda.spec("collision")
    spec.worldbody.add_camera(name="front", pos=(1.4, -0.6, 0.7), quat=quat_from_axes((1.0, -0.6, 0.45), (0, -0.2, 1)))
    spec.worldbody.add_camera(name="above", pos=(0.5, 0.1, 1.05), quat=(1, 0, 0, 0), fovy=90)
    size = (HALF, HALF, HALF)
    spec.worldbody.add_geom(name="cube", type=mujoco.mjtGeom.mjGEOM_BOX, pos=CUBE, size=size, rgba=(1, 0, 0, 1))
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:7] = panda.HOME_Q
    data.qpos[0] = 1.5  # out of the way
    mujoco.mj_forward(model, data)
    return model, data


@pytest.fixture(scope="module")
def frames(world: tuple[mujoco.MjModel, mujoco.MjData]) -> dict[str, Frame]:
    cameras = SimCameras(*world, ["front", "above"], (96, 128))
    frames = cameras.read()
    cameras.close()
    return frames


def points_of(frame: Frame, geom: int) -> Floats:
    """World points (N, 3) of the pixels that show a geom, by the pinhole model."""
    assert frame.seg is not None
    row, column = np.nonzero(frame.seg == geom)
    ray = np.stack([column, row, np.ones(len(row))]).T @ np.linalg.inv(frame.intrinsics).T
    points = ray * frame.depth[row, column][:, None]
    return points @ frame.world_from_cam[:3, :3].T + frame.world_from_cam[:3, 3]


@pytest.mark.parametrize("name", ["front", "above"])
def test_pixels_of_the_cube_lie_on_the_cube(
    name: str, frames: dict[str, Frame], world: tuple[mujoco.MjModel, mujoco.MjData]
) -> None:
    points = points_of(frames[name], world[0].geom("cube").id)
    assert len(points) > 30
    assert np.abs(np.abs(points - CUBE).max(axis=1) - HALF).max() < 0.003


def test_shapes_types_and_colour(frames: dict[str, Frame], world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    frame = frames["above"]
    assert frame.seg is not None
    assert (frame.rgb.shape, frame.depth.shape, frame.seg.shape) == ((96, 128, 3), (96, 128), (96, 128))
    assert (frame.rgb.dtype, frame.depth.dtype, frame.seg.dtype) == (np.uint8, np.float32, np.int32)
    red = frame.rgb[frame.seg == world[0].geom("cube").id].mean(axis=0)
    assert red[0] > 3 * red[1:].max()


def test_depth_from_straight_above_by_hand(frames: dict[str, Frame]) -> None:
    """1.05 m above the table: the cube's top is 0.95 m away; with 90 degrees of view the focal length is 48 pixels."""
    frame = frames["above"]
    assert frame.depth[47:49, 63:65] == pytest.approx(0.95, abs=1e-3)
    assert frame.depth[30, 64] == pytest.approx(1.05, abs=1e-3)
    np.testing.assert_allclose(frame.intrinsics, [[48, 0, 63.5], [0, 48, 47.5], [0, 0, 1]], atol=1e-9)
    np.testing.assert_allclose(frame.world_from_cam[:3, 2], [0, 0, -1], atol=1e-9)  # forward is down


def test_sky_has_no_depth_and_no_id(frames: dict[str, Frame]) -> None:
    frame = frames["front"]
    assert frame.seg is not None
    assert (frame.seg == -1).any()
    assert (frame.depth[frame.seg == -1] == 0).all()
    assert (frame.depth[frame.seg != -1] > 0).all()
    assert (frame.rgb[frame.seg == -1] == SKY).all()


def test_several_rigs_side_by_side_and_closed_in_any_order(world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    first, second = SimCameras(*world, ["above"]), SimCameras(*world, ["front"], (64, 64))
    before = first.read()["above"].rgb
    second.read()
    second.close()
    np.testing.assert_array_equal(first.read()["above"].rgb, before)
    first.close()
    np.testing.assert_array_equal(first.read()["above"].rgb, before)  # opens again
    first.close()


def test_only_what_is_asked_for(world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    cameras = SimCameras(*world, ["front", "above"], (32, 32))
    frames = cameras.read(["above"], seg=False)
    assert list(frames) == ["above"]
    assert frames["above"].seg is None
    cameras.close()


def test_without_colour_depth_and_ids_are_the_same(world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    cameras = SimCameras(*world, ["front", "above"], (64, 64))
    every, some = cameras.read(), cameras.read(rgb=False)
    for name in ("front", "above"):
        np.testing.assert_array_equal(some[name].depth, every[name].depth)
        np.testing.assert_array_equal(some[name].seg, every[name].seg)
        assert every[name].rgb.any() and not some[name].rgb.any()
    cameras.close()


def test_unknown_camera_names_the_nearest(world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    with pytest.raises(UnknownName, match="nearest: 'front'"):
        SimCameras(*world, ["frnt"])


def test_too_large_pictures_are_refused(world: tuple[mujoco.MjModel, mujoco.MjData]) -> None:
    with pytest.raises(BadInput, match="960 x 1280"):
        SimCameras(*world, ["front"], (961, 100))
