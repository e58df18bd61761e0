"""A ring of transitions, sampled uniformly with replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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


class Replay:
    """The last `capacity` transitions. nbytes: of memory when it is full, known before.

    Raises BadInput as `Rows` does. The replays of `intervention_replay.py` and `feedback.py` are drawn from otherwise.
    """

    RINGS: ClassVar[tuple[str, ...]] = ("all",)
    """Names of the rings, each with room for `capacity` rows."""

    def __init__(
        self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any], capacity: int, *, seed: int
    ) -> None:
        self.observation_space, self.action_space = observation_space, action_space
        self._rows = Rows(observation_space, action_space, capacity * len(self.RINGS))
        self._rings = {name: Ring(k * capacity, capacity) for k, name in enumerate(self.RINGS)}
        self._generator = torch.Generator().manual_seed(seed)
        self.capacity, self.nbytes = capacity, self._rows.nbytes

    def __len__(self) -> int:
        return sum(ring.size for ring in self._rings.values())

    def ready(self, n: int) -> bool:
        """Whether `sample(n)` has rows to draw from."""
        return len(self) > 0

    def begin(self) -> None:
        """Begin an episode. Only `FeedbackReplay` has a clock that begins with it."""

    def add(self, transition: Transition) -> None:
        """Keep a transition, in place of the oldest when full. Raises BadInput, naming the field, as `Rows.write`."""
        ring = self._ring_of(transition)
        self._rows.write(ring.next_row, transition)
        ring.advance()

    def feedback(self, given: Sequence[Any]) -> None:
        """Credit what a person said to the steps it was about. Raises BadInput: only `FeedbackReplay` can."""
        raise BadInput(f"{type(self).__name__} keeps no feedback; of the algorithms, deep-tamer learns from it")

    def sample(self, n: int) -> Batch:
        """Draw `n` rows, with replacement. Raises BadInput when there are none."""
        if not self.ready(n):
            raise BadInput(f"{type(self).__name__} cannot draw {n} rows: {len(self)} are kept so far")
        return self._read(self._draw(n))

    def state_dict(self) -> dict[str, Tensor]:
        """All that sampling depends on, by flat names; what it holds shares memory with the replay."""
        state = {"generator": self._generator.get_state()}
        for name, ring in self._rings.items():
            rows = self._rows.state(ring.first, ring.first + ring.size)
            rows["place"] = torch.tensor([ring.position, ring.capacity])
            state |= {f"{name}/{key}": each for key, each in rows.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on, bit for bit, where `state` was taken. Raises BadInput for a replay of other spaces or capacity."""
        for name, ring in self._rings.items():
            rows = {key.removeprefix(f"{name}/"): each for key, each in state.items() if key.startswith(f"{name}/")}
            position, capacity = rows.pop("place", torch.zeros(2, dtype=torch.int64)).tolist()
            if capacity != ring.capacity:
                raise BadInput(f"{name} of this replay has room for {ring.capacity} rows, of the saved one {capacity}")
            ring.size = self._rows.load(ring.first, rows)
            ring.position = position
        self._generator.set_state(state["generator"])

    def _ring_of(self, transition: Transition) -> Ring:
        return self._rings["all"]

    def _draw(self, n: int) -> Tensor:
        """(n,) int64 rows; there are some."""
        return self._rings["all"].draw(n, self._generator)

    def _read(self, rows: Tensor) -> Batch:
        return self._rows.read(rows)
