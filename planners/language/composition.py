"""Runs the programs of one sub-goal: what the composer asks for, and the maps that come of it on a scene."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ...robots.errors import ProgramError
from ..value_map import DenseMap, RegionMap, ValueMaps
from .api import MAP_KINDS, SceneApi
from .budget import Budget
from .interpreter import Program
from .scene_values import Body, MapHandle, Observation
from .subgoal import GRIPPER, SubGoal
from .values import describe
from .writer import ProgramWriter

_FIELDS = {"affordance": "goal", "avoidance": "cost", "rotation": "rotation", "velocity": "speed", "gripper": "gripper"}
"""Kind of a map in a program -> field of ValueMaps."""

_KEPT_AWAY = ("avoidance", "velocity")
"""What only these maps name is not a target."""


@dataclass(frozen=True, slots=True)
class MapQuery:
    """A map that a composer asked for; its program has worked on the scene in which the sub-goal began."""

    kind: str
    query: str

    program_name = "map"


@dataclass(frozen=True)
class SceneRun:
    """Programs run on one scene, within one budget.

    names: what the programs were written for. asks: whether a program that is missing may be written now.
    """

    writer: ProgramWriter
    api: SceneApi
    names: tuple[str, ...]
    asks: bool = False

    def vocabulary(self) -> dict[str, Callable[..., Any]]:
        """Return what a map program can call."""
        return {**self.api.names(), "parse_query_obj": self.parse_query_obj}

    def parse_query_obj(self, query: Any) -> Any:
        """Return what `query` names, an observation or a list of them. Raises ProgramError if it is not visible."""
        return self._result("parse_query_obj", query, SceneRun._parsed)

    def ask_map(self, kind: str, query: Any) -> MapQuery:
        """Have the program of a map written and tried out."""
        self._result(f"get_{kind}_map", query, partial(SceneRun._written, kind=kind))
        return MapQuery(kind, query)

    def maps(self, queries: Sequence[MapQuery]) -> ValueMaps:
        """Evaluate maps on this scene."""
        written: dict[str, Any] = {
            _FIELDS[each.kind]: self._result(
                f"get_{each.kind}_map", each.query, partial(SceneRun._written, kind=each.kind)
            )
            for each in queries
        }
        return ValueMaps(**written)

    def program(self, name: str, query: str) -> Program | None:
        """Return a program that has been written, for a report."""
        return self.writer.known(name, query, self.names)

    def _result(self, name: str, query: Any, run: Callable[[SceneRun, Program], Any]) -> Any:
        """Run a program, within this budget, that if need be is first written and tried within budgets of its own."""
        if not isinstance(query, str):
            raise ProgramError(f"{name} takes a description in words, not {describe(query)}")
        program = self.writer.known(name, query, self.names)
        if program is None:
            if not self.asks:
                raise ProgramError(f"{name}({describe(query)}) was not asked for when the sub-goal was composed")
            with self.api.budget.paused():
                program = self.writer.write(name, query, self.names, lambda new: run(self._afresh(), new))
        with self.api.budget.call():
            return run(self, program)

    def _afresh(self) -> SceneRun:
        return replace(self, api=replace(self.api, budget=Budget(self.api.budget.seconds)))

    def _written(self, program: Program, *, kind: str) -> DenseMap | RegionMap:
        result = program.run(self.vocabulary(), self.api.budget)
        if not isinstance(result, MapHandle) or result.kind != kind:
            raise ProgramError(f"ret_val must be the {kind} map that was written, not {describe(result)}")
        return result.values

    def _parsed(self, program: Program) -> Any:
        found = program.run(self.api.names(), self.api.budget)
        several = isinstance(found, list)
        items = [item for item in (found if several else [found]) if item is not None]
        if not items:
            raise ProgramError("the object is not visible now: ret_val is None")
        if not all(isinstance(item, Observation | Body) for item in items):
            raise ProgramError(f"ret_val must be what detect returned, or a list of that, not {describe(found)}")
        return items if several else items[0]


@dataclass
class Composition:
    """Collects the sub-goals that a composer's program asks for; nothing moves."""

    text: str
    source: str
    run: SceneRun
    close: Callable[[Sequence[MapQuery]], Callable[[Any], ValueMaps]]
    subgoals: list[SubGoal] = field(default_factory=list)

    def vocabulary(self) -> dict[str, Callable[..., Any]]:
        """Return what a composer's program can call beyond what every map program can."""
        getters = {f"get_{kind}_map": self._getter(kind) for kind in MAP_KINDS}
        return {**getters, "execute": self.execute, "reset_to_default_pose": self.reset_to_default_pose}

    def execute(
        self,
        movable: Any,
        *,
        affordance_map: Any = None,
        avoidance_map: Any = None,
        rotation_map: Any = None,
        velocity_map: Any = None,
        gripper_map: Any = None,
    ) -> None:
        """Record a sub-goal: bring `movable` to where the affordance map is highest, as the other maps say."""
        if not isinstance(movable, Observation | Body) or movable.name == "table":
            raise ProgramError(f"execute moves the gripper or an observed object, not {describe(movable)}")
        given = zip(MAP_KINDS, (affordance_map, avoidance_map, rotation_map, velocity_map, gripper_map), strict=True)
        queries = [_checked(kind, value) for kind, value in given if value is not None]
        if not queries:
            raise ProgramError("execute needs at least one map")
        self._record(movable.name, queries, home=False)

    def reset_to_default_pose(self) -> None:
        """Record a sub-goal that takes the arm back to its resting pose."""
        self._record(GRIPPER, [], home=True)

    def _getter(self, kind: str) -> Callable[[Any], MapQuery]:
        def getter(query: Any) -> MapQuery:
            return self.run.ask_map(kind, query)

        getter.__name__ = f"get_{kind}_map"
        return getter

    def _record(self, movable: str, queries: Sequence[MapQuery], *, home: bool) -> None:
        if len(self.subgoals) == 8:
            raise ProgramError("a composer's program calls execute at most 8 times")
        maps = self.close(queries)
        self.subgoals.append(SubGoal(self.text, movable, self._targets(queries), self._report(queries), maps, home))

    def _targets(self, queries: Sequence[MapQuery]) -> tuple[str, ...]:
        kept_away = {
            name for each in queries if each.kind in _KEPT_AWAY for name in named_in(each.query, self.run.names)
        }
        return tuple(name for name in named_in(self.text, self.run.names) if name not in kept_away)

    def _report(self, queries: Sequence[MapQuery]) -> str:
        parts = [self.source.strip()]
        for each in queries:
            program = self.run.program(f"get_{each.kind}_map", each.query)
            if program is not None:
                parts.append(f"# get_{each.kind}_map({each.query!r})\n{program.source.strip()}")
        return "\n\n".join(parts) + "\n"


def named_in(text: str, names: Sequence[str]) -> list[str]:
    """Names that occur in `text` as whole words, in the order of `text`; where one name holds another, the longer."""
    longest_first = sorted(set(names), key=len, reverse=True)
    if not longest_first:
        return []
    pattern = r"\b(?:" + "|".join(re.escape(name) for name in longest_first) + r")\b"
    found = (match.group(0).lower() for match in re.finditer(pattern, text, flags=re.IGNORECASE))
    by_lower = {name.lower(): name for name in names}
    return list(dict.fromkeys(by_lower[each] for each in found))


def _checked(kind: str, value: Any) -> MapQuery:
    if not isinstance(value, MapQuery) or value.kind != kind:
        raise ProgramError(f"{kind}_map must come from get_{kind}_map('...'), not from {describe(value)}")
    return value
