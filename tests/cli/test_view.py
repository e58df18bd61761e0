"""`view`: one page for each kind of thing, and one line for what is none."""

import json
import webbrowser
from pathlib import Path

import av
import numpy as np
import pytest

from valuefield.cli.main import main
from valuefield.cli.training_page import CURVE, NUMBERS, TRAINING
from valuefield.envs.episodes import EpisodeHeader, EpisodeWriter, Step
from valuefield.planners.grid import Grid
from valuefield.planners.map_file import write_maps
from valuefield.planners.report import Report, SubGoalReport
from valuefield.planners.value_map import DenseMap, ValueMaps


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that would have been opened in a browser."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


def _observation(tick: int, *, images: bool) -> dict[str, np.ndarray]:
    obs: dict[str, np.ndarray] = {"ee_pose": np.array([0.4 + 0.01 * tick, 0.0, 0.3, 0.0, 1.0, 0.0, 0.0])}
    if images:
        pose = np.eye(4)
        pose[:3, 3] = [0.4, 0.0, -0.5]
        obs["rgb/front"] = np.full((24, 32, 3), 40 * tick, np.uint8)
        obs["cam_pose/front"], obs["intrinsics/front"] = pose, np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    return obs


def _episode(folder: Path, *, images: bool) -> Path:
    header = EpisodeHeader("tabletop/open_drawer", "open the <top> drawer", "joint", 0.05)
    with EpisodeWriter(folder, header, _observation(0, images=images)) as writer:
        for tick in range(1, 4):
            writer.step(Step(np.zeros(8), 0.0, tick == 3, False), _observation(tick, images=images))
        return writer.finish(True)


def _see(path: Path, capfd: pytest.CaptureFixture[str]) -> tuple[str, Path]:
    assert main(["view", str(path), "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    return said["kind"], Path(said["page"])


def test_a_run_shows_its_sub_goals_and_programs(tmp_path: Path, capfd, opened: list[str]):
    subgoal = SubGoalReport("grasp <it>", "map[x < 3] = 1", True, "", 2.0)
    Report(
        True, "open <it>", "tabletop/open_drawer", 0, 0, "rules", "oracle", [subgoal], [], 0, {}, 3.0, tmp_path
    ).write()
    (tmp_path / "video.mp4").touch()
    kind, page = _see(tmp_path, capfd)
    html = page.read_text()
    assert kind == "run"
    assert "grasp &lt;it&gt;" in html
    assert "map[x &lt; 3] = 1" in html
    assert "<video" in html
    assert "<iframe" not in html  # this run has no 3-D view
    assert opened == [page.resolve().as_uri()]


def test_an_episode_becomes_a_video_and_a_view(tmp_path: Path, capfd):
    kind, page = _see(_episode(tmp_path, images=True), capfd)
    assert kind == "episode"
    html = page.read_text()
    assert "open the &lt;top&gt; drawer" in html
    assert "succeeded; 3 steps, 0.2 s" in html
    with av.open(str(page.with_suffix(".mp4"))) as file:
        assert sum(1 for _ in file.decode(video=0)) == 4
    assert page.with_suffix(".view.html").exists()


def test_an_episode_without_images_still_shows_its_way(tmp_path: Path, capfd):
    _, page = _see(_episode(tmp_path, images=False), capfd)
    html = page.read_text()
    assert "<video" not in html
    assert "<iframe" in html


def test_a_value_map_becomes_a_page(tmp_path: Path, capfd):
    goal = DenseMap(Grid.workspace())
    goal.set_ball((40, 50, 20), 0.05, 1.0)
    write_maps(tmp_path / "1.npz", ValueMaps(goal=goal))
    kind, page = _see(tmp_path / "1.npz", capfd)
    assert kind == "value map"
    assert '"goal"' in page.read_text()


def test_a_training_shows_its_numbers_and_its_curve(tmp_path: Path, capfd):
    numbers = {name: 3 for name in NUMBERS} | {"human_by_quarter": [2, 1, 0, 0], "success": 0.75}
    result = {"algo": "pvp", "env": "<rooms>", "seed": 4, "curve": [[50, 0.5], [100, 0.75]], "curve_online": []}
    (tmp_path / TRAINING).write_text(json.dumps(result | numbers))
    kind, page = _see(tmp_path, capfd)
    assert kind == "training"
    html = page.read_text()
    assert "pvp in &lt;rooms&gt;, seed 4" in html
    assert "<td>success</td><td>0.75</td>" in html
    assert CURVE in html
    assert '"y":[0.5,0.75]' in (tmp_path / CURVE).read_text()
    (tmp_path / TRAINING).write_text(json.dumps(result))
    assert main(["view", str(tmp_path)]) == 2
    assert "not the report of a training" in capfd.readouterr().err


def test_no_open_opens_nothing(tmp_path: Path, opened: list[str]):
    assert main(["view", str(_episode(tmp_path, images=False)), "--no-open"]) == 0
    assert opened == []


def test_what_cannot_be_shown_is_refused_in_one_line(tmp_path: Path, capfd):
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "false.parquet").write_text("no episode")
    episode = _episode(tmp_path / "episodes", images=False)
    for path, named in [
        (tmp_path / "absent", "does not exist"),
        (tmp_path / "notes.txt", "notes.txt is no run"),
        (tmp_path / "false.parquet", "not an episode"),
        (tmp_path / "episodes", str(episode)),
    ]:
        assert main(["view", str(path)]) == 2
        said = capfd.readouterr().err
        assert said.count("\n") == 1
        assert named in said
