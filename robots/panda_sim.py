"""The Panda in MuJoCo."""

from __future__ import annotations

import mujoco
import numpy as np

from . import panda
from .kinematics import PandaKinematics
from .monitor import Monitor
from .robot import Driver
from .state import Floats, JointTarget, RobotState

STIFFNESS = 40.0
"""rad/s: natural frequency of each joint around its reference; critically damped."""


class PandaSim(Driver):
    """A simulated Panda, in a bare table world of its own or in a world built upon `panda.spec()`.

    The arm is driven by computed torque at every physics step, tau = M (w^2 e + 2 w de) + bias: the reference goes from
    one target to the next on a straight line in `ctrl_dt`, with its velocity fed forward, and then stands. A target
    width of 0 closes until both fingers press with the target's force; any other width is a position, held with at most
    that force. `monitor` watches every step.

    Args:
        model, data: of that world; both or neither.
        ctrl_dt: s, between two targets.
    """

    name = "panda-sim"

    def __init__(
        self, model: mujoco.MjModel | None = None, data: mujoco.MjData | None = None, *, ctrl_dt: float = 0.05
    ) -> None:
        self.limits, self.kinematics = panda.LIMITS, PandaKinematics()
        self.ctrl_dt, self.monitor = ctrl_dt, Monitor(panda.RATED)
        self.model = panda.spec().compile() if model is None else model
        self.data = mujoco.MjData(self.model) if data is None else data
        self._bind()
        if model is None:
            self.reset()

    def reset(self, q: Floats = panda.HOME_Q, width: float = 0.08) -> None:
        """Place the arm, at rest, at joint angles q (7,) with its gripper `width` m open; everything else stays."""
        self._q[:], self._dq[:] = q, 0.0
        self._finger_q[:], self._finger_dq[:] = width / 2, 0.0
        self._finger_ctrl = self.data.ctrl[self._gripper] = width / 2
        mujoco.mj_forward(self.model, self.data)
        self._hold()
        self.monitor.take()

    def now(self) -> float:
        """Simulated seconds."""
        return float(self.data.time)

    def wait(self, dt: float) -> None:
        """Step the physics for `dt` s."""
        for _ in range(round(dt / self.model.opt.timestep)):
            mujoco.mj_step1(self.model, self.data)
            self._drive()
            mujoco.mj_step2(self.model, self.data)
            self.monitor.record(self._q, self._dq, self._torque, self._contacts)

    def _connect(self) -> None:
        self._hold()

    def _disconnect(self) -> None:
        self._hold()

    def _read(self) -> RobotState:
        hand = self.data.xmat[self._hand].reshape(3, 3)
        # The sensor gives what each pad does to the world; its opposite, in hand axes, is what the pad feels.
        touch = 0.0 - (self._pad_forces.reshape(2, 3) @ hand).ravel()
        return RobotState(self.now(), self._q.copy(), self._dq.copy(), max(0.0, float(self._finger_q.sum())), touch)

    def _write(self, target: JointTarget) -> None:
        steps = max(1, round(self.ctrl_dt / self.model.opt.timestep))
        line = np.linspace(self._reference[self._row], target.q, steps + 1)
        speed = (line[-1] - line[0]) / (steps * self.model.opt.timestep)
        self._follow(line, speed)
        both = 2.0 * target.force
        self.model.actuator_forcerange[self._gripper] = (-both, both)
        # Beyond zero by as much as makes the servo saturate whatever it holds.
        self._finger_target = target.width / 2 if target.width > 0 else -both / panda.GRIPPER_GAIN

    def _stop(self) -> None:
        self._hold()

    def _hold(self) -> None:
        self._follow(self._q[None].copy(), np.zeros(7))
        self._finger_target = self._finger_ctrl

    def _follow(self, line: Floats, speed: Floats) -> None:
        """Take a reference (k, 7), one row a physics step: the first row is where it is now, the last one is held."""
        self._reference, self._row = np.vstack([line, line[-1:]]), 0
        self._pull = STIFFNESS**2 * self._reference
        self._pull[:-1] += 2 * STIFFNESS * speed

    def _drive(self) -> None:
        """Set the motors for one physics step; runs 500 times a second, hence the arrays that are used again."""
        self._row = min(self._row + 1, len(self._pull) - 1)
        wanted, torque, scratch = self._acceleration, self._torque, self._scratch
        np.multiply(self._q, STIFFNESS**2, out=scratch)
        np.subtract(self._pull[self._row], scratch, out=wanted)
        np.multiply(self._dq, 2 * STIFFNESS, out=scratch)
        np.subtract(wanted, scratch, out=wanted)
        mujoco.mj_mulM(self.model, self.data, self._inertial_all, self._acceleration_all)
        np.subtract(self._bias, self._gravcomp, out=torque)
        np.add(torque, self._inertial, out=torque)
        np.multiply(self._dq, panda.DAMPING, out=scratch)
        np.add(torque, scratch, out=torque)
        np.minimum(torque, panda.RATED.tau_max, out=scratch)
        np.maximum(scratch, self._tau_min, out=self._motors)
        self._move_gripper()

    def _move_gripper(self) -> None:
        now, goal = self._finger_ctrl, self._finger_target
        if now == goal:
            return
        step = panda.GRIPPER_SPEED * self.model.opt.timestep
        if goal > now:  # opening: no time is lost on unwinding the squeeze
            now = max(now, float(self._finger_q[0]))
        self._finger_ctrl = min(max(goal, now - step), now + step)
        self.data.ctrl[self._gripper] = self._finger_ctrl

    def _bind(self) -> None:
        """Find the arm in the model, and hold views of its part of the simulator's arrays."""
        model, data = self.model, self.data
        q_at = model.jnt_qposadr[[model.joint(name).id for name in panda.JOINTS]]
        v_at = model.jnt_dofadr[[model.joint(name).id for name in panda.JOINTS]]
        arm = slice(v_at[0], v_at[-1] + 1)
        self._q, self._dq = data.qpos[q_at[0] : q_at[-1] + 1], data.qvel[arm]
        self._bias, self._gravcomp = data.qfrc_bias[arm], data.qfrc_gravcomp[arm]
        fingers = [model.joint(f"{side}_finger").id for side in panda.SIDES]
        first_q, first_v = model.jnt_qposadr[fingers[0]], model.jnt_dofadr[fingers[0]]
        self._finger_q, self._finger_dq = data.qpos[first_q : first_q + 2], data.qvel[first_v : first_v + 2]
        motors = slice(model.actuator(panda.JOINTS[0]).id, model.actuator(panda.JOINTS[-1]).id + 1)
        self._motors, self._tau_min = data.ctrl[motors], -panda.RATED.tau_max
        self._gripper, self._hand = model.actuator("gripper").id, model.body("hand").id
        self._contacts = data.sensordata[model.sensor("robot_table").adr[0] :][:2]
        self._pad_forces = data.sensordata[model.sensor("touch_left").adr[0] :][:6]
        self._acceleration_all, self._inertial_all = np.zeros(model.nv), np.zeros(model.nv)
        self._acceleration, self._inertial = self._acceleration_all[arm], self._inertial_all[arm]
        self._torque, self._scratch = np.zeros(7), np.zeros(7)
        self._finger_ctrl = float(data.ctrl[self._gripper])
        self._hold()
