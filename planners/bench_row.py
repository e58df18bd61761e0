"""A line of the table that a bench makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; the less, the better. ratio: how many times better ours is, None where it has none."""

    name: str
    ours: float
    baseline: float
    unit: str

    @property
    def ratio(self) -> float | None:
        """Baseline over ours."""
        return self.baseline / self.ours if self.ours > 0 else None
