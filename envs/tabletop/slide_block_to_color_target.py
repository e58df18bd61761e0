"""Push a block onto one of four coloured squares. After RLBench's `slide_block_to_color_target`."""

from __future__ import annotations

from typing import ClassVar

import mujoco
import numpy as np

from ...robots.geometry import compose, inverse, pose_error
from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, grip_at, grips_down, moved, on_the_way_in
from .colors import rgba
from .shapes import box, fixed, marker, movable
from .task import Task, closeness
from .world import World

COLORS = ("green", "blue", "pink", "yellow")
HALF_BLOCK, HALF_SQUARE, AWAY = 0.025, 0.05, 0.17
"""m, half sizes of block and squares, and how far from the block the squares lie."""
FINGER = 0.0095
"""m, half thickness of the closed fingers, across their closing axis."""


class SlideBlockToColorTarget(Task):
    """One variation a square. The squares lie around the block, left, right, before and behind it."""

    name = "slide_block_to_color_target"
    variation_count = 4
    max_steps = 260  # the expert's longest episode of 100: 86
    reward_scales: ClassVar = {"reach": 0.2, "slide": 0.8}
    grips = grips_down(90)

    @property
    def goal(self) -> str:
        """The square to push to."""
        return f"{COLORS[self.variation]} target"

    def templates(self, variation: int) -> tuple[str, ...]:
        color = COLORS[variation]
        return (
            f"slide the block to the {color} target",
            f"slide the block onto the {color} square",
            f"push the block until it is sitting on top of the {color} target",
            f"slide the block towards the {color} plane",
            f"cover the {color} target with the block by pushing the block in its direction",
        )

    def roles(self, variation: int) -> dict[str, str]:
        others = [color for color in COLORS if color != COLORS[variation]]
        spared = {f"distractor_{k}": f"{color} target" for k, color in enumerate(others)}
        return {"target": "block", "goal": f"{COLORS[variation]} target", **spared}

    def build(self, spec: mujoco.MjSpec) -> None:
        box(movable(spec, "block"), (HALF_BLOCK,) * 3, rgba=rgba("red"), mass=0.1)
        for color in COLORS:
            square = fixed(spec, f"{color} target")
            size = (HALF_SQUARE, HALF_SQUARE, 0.0005)
            marker(square, mujoco.mjtGeom.mjGEOM_BOX, size, at=(0, 0, 0.0005), rgba=rgba(color))

    def place(self, world: World, rng: np.random.Generator) -> None:
        middle = np.array([rng.uniform(0.42, 0.50), rng.uniform(-0.08, 0.08), HALF_BLOCK])
        yaw = rng.uniform(-0.4, 0.4)
        world.place("block", middle, yaw=yaw + rng.uniform(-0.1, 0.1))
        for side, color in zip(rng.permutation(4), COLORS, strict=True):
            angle = yaw + side * np.pi / 2
            at = (middle[0] + AWAY * np.cos(angle), middle[1] + AWAY * np.sin(angle), 0)
            world.place(f"{color} target", at, yaw=yaw)

    def success(self, world: World) -> bool:
        block = compose(inverse(world.pose(self.goal)), world.pose("block"))
        inside = np.abs(block[:2]).max() < HALF_SQUARE
        return bool(inside and block[2] < HALF_BLOCK + 0.01 and world.speed("block") < 0.03)

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        block, goal, tool = world.position("block"), world.position(self.goal), world.tool
        way = (goal - block) * (1, 1, 0)
        way /= max(float(np.linalg.norm(way)), 1e-6)
        angle, reach = float(np.arctan2(way[1], way[0])), HALF_BLOCK + FINGER
        low = np.array([*block[:2], HALF_BLOCK])
        before = grip_at(low - way * (reach + 0.03), angle, grip)
        pushed = grip_at(np.array([*goal[:2], HALF_BLOCK]) - way * reach, angle, grip)
        return [
            Keyframe("behind the block", moved(before, (0, 0, 0.10)), CLOSED),
            Keyframe("down", before, CLOSED, True, when=on_the_way_in(tool, before, length=0.10)),
            Keyframe("push", pushed, CLOSED, True, 0.10, "block", when=_is_behind(tool, before, low, way)),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        block, goal = world.position("block"), world.position(self.goal)
        left = float(np.linalg.norm((goal - block)[:2]))
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - block))),
            "slide": float(np.clip(1 - left / AWAY, 0, 1)),
        }


def _is_behind(tool: Floats, before: Floats, block: Floats, way: Floats) -> bool:
    """Whether the fingers are low enough, and in line with block and goal, to push without turning the block."""
    gap = block - tool[:3]
    along = float(gap @ way)
    aside = float(np.linalg.norm(gap[:2] - along * way[:2]))
    level = abs(float(gap[2])) < 0.008 and pose_error(tool, before)[1] < 0.15
    return level and 0.02 < along < HALF_BLOCK + FINGER + 0.04 and aside < 0.012
