"""The twenty colour names of the RLBench tasks, and pink for the one task that has it."""

from __future__ import annotations

from ...robots.errors import UnknownName

COLORS: dict[str, tuple[float, float, float]] = {
    "red": (1.0, 0.0, 0.0),
    "maroon": (0.5, 0.0, 0.0),
    "lime": (0.0, 1.0, 0.0),
    "green": (0.0, 0.5, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "navy": (0.0, 0.0, 0.5),
    "yellow": (1.0, 1.0, 0.0),
    "cyan": (0.0, 1.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
    "silver": (0.75, 0.75, 0.75),
    "gray": (0.5, 0.5, 0.5),
    "orange": (1.0, 0.5, 0.0),
    "olive": (0.5, 0.5, 0.0),
    "purple": (0.5, 0.0, 0.5),
    "teal": (0.0, 0.5, 0.5),
    "azure": (0.0, 0.5, 1.0),
    "violet": (0.5, 0.0, 1.0),
    "rose": (1.0, 0.0, 0.5),
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
}
"""Red, green and blue in 0-1. RLBench, `rlbench/const.py`."""

PINK = (0.95, 0.4, 0.6)


def rgba(color: str, alpha: float = 1.0) -> tuple[float, float, float, float]:
    """Colour `color` as MuJoCo takes it. UnknownName if there is no such colour."""
    if color == "pink":
        return (*PINK, alpha)
    if color not in COLORS:
        raise UnknownName("colour", color, [*COLORS, "pink"])
    return (*COLORS[color], alpha)


def trio(variation: int) -> tuple[str, str, str]:
    """Colour number `variation` of the twenty and two others, for tasks that must tell one thing from two like it."""
    names = tuple(COLORS)
    return names[variation], names[(variation + 7) % len(names)], names[(variation + 13) % len(names)]
