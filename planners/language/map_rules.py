"""The offline programs of maps and objects: from a description of a place, a pose or a speed to code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...robots.errors import InstructionRefused
from .lexicon import FURNITURE, HAVE_HANDLES, PARTS
from .pattern import Reader
from .program_text import call, lines, quoted

Found = dict[str, Any]
Writer = Callable[[Found, Sequence[str]], str]


def parse_query_obj(query: str, names: Sequence[str]) -> str:
    """Write the program that finds what `query` names. Raises InstructionRefused."""
    reader = Reader.of(query, names)
    found = reader.whole("<thing>")
    if found is not None:
        return lines(f"ret_val = {call('detect', found['thing'])}")
    for body in ("gripper", "table"):
        if reader.whole(f"[the] {body}") is not None:
            return lines(f"ret_val = {call('detect', body)}")
    raise InstructionRefused(f"no object is understood in {query!r}: {reader.names.complaint[1] or 'unknown words'}")


def _object(variable: str, name: str) -> str:
    return f"{variable} = {call('parse_query_obj', name)}"


def _affordance(*code: str) -> str:
    return lines("affordance_map = get_empty_affordance_map()", *code, "ret_val = affordance_map")


def _point(*code: str) -> str:
    """A program whose `code` sets `point`, the one goal."""
    return _affordance(*code, "x, y, z = point", "affordance_map[x, y, z] = 1")


def _center(found: Found, names: Sequence[str]) -> str:
    return _point(_object("thing", found["thing"]), "point = thing.position")


def _beside(axis: int, sign: int) -> Writer:
    """Place the goal beyond that side of the thing's box to which an axis of the world points."""

    def writer(found: Found, names: Sequence[str]) -> str:
        side, step = (f"high[{axis}]", "+") if sign > 0 else (f"low[{axis}]", "-")
        place = ["x", "y", "z"]
        place[axis] = f"{side} {step} cm2index({found['distance']:g}, '{'xyz'[axis]}')"
        return _affordance(
            _object("thing", found["thing"]),
            "low, high = thing.aabb",
            "x, y, z = thing.position",
            f"affordance_map[{', '.join(place)}] = 1",
        )

    return writer


def _in_front(found: Found, names: Sequence[str]) -> str:
    if not _has_front(found["thing"]):
        return _beside(0, 1)(found, names)
    return _point(
        _object("thing", found["thing"]),
        f"point = thing.position + cm2index({found['distance']:g}, thing.normal)",
    )


def _below_top(found: Found, names: Sequence[str]) -> str:
    return _point(
        _object("thing", found["thing"]),
        "low, high = thing.aabb",
        f"point = vector(thing.position[0], thing.position[1], high[2] - cm2index({found['distance']:g}, 'z'))",
    )


def _away(found: Found, names: Sequence[str]) -> str:
    """Along the normal of what has a front; from anything else straight away from its middle."""
    direction = "thing.normal" if _has_front(found["thing"]) else "get_start_ee_pos() - thing.position"
    return _point(
        _object("thing", found["thing"]),
        f"point = get_start_ee_pos() + cm2index({found['distance']:g}, {direction})",
    )


def _lifted(found: Found, names: Sequence[str]) -> str:
    return _point(f"point = get_start_ee_pos() + cm2index({found['distance']:g}, [0, 0, 1])")


def _shut(found: Found, names: Sequence[str]) -> str:
    """Where the handle is once the drawer's front is level with the front of what it belongs to."""
    furniture = next((name for name in names if name.rsplit(maxsplit=1)[-1] in FURNITURE), None)
    if furniture is None:
        raise InstructionRefused(f"{found['drawer']!r} belongs to nothing here that it could be level with")
    return _point(
        _object("drawer", found["drawer"]),
        _object("handle", f"{found['drawer']} handle"),
        _object("body", furniture),
        "opening = dot(drawer.front, drawer.normal) - extent(body, drawer.normal)",
        "point = handle.position - opening * drawer.normal",
    )


def _resting(found: Found, names: Sequence[str]) -> str:
    """Where the gripper is when the thing in it stands on another: as far above it as it is above its underside."""
    return _point(
        _object("held", found["thing"]),
        _object("base", found["other"]),
        "held_low, held_high = held.aabb",
        "base_low, base_high = base.aabb",
        "height = get_ee_pos()[2] - held_low[2]",
        "point = vector(base.position[0], base.position[1], base_high[2] + height)",
    )


def _anywhere(found: Found, names: Sequence[str]) -> str:
    return _affordance(
        _object("thing", found["thing"]),
        "affordance_map[:, :, :] = 1",
        f"set_voxel_by_radius(affordance_map, thing.position, {found['distance']:g} + max(thing.size) / 2, 0)",
    )


