"""Cameras of a MuJoCo world."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, UnknownName
from ..state import Floats
from .camera import Frame

SKY = (190, 200, 209)
"""Colour of the pixels that show nothing. MuJoCo's own sky is a box of finite size, with a depth."""


class SimCameras:
    """Renders named cameras of a model, all in one OpenGL context that is made when the first picture is taken.

    Colour and depth come from one pass, the ids of `seg` (MuJoCo geom ids) from a second one, which brings the depth
    where no colour is asked for. Sky has depth 0.

    Args:
        model, data: the world, rendered as it is at the moment of `read`.
        names: of the cameras.
        size: height and width, pixels.

    Raises:
        UnknownName: the model has no such camera.
        BadInput: the images are larger than the model's off-screen buffer.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, names: Sequence[str], size: tuple[int, int] = (128, 128)
    ) -> None:
        known = [model.camera(k).name for k in range(model.ncam)]
        for name in names:
            if name not in known:
                raise UnknownName("camera", name, known)
        most = (model.vis.global_.offheight, model.vis.global_.offwidth)
        if not (0 < size[0] <= most[0] and 0 < size[1] <= most[1]):
            raise BadInput(f"images of {size[0]} x {size[1]} pixels; allowed: 1 x 1 to {most[0]} x {most[1]}")
        self.names, self.size = tuple(names), size
        self._model, self._data = model, data
        self._gl: Any = None

    def read(self, names: Sequence[str] | None = None, *, seg: bool = True, rgb: bool = True) -> dict[str, Frame]:
        """One frame of each camera of `names`, or of all. Without `seg` or without `rgb` it takes half the time.

        A picture without `rgb` is black.
        """
        if self._gl is None:
            self._open()
        self._gl.make_current()
        return {
            name: self._shoot(name, seg=seg, rgb=rgb or not seg) for name in (self.names if names is None else names)
        }

    def close(self) -> None:
        """Free the OpenGL context; `read` makes a new one."""
        if self._gl is not None:
            self._release()
            self._gl = None

    def _open(self) -> None:
        height, width = self.size
        self._gl = mujoco.GLContext(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._scene = mujoco.MjvScene(self._model, maxgeom=2 * self._model.ngeom + 100)
        self._options, self._viewport = mujoco.MjvOption(), mujoco.MjrRect(0, 0, width, height)
        self._release = weakref.finalize(self, _free, self._gl, self._context)
        atexit.register(self._release)  # before MuJoCo's own handler, which closes the display

    def _shoot(self, name: str, *, seg: bool, rgb: bool) -> Frame:
        camera = mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, self._model.camera(name).id
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._options, None, camera, everything, self._scene)
        picture = np.zeros((*self.size, 3), np.uint8)
        buffer = np.empty(self.size, np.float32)
        if rgb:
            self._render(picture, buffer)
            picture[buffer == 0] = SKY
        ids = self._segment(None if rgb else buffer) if seg else None
        pose, intrinsics = self._pose(camera.fixedcamid), self._intrinsics(camera.fixedcamid)
        return Frame(np.flipud(picture).copy(), self._metres(buffer), ids, pose, intrinsics, float(self._data.time))

    def _render(self, rgb: NDArray[np.uint8], depth: NDArray[np.float32] | None) -> None:
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(rgb, depth, self._viewport, self._context)

    def _segment(self, depth: NDArray[np.float32] | None) -> NDArray[np.int32]:
        """(H, W) geom ids: the scene is drawn with each geom in the colour that is its number plus one."""
        flags = self._scene.flags
        for flag in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR):
            flags[flag] = 1
        painted = np.empty((*self.size, 3), np.uint8)
        self._render(painted, depth)
        for flag in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR):
            flags[flag] = 0
        geom = np.full(self._scene.ngeom + 1, -1, np.int32)
        for drawn in self._scene.geoms[: self._scene.ngeom]:
            if drawn.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geom[drawn.segid + 1] = drawn.objid
        numbers = painted.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
        return np.flipud(geom[numbers]).copy()

    def _metres(self, buffer: NDArray[np.float32]) -> NDArray[np.float32]:
        """Depth along the optical axis from a reversed z-buffer: 1 at the near plane, 0 at the far one."""
        near = self._model.vis.map.znear * self._model.stat.extent
        far = self._model.vis.map.zfar * self._model.stat.extent
        depth = near * far / (near + buffer * (far - near))
        return np.flipud(np.where(buffer > 0, depth, 0.0)).astype(np.float32)

    def _pose(self, camera: int) -> Floats:
        pose = np.eye(4)
        pose[:3, :3] = self._data.cam_xmat[camera].reshape(3, 3) * (1.0, -1.0, -1.0)  # OpenGL looks along -z, y up
        pose[:3, 3] = self._data.cam_xpos[camera]
        return pose

    def _intrinsics(self, camera: int) -> Floats:
        height, width = self.size
        focal = 0.5 * height / np.tan(0.5 * np.deg2rad(self._model.cam_fovy[camera]))
        return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def _free(gl: Any, context: mujoco.MjrContext) -> None:
    gl.make_current()  # else the buffers of whatever context is current would be deleted
    context.free()
    gl.free()
