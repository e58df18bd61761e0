"""`eval`: which environments, which rows, and which cells are run again."""

import json
from pathlib import Path

import pytest

from valuefield.agents.evaluate import EpisodeResult
from valuefield.cli import eval as verb
from valuefield.cli.cells import Cells, config_hash
from valuefield.cli.main import main
from valuefield.robots.errors import BadInput, UnknownName


def _result(seed: int, success: bool) -> EpisodeResult:
    return EpisodeResult(seed, "open it", 1, success, 10, "" if success else "no path", {"speed": 1}, 0.5)


def test_suites_become_their_tasks_each_once():
    ids = verb.expand(["tabletop/first6", "tabletop/open_drawer-v0"])
    assert len(ids) == 6
    assert ids[0] == "tabletop/open_drawer"


def test_any_environment_can_be_named():
    assert verb.expand(["MiniGrid-Empty-5x5-v0", "Pendulum-v1"]) == ["MiniGrid-Empty-5x5-v0", "Pendulum-v1"]


def test_the_expert_of_a_grid_is_evaluated(tmp_path: Path, capfd):
    words = ("--env", "MiniGrid-MultiRoom-N2-S4-v0", "--episodes", "3", "--json", "--out", str(tmp_path))
    assert main(["eval", "scripted", *words]) == 0
    assert json.loads(capfd.readouterr().out)["mean"] == 1.0


def test_an_unknown_environment_names_the_nearest():
    with pytest.raises(UnknownName, match="nearest: 'tabletop/open_drawer'"):
        verb.expand(["tabletop/first6", "tabletop/open_drawr"])
    with pytest.raises(BadInput):
        verb.expand([])


def test_a_row_adds_up_and_names_the_failures():
    row = verb.summary([_result(5, True), _result(6, False), _result(7, True)])
    assert (row["episodes"], row["successes"], row["violations"], row["seconds"]) == (3, 2, 3, 1.5)
    assert row["failures"] == [{"seed": 6, "variation": 1, "reason": "no path"}]


def _eval(tmp_path: Path, *more: str) -> int:
    return main(["eval", "random", "--env", "tabletop/reach_target", "--json", "--out", str(tmp_path / "run"), *more])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names the environments that are really run; each gives 3 of 4."""
    done: list[str] = []

    def fake(args: verb.Args, env_id: str, screen: object) -> dict[str, object]:
        done.append(env_id)
        return verb.summary([_result(n, n > 0) for n in range(4)])

    monkeypatch.setattr(verb, "_evaluate", fake)
    return done


def test_the_rows_have_their_interval_and_the_table_its_mean(runs: list[str], tmp_path: Path, capfd):
    assert _eval(tmp_path, "--env", "tabletop/reach_target", "tabletop/open_drawer") == 0
    said = json.loads(capfd.readouterr().out)
    assert [row["env"] for row in said["rows"]] == ["tabletop/reach_target", "tabletop/open_drawer"]
    row = said["rows"][0]
    assert (row["episodes"], row["successes"], row["rate"]) == (4, 3, 0.75)
    assert row["ci95"] == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert said["mean"] == 0.75


def test_a_kept_cell_is_not_run_twice(runs: list[str], tmp_path: Path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert _eval(tmp_path, "--results", "table") == 0
    first = capfd.readouterr().out
    assert _eval(tmp_path, "--results", "table") == 0
    assert capfd.readouterr().out == first
    assert runs == ["tabletop/reach_target"]
    assert _eval(tmp_path, "--results", "table", "--seed", "7") == 0
    assert len(runs) == 2
    lines = (tmp_path / "benchmarks/results/table.jsonl").read_text().splitlines()
    assert [json.loads(line)["config"]["seed"] for line in lines] == [100000, 7]


def test_without_a_name_every_row_is_run(runs: list[str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _eval(tmp_path) == _eval(tmp_path) == 0
    assert len(runs) == 2
    assert not (tmp_path / "benchmarks").exists()


def test_a_cell_is_known_by_its_configuration(tmp_path: Path):
    cells = Cells(tmp_path / "deep" / "table.jsonl")
    assert cells.find({"seed": 1}) is None
    cells.append({"seed": 1, "env": "a"}, {"rate": 0.5})
    assert cells.find({"env": "a", "seed": 1}) == {"rate": 0.5}
    assert cells.find({"env": "a", "seed": 2}) is None
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})


def test_a_broken_line_is_named(tmp_path: Path):
    path = tmp_path / "table.jsonl"
    path.write_text('{"hash": "x", "result": {}}\n{"hash": \n')
    with pytest.raises(BadInput, match=r"table.jsonl:2 is not a cell"):
        Cells(path).find({"seed": 1})


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["voxpozer", "--env", "tabletop/reach_target"], "voxposer"),
        (["random", "--env", "tabletop/nowhere"], "tabletop/nowhere"),
        (["random", "--env", "tabletop/reach_target", "--episodes", "0"], "not 0"),
        (["random", "--env"], "--env"),
        (["random"], "--env"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], named: str, tmp_path: Path, capfd):
    assert main(["eval", *words, "--out", str(tmp_path)]) == 2
    said = capfd.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert named in said.err


def test_every_episode_is_kept_as_it_ends(tmp_path: Path, capfd):
    assert _eval(tmp_path, "--episodes", "2", "--seed", "3") == 0
    row = json.loads(capfd.readouterr().out)["rows"][0]
    assert row["episodes"] == 2
    kept = [json.loads(line) for line in (tmp_path / "run" / "episodes.jsonl").read_text().splitlines()]
    assert [episode["seed"] for episode in kept] == [3, 4]
    assert all(episode["env"] == "tabletop/reach_target" for episode in kept)
    assert sum(episode["success"] for episode in kept) == row["successes"]
