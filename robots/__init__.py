"""What moves: arms behind one contract, their kinematics, safety, motion and cameras."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from .errors import UnknownName

if TYPE_CHECKING:
    from .robot import Robot

if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("MUJOCO_GL", "egl")  # read by MuJoCo when it is imported; its own default needs a display

ROBOTS = {
    "panda-sim": "panda_sim:PandaSim",
    "panda-bullet": "panda_bullet:PandaBullet",
}
"""Name of each arm, and where its driver is; imported only when asked for."""


def connect(name: str) -> Robot:
    """The arm of that name, not yet connected: use it as a context manager.

    Raises:
        UnknownName: no arm is called that.
    """
    if name not in ROBOTS:
        raise UnknownName("robot", name, ROBOTS)
    from .robot import Robot  # loads a simulator, which whoever wants only the errors can do without

    module, _, driver = ROBOTS[name].partition(":")
    return Robot(getattr(import_module(f".{module}", __package__), driver)())
