"""Behaviour cloning: do what was done, where it was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..robots.errors import BadInput
from .adam import Adam
from .agent import AgentConfig, Info, Learner, Obs, floats, seeded
from .dqn import count_of
from .networks import MLP, Encoder
from .rows import Batch
from .unit_box import UnitBox


@dataclass(frozen=True, kw_only=True)
class BCConfig(AgentConfig):
    """Configuration of an imitator."""

    learning_starts: int = 0
    hidden: tuple[int, ...] = (256, 256)
    """layers behind the observation's features"""
    lr: float = 1e-3
    """of Adam"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        if not self.lr > 0:
            raise BadInput(f"lr is above 0, not {self.lr}")


class Policy(nn.Module):
    """Observations -> the mean action of a Box in -1..1 by tanh (B, A), or the logits of a Discrete space (B, A)."""

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], hidden: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.box = None if isinstance(action_space, spaces.Discrete) else UnitBox(action_space)
        self.encoder = Encoder(observation_space)
        actions = self.box.dimensions if self.box else count_of(action_space)
        self.layers = MLP(self.encoder.size, hidden, actions)

    def forward(self, obs: Obs) -> Tensor:
        """(B, ...) -> (B, A)."""
        raw: Tensor = self.layers(self.encoder(obs))
        return raw.tanh() if self.box else raw

    def errors(self, obs: Obs, action: Tensor) -> Tensor:
        """(B,): cross-entropy of the action taken, or its squared distance from the mean, averaged over dimensions."""
        out = self(obs)
        if self.box:
            return functional.mse_loss(out, self.box.to_unit(action), reduction="none").mean(-1)
        return functional.cross_entropy(out, action, reduction="none")

    def actions(self, obs: Obs) -> Tensor:
        """The likeliest action: (B, A) within the bounds, or (B,) int64."""
        out: Tensor = self(obs)
        return self.box.from_unit(out) if self.box else out.argmax(-1)


class BC(Learner[BCConfig]):
    """Clones every row that it is shown: which those are is a matter of what fills the replay.

    Raises BadInput for an action space that is neither a finite Box (A,) nor Discrete from 0 on.
    """

    default: ClassVar[type[BCConfig]] = BCConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: BCConfig | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        config = config or self.default()
        super().__init__(observation_space, config, seed=seed, device=device)
        with seeded(seed):
            self.policy = Policy(observation_space, action_space, config.hidden).to(self.device)
        self.networks = {"policy": self.policy}
        self.optimizers = {"policy": Adam(self.policy.parameters(), config.lr)}

    @torch.inference_mode()
    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> NDArray[Any]:
        """(N, A) float32 within the bounds, or (N,) int64: the likeliest action, exploring or not."""
        actions: NDArray[Any] = self.policy.actions(self.tensors(obs)).cpu().numpy()
        return actions

    def update(self, batch: Batch) -> dict[str, float]:
        """One step towards the actions of the batch."""
        batch = self.on_device(batch)
        loss, info = self.policy_loss(batch)
        self.step("policy", loss, batch)
        self.updates += 1
        return floats(info)

    def policy_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Mean error over the rows."""
        loss = self.policy.errors(batch["obs"], batch["action"]).mean()
        return loss, {"policy/loss": loss.detach()}
