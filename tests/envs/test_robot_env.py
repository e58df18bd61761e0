from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from valuefield.envs.actions import FORMS
from valuefield.envs.robot_env import STRAY, RobotEnv
from valuefield.robots import connect
from valuefield.robots.errors import BadInput, LimitViolation, NotConnected, UnknownName
from valuefield.robots.geometry import quat_conjugate, quat_multiply, rotation_vector
from valuefield.robots.kinematics import PandaKinematics
from valuefield.robots.panda import HOME_Q, LIMITS
from valuefield.robots.robot import Driver, Robot
from valuefield.robots.state import JointTarget, RobotState


class Arm(Driver):
    """Goes where it is sent at once, unless it is blocked or broken."""

    name, limits, ctrl_dt = "fake", LIMITS, 0.05

    def __init__(self) -> None:
        self.kinematics = PandaKinematics()
        self.q, self.time, self.sent = HOME_Q.copy(), 0.0, []
        self.blocked, self.trouble = False, ""

    def now(self) -> float:
        return self.time

    def wait(self, dt: float) -> None:
        self.time += dt

    def _connect(self) -> None: ...

    def _disconnect(self) -> None: ...

    def _stop(self) -> None: ...

    def _read(self) -> RobotState:
        if self.trouble == "unplugged" and self.time > 0:
            raise NotConnected("robot 'fake' does not answer")
        dq = np.full(7, np.nan if self.trouble == "nan" and self.sent else 0.0)
        return RobotState(self.time, self.q.copy(), dq, 0.08, np.zeros(6))

    def _write(self, target: JointTarget) -> None:
        self.sent.append(target)
        if not self.blocked:
            self.q = target.q


def fake_env(**options: object) -> tuple[RobotEnv, Arm]:
    arm = Arm()
    env = RobotEnv(Robot(arm), **options)  # type: ignore[arg-type]
    env.reset(seed=0)
    return env, arm


def test_an_observation_is_what_the_space_says():
    env = RobotEnv(connect("panda-sim"), obs=("proprio", "state"))
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    assert info == {}
    assert set(obs) == {"q", "dq", "ee_pose", "gripper", "touch", "time", "state"}
    np.testing.assert_allclose(obs["ee_pose"], PandaKinematics().tool_pose(obs["q"]), atol=1e-12)


@pytest.mark.parametrize("action", FORMS)
def test_one_step_takes_one_control_period(action):
    env = RobotEnv(connect("panda-sim"), action=action)
    before, _ = env.reset(seed=0)
    after, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert after["time"] - before["time"] == pytest.approx(0.05)
    assert (reward, terminated, truncated, info["success"]) == (0.0, False, False, False)
    assert info["action_sent"] in env.action_space


@pytest.mark.parametrize("action", FORMS)
def test_standing_still_is_an_action_of_every_form(action):
    env = RobotEnv(connect("panda-sim"), action=action)
    obs, _ = env.reset(seed=0)
    start = obs["ee_pose"]
    for _ in range(40):
        obs, *_ = env.step(env.encode(JointTarget(HOME_Q, 0.08)))
    np.testing.assert_allclose(obs["ee_pose"], start, atol=1e-4)
    assert obs["gripper"] == pytest.approx(0.08, abs=1e-3)


@pytest.mark.parametrize("action", FORMS)
def test_encoding_what_was_sent_gives_the_action_that_sends_it(action):
    env, arm = fake_env(action=action)
    goal = HOME_Q + np.array([0.01, -0.01, 0.01, 0.01, 0.0, 0.01, 0.02])
    env.step(env.encode(JointTarget(goal, 0.0)))
    pose, asked = arm.kinematics.tool_pose(arm.sent[-1].q), arm.kinematics.tool_pose(goal)
    np.testing.assert_allclose(pose, asked, atol=2e-3)  # the elbow may differ, the tool may not
    assert arm.sent[-1].width == 0.0


def test_ee_delta_moves_along_world_axes_from_what_was_sent_last():
    env, arm = fake_env()
    start = env.last_sent_pose
    for _ in range(8):
        before = env.last_sent_pose
        env.step(np.array([0, 0.4, 0, 0, 0, 0, 1], np.float32))
    moved = env.last_sent_pose - start
    assert env.last_sent_pose[1] - before[1] == pytest.approx(0.4 * 0.025, abs=1e-4)
    np.testing.assert_allclose(moved[[0, 2, 3, 4, 5, 6]], 0, atol=2e-3)
    assert arm.sent[-1].width == LIMITS.width_max


