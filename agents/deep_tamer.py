"""Deep TAMER: a model of what a person says about actions, and the action of which it says the best.

Warnell, Waytowich, Lawhern and Stone, "Deep TAMER: Interactive Agent Shaping in High-Dimensional State Spaces", AAAI
2018 (arXiv 1709.10163). Nothing is bootstrapped: what a person says is about the action itself. There, actions are of a
few choices; here, a Box has three bins a dimension and the mean over the dimensions of one value each, so that the best
action is the best bin of every dimension. There, the best is always done; here, a share of actions is left to chance,
for of a policy that stands still late feedback cannot tell one action from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from ..robots.errors import BadInput
from .adam import Adam
from .agent import AgentConfig, Info, Learner, Obs, floats, require, seeded
from .dqn import count_of
from .feedback_replay import Window
from .networks import MLP, Encoder
from .rows import Batch
from .unit_box import UnitBox

BINS = 3
"""Of each dimension of a Box: its low bound, the middle, its high bound."""


@dataclass(frozen=True, kw_only=True)
class DeepTamerConfig(AgentConfig):
    """Configuration of Deep TAMER."""

    batch_size: int = 32
    """rows of an update from all that was credited; one from what feedback has touched takes all of it"""
    updates_per_step: int = 6
    """one from what feedback has touched since the step before, the others from all that was credited"""
    learning_starts: int = 0
    replay: str = "feedback"
    hidden: tuple[int, ...] = (64,)
    """layers behind the observation's features"""
    lr: float = 1e-3
    """of Adam"""
    epsilon: float = 0.2
    """share of random actions when exploring"""
    ctrl_dt: float = 2.0
    """s, how long a person sees a step: the environment's control period, where it has one"""
    window: Window | None = (0.2, 4.0)
    """s, shortest and longest delay of feedback; None: all of it is about the step that is seen when it comes"""
    replay_every: int = 1
    """steps from one after which it is learned from all that was credited to the next"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        require("replay_every", self.replay_every, at_least=1)
        require("epsilon", self.epsilon, at_least=0, at_most=1)
        if not self.lr > 0:
            raise BadInput(f"lr is above 0, not {self.lr}")
        if self.replay != "feedback":
            raise BadInput(f"deep-tamer learns from the replay 'feedback', not {self.replay!r}")


class RewardModel(nn.Module):
    """What is expected to be said of each choice, in each dimension; a Discrete space is one dimension."""

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], hidden: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.box = None if isinstance(action_space, spaces.Discrete) else UnitBox(action_space)
        self.encoder = Encoder(observation_space)
        self.shape = (self.box.dimensions, BINS) if self.box else (1, count_of(action_space))
        self.layers = MLP(self.encoder.size, hidden, self.shape[0] * self.shape[1])

    def forward(self, obs: Obs) -> Tensor:
        """(B, ...) -> (B, dimensions, choices)."""
        raw: Tensor = self.layers(self.encoder(obs))
        return raw.reshape(-1, *self.shape)

    def choices(self, action: Tensor) -> Tensor:
        """Actions -> the choice in each dimension, the nearest bin (B, dimensions) int64."""
        if not self.box:
            return action[:, None]
        return ((self.box.to_unit(action) + 1) * (BINS - 1) / 2).round().long().clamp(0, BINS - 1)

    def actions(self, choices: Tensor) -> Tensor:
        """Choices (B, dimensions) -> actions (B, A), or (B,) int64."""
        if not self.box:
            return choices[:, 0]
        return self.box.from_unit(choices * 2.0 / (BINS - 1) - 1)

    def value(self, obs: Obs, action: Tensor) -> Tensor:
        """(B,): what is expected to be said of the actions: the mean over the dimensions."""
        each: Tensor = self(obs).gather(-1, self.choices(action)[..., None])
        return each.mean((1, 2))


class DeepTamer(Learner[DeepTamerConfig]):
    """Raises BadInput for an action space that is neither a finite Box (A,) nor Discrete from 0 on."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: DeepTamerConfig | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        config = config or DeepTamerConfig()
        super().__init__(observation_space, config, seed=seed, device=device)
        with seeded(seed):
            self.model = RewardModel(observation_space, action_space, config.hidden).to(self.device)
        self.networks = {"model": self.model}
        self.optimizers = {"model": Adam(self.model.parameters(), config.lr)}

    @torch.inference_mode()
    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> NDArray[Any]:
        """(N, A) float32 within the bounds, or (N,) int64: what is expected to please most.

        Exploring, a random choice in every dimension with probability `epsilon`.
        """
        best = self.model(self.tensors(obs)).argmax(-1)
        if explore:
            chance = torch.rand(len(best), 1, generator=self.generator) < self.config.epsilon
            drawn = torch.randint(self.model.shape[1], best.shape, generator=self.generator)
            best = torch.where(chance.to(self.device), drawn.to(self.device), best)
        actions: NDArray[Any] = self.model.actions(best).cpu().numpy()
        return actions

    def update(self, batch: Batch) -> dict[str, float]:
        """One step towards what was said."""
        batch = self.on_device(batch)
        loss, info = self.feedback_loss(batch)
        self.step("model", loss, batch)
        self.updates += 1
        return floats(info)

    def feedback_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Mean of (H(s, a) - h)^2 over the rows, weighted by how likely what was said is about them."""
        weight = batch["weight"]
        errors = (self.model.value(batch["obs"], batch["action"]) - batch["feedback"]).square()
        loss = (weight * errors).sum() / weight.sum()
        return loss, {"model/loss": loss.detach(), "model/feedback": (weight * batch["feedback"]).sum() / weight.sum()}
