"""The errors of valuefield: each names the bad value, what is allowed and, where there is one, the nearest choice."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_SHOWN = 40
"""Names that an error lists in full; of more, only the `CLOSEST` are shown."""

CLOSEST = 12


class ValuefieldError(Exception):
    """Root of the family. `exit_status` is what the command line returns: 2 bad input, 3 the machine could not."""

    exit_status = 2


class UnknownName(ValuefieldError):
    """A name that is not in a fixed set, such as an environment, an object or a detector."""

    def __init__(self, kind: str, name: str, allowed: Iterable[str]) -> None:
        self.kind, self.name, self.allowed = kind, name, sorted(allowed)
        shown = self.allowed if len(self.allowed) <= MOST_SHOWN else _closest(name, self.allowed)
        more = f" and {len(self.allowed) - len(shown)} more" if len(shown) < len(self.allowed) else ""
        allowed_text = f"{', '.join(shown) or 'none'}{more}"
        super().__init__(f"unknown {kind} {name!r}{nearest(name, self.allowed)}; allowed: {allowed_text}")


class BadInput(ValuefieldError):
    """A value that a public door refuses: an empty sentence, a shape, a file of another version."""


class PlannerError(ValuefieldError):
    """Planning could not go on: no goal, no path where one is demanded, an object that is not there."""


class ProgramError(ValuefieldError):
    """A language program was refused or went over its bounds. The text is fit for the model that wrote it to read."""


class InstructionRefused(ValuefieldError):
    """A sentence, or a part of it, that is not understood; names that part and the nearest one that is."""


class ExpertFailed(ValuefieldError):
    """The expert behind a simulated person raised an error that is no giving up, which is this one's cause."""

    exit_status = 3


class LimitViolation(ValuefieldError):
    """A target that safety cannot turn into a safe one: not finite, of the wrong shape, too old."""


class NotConnected(ValuefieldError):
    """A robot or a camera that was used before `connect` or after `disconnect`."""

    exit_status = 3


class MissingExtra(ValuefieldError):
    """An optional dependency that is not installed; names the extra that brings it."""

    exit_status = 3

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed; it comes with: pip install 'valuefield[{extra}]'")


class ModelUnavailable(ValuefieldError):
    """The language model's endpoint is down, too slow, or refuses the key."""

    exit_status = 3


def _closest(name: str, allowed: list[str]) -> list[str]:
    return get_close_matches(name, allowed, n=CLOSEST, cutoff=0.0)


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`; nearest: 'x'` for the closest of `allowed`, or an empty string when nothing is close."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f"; nearest: {close[0]!r}" if close else ""
