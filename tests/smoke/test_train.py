"""`valuefield train` through the installed command, for real: every algorithm, and those who die on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from valuefield.agents.evaluate import evaluate
from valuefield.agents.load import environment_of, load_policy
from valuefield.envs.episodes import read_episode

COMMAND = str(Path(sys.executable).with_name("valuefield"))
GRID, ROOMS, REACH = "MiniGrid-Empty-Random-6x6-v0", "MiniGrid-MultiRoom-N2-S4-v0", "tabletop/reach_target"


def said(*words: str, cwd: Path) -> Any:
    ended = subprocess.run(
        [COMMAND, *words, "--json"], cwd=cwd, capture_output=True, text=True, check=False, timeout=300, env=os.environ
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def steps(number: int, *more: str) -> tuple[str, ...]:
    """So many steps, with evaluations that are over soon."""
    return ("--steps", str(number), "--eval-episodes", "2", "--final-episodes", "2", *more)


@pytest.mark.parametrize(
    ("algo", "env", "more"),
    [
        ("dqn", GRID, ("--config", "learning_starts=20")),
        ("pvp", GRID, ("--expert", "scripted")),
        ("hg-dagger", GRID, ("--expert", "scripted")),
        ("iwr", GRID, ("--expert", "scripted", "--lapse", "0.1", "--noise", "0.05")),
        ("deep-tamer", GRID, ("--expert", "scripted")),
        ("td3", "Pendulum-v1", ()),
        ("pvp", REACH, ("--observe", "state", "--expert", "scripted")),
        ("deep-tamer", REACH, ("--observe", "state", "--expert", "scripted", "--rule", "delay=0.2,1")),
    ],
)
def test_every_algorithm_trains_and_its_checkpoint_acts(algo: str, env: str, more: tuple[str, ...], tmp_path: Path):
    report = said("train", algo, "--env", env, *more, *steps(105, "--eval-every", "100"), "--out", "run", cwd=tmp_path)
    assert (report["algo"], report["env"], report["seed"], report["env_steps"]) == (algo, env, 0, 105)
    assert report["updates"] > 0
    assert [step for step, _ in report["curve"]] == [100]
    assert 0 <= report["success"] <= 1
    assert sum(report["human_by_quarter"]) == report["human_steps"] >= report["takeovers"]
    assert (report["human_steps"] > 0) == (algo in ("pvp", "hg-dagger", "iwr"))
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
    world, _ = environment_of(tmp_path / "run", env)
    (result,) = evaluate(load_policy(tmp_path / "run", world), world, episodes=1, seed=100_000)
    assert result.steps > 0
    world.close()


def test_killed_in_the_middle_it_goes_on_and_ends_bit_for_bit_alike(tmp_path: Path):
    words = ("train", "pvp", "--env", ROOMS, "--expert", "scripted", "--noise", "0.1", *steps(400), "--record")
    words += ("--eval-every", "100", "--checkpoint-every", "20")
    whole = said(*words, "--out", "whole", cwd=tmp_path)
    run = subprocess.Popen([COMMAND, *words, "--out", "broken"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    checkpoints = tmp_path / "broken" / "checkpoints"
    until = time.monotonic() + 120
    while not list(checkpoints.glob("0*")) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.3)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert 20 <= int(max(checkpoints.glob("0*")).name) < 400
    resumed = said(*words, "--out", "broken", "--resume", cwd=tmp_path)
    for name in ("env_steps", "updates", "human_steps", "takeovers", "human_by_quarter", "success", "curve"):
        assert resumed[name] == whole[name], name
    first, second = (load_file(tmp_path / report["checkpoint"] / "policy.safetensors") for report in (whole, resumed))
    assert first.keys() == second.keys()
    assert all(first[name].equal(second[name]) for name in first)
    recorded = [
        [(each.header.seed, each.success, len(each.steps)) for each in map(read_episode, sorted(folder.glob("*")))]
        for folder in (tmp_path / "whole" / "episodes", tmp_path / "broken" / "episodes")
    ]
    assert recorded[0] == recorded[1]


def test_ctrl_c_keeps_the_last_checkpoint_and_says_so(tmp_path: Path):
    words = ("train", "pvp", "--env", GRID, "--expert", "scripted", "--steps", "100000", "--checkpoint-every", "20")
    run = subprocess.Popen([COMMAND, *words, "--out", "run"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not list((tmp_path / "run" / "checkpoints").glob("0*")) and time.monotonic() < until:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    said_last = run.communicate(timeout=60)[1].strip().splitlines()[-1]
    assert run.returncode == 130
    assert "the last checkpoint is run/checkpoints/0000" in said_last
    assert "--resume" in said_last
