"""Programs that mean harm: none gets out of the interpreter, none takes more than 2 s or much memory."""

import resource
import sys
import time
import tomllib
from pathlib import Path

import pytest

from valuefield.planners.grid import Grid
from valuefield.planners.language.api import SceneApi
from valuefield.planners.language.budget import Budget
from valuefield.planners.language.composition import SceneRun
from valuefield.planners.language.interpreter import Program
from valuefield.planners.language.rules import RulesModel
from valuefield.planners.language.writer import ProgramWriter
from valuefield.robots.errors import ProgramError

SHORT = tomllib.loads((Path(__file__).parent / "hostile.toml").read_text())
LONG = {
    "integer of 5000 digits": "x = " + "9" * 5000,
    "hexadecimal integer": "x = 0x" + "f" * 4000,
    "nested brackets": "x = " + "[" * 300 + "]" * 300,
    "nested calls": "x = " + "abs(" * 100 + "1" + ")" * 100,
    "minus signs": "x = " + "-" * 9000 + "1",
    "nots": "x = " + "not " * 2000 + "1",
    "lambdas": "x = " + "lambda:" * 1200 + "1",
    "long sum": "x = " + "1+" * 4500 + "1",
    "conditions in conditions": "x = " + "1 if 1 else " * 700 + "1",
    "nested blocks": "".join(" " * i + "if 1:\n" for i in range(60)) + " " * 60 + "x = 1",
    "long chain of attributes": "x = a" + ".b" * 4000,
    "more than 10,000 characters": "x = 1\n" * 2000,
    "long name": "a" * 9000 + " = 1",
    "many names, one of them wrong": "\n".join(f"name{i} = {i}" for i in range(600)) + "\nx = nome",
}
PROGRAMS = {name: source for group in SHORT.values() for name, source in group.items()} | LONG

SECONDS = 2.0
MEGABYTES = 150

TOUCHES = ("open", "import", "exec", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.", "urllib.")
"""Audit events of Python by which a program could reach anything outside itself."""


class Watch:
    """Notes what the interpreter's process touches; a hook cannot be taken away again, so it is switched."""

    def __init__(self):
        self.on, self.seen = False, []
        sys.addaudithook(self.note)

    def note(self, event, arguments):
        # Python itself looks for the file of a syntax error, to quote the line.
        if self.on and event.startswith(TOUCHES) and "<program>" not in arguments:
            self.seen.append((event, arguments))


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture
def vocabulary(make_scene):
    scene = make_scene(["cabinet", "top drawer", "red block", "blue block"])
    api = SceneApi(scene, scene, Grid.workspace(), Budget())
    return SceneRun(ProgramWriter(RulesModel()), api, tuple(scene.names)).vocabulary(), api.budget


def test_there_are_at_least_60():
    assert len(PROGRAMS) >= 60
    assert len(set(PROGRAMS.values())) == len(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_ends_in_an_error_and_leaves_nothing_behind(vocabulary, watch, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    names, budget = vocabulary
    Program("ret_val = detect('red block').front").run(names, Budget())  # whatever is imported late is imported now
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watch.seen.clear()
    began, watch.on = time.monotonic(), True
    try:
        with pytest.raises(ProgramError) as error:
            Program(PROGRAMS[name]).run(names, budget)
    finally:
        watch.on = False
    assert time.monotonic() - began < SECONDS
    assert watch.seen == []
    assert list(tmp_path.iterdir()) == []
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024 < MEGABYTES
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_the_watch_would_notice(watch, tmp_path):
    watch.seen.clear()
    watch.on = True
    (tmp_path / "touched").write_text("x")
    watch.on = False
    assert watch.seen
