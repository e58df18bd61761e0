"""How perception and language feed policies: wrappers that add a key to every observation.

They read only what an observation and the info of `reset` hold. Drop the images that a policy does not want with
`gymnasium.wrappers.FilterObservation`, outside of these.
"""

from __future__ import annotations

import re
import zlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.wrappers import FrameStackObservation as FrameStack
from numpy.typing import NDArray

from ..robots.errors import BadInput, UnknownName
from ..robots.geometry import quat_from_matrix
from .perception.detector import Detector, OracleDetector
from .perception.scene import Scene
from .perception.scene_object import SceneObject

__all__ = ["FrameStack", "Language", "ObjectState", "PointCloud"]

Observation = dict[str, Any]
Info = dict[str, Any]
Env = gymnasium.Env[Observation, Any]

ABOVE_TABLE = 0.005
"""m: points below this height are the table's, and of no use to a policy."""


def oracle(info: Info) -> Detector:
    """Make the detector that reads the simulator's masks, from the info of a reset."""
    return OracleDetector(info["objects"])


class _Adding(gymnasium.ObservationWrapper[Observation, Any, Observation]):
    """Adds what `_added` returns, float32 of the given shape, as `key`."""

    def __init__(self, env: Env, key: str, shape: tuple[int, ...]) -> None:
        super().__init__(env)
        if not isinstance(env.observation_space, Dict):
            raise BadInput(f"{type(self).__name__} needs a Dict of observations, not {env.observation_space}")
        space = Box(-np.inf, np.inf, shape, np.float32)
        self.observation_space = Dict({**env.observation_space.spaces, key: space})
        self._key = key

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Reset the environment, learn from its info what there is, and add the key."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._begin(info)
        return self.observation(obs), info

    def observation(self, observation: Observation) -> Observation:
        """Return a copy of `observation` with the key."""
        return {**observation, self._key: self._added(observation).astype(np.float32)}

    @abstractmethod
    def _begin(self, info: Info) -> None: ...

    @abstractmethod
    def _added(self, obs: Observation) -> NDArray[Any]: ...


class _Seeing(_Adding):
    """Adds what is read off a `Scene`, which carries over what was seen earlier in the episode.

    The environment has a `robot`, and its observations have proprioception and all images of at least one camera.
    """

    _named_only: ClassVar[bool] = False

    def __init__(self, env: Env, key: str, shape: tuple[int, ...], detector: Callable[[Info], Detector]) -> None:
        super().__init__(env, key, shape)
        self._make_detector = detector
        self._kinematics = env.get_wrapper_attr("robot").kinematics

    def _begin(self, info: Info) -> None:
        self._detector = self._make_detector(info)
        self._scene: Scene | None = None

    def _added(self, obs: Observation) -> NDArray[Any]:
        self._scene = Scene(
            obs, self._detector, kinematics=self._kinematics, previous=self._scene, named_only=self._named_only
        )
        return self._read(self._scene)

    @abstractmethod
    def _read(self, scene: Scene) -> NDArray[Any]: ...


class ObjectState(_Seeing):
    """Adds `objects` (R, 8): for each role the pose xyz + wxyz, m, world, of its object's box, and 1 if it is found.

    Poses are those that cameras give, not the simulator's. An object that is hidden is found where it was seen last;
    of one that is not found the last pose is repeated, zeros before the first. A box looks the same turned by half:
    its longer edge is said to point to +x.

    Args:
        env: see `_Seeing`; `info["roles"]` of its reset names the object of each role.
        roles: such as ("target", "goal"), in the order of the rows.
        optional: more roles, that not every variation has; where one is missing its row is zeros.
        detector: makes a detector from the info of a reset.

    Raises:
        UnknownName: at a reset, for a role that the environment does not have.
    """

    _named_only = True

    def __init__(
        self,
        env: Env,
        roles: Sequence[str],
        *,
        optional: Sequence[str] = (),
        detector: Callable[[Info], Detector] = oracle,
    ) -> None:
        super().__init__(env, "objects", (len(roles) + len(optional), 8), detector)
        self._roles, self._optional = tuple(roles), tuple(optional)

    def _begin(self, info: Info) -> None:
        super()._begin(info)
        for role in self._roles:
            if role not in info["roles"]:
                raise UnknownName("role", role, info["roles"])
        self._names = [info["roles"].get(role) for role in (*self._roles, *self._optional)]
        self._poses = np.zeros((len(self._names), 7))

    def _read(self, scene: Scene) -> NDArray[Any]:
        found = [scene.find(name) if name else None for name in self._names]
        for row, thing in enumerate(found):
            if thing is not None:
                self._poses[row] = _pose(thing)
        return np.column_stack([self._poses, [thing is not None for thing in found]])


class PointCloud(_Seeing):
    """Adds `points` (N, 3), m, world: the scene without robot and table, evenly thinned or repeated to N points.

    Args:
        env: see `_Seeing`.
        points: N. All of them are zero where nothing is seen.
        detector: makes a detector from the info of a reset.
    """

    def __init__(self, env: Env, points: int = 1024, *, detector: Callable[[Info], Detector] = oracle) -> None:
        if points < 1:
            raise BadInput(f"a point cloud has at least 1 point, not {points}")
        super().__init__(env, "points", (points, 3), detector)
        self._count = points

    def _read(self, scene: Scene) -> NDArray[Any]:
        cloud = scene.cloud[scene.cloud[:, 2] > ABOVE_TABLE]
        if not len(cloud):
            return np.zeros((self._count, 3))
        return cloud[np.linspace(0, len(cloud) - 1, self._count).round().astype(np.intp)]


class Language(_Adding):
    """Adds `language` (D,): the instruction as a bag of its words and pairs of words, hashed into D signed counts.

    The hashing trick (K. Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009), scaled to
    length 1. It tells instructions apart; it does not know that two words mean the same.

    Raises:
        BadInput: at a reset whose info has no instruction.
    """

    def __init__(self, env: Env, size: int = 64) -> None:
        if size < 1:
            raise BadInput(f"a language vector has at least 1 number, not {size}")
        super().__init__(env, "language", (size,))
        self._size = size

    def _begin(self, info: Info) -> None:
        if "instruction" not in info:
            raise BadInput(f"Language needs info['instruction'] at reset; there is only: {', '.join(sorted(info))}")
        self._vector = embed(info["instruction"], self._size)

    def _added(self, obs: Observation) -> NDArray[Any]:
        return self._vector


def embed(text: str, size: int) -> NDArray[np.float64]:
    """(size,) of length 1, or zero for a text without words: see `Language`. The same in every process."""
    words = re.findall(r"\w+", text.lower())
    vector = np.zeros(size)
    for token in (*words, *(" ".join(pair) for pair in pairwise(words))):
        code = zlib.crc32(token.encode())
        vector[(code >> 1) % size] += 1 if code & 1 else -1
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _pose(thing: SceneObject) -> NDArray[np.float64]:
    axes = thing.box.axes
    if axes[0, 0] < 0:
        axes = axes * np.array([[-1], [-1], [1]])  # half a turn about the vertical
    return np.concatenate([thing.center, quat_from_matrix(axes.T)])
