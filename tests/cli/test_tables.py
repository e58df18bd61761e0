"""benchmarks/tables.py: a page of docs from the lines of finished cells."""

import importlib.util
from pathlib import Path

import pytest

from valuefield.cli.cells import Cells

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tables.py"


@pytest.fixture
def tables(tmp_path: Path):
    spec = importlib.util.spec_from_file_location("tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.RESULTS, module.PAGE = tmp_path, tmp_path / "results", tmp_path / "results.md"
    return module


def _cell(path: Path, env: str, successes: int) -> None:
    config = {"what": "voxposer", "env": env, "episodes": 10, "seed": 220000, "detector_folder": None}
    Cells(path).append(config, {"episodes": 10, "successes": successes, "violations": 2})


def test_each_file_is_a_table_under_its_command(tables, tmp_path: Path):
    _cell(tmp_path / "results" / "first6.jsonl", "tabletop/open_drawer", 5)
    _cell(tmp_path / "results" / "first6.jsonl", "tabletop/close_drawer", 10)
    tables.main()
    page = (tmp_path / "results.md").read_text()
    command = "valuefield eval voxposer --env tabletop/open_drawer tabletop/close_drawer --episodes 10 --seed 220000"
    assert f"    {command} --results first6\n" in page
    assert "| tabletop/open_drawer | voxposer | 5/10 | 0.50 | 0.24 to 0.76 | 2 |" in page
    assert "Mean rate: 0.75" in page


def test_a_bench_is_a_table_of_its_own(tables, tmp_path: Path):
    rows = [
        {"name": "step_ms", "ours": 40.0, "baseline": 300.0, "ratio": 7.5, "unit": "ms"},
        {"name": "wall/collisions", "ours": 0, "baseline": 18, "ratio": None, "unit": "scenes"},
    ]
    config = {"bench": "planner", "scenes": 30, "seed": 7}
    Cells(tmp_path / "results" / "planner.jsonl").append(config, {"rows": rows, "stages": {}})
    tables.main()
    page = (tmp_path / "results.md").read_text()
    assert "    valuefield bench planner --scenes 30 --seed 7 --results\n" in page
    assert "| step_ms | 40 | 300 | 7.5 | ms |" in page
    assert "| wall/collisions | 0 | 18 |  | scenes |" in page


def test_without_cells_the_page_says_so(tables, tmp_path: Path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "empty.jsonl").touch()
    tables.main()
    assert "No cell is finished yet." in (tmp_path / "results.md").read_text()
