"""Where the fields of a transition are kept in a packed row, and what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from ..robots.errors import BadInput

_EXACT = 2**24
"""Integers up to here are exact as float32."""


@dataclass(frozen=True, slots=True)
class Field:
    """Columns `first` to `stop` of a packed row. shape: of the field in one transition, () for a number."""

    name: str
    shape: tuple[int, ...]
    first: int
    stop: int

    def put(self, row: NDArray[np.float32], value: Any) -> None:
        """Write `value` into `row`. Raises BadInput for what is not numbers of the field's shape."""
        row[self.first : self.stop] = numbers_of(self, value).reshape(-1)

    def of(self, rows: Tensor) -> Tensor:
        """(B, *shape) of `rows` (B, width); a view where the shape allows."""
        if self.shape == ():
            return rows[:, self.first]
        columns = rows[:, self.first : self.stop]
        return columns if len(self.shape) == 1 else columns.reshape(-1, *self.shape)


class Fields(dict[str, Field]):
    """The fields of a packed row by name, one behind the other. width: columns of all."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.width = 0
        for name, shape in shapes.items():
            stop = self.width + int(np.prod(shape))
            self[name] = Field(name, shape, self.width, stop)
            self.width = stop

    def first_not_finite(self, row: NDArray[np.float32]) -> tuple[str, float]:
        """Name and value of the first number in `row` that is not finite."""
        column = int(np.flatnonzero(~np.isfinite(row))[0])
        name = next(name for name, field in self.items() if field.first <= column < field.stop)
        return name, float(row[column])


def field_name(side: str, key: str) -> str:
    """`obs` or `next_obs`, with the key where the observation is a dict."""
    return f"{side}/{key}" if key else side


def observation_boxes(space: gymnasium.Space[Any]) -> tuple[bool, dict[str, spaces.Box]]:
    """Whether `space` is one Box, and its Boxes by key ('' for the one). Raises BadInput for other spaces."""
    parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {"": space}
    boxes = {key: part for key, part in parts.items() if isinstance(part, spaces.Box)}
    if not boxes or len(boxes) != len(parts):
        raise BadInput(f"replay takes observations that are a Box or a Dict of Boxes, not {space}")
    return isinstance(space, spaces.Box), boxes


def discrete_range(space: gymnasium.Space[Any]) -> range | None:
    """The actions of a Discrete space, None for a Box of floats. Raises BadInput for other spaces."""
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype or object, np.floating):
        return None
    if isinstance(space, spaces.Discrete):
        first, count = int(space.start), int(space.n)
        if -_EXACT <= first and first + count <= _EXACT:
            return range(first, first + count)
    raise BadInput(f"replay takes actions that are a Box of floats or Discrete, within 2^24 of 0, not {space}")


def numbers_of(field: Field, value: Any) -> NDArray[Any]:
    """`value` as an array. Raises BadInput for what is not numbers of the field's shape."""
    numbers: NDArray[Any] = np.asarray(value)
    if numbers.shape != field.shape or numbers.dtype.kind not in "fiub":
        raise BadInput(
            f"{field.name} of a transition is {numbers.dtype} of shape {numbers.shape}; "
            f"the space asks for numbers of shape {field.shape}"
        )
    return numbers


def check_picture(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """Raise BadInput unless `value` is uint8 of `shape`."""
    picture = np.asarray(value)
    if picture.shape != shape or picture.dtype != np.uint8:
        raise BadInput(
            f"{name} of a transition is {picture.dtype} of shape {picture.shape}; "
            f"the space asks for uint8 of shape {shape}"
        )
