import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.grid import Grid
from valuefield.planners.language.api import SceneApi
from valuefield.planners.language.budget import Budget
from valuefield.planners.language.interpreter import Program
from valuefield.robots.errors import BadInput, ProgramError, UnknownName
from valuefield.robots.geometry import rotate

GRID = Grid.workspace()


@pytest.fixture
def api(make_scene, cabinet_names):
    scene = make_scene([*cabinet_names, "red block", "hidden ball"], hidden=["hidden ball"], opened={"top drawer": 0.1})
    return SceneApi(scene, scene, GRID, Budget())


def run(api, source):
    return Program(source).run(api.names(), api.budget)


def test_detect_gives_voxels_centimetres_and_unit_normals(api, outward):
    thing = api.scene.find("top drawer handle")
    seen = api.detect("top drawer handle")
    np.testing.assert_allclose(GRID.to_world(seen.position.items), thing.center, atol=1e-9)
    np.testing.assert_allclose(GRID.to_world([corner.items for corner in seen.aabb]), thing.aabb, atol=1e-9)
    np.testing.assert_allclose(seen.normal.items, outward, atol=0.03)
    assert 9 < max(seen.size) < 11  # a bar of 10 cm
    assert api.detect("hidden ball") is None
    with pytest.raises(UnknownName, match="nearest: 'red block'"):
        api.detect("reed block")
    with pytest.raises(ProgramError):
        api.detect(3)


def test_gripper_and_table_have_a_place(api):
    np.testing.assert_allclose(GRID.to_world(api.detect("gripper").position.items), api.scene.tool_pose[:3])
    assert api.detect("hand").name == "gripper"
    table = api.detect("table")
    assert GRID.to_world(table.position.items)[2] == pytest.approx(0)
    np.testing.assert_allclose(table.size.items, [80, 100, 0])


@settings(max_examples=50, deadline=None)
@given(st.floats(-100, 100), st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda d: np.linalg.norm(d) > 0.01))
def test_centimetres_keep_their_length_in_every_direction(cm, direction):
    api = SceneApi(None, None, GRID, Budget())
    step = np.array(api.cm2index(cm, list(direction)).items) * GRID.spacing
    assert np.linalg.norm(step) == pytest.approx(abs(cm) / 100, abs=1e-9)
    assert api.index2cm(api.cm2index(cm, "z"), "z") == pytest.approx(cm, abs=1e-9)


def test_one_centimetre_is_never_no_voxel(api):
    assert api.cm2index(1, "x") == pytest.approx(1)
    assert api.cm2index(0.3, "y") > 0
    with pytest.raises(ProgramError, match="'x', 'y' or 'z'"):
        api.cm2index(1, "w")
    with pytest.raises(ProgramError, match="length 0"):
        api.cm2index(1, [0, 0, 0])


def test_a_ball_is_a_ball_and_its_centre_is_never_moved_into_the_workspace(api):
    ball = api.set_voxel_by_radius(api.get_empty_avoidance_map(), [40.0, 50.0, 30.0], 10, 1)
    volume = ball.values.values.sum() * GRID.spacing**3
    assert volume == pytest.approx(4 / 3 * np.pi * 0.1**3, rel=0.05)
    assert api.set_voxel_by_radius(api.get_empty_affordance_map(), [3, 3, 3], 0.2, 1).values.values.sum() == 1
    with pytest.raises(BadInput, match="outside the workspace"):
        api.set_voxel_by_radius(api.get_empty_affordance_map(), [-5, 50, 10], 10, 1)


def test_a_tool_points_where_it_is_told_and_closes_across_the_object(api, outward):
    down = np.array(api.pointat2quat([0, 0, -2]).items)
    np.testing.assert_allclose(rotate(down, np.array([0.0, 0, 1])), [0, 0, -1], atol=1e-9)
    np.testing.assert_allclose(rotate(down, np.array([0.0, 1, 0])), [0, 1, 0], atol=1e-9)
    handle = api.detect("top drawer handle")
    level = np.array(api.pointat2quat([-item for item in handle.normal], handle).items)
    np.testing.assert_allclose(rotate(level, np.array([0.0, 0, 1])), -outward, atol=0.03)
    assert abs(rotate(level, np.array([0.0, 1, 0]))[2]) > 0.99  # the bar lies level, so the fingers close up and down