def test_ee_delta_turns_about_world_axes_at_the_tool_point():
    env, _ = fake_env()
    start = env.last_sent_pose
    for _ in range(10):
        env.step(np.array([0, 0, 0, 0, 0, 0.5, -1], np.float32))
    np.testing.assert_allclose(env.last_sent_pose[:3], start[:3], atol=5e-3)
    turn = rotation_vector(quat_multiply(env.last_sent_pose[3:], quat_conjugate(start[3:])))
    np.testing.assert_allclose(turn, [0, 0, 10 * 0.5 * 0.10], atol=0.05)


def test_a_blocked_arm_is_not_sent_ever_farther_away():
    env, arm = fake_env()
    arm.blocked = True
    home = env.last_sent_pose
    gaps = []
    for _ in range(30):
        env.step(np.array([0, 0, 1, 0, 0, 0, 1], np.float32))
        gaps.append(np.linalg.norm(env.last_sent_pose[:3] - home[:3]))
    assert 0.005 < max(gaps) <= STRAY


def test_whoever_takes_over_starts_from_where_the_arm_is():
    env, arm = fake_env()
    env.step(np.array([0, 0, 0.2, 0, 0, 0, 1], np.float32))
    arm.q = arm.q + 0.005
    env.step(env.encode(JointTarget(env.anchor.q, 0.08)))
    env.reanchor()
    np.testing.assert_array_equal(env.anchor.q, env.robot_state.q)


@pytest.mark.parametrize(
    "bad", [np.full(7, np.nan), np.array([0, 0, np.inf, 0, 0, 0, 0]), np.zeros(6), np.zeros((1, 7))]
)
def test_a_bad_action_is_refused_and_nothing_is_sent(bad):
    env, arm = fake_env()
    with pytest.raises(BadInput):
        env.step(bad)
    assert arm.sent == []


def test_a_zero_quaternion_is_refused():
    env, _ = fake_env(action="ee_pose")
    with pytest.raises(BadInput, match="quaternion"):
        env.step(np.array([0.4, 0, 0.4, 0, 0, 0, 0, 1], np.float32))


@pytest.mark.parametrize(("trouble", "says"), [("nan", "not finite"), ("unplugged", "NotConnected")])
def test_trouble_ends_the_episode_and_says_why(trouble, says):
    env, arm = fake_env()
    env.step(np.zeros(7, np.float32))
    arm.trouble = trouble
    obs, reward, terminated, truncated, info = env.step(np.zeros(7, np.float32))
    assert (reward, terminated, truncated, info["success"]) == (0.0, True, False, False)
    assert says in info["fault"]
    assert np.isfinite(obs["dq"]).all()


def test_what_safety_refuses_stops_the_arm_for_one_step(monkeypatch):
    env, arm = fake_env(action="joint")
    env.step(env.encode(JointTarget(HOME_Q, 0.08)))

    def refuse(target: JointTarget) -> JointTarget:
        raise LimitViolation("joint 1 is not where it was sent")

    monkeypatch.setattr(env.robot, "send_action", refuse)
    _, _, terminated, _, info = env.step(env.action_space.sample())
    assert not terminated
    assert "joint 1" in info["refused"]
    assert len(arm.sent) == 1
    np.testing.assert_allclose(info["action_sent"][:7], arm.q, atol=1e-6)


def test_an_episode_is_truncated_at_its_step_limit():
    env, _ = fake_env(max_steps=3)
    ends = [env.step(np.zeros(7, np.float32))[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


def test_unknown_names_come_with_the_nearest_one():
    robot = Robot(Arm())
    with pytest.raises(UnknownName, match="nearest: 'ee_delta'"):
        RobotEnv(robot, action="ee_delt")
    with pytest.raises(UnknownName, match="nearest: 'proprio'"):
        RobotEnv(robot, obs=("propio",))
    with pytest.raises(UnknownName, match="camera 'front'"):
        RobotEnv(robot, cameras=("front",))
    env, _ = fake_env()
    with pytest.raises(UnknownName, match="camera 'wrist'"):
        env.look(["wrist"])
    with pytest.raises(BadInput, match="options"):
        env.reset(options={"variation": 1})


def test_actions_beyond_the_space_are_clipped_to_it():
    env, arm = fake_env(action="joint")
    env.step(np.append(np.full(7, 100.0), 5.0).astype(np.float32))
    assert arm.sent[-1].width == LIMITS.width_max
    assert isinstance(env.action_space, gymnasium.spaces.Box)
    assert (arm.sent[-1].q <= LIMITS.q_max).all()
