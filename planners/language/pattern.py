"""Patterns of sentences: words, verbs, optional parts, and places for things, distances and speeds.

`@open [up] <drawer> [by] [<distance>]` is read as it looks. A word may be several, `in|into|inside`; `@pull` is any
verb of a class of the lexicon, `@press+ing` its participle; `<thing:other>` is a place of kind `thing` called `other`;
`<thing+>` takes several, called `things`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .lexicon import NUMBERS, UNITS, VERBS
from .noun_phrase import KINDS, Names
from .tokens import Token, tokenize

Element = tuple[str, Any]
"""("words", frozenset), ("optional", pattern) or ("place", (kind, key))."""

IN_A_LIST = "[,] [and] [then|next|finally|afterwards|before] [after that] [followed by] [first]"
"""What may stand between the things of a list."""


@dataclass
class Reader:
    """A sentence in a scene.

    farthest: the first word that no pattern that was tried could go beyond. dead: (word, last name) from which the rest
    of the sentence has been found to make no sense.
    """

    tokens: Sequence[Token]
    names: Names
    farthest: int = 0
    dead: set[tuple[int, str | None]] = field(default_factory=set)
    places: dict[str, Callable[[int, str | None], Iterator[tuple[Any, int]]]] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {"distance": self._distance, "number": self._number}

    @classmethod
    def of(cls, sentence: str, names: Sequence[str]) -> Reader:
        """Read `sentence` where things have these names."""
        return cls(tokenize(sentence), Names(names))

    def match(self, pattern: str, start: int, last: str | None = None) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield each way in which `pattern` fits from word `start` on: what is in its places, and the end.

        last: the name that pronouns stand for.
        """
        yield from self._fit(_compiled(pattern), start, last)

    def whole(self, pattern: str) -> dict[str, Any] | None:
        """Return what is in the places of a pattern that fits the whole sentence, or None."""
        return next((found for found, end in self.match(pattern, 0) if end == len(self.tokens)), None)

    def _fit(self, elements: tuple[Element, ...], at: int, last: str | None) -> Iterator[tuple[dict[str, Any], int]]:
        self.farthest = max(self.farthest, at)
        if not elements:
            yield {}, at
            return
        (kind, value), rest = elements[0], elements[1:]
        if kind == "words":
            if at < len(self.tokens) and (self.tokens[at].text in value or self.tokens[at].word in value):
                yield from self._fit(rest, at + 1, last)
        elif kind == "optional":
            yield from self._fit(value + rest, at, last)
            yield from self._fit(rest, at, last)
        else:
            for found, end in self._place(value[0], at, last):
                for others, after in self._fit(rest, end, last):
                    yield {value[1]: found, **others}, after

    def _place(self, kind: str, at: int, last: str | None) -> Iterator[tuple[Any, int]]:
        if kind in KINDS:
            return self.names.read(self.tokens, at, kind, last)
        if kind.endswith("+"):
            return self._several(kind.removesuffix("+"), at, last)
        return self.places[kind](at, last)

    def _distance(self, at: int, last: str | None) -> Iterator[tuple[float, int]]:
        while at < len(self.tokens) and self.tokens[at].text in ("by", "about", "around", "another", "exactly"):
            at += 1
        for number, end in self._number(at, last):
            if end < len(self.tokens) and self.tokens[end].text in UNITS:
                yield round(number * UNITS[self.tokens[end].text], 3), end + 1

    def _number(self, at: int, last: str | None) -> Iterator[tuple[float, int]]:
        if at < len(self.tokens):
            text = self.tokens[at].text
            if text in NUMBERS:
                yield float(NUMBERS[text]), at + 1
            elif text.replace(".", "", 1).isdecimal():
                yield float(text), at + 1

    def _several(self, kind: str, at: int, last: str | None) -> Iterator[tuple[list[str], int]]:
        """Things in the order in which they are named, `the red one, then the blue one`, or all of a kind."""
        yield from self.names.read_all(self.tokens, at, kind)
        for name, end in self.names.read(self.tokens, at, kind, last):
            for _, after in self.match(IN_A_LIST, end):
                if after > end:
                    for more, stop in self._several(kind, after, name):
                        yield [name, *more], stop
            yield [name], end


@cache
def _compiled(pattern: str) -> tuple[Element, ...]:
    elements, rest = _elements(pattern.replace("[", " [ ").replace("]", " ] ").split())
    assert not rest, f"brackets do not match in {pattern!r}"
    return elements


def _elements(parts: list[str]) -> tuple[tuple[Element, ...], list[str]]:
    """Compile up to the bracket that closes this level; return what is left after it."""
    found: list[Element] = []
    while parts:
        part, *parts = parts
        if part == "]":
            break
        if part == "[":
            inner, parts = _elements(parts)
            found.append(("optional", inner))
        elif part.startswith("<"):
            kind, _, key = part.strip("<>").partition(":")
            found.append(("place", (kind, key or kind.replace("+", "s"))))
        else:
            found.append(("words", frozenset().union(*map(_forms, part.split("|")))))
    return tuple(found), parts


def _forms(part: str) -> frozenset[str]:
    """Return a word itself, or the verbs of a class as `@class`, `@class+ing` or `@class+ed` asks for."""
    if not part.startswith("@"):
        return frozenset({part})
    name, _, ending = part.removeprefix("@").partition("+")
    verbs = VERBS[name].split()
    if not ending:
        return frozenset(verbs)
    stems = [verb.removesuffix("e") if verb.endswith("e") else verb for verb in verbs]
    doubled = [stem + stem[-1] for stem in stems]  # hit -> hitting
    return frozenset(stem + ending for stem in [*stems, *doubled])
