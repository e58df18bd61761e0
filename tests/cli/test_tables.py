"""benchmarks/tables.py: a page of docs from the lines of finished cells."""

import importlib.util
from dataclasses import asdict
from pathlib import Path

import pytest

from valuefield.agents.bc import BCConfig
from valuefield.agents.pvp import DiscretePVPConfig
from valuefield.cli.cells import Cells

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tables.py"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.RESULTS, module.PAGE = tmp_path, tmp_path / "results", tmp_path / "results.md"
    module.PICTURES = tmp_path
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


def _trained(path: Path, algo: str, seed: int, success: float, **config: object) -> None:
    settings = asdict(DiscretePVPConfig(**config) if algo == "pvp" else BCConfig())  # type: ignore[arg-type]
    data = [] if algo == "pvp" else [f"runs/cells/minigrid/rooms/pvp/{seed}/episodes"]
    cell = {"algo": algo, "env": "rooms", "seed": seed, "steps": 1000, "observe": "", "rows": "all", "max_rows": None}
    person = "GridExpert" if algo == "pvp" else "nobody"
    curve = [[250, success - 0.5], [500, success - 0.2], [1000, success]] if algo == "pvp" else []
    result = {"algo": algo, "success": success, "human_steps": 90 + seed, "takeovers": 40, "curve": curve}
    Cells(path).append(cell | {"person": person, "data": data, "config": settings}, result | {"curve_online": []})


def test_trainings_are_summed_up_over_their_seeds(tables, tmp_path: Path):
    path = tmp_path / "results" / "minigrid.jsonl"
    for seed, (pvp, approving, bc) in enumerate(((0.9, 1.0, 0.5), (1.0, 1.0, 0.7), (0.8, 1.0, 0.6))):
        _trained(path, "pvp", seed, pvp)
        _trained(path, "pvp", seed, approving, approve=True)
        _trained(path, "bc", seed, bc)
    tables.main()
    page = (tmp_path / "results.md").read_text()
    # Student's t with 2 degrees of freedom is 4.303 at 97.5 %; the deviation of each method is 0.1, over sqrt(3)
    assert "| rooms | pvp; GridExpert | 3 | 1000 | 0.900 | 0.65 to 1.00 | 0.80 | 0.60 | 91 | 40 |  |" in page
    assert "| rooms | pvp approve=True; GridExpert | 3 | 1000 | 1.000 | 1.00 to 1.00 |" in page
    assert "| 0.600 | 0.35 to 0.85 | 0.50 |  | 91 | 40 | -0.300 (-0.55 to -0.05) |" in page
    assert "| rooms | bc; all rows of pvp/episodes | 3 |" in page
    assert "| rooms | pvp; GridExpert | 250: 0.40 [0.30], 500: 0.70 [0.60], 1000: 0.90 [0.80] |" in page
    assert "(images/minigrid_curves.svg)" in page
    picture = (tmp_path / "minigrid_curves.svg").read_text()
    assert "pvp approve=True; GridExpert (3 seeds)" in picture
    assert "bc;" not in picture  # it has no curve
