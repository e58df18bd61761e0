"""Put the rubbish in the bin and leave the tomatoes alone. After RLBench's `put_rubbish_in_bin`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.state import Floats
from ..keyframe import CLOSED, OPEN, Keyframe, grip_at, grips_down
from .grasping import ALOFT, lifting
from .shapes import Rgba, ball, box, fixed, movable
from .task import Task, closeness
from .world import World, scatter

HALF = 0.019
"""m, half size of the crumpled paper."""
HALF_BIN, HEIGHT, WALL = 0.09, 0.13, 0.004
TOMATOES = ("tomato 1", "tomato 2")

_PAPER: Rgba = (0.85, 0.86, 0.82, 1.0)
_PLASTIC: Rgba = (0.16, 0.17, 0.19, 1.0)
_TOMATO: Rgba = (0.85, 0.16, 0.10, 1.0)


class PutRubbishInBin(Task):
    """One variation."""

    name = "put_rubbish_in_bin"
    max_steps = 290  # the expert's longest episode of 100: 94
    reward_scales: ClassVar = {"reach": 0.2, "grasp": 0.3, "carry": 0.5}
    grips = grips_down(90, 0)

    def templates(self, variation: int) -> tuple[str, ...]:
        return (
            "put the rubbish in the bin",
            "drop the rubbish into the bin",
            "pick up the rubbish and leave it in the trash can",
            "throw away the trash, leaving any other objects alone",
            "chuck away any rubbish on the table",
        )

    def roles(self, variation: int) -> dict[str, str]:
        return {"target": "rubbish", "goal": "bin", "distractor_0": TOMATOES[0], "distractor_1": TOMATOES[1]}

    def build(self, spec: mujoco.MjSpec) -> None:
        box(movable(spec, "rubbish"), (HALF, HALF, 0.9 * HALF), rgba=_PAPER, mass=0.03)
        for name in TOMATOES:
            ball(movable(spec, name), 0.026, rgba=_TOMATO, mass=0.08)
        bin_body = fixed(spec, "bin")
        box(bin_body, (HALF_BIN, HALF_BIN, WALL), at=(0, 0, WALL), rgba=_PLASTIC)
        for side in (-1, 1):
            reach = side * (HALF_BIN - WALL)
            box(bin_body, (WALL, HALF_BIN, HEIGHT / 2), at=(reach, 0, HEIGHT / 2), rgba=_PLASTIC)
            box(bin_body, (HALF_BIN, WALL, HEIGHT / 2), at=(0, reach, HEIGHT / 2), rgba=_PLASTIC)

    def place(self, world: World, rng: np.random.Generator) -> None:
        side = rng.choice((-1, 1))
        world.place("bin", (rng.uniform(0.40, 0.55), side * rng.uniform(0.25, 0.32), 0), yaw=rng.uniform(-0.4, 0.4))
        spots = scatter(rng, 3, (0.36, -0.28), (0.62, 0.06), apart=0.13) * (1, side)
        world.place("rubbish", (*spots[0], 0.9 * HALF), yaw=rng.uniform(-np.pi, np.pi))
        for name, spot in zip(TOMATOES, spots[1:], strict=True):
            world.place(name, (*spot, 0.026))

    def success(self, world: World) -> bool:
        inside = self._over_bin(world) and bool(world.position("rubbish")[2] < HEIGHT - HALF)
        return inside and not world.holds("rubbish")

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        above_bin = grip_at(world.above("bin", HEIGHT + 0.08), 0.0, grip)
        tool, held = world.tool, world.holds("rubbish")
        aloft = self._over_bin(world) and world.position("rubbish")[2] > HEIGHT and tool[2] > HEIGHT + 0.05
        return [
            *lifting(world, "rubbish", grip),
            Keyframe("over the bin", above_bin, CLOSED, touches="rubbish", when=held and tool[2] > ALOFT),
            Keyframe("drop", above_bin, OPEN, True, touches="rubbish", when=aloft),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        rubbish = world.position("rubbish")
        aside = float(np.linalg.norm((world.position("bin") - rubbish)[:2]))
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - rubbish))),
            "grasp": float(world.holds("rubbish") or self._over_bin(world)),
            "carry": closeness(aside, 0.3),
        }

    def _over_bin(self, world: World) -> bool:
        """Whether the rubbish is in or above the bin, clear of its walls."""
        offset = world.in_frame("bin", world.position("rubbish"))
        return bool(np.abs(offset[:2]).max() < HALF_BIN - 2 * WALL - 0.005)
