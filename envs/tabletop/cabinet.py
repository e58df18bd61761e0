"""A cabinet of three drawers with horizontal bars, as the arm can open every one of them.

The frame of the cabinet and of each drawer: x out of the front, z up, so that a yaw of pi faces the robot. With these
sizes a grasp of every bar was found at every placement; with drawers less than 15 cm high the hand meets the bar above.
"""

from __future__ import annotations

import mujoco
import numpy as np

from ...robots.geometry import transform
from ...robots.state import Floats
from .shapes import Rgba, box, fixed
from .world import World

LEVELS = ("bottom", "middle", "top")
DRAWERS = tuple(f"{level} drawer" for level in LEVELS)
PLINTH, PITCH = 0.06, 0.15
WIDTH, DEPTH, BOARD = 0.36, 0.28, 0.012
TRAVEL = 0.20
STAND_OFF = 0.06
"""m, from the front to the middle of the bar."""
BAR = 0.012
"""m, thickness of the bar."""

WOOD: Rgba = (0.55, 0.38, 0.24, 1.0)
FRONT: Rgba = (0.76, 0.60, 0.42, 1.0)
STEEL: Rgba = (0.25, 0.26, 0.28, 1.0)


def build(spec: mujoco.MjSpec) -> None:
    """Add bodies "cabinet" and the three of `DRAWERS`, each with a slide joint of its own name, 0 to `TRAVEL` m."""
    cabinet = fixed(spec, "cabinet")
    top = PLINTH + 3 * PITCH
    x = -DEPTH / 2
    box(cabinet, (DEPTH / 2, WIDTH / 2, PLINTH / 2), at=(x, 0, PLINTH / 2), rgba=WOOD)
    box(cabinet, (DEPTH / 2, WIDTH / 2, BOARD / 2), at=(x, 0, top + BOARD / 2), rgba=WOOD)
    box(cabinet, (BOARD / 2, WIDTH / 2, top / 2), at=(BOARD / 2 - DEPTH, 0, top / 2), rgba=WOOD)
    for side in (-1, 1):
        box(cabinet, (DEPTH / 2, BOARD / 2, top / 2), at=(x, side * (WIDTH - BOARD) / 2, top / 2), rgba=WOOD)
    for level, name in enumerate(DRAWERS):
        _drawer(cabinet, name, PLINTH + (level + 0.5) * PITCH)
    for name in DRAWERS:
        spec.add_exclude(bodyname1="cabinet", bodyname2=name)
    for upper, lower in zip(DRAWERS[1:], DRAWERS, strict=False):
        spec.add_exclude(bodyname1=upper, bodyname2=lower)


def _drawer(cabinet: mujoco.MjsBody, name: str, height: float) -> None:
    """Front, tray and bar, 0.76 kg in all; the origin is the middle of the front's face."""
    body = cabinet.add_body(name=name, pos=(0, 0, height))
    slide = {"type": mujoco.mjtJoint.mjJNT_SLIDE, "axis": (1, 0, 0), "range": (0, TRAVEL)}
    body.add_joint(name=name, damping=4.0, frictionloss=1.0, **slide)
    half_width, half_height, deep = WIDTH / 2 - BOARD - 0.003, PITCH / 2 - 0.003, DEPTH - 0.04
    box(body, (0.0075, half_width, half_height), at=(-0.0075, 0, 0), rgba=FRONT, mass=0.30)
    floor = -half_height + BOARD
    box(body, (deep / 2, half_width, 0.004), at=(-deep / 2 - 0.015, 0, floor), rgba=FRONT, mass=0.18)
    for side in (-1, 1):
        wall = (-deep / 2 - 0.015, side * (half_width - 0.004), floor + 0.035)
        box(body, (deep / 2, 0.004, 0.035), at=wall, rgba=FRONT, mass=0.09)
        post = (STAND_OFF / 2, side * 0.044, 0)
        box(body, (STAND_OFF / 2, 0.004, 0.004), at=post, rgba=STEEL, mass=0.01)
    box(body, (BAR / 2, 0.05, BAR / 2), at=(STAND_OFF, 0, 0), rgba=STEEL, mass=0.08, name=f"{name}:handle")


def roles(variation: int) -> dict[str, str]:
    """Drawer number `variation` of `DRAWERS` is the target, the other two are distractors."""
    target = DRAWERS[variation]
    others = [name for name in DRAWERS if name != target]
    return {"target": target, "distractor_0": others[0], "distractor_1": others[1]}


def bar(world: World, drawer: str) -> Floats:
    """(3,) m, the middle of a drawer's bar."""
    return transform(world.pose(drawer), np.array([STAND_OFF, 0.0, 0.0]))


def place(world: World, rng: np.random.Generator) -> None:
    """Stand the cabinet at the far side of the table, turned by up to 22 degrees, its drawers shut."""
    at = (rng.uniform(0.68, 0.80), rng.uniform(-0.12, 0.12), 0.0)
    world.place("cabinet", at, yaw=np.pi + rng.uniform(-1, 1) * np.deg2rad(22))
    for name in DRAWERS:
        world.set_joint(name, 0.0)
