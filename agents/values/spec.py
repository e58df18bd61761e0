"""Which heads, targets and losses go together.

A loss or a target says what it `needs` of a head, a head what it `gives`; a new one of either fits in by saying so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...robots.errors import BadInput
from .heads import Head

Part = TypeVar("Part", bound=Callable[..., Any])

_NEEDS: dict[Callable[..., Any], frozenset[str]] = {}


def needs(*what: str) -> Callable[[Part], Part]:
    """Mark a loss or a target as one that needs a head giving all of `what`."""

    def mark(part: Part) -> Part:
        _NEEDS[part] = frozenset(what)
        return part

    return mark


def check(head: Head, *parts: Callable[..., Any]) -> None:
    """Raise BadInput, by name, for a target or a loss that makes no sense with the head."""
    for part in parts:
        if missing := _NEEDS.get(part, frozenset()) - head.gives:
            fitting = sorted(other.__name__ for other, need in _NEEDS.items() if need <= head.gives)
            raise BadInput(
                f"{part.__name__} needs a head that gives {', '.join(sorted(missing))}; {head} gives "
                f"{', '.join(sorted(head.gives))}, which goes with {', '.join(fitting)}"
            )
