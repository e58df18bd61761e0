"""Value maps on disk: what is written comes back, and nothing else is taken for one."""

from pathlib import Path

import numpy as np
import pytest

from valuefield.planners.grid import Grid
from valuefield.planners.map_file import read_maps, write_maps
from valuefield.planners.value_map import DenseMap, ValueMaps
from valuefield.robots.errors import BadInput


def _map(grid: Grid) -> DenseMap:
    made = DenseMap(grid)
    made.set_ball((3, 4, 5), 0.05, 1.0)
    return made


def test_maps_come_back_on_their_grid(tmp_path: Path):
    grid = Grid((0.1, -0.2, 0.0), 0.02, (10, 12, 14))
    maps = ValueMaps(goal=_map(grid), cost=DenseMap(grid, 0.25))
    write_maps(tmp_path / "maps" / "1.npz", maps)
    read = read_maps(tmp_path / "maps" / "1.npz")
    assert read.goal is not None
    assert read.cost is not None
    assert read.goal.grid == grid
    assert maps.goal is not None
    np.testing.assert_array_equal(read.goal.values, maps.goal.values)
    assert (read.cost.values == np.float32(0.25)).all()


def test_a_map_that_was_not_written_stays_none(tmp_path: Path):
    write_maps(tmp_path / "1.npz", ValueMaps(cost=_map(Grid.workspace())))
    read = read_maps(tmp_path / "1.npz")
    assert read.goal is None
    assert read.cost is not None


def test_other_files_are_refused(tmp_path: Path):
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "bent.npz", origin=[0.0, 0, 0], spacing=0.1, shape=[2, 2, 2], goal=np.zeros((3, 3, 3)))
    np.savez(tmp_path / "objects.npz", origin=np.array([None]), spacing=0.1, shape=[2, 2, 2])
    for name in ("text", "other", "bent", "objects", "absent"):
        with pytest.raises(BadInput, match="not a value map"):
            read_maps(tmp_path / f"{name}.npz")
