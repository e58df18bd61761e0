"""The grammar of instructions: a sentence becomes actions, or is refused with the part that was not understood.

Every word of a sentence must have found its place; nothing is skipped, so a word that changes the meaning cannot be
overlooked.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from ...robots.errors import InstructionRefused
from .instructions import FRAMES, Action
from .manner import Manner, check_mood, cut_manner, without_courtesy
from .noun_phrase import Names
from .pattern import Reader
from .tokens import tokenize

_BETWEEN = "[,|.|;|:] [and] [,] [then|next|finally|afterwards|lastly] [after that] [followed by] [,]"


def understand(sentence: str, names: Sequence[str]) -> tuple[list[Action], Manner]:
    """Read an instruction. Raises InstructionRefused naming the part that is not understood."""
    tokens = tokenize(sentence)
    check_mood(tokens)
    tokens, manner = cut_manner(without_courtesy(tokens, names), names)
    reader = Reader(tokens, Names(names))
    actions = _clauses(reader, 0, None)
    if actions is None:
        raise InstructionRefused(_not_understood(reader, sentence))
    if not actions:  # nothing but a manner: to keep away is then what there is to do
        actions = [Action("keep_away", name, cm=manner.away) for name in manner.avoid]
        manner = Manner(manner.speed, manner.within)
    if not actions:
        raise InstructionRefused(f"there is nothing to do in {sentence!r}")
    return actions, manner


def _clauses(reader: Reader, start: int, last: str | None) -> list[Action] | None:
    """Read clauses from `start` to the end of the sentence; None when that cannot be done."""
    if start == len(reader.tokens):
        return []
    if (start, last) in reader.dead:
        return None
    for _, first in reader.match("[first|firstly] [,]", start):
        for pattern, build in FRAMES:
            for found, end in reader.match(pattern, first, last):
                actions = build(found)
                rest = _after(reader, end, actions[-1].thing or last)
                if rest is not None:
                    return actions + rest
    reader.dead.add((start, last))
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


def nearest_instruction(sentence: str, names: Sequence[str]) -> str:
    """Return a plain instruction that fits the things of this scene and has most words in common with `sentence`."""
    words = {token.word for token in tokenize(sentence)}

    def likeness(plain: str) -> tuple[int, float]:
        common = len(words & {token.word for token in tokenize(plain)})
        return common, SequenceMatcher(None, sentence.lower()[:200], plain).ratio()

    return max(_plain_instructions(names), key=likeness)


def _plain_instructions(names: Sequence[str]) -> list[str]:
    known = Names(names)
    drawers, buttons, containers, areas = map(known.named, ("drawer", "button", "container", "area"))
    fixed = {*drawers, *buttons, *containers, *areas, *known.named("cabinet")}
    things = [name for name in known.named("thing") if name not in fixed]
    plain = [f"{verb} the {drawer}" for drawer in drawers for verb in ("open", "close")]
    plain += [f"press the {button}" for button in buttons]
    plain += [f"pick up the {thing}" for thing in things]
    plain += [f"put the {thing} in the {container}" for thing in things for container in containers]
    plain += [f"{verb} the {thing} to the {area}" for thing in things for area in areas for verb in ("push", "lift")]
    return plain or ["open the gripper"]
