"""The 3-D page: what it shows, when, and that it opens by itself in a browser."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from valuefield.planners.draw import COLORS, Drawing, Marks
from valuefield.planners.view3d import MOST_NODES, MOST_POINTS, Chapter, Cloud, colored_cloud, figure, write_page
from valuefield.robots.cameras.camera import Frame

LINE = np.array([[0.3, 0.0, 0.1], [0.5, 0.1, 0.3]])
BALL = Marks(np.random.default_rng(1).normal([0.5, 0.0, 0.3], 0.05, (5000, 3)), np.ones(5000))


def _frame_from_above(depth: np.ndarray) -> Frame:
    """A camera 1 m over (0.5, 0) that looks down: image right is -y, image down is -x."""
    pose = np.eye(4)
    pose[:3, :3] = [[0, -1, 0], [-1, 0, 0], [0, 0, -1]]
    pose[:3, 3] = [0.5, 0.0, 1.0]
    rgb = np.zeros((*depth.shape, 3), np.uint8)
    rgb[..., 0] = np.arange(depth.shape[1])
    return Frame(rgb, depth, None, pose, np.array([[10.0, 0, 1], [0, 10.0, 1], [0, 0, 1]]), 0.0)


def test_the_cloud_is_where_the_pixels_look():
    depth = np.array([[0.0, 0.5, 0.5], [0.5, 0.5, 0.5]], np.float32)
    cloud = colored_cloud([_frame_from_above(depth)])
    assert len(cloud.points) == 5  # the invalid pixel is left out
    # Row 1, column 2 is one pixel right of the centre: 0.5 m / 10 px = 5 cm towards -y.
    nearest = np.linalg.norm(cloud.points - [0.5, -0.05, 0.5], axis=1).argmin()
    np.testing.assert_allclose(cloud.points[nearest], [0.5, -0.05, 0.5], atol=1e-9)
    assert cloud.colors[nearest, 0] == 2


def test_what_is_far_from_the_workspace_is_left_out():
    assert len(colored_cloud([_frame_from_above(np.full((2, 3), 5.0, np.float32))]).points) == 0


def test_the_first_chapter_is_shown_and_each_button_shows_its_own():
    chapters = [
        Chapter("grasp", Drawing(goal=BALL, path=LINE)),
        Chapter("pull", Drawing(avoid=BALL, driven=LINE, path=LINE)),
    ]
    made = figure("open", Cloud(LINE, np.zeros((2, 3), np.uint8)), chapters)
    names = [trace.name for trace in made.data]
    assert names == ["workspace", "cloud", "goal", "path", "avoid", "path", "driven"]
    assert [trace.visible for trace in made.data] == [True, True, True, True, False, False, False]
    (menu,) = made.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["grasp", "pull"]
    assert menu.buttons[1].args[0]["visible"] == [True, True, False, False, True, True, True]


def test_lines_and_maps_keep_their_places():
    made = figure("", None, [Chapter("", Drawing(goal=BALL, path=LINE))])
    traces = {trace.name: trace for trace in made.data}
    np.testing.assert_allclose(np.column_stack([traces["path"][axis] for axis in "xyz"]), LINE, atol=1e-6)
    assert 0 < len(traces["goal"].x) <= MOST_NODES


def test_tool_axes_start_at_the_tool_and_point_along_its_rotation():
    tools = np.array([[0.5, 0.1, 0.3, 0.0, 1.0, 0.0, 0.0]])  # half a turn about x: the tool points down
    traces = {trace.name: trace for trace in figure("", None, [Chapter("", Drawing(), tools)]).data}
    np.testing.assert_allclose(traces["tool z"].z[:2], [0.3, 0.26], atol=1e-6)
    np.testing.assert_allclose(traces["tool x"].x[:2], [0.5, 0.54], atol=1e-6)
    assert np.isnan(traces["tool z"].z[2])


def test_a_full_page_is_small_and_needs_no_network(tmp_path: Path):
    points = np.random.default_rng(0).uniform([0.1, -0.5, 0.0], [0.9, 0.5, 0.7], (MOST_POINTS, 3))
    cloud = Cloud(points, np.zeros((MOST_POINTS, 3), np.uint8))
    chapters = [Chapter(f"{n}", Drawing(BALL, BALL, LINE, LINE)) for n in range(8)]
    write_page(tmp_path / "a" / "view.html", "</script> is text", cloud, chapters)
    html = (tmp_path / "a" / "view.html").read_text()
    assert len(html) < 8e6
    assert "<script src=" not in html
    assert '"</script> is text"' not in html


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_the_page_draws_in_a_browser(tmp_path: Path):
    write_page(tmp_path / "view.html", "", None, [Chapter("", Drawing(goal=BALL))])
    flags = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    flags += ["--virtual-time-budget=10000", "--window-size=600,400", f"--user-data-dir={tmp_path / 'profile'}"]
    shot = tmp_path / "shot.png"
    command = ["chromium", *flags, f"--screenshot={shot}", (tmp_path / "view.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pixels = np.asarray(Image.open(shot).convert("RGB")).astype(int)
    green = np.abs(pixels - COLORS["goal"]).sum(axis=2) < 60
    assert green.sum() > 500
