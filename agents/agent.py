"""What an agent is, and what those trained by gradients share: device, random numbers, steps, state as flat tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from ..robots.errors import BadInput, UnknownName
from .adam import Adam
from .rows import Batch

Obs = Tensor | dict[str, Tensor]
"""A batch of observations (B, ...): float32 or uint8, or a dict of such."""

Info = dict[str, Tensor]
"""Scalars to be logged, detached."""

REPLAYS = ("flat", "intervention", "feedback")


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """What the training loop reads of every algorithm's configuration."""

    batch_size: int = 128
    """rows of an update"""
    updates_per_step: int = 1
    """updates after each environment step"""
    learning_starts: int = 100
    """environment steps with uniformly random proposals and no updates"""
    replay: str = "flat"
    """which replay it learns from: flat, intervention or feedback"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        if self.replay not in REPLAYS:
            raise UnknownName("replay", self.replay, REPLAYS)
        for name, least in (("batch_size", 1), ("updates_per_step", 1), ("learning_starts", 0)):
            require(name, getattr(self, name), at_least=least)


class Agent(Protocol):
    """Acts on a batch of observations and learns from batches of rows; knows nothing of environments."""

    @property
    def config(self) -> AgentConfig:
        """Its configuration."""
        ...

    @property
    def averaged(self) -> bool:
        """Whether it acts with an average of the network that is being trained."""
        ...

    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> NDArray[Any]:
        """Actions (N, A) float32, or (N,) int64 of a Discrete space, for observations (N, ...) or a dict of such.

        explore: as when rows are gathered; always with the network that is being trained. online: with it too, even
        where `averaged`.
        """
        ...

    def update(self, batch: Batch) -> dict[str, float]:
        """Learn from a batch; returns what is worth logging. BadInput when its loss is not finite."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the next update depends on, by flat names."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state_dict; BadInput where it does not fit."""
        ...


Config = TypeVar("Config", bound=AgentConfig)


class Learner(Generic[Config]):
    """Base of the agents: networks and optimisers by name, `updates` so far, and a generator of its own.

    The generator lives on the CPU whatever the device, so that a checkpoint goes on alike on both.
    """

    def __init__(self, observation_space: spaces.Space[Any], config: Config, *, seed: int, device: str) -> None:
        self.config = config
        self.device = device_of(device)
        self.generator = torch.Generator().manual_seed(seed)
        self.updates = 0
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Adam] = {}
        self._observation_space = observation_space

    @property
    def averaged(self) -> bool:
        """Whether it acts with an average of the network that is being trained."""
        return False

    def tensors(self, obs: Any) -> Obs:
        """Observations (N, ...) as tensors on the device, floats as float32.

        Raises BadInput for a shape that is not the space's, and for a key that is missing.
        """
        space = self._observation_space
        if not isinstance(space, spaces.Dict):
            return self._tensor("obs", obs, space)
        if missing := space.spaces.keys() - obs.keys():
            raise BadInput(f"observation lacks {', '.join(sorted(missing))}; it has {', '.join(sorted(obs))}")
        return {key: self._tensor(key, obs[key], part) for key, part in space.spaces.items()}

    def _tensor(self, name: str, value: Any, space: spaces.Space[Any]) -> Tensor:
        array = np.asarray(value)
        if array.shape[1:] != space.shape:
            raise BadInput(f"observation {name!r} has shape {array.shape}, not (N, {str(space.shape)[1:]}")
        tensor = torch.as_tensor(array, device=self.device)
        return tensor.float() if tensor.dtype == torch.float64 else tensor

    def on_device(self, batch: Batch) -> Batch:
        """The batch where the networks are."""
        if self.device.type == "cpu":
            return batch
        moved = {
            name: {key: part.to(self.device) for key, part in value.items()}
            if isinstance(value, dict)
            else value.to(self.device)
            for name, value in cast("dict[str, Obs]", batch).items()
        }
        return cast(Batch, moved)

    def step(self, name: str, loss: Tensor, batch: Batch, *, max_norm: float | None = None) -> None:
        """One step of the optimiser `name` down the loss.

        Raises BadInput, before anything is changed, for a loss that is not finite.
        """
        if not math.isfinite(loss.item()):
            raise BadInput(not_finite(name, batch))
        optimizer = self.optimizers[name]
        gradients = torch.autograd.grad(loss, optimizer.parameters)
        if max_norm is not None:
            torch._foreach_mul_(gradients, shortening(gradients, max_norm))
        optimizer.step(gradients)

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of networks (`<network>.*`), optimisers (`optimizer.*`), `updates` and `generator`."""
        state = {"updates": torch.tensor(self.updates), "generator": self.generator.get_state()}
        for name, part in self._parts().items():
            state |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
        return {name: value.detach().clone() for name, value in state.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state_dict. Raises BadInput, before anything is changed, where names or shapes differ."""
        check_fit(self.state_dict(), state)
        for name, part in self._parts().items():
            prefix = f"{name}."
            part.load_state_dict(
                {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            )
        self.updates = int(state["updates"])
        self.generator.set_state(state["generator"].cpu())

    def _parts(self) -> dict[str, nn.Module | Adam]:
        return {**self.networks, **{f"optimizer.{name}": each for name, each in self.optimizers.items()}}


def device_of(name: str) -> torch.device:
    """The device; of "auto", the GPU where there is one. Raises UnknownName for what this machine does not have."""
    allowed = ("auto", "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count())))
    if name not in allowed and not (name == "cuda" and torch.cuda.is_available()):
        raise UnknownName("device", name, allowed)
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks built inside have the same weights for the same seed; the process's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@torch.no_grad()
def polyak(targets: Sequence[Tensor], online: Sequence[Tensor], tau: float) -> None:
    """Move each target by `tau` of the way to the online parameter beside it."""
    torch._foreach_lerp_(list(targets), list(online), tau)


def shortening(gradients: Sequence[Tensor], max_norm: float) -> Tensor:
    """Factor () that brings the gradients, taken as one vector, down to `max_norm`; at most 1."""
    norm = torch.stack(torch._foreach_norm(list(gradients))).norm()
    return torch.clamp(max_norm / norm, max=1.0)


def floats(info: Info) -> dict[str, float]:
    """Scalars as numbers, with one transfer from the device."""
    return dict(zip(info, torch.stack([value.float() for value in info.values()]).tolist(), strict=True))


def require(name: str, value: float, *, at_least: float = -math.inf, at_most: float = math.inf) -> None:
    """Raise BadInput unless at_least <= value <= at_most."""
    if not at_least <= value <= at_most:
        allowed = f"{at_least:g} or more" if at_most == math.inf else f"{at_least:g} to {at_most:g}"
        raise BadInput(f"{name} is {allowed}, not {value}")


def not_finite(loss: str, batch: Batch) -> str:
    """Which field of the batch made the loss not finite."""
    for name, value in cast("dict[str, Obs]", batch).items():
        for key, tensor in value.items() if isinstance(value, dict) else (("", value),):
            if not torch.isfinite(tensor).all():
                return f"the {loss} loss is not finite: {name + ('/' + key if key else '')} holds NaN or infinity"
    return f"the {loss} loss is not finite though the batch is: training has diverged, a lower lr may help"


def check_fit(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Raise BadInput naming the first tensor that is missing, too many or of another shape."""
    for name in sorted(own.keys() ^ given.keys()):
        raise BadInput(f"the state {'lacks' if name in own else 'has an unknown'} {name!r}")
    for name, value in own.items():
        if value.shape != given[name].shape:
            raise BadInput(f"{name!r} has shape {tuple(given[name].shape)}, not {tuple(value.shape)}")
