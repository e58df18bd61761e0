"""Cuts out of a sentence what is not the action itself: courtesy, speeds, things to keep away from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...robots.errors import InstructionRefused
from .lexicon import NEGATIONS, POLITE, QUESTIONS, SPEEDS, UNDECIDED, UNDECIDED_PHRASES
from .noun_phrase import Names
from .pattern import Reader
from .tokens import Token

KEEP_AWAY_CM = 10.0
"""How far to keep from a thing where the sentence leaves it open."""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manner:
    """How everything in the sentence is to be done.

    speed: factor. within: (cm, name) where that factor holds, None for everywhere. avoid: names to keep `away` cm from.
    """

    speed: float | None = None
    within: tuple[float, str] | None = None
    avoid: tuple[str, ...] = ()
    away: float = KEEP_AWAY_CM


def check_mood(tokens: Sequence[Token]) -> None:
    """Refuse what is no plain order: a question, a negation, a choice, a condition."""
    words = [token.text for token in tokens if not token.is_sign]
    if not words:
        raise InstructionRefused("the instruction is empty")
    for word in words:
        if word in NEGATIONS or word.endswith("n't"):
            raise InstructionRefused(f"not understood: {word!r}; nothing is done on a sentence with a negation")
    begin = next((word for word in words if word not in ("please", "robot", "hey", "and", "so")), "")
    if "?" in [token.text for token in tokens] or begin in QUESTIONS:
        raise InstructionRefused("this is a question, and only orders are carried out")
    for word in words:
        if word in UNDECIDED:
            raise InstructionRefused(f"not understood: {word!r}; the sentence leaves {UNDECIDED[word]}")
    for phrase, why in UNDECIDED_PHRASES.items():
        if phrase in pairwise(words):
            raise InstructionRefused(f"not understood: {' '.join(phrase)!r}; the sentence asks for {why}")


def without_courtesy(tokens: tuple[Token, ...], names: Sequence[str]) -> tuple[Token, ...]:
    """Return the sentence without the phrases that change nothing."""
    for pattern in POLITE:
        tokens, _ = _cut(tokens, pattern, names)
    return _tidy(tokens)


def cut_manner(tokens: tuple[Token, ...], names: Sequence[str]) -> tuple[tuple[Token, ...], Manner]:
    """Take speeds and things to avoid out of the sentence. InstructionRefused for two speeds or distances."""
    speeds: list[tuple[float, tuple[float, str] | None]] = []
    where = "[when within <distance> of|from <thing>]"
    phrases = [(f"[while|and moving] {phrase} {where}", factor) for phrase, factor in SPEEDS.items()]
    for phrase, factor in [*phrases, (f"[while|and moving] at <number> x|times [the|your] speed {where}", None)]:
        tokens, found = _cut(tokens, phrase, names)
        for each in found:
            within = (each["distance"], each["thing"]) if "distance" in each else None
            speeds.append((each["number"] if factor is None else factor, within))
    if len({speed for speed, _ in speeds}) > 1:
        raise InstructionRefused(f"two speeds in one sentence: {', '.join(f'{speed:g}' for speed, _ in speeds)}")
    avoided: list[Found] = []
    for phrase in (
        "[,] [while|and|but] staying|keeping|remaining|stay|keep [at least] [<distance>] away|clear from|of <thing+>",
        "[,] [while|and|but] avoiding|avoid <thing+>",
    ):
        tokens, found = _cut(tokens, phrase, names)
        avoided += found
    lengths = {each.get("distance", KEEP_AWAY_CM) for each in avoided} or {KEEP_AWAY_CM}
    if len(lengths) > 1:
        raise InstructionRefused(f"two distances to keep in one sentence: {', '.join(f'{cm:g} cm' for cm in lengths)}")
    speed, within = speeds[0] if speeds else (None, None)
    names = [name for each in avoided for name in each["things"]]
    return _tidy(tokens), Manner(speed, within, tuple(names), lengths.pop())


def _cut(tokens: tuple[Token, ...], pattern: str, names: Sequence[str]) -> tuple[tuple[Token, ...], list[Found]]:
    """Cut every phrase that fits `pattern` out of the sentence; return what is left and what was found."""
    cut: list[Found] = []
    at = 0
    reader = Reader(tokens, Names(names))
    while at < len(tokens):
        reader.tokens = tokens
        found = next(reader.match(pattern, at), None)
        if found is None:
            at += 1
        else:
            cut.append(found[0])
            tokens = tokens[:at] + tokens[found[1] :]
    return tokens, cut


def _tidy(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Drop signs that are left at the ends or side by side."""
    kept: list[Token] = []
    for token in tokens:
        if not token.is_sign or (kept and not kept[-1].is_sign):
            kept.append(token)
    while kept and kept[-1].is_sign:
        kept.pop()
    return tuple(kept)
