"""The package list is complete, and the wheel holds exactly our files under one name."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("robots", "envs", "planners", "agents", "cli")


@pytest.fixture(scope="module")
def listed(root: Path) -> set[str]:
    setuptools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    return set(setuptools["packages"])


def test_every_folder_with_code_or_data_is_listed(root: Path, listed: set[str]):
    assert {".".join(("valuefield", *path.parent.parts)) for path in _files(root)} == listed


def test_every_package_is_typed(root: Path):
    # A namespace cannot carry the marker for its portions.
    assert [package for package in PACKAGES if not (root / package / "py.typed").exists()] == []


def test_the_wheel_holds_our_files_and_nothing_else(root: Path, tmp_path: Path):
    tree = tmp_path / "tree"  # a copy, for setuptools would take what an earlier build left in build/lib
    for package in PACKAGES:
        shutil.copytree(root / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, tree / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(tree)]
    subprocess.run(command, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == {f"valuefield/{path.as_posix()}" for path in _files(tree)}


def _files(tree: Path) -> list[Path]:
    """Every file of the five packages, relative to `tree`."""
    return [
        path.relative_to(tree)
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
