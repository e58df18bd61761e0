"""Open one of three drawers by its handle. After RLBench's `open_drawer`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.geometry import compose, pose_from, quat_from_axes
from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, behind, moved, near, on_the_way_in
from . import cabinet
from .task import Task, closeness
from .world import World

OPENED = 0.15
"""m, RLBench's threshold."""


def handle_grips(*pitches_deg: float) -> tuple[Floats, ...]:
    """Tool rotations (4,) in the frame of a drawer that close over its bar, coming in level or pitched down."""
    grips = []
    for pitch in np.deg2rad(pitches_deg):
        forward, up = (-np.cos(pitch), 0, -np.sin(pitch)), np.array([-np.sin(pitch), 0, np.cos(pitch)])
        grips.append(quat_from_axes(forward, up))
    return tuple(grips)


class OpenDrawer(Task):
    """One variation a drawer: bottom, middle, top."""

    name = "open_drawer"
    variation_count = 3
    max_steps = 310  # the expert's longest episode of 100: 103
    reward_scales: ClassVar = {"reach": 0.3, "grasp": 0.2, "open": 0.5}
    grips = handle_grips(0, 15, 30, 45)

    @property
    def drawer(self) -> str:
        """The one to be opened."""
        return cabinet.DRAWERS[self.variation]

    def templates(self, variation: int) -> tuple[str, ...]:
        level = cabinet.LEVELS[variation]
        return (
            f"open the {level} drawer",
            f"grip the {level} handle and pull the {level} drawer open",
            f"slide the {level} drawer open",
        )

    def roles(self, variation: int) -> dict[str, str]:
        return cabinet.roles(variation)

    def build(self, spec: mujoco.MjSpec) -> None:
        cabinet.build(spec)

    def place(self, world: World, rng: np.random.Generator) -> None:
        cabinet.place(world, rng)

    def success(self, world: World) -> bool:
        return world.joint(self.drawer) > OPENED and world.arm_rests

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        drawer, tool = world.pose(self.drawer), world.tool
        grasp = compose(drawer, pose_from((cabinet.STAND_OFF, 0, 0), grip))
        outward = compose(drawer, pose_from((1, 0, 0), (1, 0, 0, 0)))[:3] - drawer[:3]
        pulled = moved(grasp, outward * (OPENED + 0.025 - world.joint(self.drawer)))
        at_bar, name = near(tool, grasp), self.drawer
        entering = world.width > 0.07 and on_the_way_in(tool, grasp, length=0.10)
        return [
            Keyframe("before the handle", behind(grasp, 0.10)),
            Keyframe("over the handle", grasp, straight=True, when=entering),
            Keyframe("grasp", grasp, CLOSED, straight=True, touches=name, when=at_bar),
            Keyframe("pull", pulled, CLOSED, True, speed=0.12, touches=name, when=at_bar and world.holds(name)),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - cabinet.bar(world, self.drawer)))),
            "grasp": float(world.holds(self.drawer)),
            "open": float(np.clip(world.joint(self.drawer) / OPENED, 0, 1)),
        }
