"""Close the one drawer that stands open. After RLBench's `close_drawer`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.geometry import compose, pose_from, quat_from_axes
from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, behind, near, on_the_way_in
from . import cabinet
from .task import Task, closeness
from .world import World

AJAR = 0.10
"""m, how far the drawer stands open at the start."""
MOVED = 0.06
"""m, how far it has to move; RLBench takes either direction, here only inward counts."""
REST = 0.012
"""m, opening at which the expert stops pushing."""
TIP = 0.015
"""m, from the tool point to the middle of a bar that the closed finger tips touch."""


def push_grips(*pitches_deg: float) -> tuple[Floats, ...]:
    """Tool rotations (4,) in the frame of a drawer that push its bar, the wide hand level between the others."""
    ways = [(-np.cos(pitch), 0, -np.sin(pitch)) for pitch in np.deg2rad(pitches_deg)]
    return tuple(quat_from_axes(way, (0, 1, 0)) for way in ways)


class CloseDrawer(Task):
    """One variation a drawer: bottom, middle, top."""

    name = "close_drawer"
    variation_count = 3
    max_steps = 310  # the expert's longest episode of 100: 102
    reward_scales: ClassVar = {"reach": 0.3, "close": 0.7}
    grips = push_grips(0, 15, 30, 45)

    @property
    def drawer(self) -> str:
        """The one that stands open."""
        return cabinet.DRAWERS[self.variation]

    def templates(self, variation: int) -> tuple[str, ...]:
        level = cabinet.LEVELS[variation]
        return (f"close the {level} drawer", f"shut the {level} drawer", f"slide the {level} drawer shut")

    def roles(self, variation: int) -> dict[str, str]:
        return cabinet.roles(variation)

    def build(self, spec: mujoco.MjSpec) -> None:
        cabinet.build(spec)

    def place(self, world: World, rng: np.random.Generator) -> None:
        cabinet.place(world, rng)
        world.set_joint(self.drawer, AJAR)

    def success(self, world: World) -> bool:
        return world.joint(self.drawer) < AJAR - MOVED and world.arm_rests

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        drawer, tool, name = world.pose(self.drawer), world.tool, self.drawer
        touching = compose(drawer, pose_from((cabinet.STAND_OFF + TIP, 0, 0), grip))
        travel = max(0.0, world.joint(name) - REST)
        shut = compose(drawer, pose_from((cabinet.STAND_OFF + TIP - travel, 0, 0), grip))
        entering = on_the_way_in(tool, touching, length=0.08)
        at_bar = near(tool, touching, distance=0.012)
        return [
            Keyframe("before the handle", behind(touching, 0.08), CLOSED),
            Keyframe("to the handle", touching, CLOSED, straight=True, touches=name, when=entering),
            Keyframe("push", shut, CLOSED, straight=True, speed=0.12, touches=name, when=at_bar),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - cabinet.bar(world, self.drawer)))),
            "close": float(np.clip((AJAR - world.joint(self.drawer)) / MOVED, 0, 1)),
        }
