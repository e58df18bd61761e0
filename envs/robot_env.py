"""Any robot as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np

from ..robots.errors import BadInput, LimitViolation, PlannerError, UnknownName, ValuefieldError
from ..robots.robot import Robot
from ..robots.state import Floats, JointTarget, RobotState
from .actions import FORMS, Action, Anchor, check
from .observations import (
    IMAGES,
    READINGS,
    Observation,
    Rig,
    Spaces,
    image_spaces,
    images,
    proprio,
    proprio_spaces,
    unbounded,
)

Info = dict[str, Any]

STRAY = 0.02
"""m between the tool pose sent last and the measured one, beyond which an action starts from the measured one."""


class RobotEnv(gymnasium.Env[Observation, Action]):
    """One step sends a target, waits a control period and observes. Nothing else moves the robot.

    Args:
        robot: any; connected by the first `reset` if it is not yet.
        rig: its cameras.
        obs: which readings an observation holds, of `READINGS`. "proprio" is q, dq (n,), ee_pose (7,), gripper (1,) m,
            touch (6,) N, time (1,) s; "rgb", "depth" and "seg" are images, which bring cam_pose (4, 4) and
            intrinsics (3, 3) with them.
        cameras: whose images.
        action: "ee_delta", "ee_pose" or "joint"; see `actions.py`.
        max_steps: control steps after which an episode is truncated.

    Raises:
        UnknownName: a reading, a camera or a form of action that does not exist.
    """

    metadata: dict[str, Any] = {"render_modes": [], "render_fps": 20}  # noqa: RUF012  (Gymnasium's own declaration)

    def __init__(
        self,
        robot: Robot,
        rig: Rig | None = None,
        *,
        obs: Sequence[str] = ("proprio",),
        cameras: Sequence[str] = (),
        action: str = "ee_delta",
        max_steps: int | None = None,
    ) -> None:
        _require("reading", obs, READINGS)
        _require("action", [action], FORMS)
        _require("camera", cameras, rig.names if rig else ())
        self.robot, self.rig, self.max_steps = robot, rig, max_steps
        self.ctrl_dt = robot.driver.ctrl_dt
        self._readings, self._cameras = tuple(obs), tuple(cameras)
        self._form = FORMS[action](robot)
        self.action_space: gymnasium.spaces.Box = self._form.space
        self.observation_space = gymnasium.spaces.Dict(self._spaces())
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Begin an episode where the robot is now."""
        super().reset(seed=seed)
        if not self.robot.connected:
            self.robot.connect()
        info = self._begin(options or {})
        self.robot.stop()
        self._steps = 0
        self._state = self.robot.observe()
        self.reanchor()
        return self._observe(self._readings, self._cameras), info

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Send, wait, observe. Trouble with the robot ends the episode, with `info["fault"]` saying what it was.

        Where inverse kinematics or safety can make nothing of the action, as after a crash, the arm stops for this step
        and `info["refused"]` says why.

        Raises:
            BadInput: the action is not finite or of the wrong shape; the robot was sent nothing.
        """
        start, fault = self._anchor, ""
        try:
            sent, extra = self._send(check(action, self.action_space))
            self.robot.wait(self.ctrl_dt)
            state = self.robot.observe()
            fault = self._trouble(state)
        except BadInput:
            raise
        except ValuefieldError as error:
            fault = f"{type(error).__name__}: {error}"
        self._steps += 1
        if fault:
            info = {"fault": fault, "success": False, "action_sent": self._form.encode(self._standing(), start)}
            return self._observe(self._readings, self._cameras), 0.0, True, False, info
        self._state = state
        self._follow(sent)
        reward, success, info = self._judge()
        info |= {"action_sent": self._form.encode(sent, start), **extra}
        truncated = not success and self.max_steps is not None and self._steps >= self.max_steps
        return self._observe(self._readings, self._cameras), reward, success, truncated, info

    def look(self, cameras: Sequence[str]) -> Observation:
        """An observation of this moment with proprioception and all images of `cameras`, whatever `obs` is."""
        _require("camera", cameras, self.rig.names if self.rig else ())
        return self._observe(("proprio", *self._readings, *IMAGES), cameras)

    def encode(self, target: JointTarget) -> Action:
        """The action of this environment that means `target`, or comes nearest to it. Its force is not part of it."""
        return self._form.encode(target, self._anchor)

    @property
    def anchor(self) -> Anchor:
        """What the next action starts from: what was sent last, unless the arm is elsewhere."""
        return self._anchor

    @property
    def last_sent_pose(self) -> Floats:
        """(7,) tool pose that the next `ee_delta` is added to."""
        return self._anchor.pose.copy()

    @property
    def robot_state(self) -> RobotState:
        """The reading that the last observation is made of."""
        return self._state

    def reanchor(self) -> None:
        """Let the next action start from where the arm is, not from where it was sent: for whoever takes over."""
        q = self._state.q
        self._anchor = Anchor(q, np.zeros_like(q), self.robot.kinematics.tool_pose(q))

    def close(self) -> None:
        """Disconnect the robot."""
        self.robot.disconnect()

    # --- what an environment with a scene and a task adds

    def _begin(self, options: dict[str, Any]) -> Info:
        """Set the world up for an episode; the `info` of `reset`."""
        if options:
            raise BadInput(f"options {sorted(options)}; a robot without a task takes none")
        return {}

    def _judge(self) -> tuple[float, bool, Info]:
        """Reward, success and `info` of the step that was just taken."""
        return 0.0, False, {"success": False}

    def _trouble(self, state: RobotState) -> str:
        """What is wrong with the world; empty if nothing is."""
        finite = all(np.isfinite(value).all() for value in (state.q, state.dq, state.width, state.touch))
        return "" if finite else f"the robot's state is not finite: q {state.q}, dq {state.dq}"

    def _privileged(self) -> Floats:
        """(m,) the reading "state"."""
        return np.zeros(0)

    # ---

    def _send(self, action: Action) -> tuple[JointTarget, Info]:
        """Send what `action` means, or stop if it is refused; where the arm goes, and what `info` says of it."""
        try:
            sent = self.robot.send_action(self._form.decode(action, self._anchor))
        except (LimitViolation, PlannerError) as error:
            self.robot.stop()
            return self._standing(), {"clamped": [], "refused": str(error)}
        return sent, {"clamped": [violation.name for violation in self.robot.last_violations]}

    def _follow(self, sent: JointTarget) -> None:
        """Start the next action from what was sent, unless the arm is not there."""
        measured = self.robot.kinematics.tool_pose(self._state.q)
        speed = (sent.q - self._anchor.q) / self.ctrl_dt
        self._anchor = Anchor(sent.q, speed, self.robot.kinematics.tool_pose(sent.q))
        if np.linalg.norm(self._anchor.pose[:3] - measured[:3]) > STRAY:
            self.reanchor()

    def _standing(self) -> JointTarget:
        return JointTarget(self._state.q, self._state.width)

    def _observe(self, readings: Sequence[str], cameras: Sequence[str]) -> Observation:
        seen: Observation = {}
        if "proprio" in readings:
            seen |= proprio(self.robot, self._state)
        if "state" in readings:
            seen["state"] = np.concatenate([*proprio(self.robot, self._state).values(), self._privileged()])
        kinds = [kind for kind in IMAGES if kind in readings]
        if self.rig and kinds:
            for name, frame in self.rig.read(cameras, seg="seg" in kinds, rgb="rgb" in kinds).items():
                seen |= images(name, frame, kinds)
        return seen

    def _spaces(self) -> Spaces:
        """Spaces of what `_observe` returns."""
        own = proprio_spaces(self.robot)
        spaces: Spaces = dict(own) if "proprio" in self._readings else {}
        if "state" in self._readings:
            size = sum(gymnasium.spaces.flatdim(space) for space in own.values()) + len(self._privileged())
            spaces["state"] = unbounded(size)
        if self.rig:
            kinds = [kind for kind in IMAGES if kind in self._readings]
            for name in self._cameras:
                spaces |= image_spaces(name, self.rig.size, kinds)
        return spaces


def _require(kind: str, names: Sequence[str], allowed: Sequence[str] | Mapping[str, object]) -> None:
    for name in names:
        if name not in allowed:
            raise UnknownName(kind, name, allowed)
