"""The sentence patterns of the offline grammar, and the actions that each asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

OPEN_CM, LIFT_CM, BESIDE_CM = 20.0, 15.0, 10.0
"""Lengths that a sentence leaves open."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. kind: a method of `steps.Steps`. thing, other: names. cm: a length. side: a relation."""

    kind: str
    thing: str | None = None
    other: str | None = None
    cm: float | None = None
    side: str | None = None


Found = dict[str, Any]
Frames = Iterator[tuple[str, Callable[[Found], list[Action]]]]

_INTO = "in|into|inside|to [to]"
_TO = (
    "to|onto|on|towards|toward|into",
    "on top of",
    "over",
    "over|right to|onto",
    "in the direction of",
    "until it is [sitting|lying] on [top of]",
    "until it sits|lies on [top of]",
    "until it covers|reaches",
    "so [that] it covers|reaches",
    "so [that] it is|sits|lies [sitting] on [top of]",
)
_PLACES = {
    "above": "above|over",
    "on top of": "on top of",
    "below": "below|under|underneath",
    "in front of": "in front of",
    "behind": "behind",
    "left of": "[to] [the] left [side] of",
    "right of": "[to] [the] right [side] of",
    "near": "near|beside|next|close [to]",
}
"""Relation -> the patterns that express it before a thing."""

_HAND = "[the|your] [gripper|arm]"
_GO = f"@move [on] {_HAND} [to] [a point]"


def _frames() -> Frames:
    """Yield each (pattern of a clause, what it asks for)."""
    yield from _drawers()
    yield from _buttons()
    yield from _pushes()
    yield from _placements()
    yield from _lifts()
    yield from _motions()


def _drawers() -> Frames:
    def pull(found: Found) -> list[Action]:
        return [Action("pull", name, cm=found.get("distance", OPEN_CM)) for name in found["drawers"]]

    def shut(found: Found) -> list[Action]:
        return [Action("shut", name) for name in found["drawers"]]

    towards = "towards|toward you|yourself|me|us"
    yield "@open [up] <drawer+> [<distance>] [wide]", pull
    yield f"@pull [on] <drawer+> [open|out] [{towards}] [<distance>]", pull
    yield "@pull open|out <drawer+> [<distance>]", pull
    yield "get|make <drawer+> open", pull
    yield "make sure [that] <drawer+> is|stands open", pull
    yield (
        f"@grasp [hold of] <handle> and @pull [open|out] [{towards}] [<distance>]",
        lambda found: [
            Action("grasp", found["handle"]),
            Action("pull", found["handle"].rsplit(" ", 1)[0], cm=found.get("distance", OPEN_CM)),
        ],
    )
    yield "move <drawer+> open|out [<distance>]", pull
    yield "@close [up] <drawer+> [by pushing [it]] [again]", shut
    yield "@shut|move <drawer+> [back] in|shut|closed", shut
    yield "@shut <drawer+> until it is shut|closed", shut
    yield "@shut <drawer+> [back] in|into|inside <cabinet>", shut
    yield "@shut [back] in|shut|closed <drawer+>", shut
    yield "get|make <drawer+> closed|shut", shut
    yield "make sure [that] <drawer+> is closed|shut", shut


def _buttons() -> Frames:
    def press(found: Found) -> list[Action]:
        return [Action("press", name) for name in found["buttons"]]

    yield "@press [down|in] [on] <button+> [down|in]", press

    def press_after(found: Found) -> list[Action]:
        return [Action("press", found["first"]), *press(found)]

    yield "after @press+ing [down] [on] <button:first> [,] @press [down] [on] <button+>", press_after
    yield "@press [down] [on] <button+> after [@press+ing] <button:first>", press_after


