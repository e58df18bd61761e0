"""The offline composer: from a sub-goal sentence to the program that asks for its maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...robots.errors import InstructionRefused
from .lexicon import PARTS
from .pattern import Reader
from .program_text import call, lines, quoted

PRESS_CM = 1.5
"""How far below the top of a button its press ends."""

_MANNER = (
    "[, at <number:speed> x speed [when within <distance:near> of <thing:nearby>]] "
    "[, staying <distance:away> away from <thing+:avoided>]"
)
_HOLDING = "[while holding <thing:held>]"


@dataclass(frozen=True, slots=True)
class Maps:
    """Queries of the maps of one sub-goal, and what moves."""

    affordance: str | None = None
    rotation: str | None = None
    gripper: str | None = None
    movable: str = "gripper"


Found = dict[str, Any]


def composer(text: str, names: Sequence[str]) -> str:
    """Write the composer's program for a sub-goal. Raises InstructionRefused."""
    reader = Reader.of(text, names)
    for pattern, build in _FRAMES:
        found = reader.whole(f"{pattern} {_MANNER}")
        if found is not None:
            return _program(build(found), found)
    if reader.whole("return|go [back] to the default pose") is not None:
        return "reset_to_default_pose()\n"
    raise InstructionRefused(f"no sub-goal is understood in {text!r}: {reader.names.complaint[1] or 'unknown words'}")


def _program(maps: Maps, found: Found) -> str:
    queries = {
        "affordance": maps.affordance,
        "avoidance": _avoidance(found),
        "rotation": maps.rotation,
        "velocity": _velocity(found),
        "gripper": maps.gripper,
    }
    asked = {kind: query for kind, query in queries.items() if query is not None}
    return lines(
        f"movable = {call('parse_query_obj', maps.movable)}",
        *(f"{kind}_map = get_{kind}_map({quoted(query)})" for kind, query in asked.items()),
        f"execute({', '.join(['movable', *(f'{kind}_map={kind}_map' for kind in asked)])})",
    )


def _avoidance(found: Found) -> str | None:
    return f"{found['away']:g}cm from the {' and the '.join(found['avoided'])}" if "avoided" in found else None


def _velocity(found: Found) -> str | None:
    if "speed" not in found:
        return None
    near = f" when within {found['near']:g}cm of the {found['nearby']}" if "near" in found else ""
    return f"{found['speed']:g}x speed{near}"


def _grasp(found: Found) -> Maps:
    thing = found["thing"]
    facing = f"face the {thing}" if thing.rsplit(maxsplit=1)[-1] in PARTS else "point down"
    return Maps(
        f"the center of the {thing}",
        f"{facing} with the fingers across the {thing}",
        f"open everywhere except 1cm around the {thing}",
    )


def _retreat(found: Found) -> Maps:
    goal = f"a point {found['distance']:g}cm away from the {found['thing']}, from where the gripper started"
    return Maps(goal, gripper=_grip(found))


def _in_front(found: Found) -> Maps:
    thing = found["thing"]
    return Maps(f"a point {found['distance']:g}cm in front of the {thing}", f"face the {thing}", "closed everywhere")


def _shut(found: Found) -> Maps:
    drawer = found["drawer"]
    return Maps(f"the {drawer} handle when the {drawer} is shut", f"face the {drawer}", "closed everywhere")


def _press(found: Found) -> Maps:
    goal = f"a point {PRESS_CM:g}cm below the top of the {found['thing']}"
    return Maps(goal, "point down", "closed everywhere")


def _beside(side: str, *, closed: bool) -> Callable[[Found], Maps]:
    def maps(found: Found) -> Maps:
        goal = f"a point {found['distance']:g}cm {side} the {found['thing']}"
        return Maps(goal, gripper="closed everywhere" if closed else _grip(found))

    return maps


def _center(found: Found) -> Maps:
    return Maps(f"the center of the {found['thing']}", gripper=_grip(found))


def _rest(found: Found) -> Maps:
    goal = f"a point where the {found['thing']} rests on the {found['other']}"
    return Maps(goal, gripper="closed everywhere")


def _push(found: Found) -> Maps:
    return Maps(f"the center of the {found['other']}", movable=found["thing"])


def _lift(found: Found) -> Maps:
    return Maps(f"a point {found['distance']:g}cm above where the gripper started", gripper=_grip(found))


def _near(found: Found) -> Maps:
    return Maps(f"anywhere within {found['distance']:g}cm of the {found['thing']}", gripper=_grip(found))


def _keep_away(found: Found) -> Maps:
    return Maps(f"anywhere at least {found['distance']:g}cm from the {found['thing']}")


def _grip(found: Found) -> str | None:
    return "closed everywhere" if "held" in found else None


SIDES = {
    "above": "above",
    "on top of": "on top of",
    "below": "below",
    "in front of": "in front of",
    "behind": "behind",
    "to the left of": "[to the] left of",
    "to the right of": "[to the] right of",
}
"""Relation as map queries say it -> pattern."""

_FRAMES: tuple[tuple[str, Callable[[Found], Maps]], ...] = (
    ("grasp <thing>", _grasp),
    (f"move away from <thing> by <distance> {_HOLDING}", _retreat),
    ("open the gripper", lambda found: Maps(gripper="open everywhere")),
    ("close the gripper", lambda found: Maps(gripper="closed everywhere")),
    ("move to <distance> in front of <thing> with the gripper closed , facing it", _in_front),
    ("push <drawer> shut", _shut),
    ("press <thing>", _press),
    (f"move to the center of <thing> {_HOLDING}", _center),
    ("move to where <thing> rests on <thing:other>", _rest),
    *((f"move to <distance> {words} <thing> {_HOLDING}", _beside(side, closed=False)) for side, words in SIDES.items()),
    *(
        (f"move to <distance> {words} <thing> with the gripper closed", _beside(side, closed=True))
        for side, words in SIDES.items()
    ),
    (f"move to within <distance> of <thing> {_HOLDING}", _near),
    ("push <thing> to <thing:other>", _push),
    (f"lift the gripper by <distance> {_HOLDING}", _lift),
    ("stay <distance> away from <thing>", _keep_away),
)
