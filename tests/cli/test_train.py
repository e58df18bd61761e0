"""`train`, `record`, `replay`, `eval` and `view` hand in hand, and everything that their user can get wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from valuefield.cli.main import main
from valuefield.envs.episodes import read_episode

GRID, ROOMS, REACH = "MiniGrid-Empty-Random-6x6-v0", "MiniGrid-MultiRoom-N2-S4-v0", "tabletop/reach_target"

Said = Callable[..., Any]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """Runs a verb in an empty folder and returns its JSON."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, status: int = 0) -> Any:
        ended = main([*words, "--json"])
        out, err = capfd.readouterr()
        assert ended == status, err
        return json.loads(out)

    return run


def steps(number: int, *more: str) -> tuple[str, ...]:
    """So many steps, with evaluations that are over soon."""
    return ("--steps", str(number), "--eval-episodes", "2", "--final-episodes", "2", *more)


def test_bc_needs_no_world_and_what_it_learned_can_be_recorded_and_seen(said: Said, tmp_path: Path):
    assert said("record", "--env", GRID, "--episodes", "5", "--out", "shown")["successes"] == 5
    words = ("--data", "shown", *steps(60), "--config", "hidden=64", "batch_size=16", "--out", "run")
    report = said("train", "bc", "--env", GRID, *words)
    assert (report["env_steps"], report["updates"], report["human_steps"]) == (0, 60, 0)
    recorded = said("record", "--expert", "run", "--env", GRID, "--out", "its")
    episode = read_episode(tmp_path / recorded["episodes"][0]["file"])
    assert episode.obs["obs"].shape[1:] == (7, 7, 80)
    page = said("view", "run", "--no-open")
    assert page["kind"] == "training"
    assert "plotly" in (tmp_path / "run" / "curve.html").read_text()


def test_what_a_person_did_can_be_learned_from_again_and_replayed(said: Said, tmp_path: Path):
    pvp = ("train", "pvp", "--env", GRID, "--expert", "scripted", *steps(60), "--record", "--out", "pvp")
    human = said(*pvp)["human_steps"]
    bc = ("train", "bc", "--env", GRID, "--data", "pvp", "--rows", "intervened", *steps(5), "--out", "bc")
    assert said(*bc)["data_rows"] == human
    path = min((tmp_path / "pvp" / "episodes").glob("*.parquet"))
    success = read_episode(path).success
    played = said("replay", str(path), status=0 if success else 1)
    assert played["success"] == success
    assert max(played["deviation"].values()) == 0.0


def test_replay_ends_with_1_when_the_task_fails_now(said: Said, tmp_path: Path):
    recorded = said("record", "--env", REACH, "--obs", "proprio", "--seed", "5", "--out", "episodes")
    (path,) = [row["file"] for row in recorded["episodes"]]
    for by in ("action", "state"):
        played = said("replay", path, "--by", by, "--video", "--out", by)
        assert (played["success"], played["recorded"]) == (True, True)
        assert (tmp_path / by / "replay.mp4").stat().st_size > 1000
    failed = said("record", "--expert", "random", "--env", GRID, "--seed", "0", "--out", "failed")
    (row,) = failed["episodes"]
    assert not row["success"]
    assert not said("replay", row["file"], status=1)["success"]


def test_a_policy_can_teach_another(said: Said, tmp_path: Path):
    said("train", "pvp", "--env", REACH, "--observe", "state", *steps(120), "--out", "teacher")
    words = ("--observe", "state", "--expert", "teacher", "--person", "clutch", "--rule", "dead_zone=0.01")
    report = said("train", "hg-dagger", "--env", REACH, *words, *steps(30), "--out", "pupil")
    assert report["human_steps"] > 0


