"""Picking a small box up from above: the stages that several tasks begin with."""

from __future__ import annotations

from ...robots.state import Floats
from ..keyframe import CLOSED, OPEN, Keyframe, grip_at, heading, moved, near, on_the_way_in
from .world import World

LIFT, ALOFT = 0.15, 0.07
"""m, height that the tool is lifted to, and above which it may go elsewhere: apart, so that a way there may dip."""


def lifting(world: World, body: str, grip: Floats) -> list[Keyframe]:
    """Keyframes that end with `body` held above `ALOFT`: above it, down, close, up. `grip`: in the body's frame."""
    tool, at = world.tool, world.position(body)
    grasp = grip_at(at, heading(world.pose(body)), grip)
    grasp[2] = max(grasp[2], 0.016)
    entering = world.width > 0.07 and on_the_way_in(tool, grasp, length=0.10)
    held = world.holds(body)
    return [
        Keyframe(f"above the {body}", moved(grasp, (0, 0, 0.10)), OPEN),
        Keyframe("down", grasp, OPEN, straight=True, when=entering),
        Keyframe("grasp", grasp, CLOSED, straight=True, touches=body, when=near(tool, grasp)),
        Keyframe("lift", moved(grasp, (0, 0, LIFT - grasp[2])), CLOSED, True, touches=body, when=held),
    ]
