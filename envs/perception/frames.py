"""The camera frames that an observation carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...robots.cameras.camera import Frame
from ...robots.errors import BadInput


def frames_of(obs: Mapping[str, Any]) -> dict[str, Frame]:
    """Camera name -> frame, for every camera whose depth is in `obs`; arrays are shared, not copied.

    Where there is segmentation, colour may be missing: names can be read off ids. The picture is black then.

    Raises BadInput when there is none, or when a key that belongs to a depth image is missing.
    """
    cameras = [key.removeprefix("depth/") for key in obs if key.startswith("depth/")]
    if not cameras:
        raise BadInput(f"a scene needs depth/<camera> in the observation, which has only: {', '.join(sorted(obs))}")
    return {camera: _frame(obs, camera) for camera in cameras}


def _frame(obs: Mapping[str, Any], camera: str) -> Frame:
    needed = [f"{kind}/{camera}" for kind in ("rgb", "cam_pose", "intrinsics")]
    missing = [key for key in needed[f"seg/{camera}" in obs :] if key not in obs]
    if missing:
        raise BadInput(f"the observation has depth/{camera} without {' and '.join(missing)}")
    black = np.broadcast_to(np.uint8(0), (*obs[f"depth/{camera}"].shape, 3))
    return Frame(
        rgb=obs.get(f"rgb/{camera}", black),
        depth=np.asarray(obs[f"depth/{camera}"], dtype=np.float32),
        seg=obs.get(f"seg/{camera}"),
        world_from_cam=np.asarray(obs[f"cam_pose/{camera}"]),
        intrinsics=np.asarray(obs[f"intrinsics/{camera}"]),
        time=float(obs["time"][0]),
    )
