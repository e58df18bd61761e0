"""Replay in which the few rows that a person chose are drawn as often as the many that the policy chose."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import torch
from torch import Tensor

from .replay import Batch, Replay, Ring, Transition

_Seen = Tensor | dict[str, Tensor]


class InterventionReplay(Replay):
    """Two rings of `capacity` rows: the human's, with every row that is intervened or a takeover's start, and the rest.

    A batch has half its rows from each (of an odd number the novice's ring gives one more), the human's first; all are
    from the one ring that has rows while the other has none.

    legacy: draw as the code released with PVP does (github.com/metadriverse/pvp), to compare with it: a ring counts
    only while its write position is beyond the number of rows asked for, which forgets it each time it wraps; and the
    next observation is what the ring's next row holds, which at the end of a stretch is from another one.
    """

    RINGS: ClassVar[tuple[str, ...]] = ("human", "novice")

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        capacity: int,
        *,
        seed: int,
        legacy: bool = False,
    ) -> None:
        super().__init__(observation_space, action_space, capacity, seed=seed)
        self._legacy = legacy

    def ready(self, n: int) -> bool:
        """Whether `sample(n)` has rows to draw from."""
        return bool(self._usable(n))

    def _usable(self, n: int) -> list[Ring]:
        return [ring for ring in self._rings.values() if (ring.position > n if self._legacy else ring.size > 0)]

    def _ring_of(self, transition: Transition) -> Ring:
        return self._rings["human" if transition.intervened or transition.takeover_start else "novice"]

    def _draw(self, n: int) -> Tensor:
        rings = self._usable(n)
        shares = [n // 2, n - n // 2] if len(rings) == 2 else [n]
        return torch.cat([ring.draw(share, self._generator) for ring, share in zip(rings, shares, strict=True)])

    def _read(self, rows: Tensor) -> Batch:
        batch = super()._read(rows)
        if self._legacy:
            batch["next_obs"] = self._next_in_ring(rows, batch["next_obs"])
        return batch

    def _next_in_ring(self, rows: Tensor, stored: _Seen) -> _Seen:
        """Observations of the rows behind `rows`; of those written last, behind which nothing is, what is `stored`."""
        first = rows // self.capacity * self.capacity
        found = self._rows.read(first + (rows - first + 1) % self.capacity)["obs"]
        last = torch.tensor([ring.first + (ring.position - 1) % self.capacity for ring in self._rings.values()])
        newest = torch.isin(rows, last)
        if isinstance(stored, Tensor) or isinstance(found, Tensor):
            return _choose(newest, stored, found)
        return {key: _choose(newest, stored[key], found[key]) for key in found}


def _choose(mask: Tensor, yes: Any, no: Any) -> Tensor:
    return torch.where(mask.reshape(-1, *[1] * (no.ndim - 1)), yes, no)
