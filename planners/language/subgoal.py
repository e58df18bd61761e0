"""One step of an instruction, as the executor carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..value_map import ValueMaps

if TYPE_CHECKING:
    from ...envs.perception.scene import Scene

GRIPPER = "gripper"
"""`SubGoal.movable` where the gripper itself is what moves."""


@dataclass(frozen=True)
class SubGoal:
    """What to reach, with the maps as closures over the newest scene.

    text: the sentence it was composed from. movable: GRIPPER, or the name of the object that is to be moved.
    targets: the scene's names in `text`, but for those it only keeps away from; the sub-goal may touch them.
    program: the source of the composer's program and of the map programs that it asked for.
    maps: makes the value maps of a scene, without asking a language model; raises ProgramError, for one where an
    object is not visible. What a program measures from where the sub-goal began stays where it was, so compose a
    sub-goal when it begins, and again when it is tried again. home: go back to the resting pose; `maps` is empty.
    """

    text: str
    movable: str
    targets: tuple[str, ...]
    program: str = field(repr=False)
    maps: Callable[[Scene], ValueMaps] = field(repr=False)
    home: bool = False