@pytest.mark.parametrize(
    "algo",
    [
        ("dqn", "--config", "learning_starts=10"),
        ("pvp", "--expert", "scripted", "--noise", "0.1"),
        ("iwr", "--expert", "scripted", "--delay", "1", "--config", "batch_size=16"),
        ("deep-tamer", "--expert", "scripted"),
    ],
)
def test_a_finished_run_can_be_made_longer_bit_for_bit(said: Said, tmp_path: Path, algo: tuple[str, ...]):
    words = ("train", *algo, "--env", ROOMS, "--checkpoint-every", "20", "--capacity", "60")
    whole = said(*words, *steps(130), "--out", "whole")
    said(*words, *steps(75), "--out", "short")
    longer = said(*words, *steps(130), "--out", "short", "--resume")
    first, second = (load_file(tmp_path / report["checkpoint"] / "policy.safetensors") for report in (whole, longer))
    assert first.keys() == second.keys()
    assert all(first[name].equal(second[name]) for name in first)


def test_a_finished_cell_is_not_trained_again(said: Said, tmp_path: Path):
    words = ("train", "pvp", "--env", GRID, "--expert", "scripted", *steps(30), "--results", "table")
    first = said(*words, "--out", "a")
    assert said(*words, "--out", "b") == first
    assert not (tmp_path / "b").exists()
    said(*words, "--seed", "1", "--out", "c")
    lines = (tmp_path / "benchmarks" / "results" / "table.jsonl").read_text().splitlines()
    assert [json.loads(line)["config"]["seed"] for line in lines] == [0, 1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run` is a training on the grid."""
    folder = tmp_path_factory.mktemp("trained")
    words = ("train", "pvp", "--env", GRID, "--expert", "scripted", *steps(40), "--out", str(folder / "run"))
    assert main(words) == 0
    (folder / "settings.toml").write_text("lr = 1e-4\nbacth_size = 3\n")
    return folder


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("train", "pvpp", "--env", GRID, "--steps", "9"), "nearest: 'pvp'"),
        (("train", "td3", "--env", GRID, "--steps", "9"), "td3 takes box actions"),
        (("train", "dqn", "--env", "Pendulum-v1", "--steps", "9"), "dqn takes discrete actions"),
        (("train", "dqn", "--env", "MiniGrid-MultiRoom-N2-S5-v0", "--steps", "9"), "nearest: 'MiniGrid-MultiRoom-N"),
        (("train", "dqn", "--env", GRID, "--steps", "-9"), "steps is -9"),
        (("train", "dqn", "--env", GRID, "--steps", "9", "--seed", "12"), "allowed: 0 to 9"),
        (("train", "dqn", "--env", GRID, "--steps", "9", "--observe", "state"), "observed as it is"),
        (("train", "dqn", "--env", GRID, "--steps", "9", "--config", "lrr=3"), "nearest: 'lr'"),
        (("train", "dqn", "--env", GRID, "--steps", "9", "--config", "lr=fast"), "'fast'"),
        (("train", "dqn", "--env", GRID, "--steps", "9", "--config", "lr"), "KEY=VALUE"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--config-file", "settings.toml"), "nearest: 'batch_size'"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--config-file", "absent.toml"), "absent.toml"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--capacity", "0"), "a replay of 0 rows"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--expert", "skripted"), "nearest: 'scripted'"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--expert", "voxposer"), "has none"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--person", "clutch"), "needs --expert"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--expert", "scripted", "--lapse", "2"), "probability"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--expert", "scripted", "--person", "clutsh"), "'clutch'"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--expert", "random"), "can judge any action"),
        (("train", "bc", "--env", GRID, "--steps", "9"), "it needs --data"),
        (("train", "bc", "--env", GRID, "--steps", "9", "--data", "absent"), "absent is no episode"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--out", "run"), "go on with --resume"),
        (("train", "pvp", "--env", GRID, "--steps", "9", "--out", "new", "--resume"), "checkpoint to resume from"),
        (("train", "pvp", "--env", ROOMS, "--steps", "9", "--out", "run", "--resume"), "env is "),
        (("eval", "run", "--env", REACH), "knows nothing like"),
        (("eval", "run/checkpoints", "--env", "Pendulum-v1"), "not Box([-1. -1. -8.]"),
        (("eval", "rum", "--env", GRID), "the path of a checkpoint"),
        (("replay", "run/train.json"), "is not an episode"),
        (("replay", "absent.parquet"), "absent.parquet"),
    ],
)
def test_bad_input_ends_in_one_line_and_status_2(
    trained: Path,
    words: tuple[str, ...],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(trained)
    assert main(words) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert named in lines[0]
