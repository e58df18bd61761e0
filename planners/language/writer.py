"""Has a language model write programs, shows it its mistakes, and keeps what worked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ...robots.errors import ProgramError
from .interpreter import Program
from .model import LanguageModel
from .prompt import load
from .values import describe

REPAIRS = 3
"""Rounds in which the model may mend a program that was refused."""
MAX_QUERY = 400
"""Characters of a query."""
_SHOWN = 10_000


class ProgramWriter:
    """Programs by (which of the eight, query, names of the scene), each written by the model once."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._programs: dict[tuple[str, str, tuple[str, ...]], Program] = {}

    def known(self, name: str, query: str, names: Sequence[str]) -> Program | None:
        """Return the program if it has been written and has worked before."""
        return self._programs.get((name, query, tuple(names)))

    def write(self, name: str, query: str, names: Sequence[str], trial: Callable[[Program], object]) -> Program:
        """Return a program on which `trial` raises no ProgramError; until then the model is shown it, REPAIRS times.

        Raises ProgramError with the last error, ModelUnavailable, or InstructionRefused from model or program.
        """
        if not query.strip() or len(query) > MAX_QUERY:
            raise ProgramError(f"a query to {name} has 1 to {MAX_QUERY} characters, not {len(query)}")
        messages = load(name).messages(query, names)
        reply = fault = ""
        for _ in range(1 + REPAIRS):
            previous, reply = reply, self._model.complete(messages)
            if reply == previous:
                break
            try:
                program = Program(code_of(reply))
                trial(program)
            except ProgramError as error:
                fault = str(error)
                shown = {"role": "assistant", "content": reply[:_SHOWN]}
                messages = [
                    *messages,
                    shown,
                    {"role": "user", "content": f"# Error: {fault}\n# Write it again, mended."},
                ]
                continue
            self._programs[name, query, tuple(names)] = program
            return program
        raise ProgramError(f"{name}({describe(query)}): {fault}")


def code_of(reply: str) -> str:
    """Take the program out of a reply: what stands in its first fence of backticks, or all of it."""
    fenced = re.search(r"```[a-zA-Z]*\n(.*?)(?:```|\Z)", reply[: 2 * _SHOWN], flags=re.DOTALL)
    return fenced.group(1) if fenced else reply
