"""Dense value maps on disk, so that one can be looked at, or compared with another, after its run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..robots.errors import BadInput
from .grid import Grid
from .value_map import DenseMap, ValueMaps

KINDS = ("goal", "cost")


def write_maps(path: Path, maps: ValueMaps) -> None:
    """Write the goal and the cost map, whichever there are, with their grid, as a compressed `.npz`."""
    dense = {kind: found for kind in KINDS if (found := getattr(maps, kind)) is not None}
    grid = next((found.grid for found in dense.values()), Grid.workspace())
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {kind: found.values for kind, found in dense.items()}
    np.savez_compressed(path, origin=grid.origin, spacing=grid.spacing, shape=grid.shape, **values)


def read_maps(path: Path) -> ValueMaps:
    """Read what `write_maps` wrote. Raises BadInput for a file that is something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            x, y, z = file["origin"].tolist()
            columns, rows, layers = file["shape"].tolist()
            grid = Grid((x, y, z), float(file["spacing"]), (columns, rows, layers))
            dense = {kind: _dense(grid, file[kind]) for kind in KINDS if kind in file}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a value map: {error}") from error
    return ValueMaps(goal=dense.get("goal"), cost=dense.get("cost"))


def _dense(grid: Grid, values: np.ndarray) -> DenseMap:
    if values.shape != grid.shape:
        raise ValueError(f"an array of shape {values.shape} on a grid of {grid.shape}")
    made = DenseMap(grid)
    made.values = values.astype(np.float32)
    return made
