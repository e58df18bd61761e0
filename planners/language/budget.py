"""What one run of a language program may cost; everything that a program can make happen is charged here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...robots.errors import ProgramError

MAX_OPERATIONS = 1_000_000
MAX_LENGTH = 10_000
"""Longest sequence or string."""
MAX_MAPS = 16
MAX_CALL_DEPTH = 32
SECONDS = 1.0
"""Wall-clock time of one run, the time that a language model takes to write a program left out."""

_CLOCK_EVERY = 256


class Budget:
    """Operations, maps, call depth and time of one run, shared with every program that it calls.

    seconds: time allowed from now on. Each method raises ProgramError once its bound is passed.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._operations = 0
        self._next_look = 0
        self._maps = 0
        self._depth = 0

    def spend(self, operations: int = 1) -> None:
        """Charge operations; sequences and strings are charged by their length, so they bound memory as well."""
        self._operations += operations
        if self._operations > MAX_OPERATIONS:
            raise ProgramError(f"the program took more than {MAX_OPERATIONS} operations; does a loop never end?")
        if self._operations >= self._next_look:
            self._next_look = self._operations + _CLOCK_EVERY
            self.check_time()

    def check_time(self) -> None:
        """Raise ProgramError when the deadline has passed. Every native call on a map asks this first."""
        if time.monotonic() > self._deadline:
            raise ProgramError(f"the program ran for more than {self.seconds:g} s")

    def length(self, count: int) -> None:
        """Refuse a sequence or string of more than MAX_LENGTH before it is made, and charge it."""
        if count > MAX_LENGTH:
            raise ProgramError(f"a sequence or string of {count} items; at most {MAX_LENGTH} are allowed")
        self.spend(count)

    def add_map(self) -> None:
        """Count one more value map."""
        self.check_time()
        self._maps += 1
        if self._maps > MAX_MAPS:
            raise ProgramError(f"the program made more than {MAX_MAPS} maps")

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call of a function or of another program, at most MAX_CALL_DEPTH deep."""
        if self._depth >= MAX_CALL_DEPTH:
            raise ProgramError(f"calls nested more than {MAX_CALL_DEPTH} deep; does a function call itself for ever?")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock while a language model writes a program that this one asked for."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._deadline += time.monotonic() - began
