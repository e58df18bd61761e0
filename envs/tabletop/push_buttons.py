"""Push one, two or three buttons in the order of the sentence. After RLBench's `push_buttons`."""

from __future__ import annotations

from itertools import permutations
from typing import ClassVar

import mujoco
import numpy as np

from ...robots.state import Floats
from ..keyframe import CLOSED, Keyframe, grip_at, grips_down, moved, on_the_way_in
from .colors import COLORS, rgba
from .shapes import box, cylinder, fixed
from .task import Task, closeness
from .world import World, scatter

PRESSED = 0.008
"""m, of a travel of 12 mm: stricter than RLBench's 3 mm, which a brush of the arm can reach."""
TRAVEL = 0.012
TOP = 0.046
"""m above the table, of a cap at rest."""
BODIES = ("button 0", "button 1", "button 2")

_UP, _DOWN = (0.9, 0.1, 0.1, 1.0), (0.2, 0.9, 0.2, 1.0)
_TRIPLES = list(permutations([name for name in COLORS if name not in ("red", "lime")], 3))  # no cap's colour


class PushButtons(Task):
    """Variation k: a triple of 18 colours, of whose three buttons the first 1 + k % 3 are to be pushed in order."""

    name = "push_buttons"
    variation_count = 50
    max_steps = 350  # the expert's longest episode of 100: 114
    hold_steps = 1  # a button that was pushed has been pushed
    reward_scales: ClassVar = {"reach": 0.3, "pushed": 0.7}
    grips = grips_down(90, 45, 0, 135)

    def __init__(self) -> None:
        super().__init__()
        self._pushed = 0

    def templates(self, variation: int) -> tuple[str, ...]:
        first, *later = self._names(variation)[: 1 + variation % 3]
        bases = [name.removesuffix(" button") for name in later]
        return (
            ", then ".join(f"push the {name}" for name in (first, *later)),
            ", then ".join(f"press the {name}" for name in (first, *later)),
            f"push down the button with the {first.removesuffix(' button')} base"
            + "".join(f", then the {base} one" for base in bases),
        )

    def roles(self, variation: int) -> dict[str, str]:
        names, wanted = self._names(variation), 1 + variation % 3
        after = {f"target_{k}": name for k, name in enumerate(names[1:wanted], start=1)}
        spared = {f"distractor_{k}": name for k, name in enumerate(names[wanted:])}
        return {"target": names[0], **after, **spared}

    def names(self, variation: int) -> dict[str, str]:
        named = dict(zip(BODIES, self._names(variation), strict=True))
        return named | {f"{body} cap": name for body, name in named.items()}

    def _names(self, variation: int) -> list[str]:
        """The three buttons, those to be pushed first and in order; the triples of the variations lie far apart."""
        return [f"{color} button" for color in _TRIPLES[variation // 3 * 288]]

    def build(self, spec: mujoco.MjSpec) -> None:
        for name in BODIES:
            base = fixed(spec, name)
            box(base, (0.035, 0.035, 0.012), at=(0, 0, 0.012), rgba=rgba("gray"))
            cap = base.add_body(name=f"{name} cap", pos=(0, 0, TOP))
            spring = {"stiffness": 300.0, "damping": 3.0, "range": (0, TRAVEL)}
            cap.add_joint(name=f"{name} cap", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 0, -1), **spring)
            spec.add_exclude(bodyname1=name, bodyname2=f"{name} cap")
            cylinder(cap, 0.02, 0.01, at=(0, 0, -0.01), rgba=_UP, mass=0.02)

    def place(self, world: World, rng: np.random.Generator) -> None:
        self._pushed = 0
        spots = scatter(rng, 3, (0.35, -0.28), (0.62, 0.28), apart=0.14)
        for body, name, (x, y) in zip(BODIES, self._names(self.variation), spots, strict=True):
            world.place(body, (x, y, 0.0), yaw=rng.uniform(-np.pi, np.pi))
            world.paint(body, rgba(name.removesuffix(" button")))
            world.paint(f"{body} cap", _UP)
            world.set_joint(f"{body} cap", 0.0)

    def success(self, world: World) -> bool:
        if self._pushed < self._wanted and world.joint(f"{BODIES[self._pushed]} cap") > PRESSED:
            world.paint(f"{BODIES[self._pushed]} cap", _DOWN)
            self._pushed += 1
        return self._pushed == self._wanted

    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        button = self._next
        pressed = grip_at(world.above(button, TOP - 0.001), 0.0, grip)
        above, tool = moved(pressed, (0, 0, 0.08)), world.tool
        return [
            Keyframe("above the button", above, CLOSED),
            Keyframe(
                "push", pressed, CLOSED, True, touches=f"{button} cap", when=on_the_way_in(tool, pressed, length=0.08)
            ),
        ]

    def reward_terms(self, world: World) -> dict[str, float]:
        button = world.position(self._next + " cap")
        return {
            "reach": closeness(float(np.linalg.norm(world.tool[:3] - button))),
            "pushed": self._pushed / self._wanted,
        }

    def state(self, world: World) -> Floats:
        return np.append(super().state(world), [self._pushed, self._wanted])

    @property
    def _next(self) -> str:
        """Body of the button to push now."""
        return BODIES[min(self._pushed, self._wanted - 1)]

    @property
    def _wanted(self) -> int:
        return 1 + self.variation % 3