def _near(found: Found, names: Sequence[str]) -> str:
    """Around the thing and not in it."""
    return _affordance(
        _object("thing", found["thing"]),
        "radius = max(thing.size) / 2",
        f"set_voxel_by_radius(affordance_map, thing.position, radius + {found['distance']:g}, 1)",
        "set_voxel_by_radius(affordance_map, thing.position, radius, 0)",
    )


def _avoidance(found: Found, names: Sequence[str]) -> str:
    return lines(
        "avoidance_map = get_empty_avoidance_map()",
        f"for name in [{', '.join(map(quoted, found['things']))}]:",
        "    thing = parse_query_obj(name)",
        f"    radius = {found['distance']:g} + max(thing.size) / 2",
        "    set_voxel_by_radius(avoidance_map, thing.position, radius, 1)",
        "ret_val = avoidance_map",
    )


def _rotation(direction: str, *, across: bool) -> Writer:
    def writer(found: Found, names: Sequence[str]) -> str:
        return lines(
            "rotation_map = get_empty_rotation_map()",
            _object("thing", found["thing"]) if "thing" in found else "",
            f"rotation_map[:, :, :] = pointat2quat({direction}{', thing' if across else ''})",
            "ret_val = rotation_map",
        )

    return writer


def _velocity(found: Found, names: Sequence[str]) -> str:
    if "thing" not in found:
        code = [f"velocity_map[:, :, :] = {found['number']:g}"]
    else:
        ball = f"thing.position, {found['distance']:g} + max(thing.size) / 2, {found['number']:g}"
        code = [_object("thing", found["thing"]), f"set_voxel_by_radius(velocity_map, {ball})"]
    return lines("velocity_map = get_empty_velocity_map()", *code, "ret_val = velocity_map")


def _gripper(everywhere: int, around: int | None = None) -> Writer:
    def writer(found: Found, names: Sequence[str]) -> str:
        ball = "" if around is None else f"thing.position, {found['distance']:g}, {around}"
        return lines(
            "gripper_map = get_empty_gripper_map()",
            f"gripper_map[:, :, :] = {everywhere}",
            _object("thing", found["thing"]) if ball else "",
            f"set_voxel_by_radius(gripper_map, {ball})" if ball else "",
            "ret_val = gripper_map",
        )

    return writer


def _has_front(name: str) -> bool:
    return name.rsplit(maxsplit=1)[-1] in HAVE_HANDLES | PARTS


def _rules(*frames: tuple[str, Writer]) -> Callable[[str, Sequence[str]], str]:
    def rule(query: str, names: Sequence[str]) -> str:
        reader = Reader.of(query, names)
        for pattern, writer in frames:
            found = reader.whole(pattern)
            if found is not None:
                return writer(found, names)
        raise InstructionRefused(f"no map is understood in {query!r}: {reader.names.complaint[1] or 'unknown words'}")

    return rule


_SIDES: tuple[tuple[str, Writer], ...] = (
    ("above|over", _beside(2, 1)),
    ("on top of", _beside(2, 1)),
    ("below|under", _beside(2, -1)),
    ("in front of", _in_front),
    ("behind", _beside(0, -1)),
    ("[to the] left of", _beside(1, 1)),
    ("[to the] right of", _beside(1, -1)),
)

MAP_RULES: dict[str, Callable[[str, Sequence[str]], str]] = {
    "get_affordance_map": _rules(
        ("[the] center of <thing>", _center),
        ("a point <distance> below the top of <thing>", _below_top),
        *((f"a point <distance> {words} <thing>", writer) for words, writer in _SIDES),
        ("a point <distance> away from <thing> , from where the gripper started", _away),
        ("a point <distance> above where the gripper started", _lifted),
        ("<handle> when <drawer> is shut", _shut),
        ("a point where <thing> rests on <thing:other>", _resting),
        ("anywhere within <distance> of <thing>", _near),
        ("anywhere at least <distance> from <thing>", _anywhere),
    ),
    "get_avoidance_map": _rules(("<distance> from <thing+>", _avoidance)),
    "get_rotation_map": _rules(
        ("point down", _rotation("[0, 0, -1]", across=False)),
        ("point down with the fingers across <thing>", _rotation("[0, 0, -1]", across=True)),
        ("face <thing>", _rotation("-thing.normal", across=False)),
        ("face <thing> with the fingers across <thing>", _rotation("-thing.normal", across=True)),
    ),
    "get_velocity_map": _rules(("<number> x speed [when within <distance> of <thing>]", _velocity)),
    "get_gripper_map": _rules(
        ("open everywhere", _gripper(1)),
        ("closed everywhere", _gripper(0)),
        ("open everywhere except <distance> around <thing>", _gripper(1, 0)),
        ("closed everywhere except <distance> around <thing>", _gripper(0, 1)),
    ),
}
