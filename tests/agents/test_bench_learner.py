import json
import sys
from pathlib import Path

import pytest

from valuefield.agents import bench_learner
from valuefield.cli.main import main

NAMES = ["td3_update", "pvp_td3_update", "replay_sample", "act"]


def test_two_rounds_make_the_table_kept_as_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "learner", "--rounds", "2", "--json", "--out", str(tmp_path)]) == 0
    printed = json.loads(capfd.readouterr().out)
    (cell,) = [json.loads(line) for line in (tmp_path / "learner.jsonl").read_text().splitlines()]
    assert cell["config"] == {"bench": "learner", "rounds": 2, "seed": 7}
    assert cell["result"]["rows"] == printed["rows"]
    assert [row["name"] for row in printed["rows"]] == NAMES
    for row in printed["rows"]:
        assert row["ours"] > 0 < row["baseline"]
        assert row["ratio"] == pytest.approx(row["baseline"] / row["ours"])


def test_what_is_measured_really_learns_from_half_a_persons_rows() -> None:
    calls = bench_learner.calls(0)
    assert calls["pvp_td3_update"][0]()["critic/labels"] > 0
    batch = calls["replay_sample"][0]()
    assert batch["obs"].shape == (bench_learner.BATCH, 30)
    assert batch["intervened"].float().mean().item() == pytest.approx(0.5, abs=0.15)
    assert calls["replay_sample"][1]().observations.shape == (bench_learner.BATCH, 30)
    assert calls["act"][0]().shape == calls["act"][1]()[0].shape == (1, 7)


def test_the_baseline_has_the_same_networks() -> None:
    ours = bench_learner.TD3(bench_learner.OBS, bench_learner.ACTIONS, bench_learner.TD3Config(), device="cpu")
    theirs = bench_learner.baseline(0)
    for name in ("actor", "critic"):
        sizes = [sum(p.numel() for p in net.parameters()) for net in (ours.networks[name], getattr(theirs, name))]
        assert sizes[0] == sizes[1]


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert main(["bench", "learner", "--out", str(tmp_path)]) == 3
    assert "pip install 'valuefield[bench]'" in capsys.readouterr().err


def test_no_rounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "learner", "--rounds", "0"]) == 2
    assert "--rounds is 1 or more, not 0" in capsys.readouterr().err
