"""A flat ring of transitions, sampled uniformly with replacement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import torch
from torch import Tensor

from ..robots.errors import BadInput
from .rows import Batch, Observation, Rows, Transition

__all__ = ["Batch", "Observation", "Replay", "Ring", "Transition"]


class Ring:
    """Which of `capacity` rows, from row `first` on, are filled, and which is written next."""

    def __init__(self, first: int, capacity: int) -> None:
        self.first, self.capacity = first, capacity
        self.size = self.position = 0

    @property
    def next_row(self) -> int:
        """The row to be written next."""
        return self.first + self.position

    def advance(self) -> None:
        """Count the row that was written; behind the last one comes the first again."""
        self.position = (self.position + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) int64 filled rows, uniformly with replacement."""
        return torch.randint(self.first, self.first + self.size, (n,), generator=generator)

    def state_dict(self, rows: Rows) -> dict[str, Tensor]:
        """What is filled and where the ring is, by flat names; the rows share memory with `rows`."""
        place = torch.tensor([self.position, self.capacity])
        return rows.state(self.first, self.first + self.size) | {"place": place}

    def load_state_dict(self, rows: Rows, state: Mapping[str, Tensor]) -> None:
        """Go on where `state` was taken. Raises BadInput if that was a ring of another capacity or of other spaces."""
        position, capacity = state["place"].tolist()
        if capacity != self.capacity:
            raise BadInput(f"this replay has room for {self.capacity} rows; the saved one had room for {capacity}")
        self.size = rows.load(self.first, {name: each for name, each in state.items() if name != "place"})
        self.position = position


class Replay:
    """The last `capacity` transitions. `nbytes`: of memory when it is full, known before.

    Raises BadInput as `Rows` does.
    """

    def __init__(
        self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any], capacity: int, *, seed: int
    ) -> None:
        self._rows = Rows(observation_space, action_space, capacity)
        self._ring = Ring(0, capacity)
        self._generator = torch.Generator().manual_seed(seed)
        self.nbytes = self._rows.nbytes

    def __len__(self) -> int:
        return self._ring.size

    def ready(self, n: int) -> bool:
        """Whether `sample(n)` has rows to draw from."""
        return self._ring.size > 0

    def add(self, transition: Transition) -> None:
        """Keep a transition, in place of the oldest when full. Raises BadInput, naming the field, as `Rows.write`."""
        self._rows.write(self._ring.next_row, transition)
        self._ring.advance()

    def sample(self, n: int) -> Batch:
        """Draw `n` rows uniformly, with replacement. Raises BadInput when there are none."""
        if not self.ready(n):
            raise BadInput("this replay holds no rows yet; add some before sampling")
        return self._rows.read(self._ring.draw(n, self._generator))

    def state_dict(self) -> dict[str, Tensor]:
        """All that sampling depends on, by flat names; rows share memory with the replay."""
        return self._ring.state_dict(self._rows) | {"generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on, bit for bit, where `state` was taken. Raises BadInput for a replay of other spaces or capacity."""
        rows = {name: each for name, each in state.items() if name != "generator"}
        self._ring.load_state_dict(self._rows, rows)
        self._generator.set_state(state["generator"])
