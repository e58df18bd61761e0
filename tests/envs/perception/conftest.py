"""A small rendered world: primitive shapes on a table, seen by five cameras, no robot package needed."""

import os
from collections.abc import Callable, Sequence

os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np
import pytest

CAMERAS = {  # position, point looked at; m, world
    "front": ((1.35, 0.55, 0.75), (0.5, 0.0, 0.1)),
    "left_shoulder": ((-0.05, 0.65, 0.85), (0.55, 0.0, 0.1)),
    "right_shoulder": ((-0.05, -0.65, 0.85), (0.55, 0.0, 0.1)),
    "overhead": ((0.5, 0.0, 1.25), (0.55, 0.0, 0.0)),
    "wrist": ((0.35, 0.02, 0.55), (0.55, 0.0, 0.05)),
}
SIZE = 128
FOVY = 50.0


def camera_xml(name: str) -> str:
    position, target = (np.array(point) for point in CAMERAS[name])
    back = (position - target) / np.linalg.norm(position - target)
    right = np.cross([0, 0, 1], back) if abs(back[2]) < 0.99 else np.array([0.0, -1.0, 0.0])
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    axes = " ".join(f"{value:.9f}" for value in (*right, *up))
    return f'<camera name="{name}" pos="{position[0]} {position[1]} {position[2]}" xyaxes="{axes}" fovy="{FOVY}"/>'


class World:
    """Geoms by name `thing` or `thing/part`; `look` renders an observation, `objects` names the segmentation ids."""

    def __init__(self, geoms: str) -> None:
        cameras = "".join(camera_xml(name) for name in CAMERAS)
        self.model = mujoco.MjModel.from_xml_string(
            f"""<mujoco><visual><global offwidth="{SIZE}" offheight="{SIZE}"/>
            <quality shadowsize="0" offsamples="0"/></visual><worldbody>
            <light pos="0.5 0 2"/><geom name="table" type="box" size="1 1 0.02" pos="0.5 0 -0.02"/>
            {cameras}{geoms}</worldbody></mujoco>"""
        )
        self.data = mujoco.MjData(self.model)
        self.renderer = mujoco.Renderer(self.model, SIZE, SIZE)

    @property
    def objects(self) -> dict[int, tuple[str, str]]:
        names = [self.model.geom(i).name for i in range(self.model.ngeom)]
        return {i: (name.split("/")[0], name.partition("/")[2]) for i, name in enumerate(names)}

    def move(self, geom: str, position: Sequence[float]) -> None:
        self.model.geom(geom).pos[:] = position

    def look(self, cameras: Sequence[str] = tuple(CAMERAS), *, time: float = 0.0) -> dict[str, np.ndarray]:
        mujoco.mj_forward(self.model, self.data)
        obs = {
            "q": np.zeros(7),
            "ee_pose": np.array([0.3, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0]),
            "gripper": np.array([0.08]),
            "time": np.array([time]),
        }
        for name in cameras:
            obs |= self._frame(name)
        return obs

    def _frame(self, name: str) -> dict[str, np.ndarray]:
        self.renderer.update_scene(self.data, name)
        rgb = self.renderer.render()
        self.renderer.enable_depth_rendering()
        depth = self.renderer.render()
        self.renderer.disable_depth_rendering()
        self.renderer.enable_segmentation_rendering()
        seg = self.renderer.render()
        self.renderer.disable_segmentation_rendering()
        camera = self.data.camera(name)
        pose = np.eye(4)
        pose[:3, :3] = camera.xmat.reshape(3, 3) * [1, -1, -1]  # OpenGL axes to OpenCV's
        pose[:3, 3] = camera.xpos
        focal = SIZE / 2 / np.tan(np.deg2rad(FOVY) / 2)
        middle = (SIZE - 1) / 2
        return {
            f"rgb/{name}": rgb,
            f"depth/{name}": np.where(depth < 10, depth, 0).astype(np.float32),
            f"seg/{name}": seg[..., 0].astype(np.int32),
            f"cam_pose/{name}": pose,
            f"intrinsics/{name}": np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]]),
        }


class NoArm:
    """Kinematics of an arm that covers one ball."""

    def __init__(self, ball: Sequence[float] = (9.0, 9.0, 9.0, 0.1)) -> None:
        self.ball = ball

    def spheres(self, q: np.ndarray, width: float) -> np.ndarray:
        assert q.shape == (7,)
        return np.array([self.ball])


@pytest.fixture
def arm() -> Callable[..., NoArm]:
    return NoArm


@pytest.fixture(scope="module")
def world():
    """Make worlds, and free their renderers afterwards."""
    made: list[World] = []

    def make(geoms: str) -> World:
        made.append(World(geoms))
        return made[-1]

    yield make
    for each in made:
        each.renderer.close()
