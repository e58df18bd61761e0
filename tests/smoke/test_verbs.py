"""Verbs through the installed command, for real: what one writes the next one reads."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuefield.envs.episodes import read_episode

COMMAND = Path(sys.executable).with_name("valuefield")


def _run(*words: str, cwd: Path, status: int = 0) -> Any:
    ended = subprocess.run(
        [str(COMMAND), *words, "--json"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=300,
    )
    assert ended.returncode == status, ended.stderr
    return json.loads(ended.stdout)


def test_record_then_view(tmp_path: Path):
    words = ("--env", "tabletop/reach_target", "--episodes", "2", "--seed", "5", "--size", "64", "--out", "episodes")
    said = _run("record", "--expert", "scripted", *words, cwd=tmp_path)
    assert said["successes"] == 2
    assert [row["seed"] for row in said["episodes"]] == [5, 6]
    path = tmp_path / said["episodes"][0]["file"]
    episode = read_episode(path)
    assert episode.success
    assert episode.header.seed == 5
    assert episode.obs["rgb/front"].shape == (len(episode.steps) + 1, 64, 64, 3)
    page = tmp_path / _run("view", str(path), "--no-open", cwd=tmp_path)["page"]
    assert page.with_suffix(".mp4").stat().st_size > 1000


def test_the_recorded_delta_is_what_the_tool_did(tmp_path: Path):
    words = ("--env", "tabletop/reach_target", "--seed", "5", "--obs", "proprio", "--out", "episodes")
    said = _run("record", *words, cwd=tmp_path)
    episode = read_episode(tmp_path / said["episodes"][0]["file"])
    deltas = np.array([step.info["ee_delta"] for step in episode.steps])
    assert np.abs(deltas).max() <= 1.0
    moved = 0.025 * deltas[:, :3].sum(axis=0)
    way = episode.obs["ee_pose"][-1, :3] - episode.obs["ee_pose"][0, :3]
    np.testing.assert_allclose(moved, way, atol=0.03)


@pytest.mark.slow
def test_eval_gives_the_same_table_for_the_same_seeds(tmp_path: Path):
    words = ("eval", "scripted", "--env", "tabletop/reach_target", "--episodes", "3", "--seed", "100100")
    rows = [_run(*words, "--out", name, cwd=tmp_path)["rows"] for name in ("a", "b")]
    for row in rows[0] + rows[1]:
        row.pop("seconds")
    assert rows[0] == rows[1]
    assert rows[0][0]["successes"] == 3


def test_ctrl_c_ends_an_evaluation_and_keeps_what_is_done(tmp_path: Path):
    words = ("eval", "scripted", "--env", "tabletop/reach_target", "--episodes", "10000", "--out", "run")
    started = subprocess.Popen([str(COMMAND), *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    kept = tmp_path / "run" / "episodes.jsonl"
    deadline = time.monotonic() + 120
    while not (kept.exists() and kept.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.2)
    started.send_signal(signal.SIGINT)
    said = started.communicate(timeout=60)[1].decode()
    assert started.returncode == 130
    assert "kept what had been written to run/" in said
    assert "Traceback" not in said
    assert [json.loads(line)["seed"] for line in kept.read_text().splitlines()][:1] == [100000]
