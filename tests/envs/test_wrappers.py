import warnings
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import FilterObservation
from hypothesis import given
from hypothesis import strategies as st

from valuefield.envs.wrappers import FrameStack, Language, ObjectState, PointCloud, embed
from valuefield.robots.errors import BadInput, UnknownName

SIZE = 64
SPACES = {
    "q": ((7,), np.float64),
    "ee_pose": ((7,), np.float64),
    "gripper": ((1,), np.float64),
    "time": ((1,), np.float64),
    "rgb/top": ((SIZE, SIZE, 3), np.uint8),
    "depth/top": ((SIZE, SIZE), np.float32),
    "seg/top": ((SIZE, SIZE), np.int32),
    "cam_pose/top": ((4, 4), np.float64),
    "intrinsics/top": ((3, 3), np.float64),
}


class Table(gymnasium.Env):
    """A camera 1 m above the table looks straight down on a block 16 cm by 8 cm by 10 cm that an action moves."""

    action_space = Box(-1, 1, (2,), np.float32)
    observation_space = Dict(
        {
            key: Box(0 if dtype == np.uint8 else -np.inf, 255 if dtype == np.uint8 else np.inf, shape, dtype)
            if dtype != np.int32
            else Box(-1, 100, shape, dtype)
            for key, (shape, dtype) in SPACES.items()
        }
    )

    def __init__(self, blind=False):
        self.robot = SimpleNamespace(kinematics=SimpleNamespace(spheres=lambda q, width: np.array([[9.0, 9, 9, 0.1]])))
        self.blind = blind

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.block, self.steps = self.np_random.uniform([0.4, -0.1], [0.6, 0.1]), 0
        info = {
            "instruction": "push the red block",
            "roles": {"target": "red block"},
            "objects": {3: ("red block", ""), 0: ("table", "")},
        }
        return self.observe(), info

    def step(self, action):
        self.steps += 1
        self.block = self.block + 0.05 * np.asarray(action, dtype=np.float64)
        return self.observe(), 0.0, False, False, {}

    def observe(self):
        # Image right is -y, image down is -x: the robot looks up the picture.
        pose = np.array([[0, -1.0, 0, 0.5], [-1, 0, 0, 0], [0, 0, -1, 1], [0, 0, 0, 1]])
        focal, middle = SIZE / 0.8, (SIZE - 1) / 2
        row, column = np.indices((SIZE, SIZE))
        x, y = 0.5 - (row - middle) / focal * 0.9, -(column - middle) / focal * 0.9  # where each ray is 10 cm up
        on_block = (np.abs(x - self.block[0]) <= 0.08) & (np.abs(y - self.block[1]) <= 0.04) & (not self.blind)
        values = {
            "q": np.zeros(7),
            "ee_pose": np.array([0.3, 0, 0.5, 0, 1, 0, 0]),
            "gripper": [0.08],
            "time": [0.05 * self.steps],
            "rgb/top": np.zeros((SIZE, SIZE, 3)),
            "depth/top": np.where(on_block, 0.9, 1.0),
            "seg/top": np.where(on_block, 3, 0),
            "cam_pose/top": pose,
            "intrinsics/top": [[focal, 0, middle], [0, focal, middle], [0, 0, 1]],
        }
        return {key: np.asarray(values[key], dtype=dtype) for key, (_, dtype) in SPACES.items()}


WRAPPED = {
    "objects": lambda env: ObjectState(env, ["target"]),
    "points": lambda env: PointCloud(env, 100),
    "language": Language,
}


@pytest.mark.parametrize("key", WRAPPED)
def test_gymnasium_finds_nothing_wrong(key):
    env = WRAPPED[key](Table())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|precision|spec).*")
        check_env(env, skip_render_check=True)
    obs, _ = env.reset(seed=1)
    assert obs[key].dtype == np.float32 and set(obs) == {*SPACES, key}


