"""`valuefield plan` as its user meets it: a run that works, and everything that can be wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from valuefield.envs.episodes import read_episode
from valuefield.envs.episodes_journal import recover
from valuefield.planners.report import read_report

COMMAND = str(Path(sys.executable).with_name("valuefield"))


def plan(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "plan", *words, "--out", "run"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
def test_opens_the_drawer_and_leaves_video_view_and_report(tmp_path: Path) -> None:
    ended = plan("open the top drawer", "--env", "tabletop/open_drawer", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["success"] is True
    assert said["variation"] == 2
    assert said["violations"] == 0
    assert [subgoal["reached"] for subgoal in said["subgoals"]] == [True, True]
    assert said["replans"] > 5
    run = tmp_path / "run"
    assert (run / "video.mp4").stat().st_size > 50_000
    assert "plotly" in (run / "view.html").read_text(encoding="utf-8")
    assert read_report(run)["instruction"] == "open the top drawer"
    (episode,) = sorted((run / "episodes").glob("*.parquet"))
    assert read_episode(episode).success is True


def test_a_sentence_that_is_no_task_s_is_judged_by_its_sub_goals(tmp_path: Path) -> None:
    ended = plan("move to 20 cm above the bin", "--env", "tabletop/put_rubbish_in_bin", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["success"] is None
    assert said["variation"] is None


def test_a_goal_out_of_reach_fails_with_its_reason(tmp_path: Path) -> None:
    ended = plan("move to 10 cm above the cabinet", "--env", "tabletop/open_drawer", "--json", cwd=tmp_path)
    assert ended.returncode == 1, ended.stderr
    (subgoal,) = json.loads(ended.stdout)["subgoals"]
    assert not subgoal["reached"]
    assert "cannot get there" in subgoal["reason"]


def test_a_goal_outside_the_workspace_is_bad_input(tmp_path: Path) -> None:
    ended = plan("move to 90 cm above the bin", "--env", "tabletop/put_rubbish_in_bin", cwd=tmp_path)
    assert ended.returncode == 2
    assert "out of range" in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["open the top drawer", "--env", "tabletop/open_drawr"], "nearest: 'tabletop/open_drawer'"),
        (["open the purple drawer"], "nearest: 'top drawer'"),
        (["push the green button", "--env", "tabletop/open_drawer"], "green button"),
        (["open the top drawer", "--detector", "orakel"], "nearest: 'oracle'"),
        (["open the top drawer", "--llm", "rule"], "nearest: 'rules'"),
        (["open the top drawer", "--variation", "9"], "allowed: 0 to 2"),
        (["the top drawer"], "not understood"),
        ([""], "empty"),
        (["open " * 2000], "characters"),
        (["do not open the top drawer"], "not"),
        (["is the top drawer open?"], "question"),
        (["open the top drawer", "--speed", "fast"], "--speed"),
    ],
)
def test_bad_input_ends_in_one_line_and_status_2(words: list[str], said: str, tmp_path: Path) -> None:
    ended = plan(*words, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert said in ended.stderr


class Nonsense(BaseHTTPRequestHandler):
    """An endpoint whose replies reach for the machine."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        text = "import os\nos.system('touch escaped')"
        body = json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Keep the test's output clean."""


def test_an_endpoint_that_is_down_is_status_3(tmp_path: Path) -> None:
    endpoint = {"VALUEFIELD_LLM_URL": "http://127.0.0.1:9/v1", "VALUEFIELD_LLM_MODEL": "m"}
    ended = plan("open the top drawer", "--llm", "openai", cwd=tmp_path, **endpoint)
    assert ended.returncode == 3
    assert "is the endpoint up?" in ended.stderr


def test_an_endpoint_with_hostile_replies_is_refused_and_nothing_escapes(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Nonsense)
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = {"VALUEFIELD_LLM_URL": f"http://127.0.0.1:{server.server_port}/v1", "VALUEFIELD_LLM_MODEL": "m"}
    try:
        ended = plan("open the top drawer", "--llm", "openai", cwd=tmp_path, **endpoint)
    finally:
        server.shutdown()
        server.server_close()
    assert ended.returncode == 2, ended.stderr
    assert not (tmp_path / "escaped").exists()


@pytest.mark.slow
def test_killed_in_mid_run_the_journal_is_recovered(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "plan", "open the top drawer", "--out", "run"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    episodes = tmp_path / "run" / "episodes"
    until = time.monotonic() + 120
    while time.monotonic() < until and not any(file.stat().st_size > 20_000 for file in episodes.glob("*.journal")):
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert recover(episodes)
    (path,) = episodes.glob("*.parquet")
    episode = read_episode(path)
    assert not episode.complete
    assert episode.success is None
    assert len(episode.steps) > 5
