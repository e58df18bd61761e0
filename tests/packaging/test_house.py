"""Rules of the house that a machine can hold: lint, sizes, and what no file of ours may use."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FILE_LINES, FUNCTION_LINES = 400, 60
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
UNSAFE_CALLS = {"exec", "eval", "compile"}


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")])
def test_ruff(root: Path, arguments: tuple[str, ...]):
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "."], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_files_and_functions_stay_short(root: Path, sources: list[Path]):
    long = []
    for path in sources:
        text = (root / path).read_text()
        if text.count("\n") > FILE_LINES:
            long.append(f"{path}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and _length(node) > FUNCTION_LINES:
                long.append(f"{path}:{node.lineno} {node.name}: {_length(node)} lines")
    assert long == []


def _length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def unsafe(source: str) -> Iterator[str]:
    """What `source` uses of the ways in which data becomes code."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names if alias.name in UNSAFE_MODULES)
            case ast.ImportFrom(module=str(module)) if module in UNSAFE_MODULES:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                yield name
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield "allow_pickle"


def test_data_never_becomes_code(root: Path, sources: list[Path]):
    assert {str(path): found for path in sources if (found := list(unsafe((root / path).read_text())))} == {}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from pickle import loads", "exec('1')", "eval('1')", "np.load('a.npy', allow_pickle=True)"],
)
def test_every_way_of_running_data_is_seen(source: str):
    assert list(unsafe(source))


def test_ray_has_two_doors(root: Path, sources: list[Path]):
    doors = {"ray.rllib": "agents/rllib.py", "ray": "agents/cluster.py"}
    wrong = []
    for path in sources:
        for name in _modules((root / path).read_text()):
            door = doors["ray.rllib"] if name.startswith("ray.rllib") else doors["ray"]
            if name.split(".")[0] == "ray" and path.as_posix() not in (door, doors["ray.rllib"]):
                wrong.append(f"{path}: {name}")
    assert wrong == []


def _modules(source: str) -> Iterator[str]:
    """Names of the modules that `source` imports absolutely."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0, module=str(module)):
                yield from (f"{module}.{alias.name}" for alias in node.names)
