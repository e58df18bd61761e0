"""Bring the tool point to the ball of one colour. After RLBench's `reach_target`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, grip_at, grips_down
from .colors import COLORS, rgba, trio
from .shapes import fixed, marker
from .task import Task, closeness
from .world import World, scatter

RADIUS = 0.03
"""m, of a ball; the tool point must come inside."""
BODIES = ("ball 0", "ball 1", "ball 2")


class ReachTarget(Task):
    """One variation a colour of the ball to reach; two of other colours float beside it."""

    name = "reach_target"
    variation_count = len(COLORS)
    max_steps = 120  # the expert's longest episode of 100: 40
    reward_scales: ClassVar = {"reach": 1.0}
    grips = grips_down(90, 45, 135, 0)

    def templates(self, variation: int) -> tuple[str, ...]:
        color = trio(variation)[0]
        return (
            f"reach the {color} target",
            f"touch the {color} ball with the panda gripper",
            f"reach the {color} sphere",
        )

    def roles(self, variation: int) -> dict[str, str]:
        ball, *others = (f"{color} ball" for color in trio(variation))
        return {"target": ball, "distractor_0": others[0], "distractor_1": others[1]}

    def names(self, variation: int) -> dict[str, str]:
        return {body: f"{color} ball" for body, color in zip(BODIES, trio(variation), strict=True)}

    def build(self, spec: mujoco.MjSpec) -> None:
        for body in BODIES:
            marker(fixed(spec, body), mujoco.mjtGeom.mjGEOM_SPHERE, (RADIUS, 0, 0), rgba=rgba("gray"))

    def place(self, world: World, rng: np.random.Generator) -> None:
        spots = scatter(rng, 3, (0.35, -0.28, 0.10), (0.60, 0.28, 0.45), apart=0.15)
        for body, color, spot in zip(BODIES, trio(self.variation), spots, strict=True):
            world.place(body, spot)
            world.paint(body, rgba(color))

    def success(self, world: World) -> bool:
        return self._distance(world) < RADIUS

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        return [Keyframe("reach", grip_at(world.position(BODIES[0]), 0.0, grip), CLOSED)]

    def reward_terms(self, world: World) -> dict[str, float]:
        return {"reach": closeness(self._distance(world), 0.2)}

    def _distance(self, world: World) -> float:
        return float(np.linalg.norm(world.tool[:3] - world.position(BODIES[0])))
