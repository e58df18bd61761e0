"""The report of a run: its fields, its verdict, its table."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from valuefield.planners.report import Report, SubGoalReport, read_report
from valuefield.robots.errors import BadInput

GRASP = SubGoalReport("grasp the [top] handle", "composer('grasp')", True, "within 3 mm", 2.5)
PULL = SubGoalReport("pull", "composer('pull')", False, "slipped", 4.0, tries=2)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(
        success=False,
        instruction="open the [top] drawer",
        env="tabletop/open_drawer-v0",
        variation=2,
        seed=7,
        llm="rules",
        detector="oracle",
        subgoals=(GRASP, PULL),
        planning_ms=[float(n) for n in range(1, 102)],
        collisions=3,
        violations={"speed": 2, "torque": 0},
        seconds=12.3456,
        folder=tmp_path / "run",
    )


def test_the_fields_are_those_that_are_promised(report: Report):
    shown = report.as_json()
    promised = "success instruction env variation seed llm detector subgoals replans planning_ms collisions violations"
    assert set(promised.split()) | {"seconds", "video", "view"} <= set(shown)
    assert {"text", "program", "reached", "seconds"} <= set(shown["subgoals"][0])
    assert shown["replans"] == 101
    assert shown["planning_ms"] == {"median": 51.0, "p99": 100.0}
    assert shown["violations"] == 2
    assert shown["video"].endswith("run/video.mp4")


def test_it_reads_back(report: Report, tmp_path: Path):
    path = report.write()
    assert read_report(tmp_path / "run") == json.loads(path.read_text()) == report.as_json()


def test_a_run_without_replans_has_no_times(report: Report):
    assert replace(report, planning_ms=[]).as_json()["planning_ms"] == {"median": None, "p99": None}


@pytest.mark.parametrize(
    ("success", "subgoals", "done"),
    [
        (True, (PULL,), True),
        (False, (GRASP,), False),
        (None, (GRASP,), True),
        (None, (GRASP, PULL), False),
        (None, (), False),
    ],
)
def test_sub_goals_judge_only_where_no_task_does(report: Report, success, subgoals, done):
    assert replace(report, success=success, subgoals=subgoals).done is done


def test_the_table_shows_text_as_it_is(report: Report):
    console = Console(width=120)
    with console.capture() as captured:
        console.print(report.table())
    text = captured.get()
    assert "grasp the [top] handle" in text
    assert "open the [top] drawer" in text
    assert "not reached" in text
    assert "speed 2" in text
    assert "torque" not in text


def test_a_folder_without_a_report_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="not the report of a run"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(BadInput, match="lists no sub-goals"):
        read_report(tmp_path)