def test_fingers_close_along_the_shorter_side_of_a_block(api):
    box = api.scene.find("red block").box
    quat = np.array(api.pointat2quat([0, 0, -1], api.detect("red block")).items)
    closing = rotate(quat, np.array([0.0, 1, 0]))
    assert abs(closing @ box.axes[1]) > 0.999  # rows: longer edge, shorter edge, up


def test_the_front_of_a_drawer_is_its_board_and_not_its_handle(api, outward):
    shut, opened = api.detect("middle drawer"), api.detect("top drawer")
    ahead = [np.dot(GRID.to_world(each.front.items), outward) for each in (shut, opened)]
    assert ahead[1] - ahead[0] == pytest.approx(0.10, abs=0.01)
    cabinet = api.extent(api.detect("cabinet"), list(outward))
    own = api.extent(shut, list(outward))
    assert own - cabinet == pytest.approx(6.6, abs=0.5)  # the bar stands out by 6 cm and half its own thickness


def test_start_stays_where_the_sub_goal_began(make_scene):
    start, now = make_scene(["block"], tool=(0.3, 0, 0.2)), make_scene(["block"], tool=(0.5, 0, 0.4))
    api = SceneApi(now, start, GRID, Budget())
    np.testing.assert_allclose(GRID.to_world(api.get_start_ee_pos().items), [0.3, 0, 0.2])
    np.testing.assert_allclose(GRID.to_world(api.get_ee_pos().items), [0.5, 0, 0.4])


def test_programs_write_maps_at_fractional_voxels(api):
    source = """
block = detect('red block')
x, y, z = block.position
affordance_map = get_empty_affordance_map()
affordance_map[x, y, z + cm2index(10, 'z')] = 1
ret_val = affordance_map
"""
    goal = run(api, source).values
    node = np.argwhere(goal.values == 1)
    assert len(node) == 1
    expected = api.scene.find("red block").center + np.array([0, 0, 0.1])
    np.testing.assert_allclose(GRID.to_world(goal.exact(node[0])), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("m = get_empty_affordance_map()\nm[1, 2] = 1", "not at a tuple"),
        ("m = get_empty_affordance_map()\nm[1, 2, 300] = 1", "out of range"),
        ("m = get_empty_affordance_map()\nm[1, 2, 3] = 2", "from 0 to 1"),
        ("m = get_empty_affordance_map()\nm['a', 2, 3] = 1", "expected a number"),
        ("m = get_empty_rotation_map()\nm[:, :, :] = [1, 1, 1, 1]", "unit quaternion"),
        ("m = get_empty_gripper_map()\nm[:, :, :] = [1, 0]", "expected a number"),
        ("b = detect('red block')\nb.points", "has no attribute 'points'"),
        ("b = detect('hidden ball')\nx = b.position", "not visible"),
        ("pointat2quat([0, 0, -1], detect('gripper'))", "observed object"),
        ("pointat2quat([0, 0, -1, 0])", "has 3 numbers"),
        ("set_voxel_by_radius(3, [1, 1, 1], 1, 1)", "takes a map"),
        ("set_voxel_by_radius(get_empty_avoidance_map(), [1, 1, 1], -1, 1)", "0 or more"),
        ("maps = [get_empty_velocity_map() for i in range(17)]", "more than 16 maps"),
    ],
)
def test_wrong_use_is_told(api, source, message):
    with pytest.raises(ProgramError, match=message):
        run(api, source)


def test_an_occupancy_map_covers_the_object(api):
    occupied = run(api, "ret_val = detect('red block').occupancy_map").values.values
    inside = GRID.to_world(np.argwhere(occupied == 1))
    low, high = api.scene.find("red block").aabb
    assert len(inside) > 50
    assert ((inside >= low - 0.006) & (inside <= high + 0.006)).all()
