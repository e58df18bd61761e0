"""The few functions of Python, and of vectors, that every language program can call."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from ...robots.errors import ProgramError
from .budget import Budget
from .values import Vector, binary, checked, describe, is_number, less, vector, vector3

Call = Callable[..., Any]


class Builtins:
    """Functions bound to one run: they charge its budget, and `call(function, item)` calls one of the program's own."""

    def __init__(self, budget: Budget, call: Call) -> None:
        self._budget = budget
        self._call = call

    def names(self) -> dict[str, Call]:
        """Return each function under the name that programs call it by."""
        functions: dict[str, Call] = {"min": self._min, "max": self._max, "sorted": self._sorted, "sum": self._sum}
        functions |= {"abs": self._abs, "round": self._round, "int": self._int, "float": self._float}
        functions |= {"len": self._len, "range": self._range, "enumerate": self._enumerate, "zip": self._zip}
        functions |= {"vector": self._vector, "norm": self._norm, "normalize": self._normalize, "dot": self._dot}
        return functions | {"cross": self._cross, "sqrt": self._sqrt}

    def items(self, value: Any, what: str = "a loop") -> list[Any]:
        """Return the items of a list, tuple or vector, charged one by one; ProgramError for anything else."""
        if not isinstance(value, list | tuple | Vector):
            raise ProgramError(f"{what} goes over a list, not {describe(value)}")
        self._budget.length(len(value))
        return list(value)

    def _len(self, value: Any) -> int:
        if not isinstance(value, str | list | tuple | Vector):
            raise ProgramError(f"len of {describe(value)}")
        return len(value)

    def _range(self, *bounds: Any) -> list[int]:
        if not 1 <= len(bounds) <= 3 or not all(type(checked(bound)) is int for bound in bounds):
            raise ProgramError("range takes one to three integers")
        if len(bounds) == 3 and bounds[2] == 0:
            raise ProgramError("range with a step of 0")
        numbers = range(*bounds)
        self._budget.length(len(numbers))
        return list(numbers)

    def _enumerate(self, value: Any) -> list[tuple[int, Any]]:
        return list(enumerate(self.items(value, "enumerate")))

    def _zip(self, first: Any, second: Any) -> list[tuple[Any, Any]]:
        return list(zip(self.items(first, "zip"), self.items(second, "zip"), strict=False))

    def _ranked(self, what: str, values: Any, key: Any) -> list[tuple[Any, Any]]:
        """Return the items with their keys, in rising order of the keys."""
        pairs = [(item if key is None else self._call(key, item), item) for item in self.items(values, what)]
        self._budget.spend(len(pairs) * max(len(pairs).bit_length(), 1))
        return sorted(pairs, key=cmp_to_key(_by_key))

    def _sorted(self, values: Any, *, key: Any = None) -> list[Any]:
        return [item for _, item in self._ranked("sorted", values, key)]

    def _min(self, *values: Any, key: Any = None) -> Any:
        return self._extreme("min", values, key, 0)

    def _max(self, *values: Any, key: Any = None) -> Any:
        return self._extreme("max", values, key, -1)

    def _extreme(self, what: str, values: tuple[Any, ...], key: Any, place: int) -> Any:
        items: Any = values[0] if len(values) == 1 else values
        ranked = self._ranked(what, items, key)
        if not ranked:
            raise ProgramError(f"{what} of an empty list")
        return ranked[place][1]

    def _sum(self, values: Any) -> Any:
        total: Any = 0
        for item in self.items(values, "sum"):
            total = binary("+", total, item, self._budget)
        return total

    def _abs(self, value: Any) -> Any:
        return abs(checked(value)) if is_number(value) else Vector(abs(item) for item in vector(value))

    def _round(self, value: Any) -> int:
        return round(checked(value))

    def _int(self, value: Any) -> int:
        return int(checked(value))

    def _float(self, value: Any) -> float:
        return float(checked(value))

    def _sqrt(self, value: Any) -> float:
        if checked(value) < 0:
            raise ProgramError(f"sqrt of {value}")
        return math.sqrt(value)

    def _vector(self, x: Any, y: Any, z: Any) -> Vector:
        return Vector((x, y, z))

    def _norm(self, value: Any) -> float:
        return math.hypot(*vector(value))

    def _normalize(self, value: Any) -> Vector:
        items = vector(value)
        if (length := math.hypot(*items)) < 1e-9:
            raise ProgramError("a vector of length 0 has no direction")
        return Vector(item / length for item in items)

    def _dot(self, left: Any, right: Any) -> float:
        return float(checked(sum(a * b for a, b in zip(vector3(left), vector3(right), strict=True))))

    def _cross(self, left: Any, right: Any) -> Vector:
        (a, b, c), (d, e, f) = vector3(left), vector3(right)
        return Vector((b * f - c * e, c * d - a * f, a * e - b * d))


def _by_key(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
    return less(right[0], left[0]) - less(left[0], right[0])
