"""What every tabletop task says of itself: its scene, its sentences, its success and how it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import mujoco
import numpy as np

from ...robots.state import Floats
from ..keyframe import Keyframe
from .world import World


class Task(ABC):
    """A scene, and something to be done in it that words can ask for.

    An instance belongs to one environment. Its scene is built once; each episode places it anew, in one of
    `variation_count` variations, which differ in what is asked for and in colour, never in the bodies.
    """

    name: ClassVar[str]
    variation_count: ClassVar[int] = 1
    max_steps: ClassVar[int]
    """Control steps of an episode: three times the scripted expert's longest, rounded up to ten."""
    hold_steps: ClassVar[int] = 3
    """Control steps in a row for which the success test must hold."""
    reward_scales: ClassVar[Mapping[str, float]]
    """{reward term: its share of the dense reward}."""
    grips: ClassVar[tuple[Floats, ...]]
    """Tool rotations (4,) wxyz with which the task can be done, in the frame of what the tool goes to, best first."""

    def __init__(self) -> None:
        self.variation = 0

    def reset(self, world: World, rng: np.random.Generator, variation: int) -> None:
        """Start an episode: name, colour and place everything."""
        self.variation = variation
        world.names = self.names(variation)
        self.place(world, rng)

    @abstractmethod
    def templates(self, variation: int) -> tuple[str, ...]:
        """Sentences that ask for this variation."""

    @abstractmethod
    def roles(self, variation: int) -> dict[str, str]:
        """{role: object}: "target" is what is touched, "goal" where it goes, "distractor_0" ... what to leave alone."""

    def names(self, variation: int) -> dict[str, str]:
        """{body: object} where the two differ, such as a block that is called by its colour."""
        return {}

    @abstractmethod
    def build(self, spec: mujoco.MjSpec) -> None:
        """Add the bodies to the arm's table world."""

    @abstractmethod
    def place(self, world: World, rng: np.random.Generator) -> None:
        """Put everything in its place for `self.variation`."""

    @abstractmethod
    def success(self, world: World) -> bool:
        """Whether it is done; asked once a control step."""

    @abstractmethod
    def keyframes(self, world: World, grip: Floats) -> list[Keyframe]:
        """The stages of doing it from how the world is now, with one of `grips`; the first can always be begun."""

    @abstractmethod
    def reward_terms(self, world: World) -> dict[str, float]:
        """Terms of the dense reward, each 0-1."""

    def state(self, world: World) -> Floats:
        """(n,) for each object in the order of its role: its pose, and its joint if it has one."""
        bodies = {name: body for body, name in self.names(self.variation).items()}
        objects = [bodies.get(name, name) for name in self.roles(self.variation).values()]
        return np.concatenate([world.state(body) for body in objects])


def closeness(distance: float, scale: float = 0.1) -> float:
    """Reward term in 0-1: 1 - tanh(distance / scale), both in m."""
    return float(1 - np.tanh(distance / scale))
