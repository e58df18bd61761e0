"""What can drive an environment: an expert, a planner, a checkpoint, a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium
import numpy as np

from ..envs.observations import proprio
from ..envs.robot_env import RobotEnv

if TYPE_CHECKING:
    from .agent import Agent  # brings torch, which a planner can do without


class Actor(Protocol):
    """One action a control step; takeover-safe, for it decides from the observation and not from a counter."""

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Begin an episode with the observation and info of the environment's reset."""
        ...

    def act(self, obs: Any) -> Any:
        """The action for this observation, in the environment's action space."""
        ...


class PolicyActor:
    """A trained policy, greedy, one observation at a time. online: never with the average of its networks."""

    def __init__(self, agent: Agent, *, online: bool = False) -> None:
        self._agent, self._online = agent, online

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Nothing depends on the episode."""

    def act(self, obs: Any) -> Any:
        """(A,) float32, or one integer of a Discrete space."""
        return self._agent.act(batched(obs), online=self._online)[0]


class RandomActor:
    """Uniformly random actions: the floor under every success rate."""

    def __init__(self, space: gymnasium.Space[Any], seed: int) -> None:
        self._space = space
        self._space.seed(seed)

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Nothing depends on the episode."""

    def act(self, obs: Any) -> Any:
        """Draw an action."""
        return self._space.sample()


class RandomStart:
    """Leaves the first `steps` actions of each episode to `chance`: does `actor` find its way from there?"""

    def __init__(self, actor: Actor, chance: Actor, steps: int) -> None:
        self._actor, self._chance, self._steps = actor, chance, steps
        self._left = steps

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Begin an episode, again with random actions."""
        self._left = self._steps
        self._actor.reset(obs, info)

    def act(self, obs: Any) -> Any:
        """A random action while some are left, then the actor's."""
        self._left -= 1
        return (self._chance if self._left >= 0 else self._actor).act(obs)

    @property
    def finished(self) -> bool:
        """Whether the actor says that it is."""
        return bool(getattr(self._actor, "finished", False))

    @property
    def reason(self) -> str:
        """The actor's, of why it failed."""
        return str(getattr(self._actor, "reason", ""))


class FromRobot:
    """Has an actor that reads proprioception act in an environment that shows policies something else."""

    def __init__(self, actor: Actor, env: RobotEnv) -> None:
        self._actor, self._env = actor, env

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Begin an episode with what the robot reads."""
        self._actor.reset(self._reading(), info)

    def act(self, obs: Any) -> Any:
        """The actor's action for what the robot reads."""
        return self._actor.act(self._reading())

    def _reading(self) -> dict[str, Any]:
        return proprio(self._env.robot, self._env.robot_state)


def batched(obs: Any) -> Any:
    """A batch of one observation."""
    if isinstance(obs, Mapping):
        return {key: np.asarray(value)[None] for key, value in obs.items()}
    return np.asarray(obs)[None]
