"""The dispatcher: exit statuses, one-line errors, and who may write to standard output."""

import ctypes
import json
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from valuefield.cli import main as cli
from valuefield.cli.output import CommonArgs, emit
from valuefield.robots.errors import NotConnected, UnknownName


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """A verb of the tests."""

    count: int = 1
    """A number."""


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Args], int]], None]:
    def install(run: Callable[[Args], int]) -> None:
        module = types.ModuleType("valuefield.cli.sample")
        module.Args, module.run = Args, run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "valuefield.cli.sample", module)
        monkeypatch.setitem(cli.VERBS, "sample", "a verb of the tests")

    return install


def _fail(error: BaseException) -> Callable[[Args], int]:
    def run(args: Args) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownName("planner", "voxpozer", ["voxposer"]), 2),
        (NotConnected("the arm is not connected"), 3),
        (FileNotFoundError(2, "No such file", "a.json"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_line_and_its_status(verb, capfd, error, status):
    verb(_fail(error))
    assert cli.main(["sample"]) == status
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("valuefield sample: ")


def test_a_fault_of_ours_shows_its_trace_and_is_not_a_failed_task(verb, capfd):
    verb(_fail(ZeroDivisionError("oops")))
    assert cli.main(["sample"]) == 3
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_of_the_verb_is_passed_on(verb, status):
    verb(lambda args: status)
    assert cli.main(["sample"]) == status


def test_ctrl_c_says_what_was_kept(verb, capfd, tmp_path):
    def run(args: Args) -> int:
        (args.out / "made").mkdir(parents=True)
        raise KeyboardInterrupt

    verb(run)
    assert cli.main(["sample", "--out", str(tmp_path / "run")]) == 130
    assert f"kept what had been written to {tmp_path / 'run'}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--count", "many"], ["--count", "'many'"]),
        (["--cuont", "3"], ["--cuont", "--count"]),
        (["--seed"], ["--seed"]),
        (["stray"], ["stray"]),
    ],
)
def test_bad_usage_is_one_line_with_the_value_and_the_nearest(verb, capfd, words, named):
    verb(lambda args: 0)
    assert cli.main(["sample", *words]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert all(name in said for name in named)
    assert not set(said) & set("╭│╰─")


def test_an_unknown_verb_names_the_nearest(capfd):
    assert cli.main(["dcotor"]) == 2
    said = capfd.readouterr().err
    assert "'dcotor'" in said
    assert "nearest: 'doctor'" in said


def test_json_alone_reaches_standard_output(verb, capfd):
    def run(args: Args) -> int:
        print("a stray print")
        ctypes.CDLL(None).puts(b"a line from a C library")  # still in C's buffer when the verb is done
        emit(args, {"rate": np.float32(0.5), "path": Path("a"), "missing": float("nan"), "points": np.eye(2)})
        return 0

    verb(run)
    assert cli.main(["sample", "--json"]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out) == {"rate": 0.5, "path": "a", "missing": None, "points": [[1.0, 0.0], [0.0, 1.0]]}
    assert "a stray print" in said.err
    assert "a line from a C library" in said.err


def test_without_json_nothing_is_emitted(verb, capfd):
    def run(args: Args) -> int:
        emit(args, {"rate": 1.0})
        return 0

    verb(run)
    assert cli.main(["sample"]) == 0
    assert capfd.readouterr().out == ""


def test_help_lists_the_verbs_and_loads_none_of_them():
    code = "import sys; from valuefield.cli.main import main; main(['--help']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(f"\n  {verb} " in said for verb in cli.VERBS)
    assert not set(said.splitlines()[-1].split()) & {"tyro", "numpy", "torch", "mujoco", "open3d"}


def test_no_verb_is_bad_usage(capfd):
    assert cli.main([]) == 2
