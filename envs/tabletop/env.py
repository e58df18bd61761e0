"""A Panda at a table with something to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ...robots import panda
from ...robots.cameras.simulated import SimCameras
from ...robots.errors import BadInput, UnknownName
from ...robots.panda_sim import PandaSim
from ...robots.robot import Robot
from ...robots.state import Floats, RobotState
from ..robot_env import Info, RobotEnv
from .cameras import CAMERAS, add_cameras
from .task import Task
from .world import World

REWARDS = ("sparse", "dense")
JITTER = 0.05
"""rad, by which each joint may start off `panda.HOME_Q`."""
SETTLE = 0.1
"""s, for what was placed to come to rest."""


class TabletopEnv(RobotEnv):
    """`RobotEnv` with a scene, a sentence and a success test.

    `reset` draws a variation, or takes `options={"variation": k}`, and draws a sentence; its info has `instruction`,
    `variation`, `templates`, `roles`, `objects` {id in seg images: (name, part)} and `markers`, names of what can be
    seen and not touched. The info of `step` has `success`, `instruction`, `reward_terms`, `violations` {kind: physics
    steps, since the last step} and `collisions` [(robot part or held object, what it touches, N)] at this moment.

    Args:
        task: what to do; the environment keeps it.
        obs, cameras, action: see `RobotEnv`.
        size: of the images, pixels a side.
        reward: "sparse", 1 on success, or "dense", the task's terms times their scales.
        meshes: how the arm is drawn; "visual" is for people, "collision" renders several times faster.
        render_mode: "rgb_array", or None.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012  (Gymnasium's own declaration)

    def __init__(
        self,
        task: Task,
        *,
        obs: Sequence[str] = ("proprio",),
        cameras: Sequence[str] = ("front", "wrist"),
        action: str = "ee_delta",
        size: int = 128,
        reward: str = "sparse",
        meshes: panda.Meshes = "visual",
        render_mode: str | None = None,
    ) -> None:
        if reward not in REWARDS:
            raise UnknownName("reward", reward, REWARDS)
        if render_mode not in (None, "rgb_array"):
            raise UnknownName("render mode", render_mode, ["rgb_array"])
        self.task, self.render_mode, self._reward = task, render_mode, reward
        self.world = _build(task, meshes)
        self._driver = PandaSim(self.world.model, self.world.data)
        task.reset(self.world, np.random.default_rng(0), 0)  # so that the spaces are known
        self._driver.reset()
        self._sim_cameras = SimCameras(self.world.model, self.world.data, CAMERAS, (size, size))
        robot, rig = Robot(self._driver), self._sim_cameras
        super().__init__(robot, rig, obs=obs, cameras=cameras, action=action, max_steps=task.max_steps)
        self._held_for = 0
        self.instruction = ""

    def render(self) -> NDArray[np.uint8]:  # type: ignore[override]
        """(H, W, 3) uint8, what the front camera sees."""
        return self.look(["front"])["rgb/front"]

    def close(self) -> None:
        """Let go of robot and renderer."""
        super().close()
        self._sim_cameras.close()

    def _begin(self, options: dict[str, Any]) -> Info:
        variation = self._variation(options)
        mujoco.mj_resetData(self.world.model, self.world.data)
        self.task.reset(self.world, self.np_random, variation)
        self._driver.reset(panda.HOME_Q + self.np_random.uniform(-JITTER, JITTER, 7))
        self._driver.wait(SETTLE)
        self._driver.monitor.take()
        self._held_for = 0
        templates = self.task.templates(variation)
        self.instruction = templates[self.np_random.integers(len(templates))]
        return {
            "instruction": self.instruction,
            "variation": variation,
            "templates": templates,
            "roles": self.task.roles(variation),
            "objects": self.world.objects(),
            "markers": self.world.markers(),
        }

    def _variation(self, options: dict[str, Any]) -> int:
        unknown = sorted(set(options) - {"variation"})
        if unknown:
            raise UnknownName("reset option", unknown[0], ["variation"])
        count = self.task.variation_count
        wanted = options.get("variation")
        if wanted is None:
            return int(self.np_random.integers(count))
        if not isinstance(wanted, int | np.integer) or not 0 <= wanted < count:
            raise BadInput(f"variation {wanted!r} of {self.task.name}; allowed: 0 to {count - 1}")
        return int(wanted)

    def _judge(self) -> tuple[float, bool, Info]:
        self._held_for = self._held_for + 1 if self.task.success(self.world) else 0
        success = self._held_for >= self.task.hold_steps
        terms = self.task.reward_terms(self.world)
        dense = sum(scale * terms[name] for name, scale in self.task.reward_scales.items())
        info = {
            "success": success,
            "instruction": self.instruction,
            "violations": self._driver.monitor.take(),
            "collisions": self.world.collisions(),
            "reward_terms": terms,
        }
        return (dense if self._reward == "dense" else float(success)), success, info

    def _trouble(self, state: RobotState) -> str:
        unstable = self.world.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number
        return "the simulation became unstable" if unstable else super()._trouble(state)

    def _privileged(self) -> Floats:
        return self.task.state(self.world)


def _build(task: Task, meshes: panda.Meshes) -> World:
    """Compile the task's scene, once."""
    spec = panda.spec(meshes)
    task.build(spec)
    add_cameras(spec)
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET  # an unstable world is a fault, not a fresh start
    model = spec.compile()
    return World(model, mujoco.MjData(model))