def _pushes() -> Frames:
    def push(found: Found) -> list[Action]:
        return [Action("push", found["thing"], found["area"])]

    by_pushing = "[by pushing|sliding [it] [<thing:again>] [in its direction]]"
    for to in _TO:
        yield f"@push <thing> [across the table] {to} <area> {by_pushing} [until it is on [top of] it]", push
        yield f"<thing> should|must|has|needs [to] be @push+ed {to} <area>", push
        yield f"{to} <area> [,] @push <thing>", push
        yield f"bring <thing> {to} <area> by pushing|sliding it", push
    yield f"cover <area> with <thing> {by_pushing}", push


def _placements() -> Frames:
    def put(found: Found) -> list[Action]:
        return [Action("put_in", name, found["container"]) for name in found["things"]]

    def throw(found: Found) -> list[Action]:
        return [Action("throw_away", name) for name in found["things"]]

    yield f"@put <thing+> {_INTO} <container>", put
    yield f"@carry <thing+> {_INTO} <container>", put
    yield f"<thing+> belongs|goes {_INTO} <container>", put
    yield f"{_INTO} <container> [goes|with] <thing+>", put
    yield f"{_INTO} <container> [,] @put <thing+>", put
    yield "@throw away|out <thing+>", throw
    yield "@throw <thing+> away|out", throw
    yield "@discard <thing+>", throw
    yield "@tidy [up|away] <rubbish+:things>", throw
    yield "@tidy <rubbish+:things> up|away", throw
    yield "@put <rubbish+:things> away", throw
    yield "remove <rubbish+:things>", throw
    yield "get rid of <thing+>", throw
    yield "dispose of <thing+>", throw
    yield (
        "@put|stack <thing> on|onto|upon [top of] <thing:other>",
        lambda found: [Action("put_on", found["thing"], found["other"])],
    )


def _lifts() -> Frames:
    def lift(found: Found) -> list[Action]:
        return [Action("lift", found["thing"], cm=found.get("distance", LIFT_CM))]

    def carry(found: Found) -> list[Action]:
        return [Action("carry", found["thing"], found["area"])]

    def grasp(found: Found) -> list[Action]:
        return [Action("grasp", found["thing"])]

    yield "pick [up] <thing>", lambda found: [Action("pick_up", found["thing"])]
    yield "pick <thing> up", lambda found: [Action("pick_up", found["thing"])]
    yield "@grasp [hold of] <thing>", grasp
    yield "@lift [up] <thing> [up] [<distance>]", lift
    yield "@carry <thing> [up] to|onto|at <area>", carry
    yield "pick|lift up <thing> [up] to <area>", carry
    yield "@push <thing> up to <area>", carry


def _motions() -> Frames:
    def reach(found: Found) -> list[Action]:
        return [Action("reach", found["thing"])]

    for side, words in _PLACES.items():
        yield f"{_GO} [<distance>] {words} <thing>", _beside(side)
    yield "@reach [out] [for|to] <thing>", reach
    yield f"@move {_HAND} to|towards [the] [center|middle] [of] <thing>", reach
    yield (
        f"@move {_HAND} away from <thing> by <distance>",
        lambda found: [Action("retreat", found["thing"], cm=found["distance"])],
    )
    yield "open [up] [the|your] gripper", lambda found: [Action("open_gripper")]
    yield "close|shut [the|your] gripper", lambda found: [Action("close_gripper")]
    yield "let go [of <thing>]", lambda found: [Action("open_gripper")]
    yield "release|drop [<thing>]", lambda found: [Action("open_gripper")]
    yield "go|move|come|return [back] home", lambda found: [Action("home")]
    yield (
        "go|move|come|return [back] to the|your default|home|resting|start pose|position",
        lambda found: [Action("home")],
    )


def _beside(side: str) -> Callable[[Found], list[Action]]:
    return lambda found: [Action("beside", found["thing"], cm=found.get("distance", BESIDE_CM), side=side)]


FRAMES = tuple(_frames())
"""(pattern of a clause, what it asks for); the first that lets the whole sentence be read wins."""