def test_all_of_them_together_and_without_the_images():
    env = Language(PointCloud(ObjectState(Table(), ["target"]), 50), 32)
    env = FrameStack(FilterObservation(env, ["q", "objects", "points", "language"]), 3)
    obs, _ = env.reset(seed=1)
    obs, *_ = env.step(np.zeros(2, np.float32))
    assert {key: value.shape for key, value in obs.items()} == {
        "q": (3, 7),
        "objects": (3, 1, 8),
        "points": (3, 50, 3),
        "language": (3, 32),
    }
    assert obs in env.observation_space


def test_object_state_is_where_the_cameras_see_it_and_follows():
    env = ObjectState(Table(), ["target"])
    obs, _ = env.reset(seed=1)
    for _ in range(3):
        x, y = env.unwrapped.block
        (pose,) = obs["objects"]
        np.testing.assert_allclose(pose[:3], [x, y, 0.05], atol=0.012)
        np.testing.assert_allclose(pose[3:], [1, 0, 0, 0, 1], atol=0.06)  # long edge along x, seen
        obs, *_ = env.step(np.array([0.5, -1], np.float32))


def test_what_is_never_seen_is_zero_and_what_is_gone_keeps_its_last_pose():
    env = ObjectState(Table(blind=True), ["target"])
    obs, _ = env.reset(seed=1)
    np.testing.assert_array_equal(obs["objects"], np.zeros((1, 8)))
    env.unwrapped.blind = False
    seen = env.step(np.zeros(2))[0]["objects"]
    env.unwrapped.blind = True
    gone = env.step(np.zeros(2))[0]["objects"]
    assert seen[0, 7] == 1 and gone[0, 7] == 0
    np.testing.assert_array_equal(gone[0, :7], seen[0, :7])
    obs, _ = env.reset(seed=2)
    np.testing.assert_array_equal(obs["objects"], np.zeros((1, 8)))  # nothing is left of the last episode


def test_the_point_cloud_has_the_block_but_not_the_table():
    env = PointCloud(Table(), 64)
    obs, _ = env.reset(seed=1)
    np.testing.assert_allclose(obs["points"][:, 2], 0.1, atol=1e-3)
    assert (np.abs(obs["points"][:, :2] - env.unwrapped.block) <= [0.085, 0.045]).all()
    assert len(np.unique(obs["points"], axis=0)) == 64
    empty, _ = PointCloud(Table(blind=True), 64).reset(seed=1)
    np.testing.assert_array_equal(empty["points"], np.zeros((64, 3)))


def test_language_tells_instructions_apart():
    sentences = ["open the top drawer", "open the bottom drawer", "push red then blue", "push blue then red", ""]
    vectors = np.array([embed(sentence, 64) for sentence in sentences])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0])
    assert np.abs(vectors @ vectors.T - np.diag([1, 1, 1, 1, 0])).max() < 0.95
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@given(st.text(max_size=40))
def test_language_does_not_mind_case_and_punctuation(text):
    np.testing.assert_array_equal(embed(f"push {text} block", 16), embed(f"push,  {text} block!".lower(), 16))


def test_language_is_the_same_in_every_process():
    # Python's own hash is not: this row was worked out once by hand from CRC-32 of "a", which is 0xE8B7BE43.
    assert embed("a", 4).tolist() == [0, 1, 0, 0]


def test_bad_input():
    with pytest.raises(UnknownName, match="unknown role 'targte'; nearest: 'target'"):
        ObjectState(Table(), ["targte"]).reset()
    with pytest.raises(BadInput, match="Dict of observations"):
        Language(gymnasium.make("CartPole-v1"))
    with pytest.raises(BadInput, match="at least 1 point"):
        PointCloud(Table(), 0)
    with pytest.raises(BadInput, match="at least 1 number"):
        Language(Table(), 0)
    table = Table()
    table.reset = lambda **_: (table.observe() if hasattr(table, "block") else {}, {"roles": {}})
    with pytest.raises(BadInput, match=r"info\['instruction'\] at reset; there is only: roles"):
        Language(table).reset()
