"""What a MiniGrid agent sees, worked out four times faster than MiniGrid does it, with the same result."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

SIZE = 7
"""Cells of the view's edge; the agent stands in the middle of the last row and looks up the columns."""

MIDDLE = SIZE // 2

HEADINGS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""(x, y) of one step in the directions 0 to 3; y grows downwards, so each is a right turn from the one before."""

Code = tuple[int, int, int]
"""MiniGrid's (type, colour, state)."""

UNSEEN: Code = (0, 0, 0)
EMPTY: Code = (1, 0, 0)


class _Beyond:
    """What lies outside the grid looks like a grey wall."""

    def see_behind(self) -> bool:
        return False

    def encode(self) -> Code:
        return (2, 5, 0)


BEYOND = _Beyond()


def observe(env: Any) -> dict[str, Any]:
    """What `gen_obs` of a `MiniGridEnv` with views of 7 x 7 returns: image (7, 7, 3) uint8, direction, mission."""
    rows = [_row(env, ahead) for ahead in range(SIZE)]
    seen = [2**SIZE - 1] * SIZE if env.see_through_walls else _sight(rows)
    rows[0][MIDDLE] = env.carrying
    codes = [
        [_code(cell) if bits >> i & 1 else UNSEEN for i, cell in enumerate(row)]
        for row, bits in zip(reversed(rows), reversed(seen), strict=True)
    ]
    image = np.array(codes, np.uint8).transpose(1, 0, 2)
    return {"image": image, "direction": env.agent_dir, "mission": env.mission}


@cache
def spread(seen: int, opaque: int) -> tuple[int, int]:
    """Which cells of a row are seen, and which of the next row, all as bits, bit i for column i.

    MiniGrid's rule: sight goes on from a cell that can be looked through to its neighbour in the row and to what is in
    front of both, first from left to right and then from right to left.
    """
    after = 0
    for columns, side in ((range(SIZE - 1), 1), (range(SIZE - 1, 0, -1), -1)):
        for i in columns:
            if seen >> i & 1 and not opaque >> i & 1:
                seen |= 1 << i + side
                after |= 1 << i | 1 << i + side
    return seen, after


def _sight(rows: list[list[Any]]) -> list[int]:
    """Which cells of each row are seen, as bits."""
    seen, after = [], 1 << MIDDLE
    for row in rows:
        here, after = spread(after, sum(1 << i for i, cell in enumerate(row) if cell and not cell.see_behind()))
        seen.append(here)
    return seen


def _row(env: Any, ahead: int) -> list[Any]:
    """The objects `ahead` rows in front of the agent, from the left; None where empty, BEYOND outside the grid."""
    (x, y), (dx, dy) = env.agent_pos, HEADINGS[env.agent_dir]
    x, y = int(x) + ahead * dx + MIDDLE * dy, int(y) + ahead * dy - MIDDLE * dx
    cells, width, height = env.grid.grid, env.grid.width, env.grid.height
    places = [(x - i * dy, y + i * dx) for i in range(SIZE)]
    return [cells[v * width + u] if 0 <= u < width and 0 <= v < height else BEYOND for u, v in places]


def _code(cell: Any) -> Code:
    code: Code = EMPTY if cell is None else cell.encode()
    return code
