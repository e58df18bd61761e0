"""Drawing into camera images, held against a renderer's own idea of where things are."""

import mujoco
import numpy as np
import pytest

from valuefield.planners.draw import COLORS, Drawing, Marks, marks, overlay, project, side_by_side
from valuefield.planners.grid import Grid
from valuefield.planners.value_map import DenseMap
from valuefield.robots.cameras.camera import Frame

SPOT = np.array([0.55, 0.2, 0.06])
WORLD = f"""
<mujoco><visual><quality shadowsize="0" offsamples="0"/></visual><worldbody>
  <light pos="0.3 0 2"/>
  <geom type="plane" size="1 1 .1" rgba=".7 .7 .7 1"/>
  <geom type="box" size=".02 .02 .02" pos="{SPOT[0]} {SPOT[1]} {SPOT[2]}" rgba="1 0 0 1"/>
  <camera name="front" pos="1.5 0 0.9" xyaxes="0 1 0 -0.6 0 1" fovy="45"/>
</worldbody></mujoco>"""


@pytest.fixture(scope="module")
def frame() -> Frame:
    model = mujoco.MjModel.from_xml_string(WORLD)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 120, 160) as renderer:
        renderer.update_scene(data, "front")
        rgb = renderer.render()
        renderer.enable_depth_rendering()
        renderer.update_scene(data, "front")
        depth = renderer.render()
    pose = np.eye(4)
    pose[:3, :3] = data.cam_xmat[0].reshape(3, 3) * [1, -1, -1]  # OpenGL's camera axes to OpenCV's
    pose[:3, 3] = data.cam_xpos[0]
    focal = 60 / np.tan(np.deg2rad(45) / 2)
    intrinsics = np.array([[focal, 0, 79.5], [0, focal, 59.5], [0, 0, 1]])
    return Frame(rgb, depth, None, pose, intrinsics, 0.0)


def _unlike(picture: np.ndarray, plain: np.ndarray) -> np.ndarray:
    return np.abs(picture.astype(int) - plain.astype(int)).sum(axis=2) > 60


def test_a_point_is_drawn_where_the_renderer_shows_it(frame: Frame):
    (pixel,), (front,) = project(SPOT, frame)
    red = np.argwhere((frame.rgb[..., 0] > 80) & (frame.rgb[..., 1] < 40))
    assert np.abs(red.mean(axis=0) - pixel[::-1]).max() < 1.0
    assert abs(frame.depth[tuple(np.rint(pixel[::-1]).astype(int))] - front) < 0.03


def test_nothing_behind_the_lens_is_drawn(frame: Frame):
    behind = np.array([[2.5, 0.0, 1.0], [3.0, 0.1, 1.2]])
    assert (project(behind, frame)[1] < 0).all()
    plain = overlay(frame, Drawing(), height=240)
    drawn = overlay(frame, Drawing(path=behind, goal=Marks(behind, np.ones(2))), height=240)
    np.testing.assert_array_equal(drawn, plain)


def test_marks_take_the_strongest_nodes_and_thin_them():
    values = DenseMap(Grid.workspace())
    assert marks(values) is None
    values.set_ball((40, 50, 30), 0.05, 2.0)
    values[5, 5, 5] = 0.1
    found = marks(values)
    assert found is not None
    assert found.strengths.min() == 1.0  # 0.1 is under a tenth of 2
    assert np.linalg.norm(found.points - values.grid.to_world((40, 50, 30)), axis=1).max() < 0.0501
    values[:, :, :] = 1.0
    thinned = marks(values, most=500)
    assert thinned is not None
    assert len(thinned.points) == 500
    assert np.ptp(thinned.points, axis=0).min() > 0.6


def test_a_goal_colours_its_place_and_leaves_the_rest(frame: Frame):
    plain = overlay(frame, Drawing(), height=240)
    goal = Marks(SPOT[None] + [0, 0, 0.03], np.ones(1))
    changed = np.argwhere(_unlike(overlay(frame, Drawing(goal=goal), height=240), plain))
    (pixel,), _ = project(goal.points, frame)
    center = (pixel[::-1] + 0.5) * 2 - 0.5
    assert len(changed)
    assert np.abs(changed - center).max() < 12


def test_what_a_surface_hides_is_drawn_faintly(frame: Frame):
    plain = overlay(frame, Drawing(), height=240).astype(int)
    (above,), _ = project(SPOT, frame)
    ray = SPOT - frame.world_from_cam[:3, 3]
    shown = Marks((SPOT - 0.05 * ray)[None], np.ones(1))
    hidden = Marks((SPOT + 0.06 * ray)[None], np.ones(1))
    row, column = np.rint((above[::-1] + 0.5) * 2 - 0.5).astype(int)
    by = [
        np.abs(overlay(frame, Drawing(avoid=m), height=240).astype(int) - plain)[row, column, 1]
        for m in (shown, hidden)
    ]
    assert by[0] > by[1] > 0


def test_the_path_runs_through_its_points(frame: Frame):
    path = np.array([[0.5, -0.3, 0.05], [0.5, 0.0, 0.3], SPOT])
    picture = overlay(frame, Drawing(path=path), height=240)
    for point in path[:2]:
        (pixel,), _ = project(point, frame)
        row, column = np.rint((pixel[::-1] + 0.5) * 2 - 0.5).astype(int)
        around = picture[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3)
        assert (around == COLORS["path"]).all(axis=1).any()


def test_the_row_of_cameras_has_room_for_its_text(frame: Frame):
    picture = side_by_side(
        {"front": frame, "overhead": frame}, Drawing(), ["open the top drawer", "goal 0.12 m"], height=240
    )
    assert picture.shape[1] == 640
    assert picture.shape[0] > 240
    assert picture.dtype == np.uint8
    assert picture[240:].max() > 200  # text on the dark bar
