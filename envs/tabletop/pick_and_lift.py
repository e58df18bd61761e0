"""Lift the block of one colour to a marked place in the air. After RLBench's `pick_and_lift`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, grips_down, moved
from .colors import COLORS, rgba, trio
from .grasping import ALOFT, lifting
from .shapes import box, fixed, marker, movable
from .task import Task, closeness
from .world import World, scatter

HALF = 0.02
"""m, half size of a block."""
RADIUS = 0.05
"""m, of the ball that marks the place, and half the side of the cube in which the block's centre must be."""
BODIES = ("block 0", "block 1", "block 2")


class PickAndLift(Task):
    """One variation a colour of the block to lift; two blocks of other colours lie beside it."""

    name = "pick_and_lift"
    variation_count = len(COLORS)
    max_steps = 310  # the expert's longest episode of 100: 102
    reward_scales: ClassVar = {"reach": 0.2, "grasp": 0.3, "lift": 0.5}
    grips = grips_down(90, 0)

    def templates(self, variation: int) -> tuple[str, ...]:
        block = f"{trio(variation)[0]} block"
        return (
            f"pick up the {block} and lift it up to the target",
            f"grasp the {block} to the target",
            f"lift the {block} up to the target",
        )

    def roles(self, variation: int) -> dict[str, str]:
        block, *others = (f"{color} block" for color in trio(variation))
        return {"target": block, "goal": "target", "distractor_0": others[0], "distractor_1": others[1]}

    def names(self, variation: int) -> dict[str, str]:
        return {body: f"{color} block" for body, color in zip(BODIES, trio(variation), strict=True)}

    def build(self, spec: mujoco.MjSpec) -> None:
        for body in BODIES:
            box(movable(spec, body), (HALF,) * 3, rgba=rgba("gray"), mass=0.1)
        marker(fixed(spec, "target"), mujoco.mjtGeom.mjGEOM_SPHERE, (RADIUS, 0, 0), rgba=(0.9, 0.2, 0.9, 1.0))

    def place(self, world: World, rng: np.random.Generator) -> None:
        spots = scatter(rng, 3, (0.36, -0.25), (0.62, 0.25), apart=0.13)
        for body, color, spot in zip(BODIES, trio(self.variation), spots, strict=True):
            world.place(body, (*spot, HALF), yaw=rng.uniform(-np.pi, np.pi))
            world.paint(body, rgba(color))
        world.place("target", rng.uniform((0.38, -0.22, 0.22), (0.58, 0.22, 0.38)))

    def success(self, world: World) -> bool:
        offset = world.position(BODIES[0]) - world.position("target")
        return bool(world.holds(BODIES[0]) and np.abs(offset).max() < RADIUS)

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        block, tool = BODIES[0], world.tool
        carried = moved(tool, world.position("target") - world.position(block))
        aloft = world.holds(block) and tool[2] > ALOFT
        return [
            *lifting(world, block, grip),
            Keyframe("to the target", carried, CLOSED, touches=block, when=aloft),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        block, held = world.position(BODIES[0]), world.holds(BODIES[0])
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - block))),
            "grasp": float(held),
            "lift": held * closeness(float(np.linalg.norm(world.position("target") - block)), 0.2),
        }
