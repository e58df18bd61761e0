"""What a camera gives, simulated or real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..state import Floats


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    rgb: (H, W, 3) uint8. depth: (H, W) float32, m along the optical axis, 0 = invalid. seg: (H, W) int32, -1 = nothing,
    or None where a camera has no such thing. world_from_cam: (4, 4), OpenCV axes: x right, y down, z forward.
    intrinsics: (3, 3), pixels; the centre of the top left pixel is (0, 0). time: s.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    seg: NDArray[np.int32] | None
    world_from_cam: Floats
    intrinsics: Floats
    time: float
