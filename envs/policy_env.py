"""Environments as policies train and run in them, from a recipe that a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict

from ..robots.errors import BadInput, UnknownName
from . import tabletop
from .tabletop.env import TabletopEnv
from .tool_view import ToolView
from .wrappers import Language, ObjectState

PolicyEnv = gymnasium.Env[Any, Any]

VIEWS: dict[str, tuple[tuple[str, ...], int]] = {
    "objects": (("front", "left_shoulder"), 128),
    "state": ((), 128),
    "pixels": (("overhead", "wrist"), 64),
}
"""Ways to observe a tabletop: the cameras and the pixels a side that each takes unless it is told otherwise."""


@dataclass(frozen=True)
class Recipe:
    """How an environment is made and observed; JSON-able. `recipe_for` fills in what fits an environment.

    env: its id. Of a tabletop, and empty for all others: observe: "objects" (poses from cameras), "state" (poses from
    the simulator) or "pixels" (colour images, and the instruction in numbers). action: a form of `actions.py`. cameras.
    size: of the images, pixels a side.
    """

    env: str
    observe: str = ""
    action: str = ""
    cameras: tuple[str, ...] = ()
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return {**asdict(self), "cameras": list(self.cameras)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that `as_json` wrote. Raises UnknownName for a key that is none of its fields."""
        for key in values:
            if key not in (names := [field.name for field in fields(cls)]):
                raise UnknownName("key of a recipe", key, names)
        return cls(**{**values, "cameras": tuple(values["cameras"])})


def recipe_for(env_id: str, observe: str = "", action: str = "ee_delta") -> Recipe:
    """The recipe for an environment: a tabletop is observed by "objects" unless `observe` says otherwise.

    Raises:
        UnknownName: a way to observe a tabletop that does not exist.
        BadInput: a way to observe for an environment that is no tabletop.
    """
    if not env_id.startswith("tabletop/"):
        if observe:
            raise BadInput(f"{env_id} is observed as it is; {observe!r} is for environments tabletop/...")
        return Recipe(env_id)
    observe = observe or "objects"
    if observe not in VIEWS:
        raise UnknownName("way to observe", observe, VIEWS)
    cameras, size = VIEWS[observe]
    return Recipe(check_env(env_id), observe, action, cameras, size)


def policy_env(recipe: Recipe) -> PolicyEnv:
    """The environment of a recipe; its observations are a Box, or a Dict of Boxes, float32 or uint8; info is as it was.

    Raises:
        UnknownName: there is no such environment, camera, action or way to observe.
        BadInput: an environment whose observations no network here can take.
    """
    env_id = check_env(recipe.env)
    if env_id.startswith("tabletop/"):
        return _tabletop(recipe)
    if env_id.startswith("MiniGrid-"):
        from . import minigrid

        return minigrid.make(env_id)
    return _floats(gymnasium.make(env_id))


def check_env(env_id: str) -> str:
    """The id, of a tabletop without its `-v0`. Raises UnknownName when there is no such environment."""
    known = [f"tabletop/{task}" for task in tabletop.TASKS]
    if env_id.removesuffix("-v0") in known:
        return env_id.removesuffix("-v0")
    from . import minigrid

    known += [
        *minigrid.ids(),
        *(each for each in gymnasium.registry if not each.startswith(("tabletop/", "MiniGrid-"))),
    ]
    if env_id not in known:
        raise UnknownName("environment", env_id, known)
    return env_id


class SimulatorState(gymnasium.ObservationWrapper[dict[str, Any], Any, dict[str, Any]]):
    """Adds `objects` (R, 8) as `ObjectState` does, but with the poses of bodies in the simulator. Privileged."""

    def __init__(self, env: TabletopEnv, roles: tuple[str, ...]) -> None:
        super().__init__(env)
        self._world, self._task, self._roles = env.world, env.task, roles
        assert isinstance(env.observation_space, Dict)
        space = Box(-np.inf, np.inf, (len(roles), 8), np.float32)
        self.observation_space = Dict({**env.observation_space.spaces, "objects": space})

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The observation with the key."""
        bodies = {name: body for body, name in self._task.names(self._task.variation).items()}
        objects = np.zeros((len(self._roles), 8), np.float32)
        for role, name in self._task.roles(self._task.variation).items():
            objects[self._roles.index(role)] = (*self._world.pose(bodies.get(name, name)), 1.0)
        return {**observation, "objects": objects}


def roles_of(env: TabletopEnv) -> tuple[str, ...]:
    """Every role that a variation of the task has, "target" first."""
    every = (env.task.roles(variation) for variation in range(env.task.variation_count))
    return tuple(dict.fromkeys(role for roles in every for role in roles))


def _tabletop(recipe: Recipe) -> PolicyEnv:
    if recipe.observe not in VIEWS:
        raise UnknownName("way to observe", recipe.observe, VIEWS)
    readings = {"objects": ("proprio", "depth", "seg"), "state": ("proprio",), "pixels": ("proprio", "rgb")}
    env = tabletop.make(
        recipe.env,
        obs=readings[recipe.observe],
        cameras=recipe.cameras,
        action=recipe.action,
        size=recipe.size,
        meshes="collision",
    )
    if recipe.observe == "pixels":
        return ToolView(Language(env), keep=("language", *(f"rgb/{camera}" for camera in recipe.cameras)))
    roles = roles_of(env)
    if recipe.observe == "state":
        return ToolView(SimulatorState(env, roles))
    return ToolView(ObjectState(env, roles[:1], optional=roles[1:]))


def _floats(env: PolicyEnv) -> PolicyEnv:
    """Observations as float32 or uint8."""
    space = env.observation_space
    if not isinstance(space, Box):
        raise BadInput(
            f"observations of {env.spec.id if env.spec else env} are {space}; only a Box can be learned from"
        )
    if space.dtype in (np.float32, np.uint8):
        return env
    narrow = Box(space.low.astype(np.float32), space.high.astype(np.float32), dtype=np.float32)
    return gymnasium.wrappers.TransformObservation(env, lambda obs: np.asarray(obs, np.float32), narrow)
