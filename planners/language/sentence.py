"""The grammar of instructions: a sentence becomes actions, or is refused with the part that was not understood.

Every word of a sentence must have found its place; nothing is skipped, so a word that changes the meaning cannot be
overlooked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from ...robots.errors import InstructionRefused
from .lexicon import NEGATIONS, POLITE, QUESTIONS, SPEEDS, UNDECIDED, UNDECIDED_PHRASES
from .pattern import Reader
from .tokens import Token, tokenize

OPEN_CM, LIFT_CM, KEEP_AWAY_CM, BESIDE_CM = 20.0, 15.0, 10.0, 10.0
"""Lengths that a sentence leaves open."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. kind: a method of `steps.Steps`. thing, other: names. cm: a length. side: a relation."""

    kind: str
    thing: str | None = None
    other: str | None = None
    cm: float | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How everything in the sentence is to be done.

    speed: factor. within: (cm, name) where that factor holds, None for everywhere. avoid: (cm, name) to keep from.
    """

    speed: float | None = None
    within: tuple[float, str] | None = None
    avoid: tuple[tuple[float, str], ...] = ()


Found = dict[str, Any]
_INTO = "in|into|inside [to]"
_TO = (
    "to|onto|on|towards|toward|into",
    "on top of",
    "over|right to|onto",
    "in the direction of",
    "until it is [sitting|lying] on [top of]",
    "until it sits|lies on [top of]",
    "until it covers|reaches",
    "so that it is|sits|lies [sitting] on [top of]",
)
_PLACES = {
    "above": "above|over",
    "on top of": "on top of",
    "below": "below|under|underneath",
    "in front of": "in front of",
    "behind": "behind",
    "left of": "[to] [the] left [side] of",
    "right of": "[to] [the] right [side] of",
}
"""Relation -> the patterns that express it before a thing."""

_GO = "@move [on] [the] [gripper|arm] [to] [a point]"


def _frames() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    """Yield each (pattern of a clause, what it asks for)."""
    yield from _drawers()
    yield from _buttons()
    yield from _pushes()
    yield from _placements()
    yield from _lifts()
    yield from _motions()


def _drawers() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def pull(found: Found) -> list[Action]:
        return [Action("pull", found["drawer"], cm=found.get("distance", OPEN_CM))]

    def shut(found: Found) -> list[Action]:
        return [Action("shut", found["drawer"])]

    towards = "towards|toward you|yourself|me|us"
    yield "@open [up] <drawer> [<distance>] [wide]", pull
    yield f"@pull [on] <drawer> [open|out] [{towards}] [<distance>]", pull
    yield "@pull open|out <drawer> [<distance>]", pull
    yield "get|make <drawer> open", pull
    yield "make sure [that] <drawer> is|stands open", pull
    yield (
        f"@grasp [hold of] <handle> and @pull [open|out] [{towards}] [<distance>]",
        lambda found: [
            Action("grasp", found["handle"]),
            Action("pull", found["handle"].rsplit(" ", 1)[0], cm=found.get("distance", OPEN_CM)),
        ],
    )
    yield "@close [up] <drawer> [by pushing [it]] [again]", shut
    yield "@shut <drawer> [all] [back] in|shut|closed", shut
    yield "@shut <drawer> [back] in|into|inside <cabinet>", shut
    yield "@shut [back] in|shut|closed <drawer>", shut
    yield "get|make <drawer> closed|shut", shut
    yield "make sure [that] <drawer> is closed|shut", shut


def _buttons() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def press(found: Found) -> list[Action]:
        return [Action("press", name) for name in found["buttons"]]

    yield "@press [down] [on] <buttons> [down]", press
    yield (
        "after @press+ing [down] [on] <button:first> [,] @press [down] [on] <buttons>",
        lambda found: [
            Action("press", found["first"]),
            *press(found),
        ],
    )


def _pushes() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def push(found: Found) -> list[Action]:
        return [Action("push", found["thing"], found["area"])]

    by_pushing = "[by pushing|sliding [it] [<thing:again>] [in its direction]]"
    for to in _TO:
        yield f"@push <thing> [across the table] {to} <area> {by_pushing} [until it is on [top of] it]", push
        yield f"<thing> should|must|has|needs [to] be @push+ed {to} <area>", push
        yield f"{to} <area> [,] @push <thing>", push
        yield f"bring <thing> {to} <area> by pushing|sliding it", push
    yield f"cover <area> with <thing> {by_pushing}", push


def _placements() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def put(found: Found) -> list[Action]:
        return [Action("put_in", found["thing"], found["container"])]

    def throw(found: Found) -> list[Action]:
        return [Action("throw_away", found["thing"])]

    yield f"@put <thing> {_INTO} <container>", put
    yield f"@carry <thing> {_INTO} <container>", put
    yield f"<thing> belongs|goes {_INTO} <container>", put
    yield f"{_INTO} <container> [goes|with] <thing>", put
    yield f"{_INTO} <container> [,] @put <thing>", put
    yield "@throw away|out <thing>", throw
    yield "@throw <thing> away|out", throw
    yield "@discard <thing>", throw
    yield "get rid of <thing>", throw
    yield "dispose of <thing>", throw
    yield (
        "@put <thing> on|onto|upon [top of] <thing:other>",
        lambda found: [Action("put_on", found["thing"], found["other"])],
    )


def _lifts() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def lift(found: Found) -> list[Action]:
        return [Action("lift", found["thing"], cm=found.get("distance", LIFT_CM))]

    def carry(found: Found) -> list[Action]:
        return [Action("carry", found["thing"], found["area"])]

    def grasp(found: Found) -> list[Action]:
        return [Action("grasp", found["thing"])]

    yield "pick up <thing>", lambda found: [Action("pick_up", found["thing"])]
    yield "pick <thing> up", lambda found: [Action("pick_up", found["thing"])]
    yield "@grasp [hold of] <thing>", grasp
    yield "@lift [up] <thing> [up] [<distance>]", lift
    yield "@carry <thing> [up] to|onto|at <area>", carry
    yield "pick up <thing> to <area>", carry
    yield "@push <thing> up to <area>", carry


def _motions() -> Iterator[tuple[str, Callable[[Found], list[Action]]]]:
    def reach(found: Found) -> list[Action]:
        return [Action("reach", found["thing"])]

    for side, words in _PLACES.items():
        yield f"{_GO} [<distance>] {words} <thing>", _beside(side)
    yield "@reach [for] <thing>", reach
    yield "@move [the] [gripper|arm] to|towards [the] [center|middle] [of] <thing>", reach
    yield (
        "@move [the] [gripper|arm] away from <thing> by <distance>",
        lambda found: [Action("retreat", found["thing"], cm=found["distance"])],
    )
    yield "open [up] [the] gripper", lambda found: [Action("open_gripper")]
    yield "close|shut [the] gripper", lambda found: [Action("close_gripper")]
    yield "let go [of <thing>]", lambda found: [Action("open_gripper")]
    yield "release [<thing>]", lambda found: [Action("open_gripper")]
    yield "go|move|come|return [back] home", lambda found: [Action("home")]
    yield (
        "go|move|come|return [back] to the|your default|home|resting|start pose|position",
        lambda found: [Action("home")],
    )


def _beside(side: str) -> Callable[[Found], list[Action]]:
    return lambda found: [Action("beside", found["thing"], cm=found.get("distance", BESIDE_CM), side=side)]


FRAMES = tuple(_frames())
_BETWEEN = "[,|.|;|:] [and] [,] [then|next|finally|afterwards|lastly] [after that] [followed by] [,]"


def understand(sentence: str, names: Sequence[str]) -> tuple[list[Action], Manner]:
    """Read an instruction. Raises InstructionRefused naming the part that is not understood, and what would be."""
    tokens = tokenize(sentence)
    try:
        _check_mood(tokens)
        tokens, manner = _manner(_without_politeness(tokens, names), names)
        reader = Reader(tokens, Reader.of("", names).names)
        actions = _clauses(reader, 0, None) if tokens else []
        if actions is None:
            raise InstructionRefused(_not_understood(reader, sentence))
    except InstructionRefused as refusal:
        raise InstructionRefused(f"{refusal}{_suggestion(sentence, names)}") from None
    if not actions:
        actions = [Action("keep_away", name, cm=cm) for cm, name in manner.avoid]
        manner = Manner(manner.speed, manner.within)
    if not actions:
        raise InstructionRefused(f"nothing to do in {sentence!r}{_suggestion(sentence, names)}")
    return actions, manner


def _check_mood(tokens: Sequence[Token]) -> None:
    """Refuse what is no plain order: a question, a negation, a choice, a condition."""
    if not any(token.text.isalnum() for token in tokens):
        raise InstructionRefused("the instruction is empty")
    words = [token.text for token in tokens if token.text.isalnum() or "'" in token.text]
    begin = next((word for word in words if word not in ("please", "robot", "hey", "and", "so")), "")
    if "?" in [token.text for token in tokens] or begin in QUESTIONS:
        raise InstructionRefused("this is a question, and only orders are carried out")
    for word in words:
        if word in NEGATIONS or word.endswith("n't"):
            raise InstructionRefused(f"not understood: {word!r}; nothing is done on a sentence with a negation")
        if word in UNDECIDED:
            raise InstructionRefused(f"not understood: {word!r}; the sentence leaves {UNDECIDED[word]}")
    for phrase, why in UNDECIDED_PHRASES.items():
        if phrase in pairwise(words):
            raise InstructionRefused(f"not understood: {' '.join(phrase)!r}; the sentence asks for {why}")


def _without_politeness(tokens: tuple[Token, ...], names: Sequence[str]) -> tuple[Token, ...]:
    for pattern in POLITE:
        tokens, _ = _cut(tokens, pattern, names)
    return _tidy(tokens)


def _manner(tokens: tuple[Token, ...], names: Sequence[str]) -> tuple[tuple[Token, ...], Manner]:
    """Take speeds and things to avoid out of the sentence. Raises InstructionRefused for two speeds."""
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
    avoid: list[tuple[float, str]] = []
    for phrase in (
        "[,] [while|and] staying|keeping|remaining|stay|keep [at least] [<distance>] away|clear from|of <thing>",
        "[,] [while|and] avoiding|avoid <thing>",
    ):
        tokens, found = _cut(tokens, phrase, names)
        avoid += [(each.get("distance", KEEP_AWAY_CM), each["thing"]) for each in found]
    speed, within = speeds[0] if speeds else (None, None)
    return _tidy(tokens), Manner(speed, within, tuple(avoid))


def _cut(tokens: tuple[Token, ...], pattern: str, names: Sequence[str]) -> tuple[tuple[Token, ...], list[Found]]:
    """Cut every phrase that fits `pattern` out of the sentence; return what is left and what was found."""
    cut: list[Found] = []
    at = 0
    reader = Reader.of("", names)
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
        if token.text.isalnum() or (kept and kept[-1].text.isalnum()) or " " in token.text or "'" in token.text:
            kept.append(token)
    while kept and kept[-1].text in ".,;:!":
        kept.pop()
    return tuple(kept)


def _clauses(reader: Reader, start: int, last: str | None) -> list[Action] | None:
    """Read clauses from `start` to the end of the sentence; None when that cannot be done."""
    if start == len(reader.tokens):
        return []
    for _, first in reader.match("[first|firstly] [,]", start):
        for pattern, build in FRAMES:
            for found, end in reader.match(pattern, first, last):
                actions = build(found)
                rest = _after(reader, end, actions[-1].thing or last)
                if rest is not None:
                    return actions + rest
    return None


def _after(reader: Reader, end: int, last: str | None) -> list[Action] | None:
    if end == len(reader.tokens):
        return []
    for _, start in reader.match(_BETWEEN, end):
        if end < start < len(reader.tokens):
            rest = _clauses(reader, start, last)
            if rest is not None:
                return rest
    return None


def _not_understood(reader: Reader, sentence: str) -> str:
    at, complaint = reader.names.complaint
    if at >= reader.farthest:
        return complaint
    begin = reader.tokens[min(reader.farthest, len(reader.tokens) - 1)].part[0]
    if reader.farthest >= len(reader.tokens):
        return f"not understood: {sentence.strip()!r} ends too soon"
    return f"not understood: {sentence[begin:].strip()!r}"


def _suggestion(sentence: str, names: Sequence[str]) -> str:
    """`; nearest instruction: '...'` out of plain ones that fit the things of this scene."""
    plain = list(_plain_instructions(names))
    best = max(plain, key=lambda each: SequenceMatcher(None, sentence.lower()[:200], each).ratio())
    return f"; nearest instruction: {best!r}"


def _plain_instructions(names: Sequence[str]) -> Iterator[str]:
    known = Reader.of("", names).names
    for drawer in known.named("drawer"):
        yield f"open the {drawer}"
        yield f"close the {drawer}"
    yield from (f"press the {button}" for button in known.named("button"))
    fixed = {name for kind in ("drawer", "button", "container", "area", "cabinet") for name in known.named(kind)}
    for thing in (name for name in known.named("thing") if name not in fixed):
        yield f"pick up the {thing}"
        yield from (f"put the {thing} in the {container}" for container in known.named("container"))
        yield from (f"push the {thing} to the {area}" for area in known.named("area"))
        yield from (f"lift the {thing} to the {area}" for area in known.named("area"))
    yield "open the gripper"
