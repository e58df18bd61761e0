"""The arithmetic of language programs: finite numbers, bounded integers and short vectors, nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from ...robots.errors import ProgramError
from .budget import Budget

MAX_INTEGER = 2**53
"""Integers stay below it, where float64 is still exact."""

Number = int | float


class Vector:
    """An immutable row of finite floats, such as a position in voxels or a quaternion, with arithmetic item by item."""

    __slots__ = ("items",)

    def __init__(self, items: Any) -> None:
        self.items: tuple[float, ...] = tuple(float(checked(item)) for item in items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[float]:
        return iter(self.items)

    def __getitem__(self, index: int) -> float:
        return self.items[index]

    def __repr__(self) -> str:
        return f"[{', '.join(f'{item:.3g}' for item in self.items)}]"


def is_number(value: object) -> bool:
    """Whether `value` is an int or a float (a bool is neither here)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def checked(value: Any) -> Number:
    """Return `value` if it is a finite number inside the bounds, else raise ProgramError."""
    if not is_number(value):
        raise ProgramError(f"expected a number, not {describe(value)}")
    if isinstance(value, int):
        if abs(value) >= MAX_INTEGER:
            raise ProgramError("an integer of 2**53 or more")
    elif not math.isfinite(value):
        raise ProgramError(f"a number that is not finite ({value})")
    return value  # type: ignore[no-any-return]


def describe(value: object) -> str:
    """Name a value in an error text: short whatever it holds, and never the inside of a container."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if value is None or isinstance(value, int | float | Vector):
        return repr(value)
    return f"a {getattr(type(value), 'program_name', type(value).__name__)}"


def vector(value: object, what: str = "a vector") -> Vector:
    """Turn a Vector, or a list or tuple of 1 to 4 numbers, into a Vector; ProgramError for anything else."""
    if isinstance(value, Vector):
        return value
    if isinstance(value, list | tuple) and 1 <= len(value) <= 4 and all(is_number(item) for item in value):
        return Vector(value)
    raise ProgramError(f"{what} is a list of numbers such as [0, 0, 1], not {describe(value)}")


def vector3(value: object, what: str = "a vector") -> Vector:
    """As `vector`, of exactly three numbers."""
    result = vector(value, what)
    if len(result) != 3:
        raise ProgramError(f"{what} has 3 numbers, not {len(result)}")
    return result


def _power(base: Number, exponent: Number) -> Number:
    # Checked before it is computed: 9**9**9 would not come back.
    if abs(exponent) > 64 or (base != 0 and abs(exponent) * abs(math.log2(abs(base))) > 1000):
        raise ProgramError(f"{base} ** {exponent} is too large or too small")
    result = base**exponent
    if isinstance(result, complex):
        raise ProgramError(f"{base} ** {exponent} is not a real number")
    return result


_SCALAR: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
}


def binary(symbol: str, left: Any, right: Any, budget: Budget) -> Any:
    """Compute `left symbol right` of numbers and vectors; `+` also joins two strings, lists or tuples."""
    if is_number(left) and is_number(right):
        return _scalar(symbol, left, right)
    if isinstance(left, Vector) or isinstance(right, Vector):
        return _by_item(symbol, left, right)
    if symbol == "+" and type(left) is type(right) and isinstance(left, str | list | tuple):
        budget.length(len(left) + len(right))
        return left + right
    raise ProgramError(f"cannot compute {describe(left)} {symbol} {describe(right)}")


def _scalar(symbol: str, left: Number, right: Number) -> Number:
    try:
        return checked(_SCALAR[symbol](left, right))
    except ZeroDivisionError:
        raise ProgramError(f"division by zero: {left} {symbol} {right}") from None
    except OverflowError:
        raise ProgramError(f"{left} {symbol} {right} is too large") from None


def _by_item(symbol: str, left: Any, right: Any) -> Vector:
    if is_number(left):
        left = [left] * len(right)
    if is_number(right):
        right = [right] * len(left)
    left, right = vector(left), vector(right)
    if len(left) != len(right):
        raise ProgramError(f"vectors of {len(left)} and {len(right)} numbers do not go together")
    return Vector(_scalar(symbol, a, b) for a, b in zip(left, right, strict=True))


def negative(value: Any) -> Any:
    """Compute `-value` of a number or a vector."""
    if is_number(value):
        return -value
    return Vector(-item for item in vector(value, "what follows a minus sign"))


def equal(left: Any, right: Any) -> bool:
    """Compare two values; only numbers, strings, booleans, None and vectors have an equality here."""
    plain = int | float | str | None
    if isinstance(left, plain) and isinstance(right, plain):
        return bool(left == right)
    if isinstance(left, Vector) and isinstance(right, Vector):
        return left.items == right.items
    if left is None or right is None:
        return False
    # Lists that hold one another twice over would take for ever to compare.
    raise ProgramError(f"cannot compare {describe(left)} with {describe(right)}")


def less(left: Any, right: Any) -> bool:
    """Compute `left < right` of two numbers or two strings."""
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return bool(left < right)
    raise ProgramError(f"cannot order {describe(left)} and {describe(right)}")
