"""The values that pass between an arm and everything above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JointTarget:
    """Where the arm should be at the end of the next control period.

    q: (n,) float64, rad. width: total opening of the gripper, m. force: grip force of each finger, N.
    """

    q: Floats
    width: float
    force: float = 20.0


@dataclass(frozen=True, slots=True)
class RobotState:
    """One reading of an arm.

    time: s. q, dq: (n,) float64, rad and rad/s. width: total opening of the gripper, m.
    touch: (6,) float64, N, force on the left then the right pad, hand frame.
    """

    time: float
    q: Floats
    dq: Floats
    width: float
    touch: Floats


@dataclass(frozen=True, slots=True)
class Limits:
    """What an arm may do; `robots/safety.py` holds every target to it.

    q_min, q_max: (n,) rad. dq_max: (n,) rad/s. ddq_max: (n,) rad/s^2. tau_max: (n,) N m (watched in simulation).
    width_max: m. force_max: N a finger. workspace: (2, 3) m, lowest and highest corner for the tool point, world.
    clearance: m, least distance between links, and between links and the table. jump: rad, the farthest a target may
    lie from the measured joints. age: s, how old the state may be on which a target is judged.
    """

    q_min: Floats
    q_max: Floats
    dq_max: Floats
    ddq_max: Floats
    tau_max: Floats
    workspace: Floats
    width_max: float = 0.08
    force_max: float = 70.0
    clearance: float = 0.005
    jump: float = 0.5
    age: float = 0.25


WORKSPACE: Floats = np.array([[0.1, -0.5, 0.0], [0.9, 0.5, 0.7]])
"""(2, 3) m, world: bounds of the value maps, of the tool point and of the origins of movable things."""
