"""TD3: deterministic actions of a Box, two critics of which the lower one is believed (Fujimoto et al., ICML 2018)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from .adam import Adam
from .agent import Info, Obs, floats, polyak, require, seeded
from .networks import MLP, Encoder, EnsembleMLP
from .rows import Batch
from .unit_box import UnitBox
from .value_learner import ValueConfig, ValueLearner
from .values.heads import Ensemble
from .values.spec import check
from .values.targets import minimum, td


@dataclass(frozen=True, kw_only=True)
class TD3Config(ValueConfig):
    """Defaults are the paper's; noise is in halves of the action's range."""

    policy_delay: int = 2
    """updates of the critics for one of the actor and of the targets"""
    target_noise: float = 0.2
    """standard deviation of the noise on the target's action"""
    target_clip: float = 0.5
    """bound of that noise"""
    exploration_noise: float = 0.1
    """standard deviation of the noise on the action when exploring"""
    critics: int = 2

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        require("policy_delay", self.policy_delay, at_least=1)


class Actor(nn.Module):
    """Observations -> actions (B, A) in -1..1."""

    def __init__(self, observation_space: spaces.Space[Any], actions: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = Encoder(observation_space)
        self.layers = MLP(self.encoder.size, hidden, actions)

    def forward(self, obs: Obs) -> Tensor:
        """(B, ...) -> (B, A)."""
        return torch.tanh(self.layers(self.encoder(obs)))


class Critic(nn.Module):
    """Observations and actions in -1..1 -> raw values (members, B, size), one encoder for all members."""

    def __init__(
        self, observation_space: spaces.Space[Any], actions: int, hidden: tuple[int, ...], head: Ensemble
    ) -> None:
        super().__init__()
        self.encoder = Encoder(observation_space)
        self.layers = EnsembleMLP(head.members, self.encoder.size + actions, hidden, head.size)

    def forward(self, obs: Obs, action: Tensor) -> Tensor:
        """(B, ...), (B, A) -> (members, B, size)."""
        return self.of_features(self.encoder(obs), action)

    def of_features(self, features: Tensor, action: Tensor) -> Tensor:
        """(B, D), (B, A) -> (members, B, size)."""
        raw: Tensor = self.layers(torch.cat([features, action], -1))
        return raw

    def first(self, obs: Obs, action: Tensor) -> Tensor:
        """(B, ...), (B, A) -> (B, size) of the first member; no gradient to the encoder."""
        with torch.no_grad():
            features = self.encoder(obs)
        return self.layers.first(torch.cat([features, action], -1))


class TD3(ValueLearner[TD3Config]):
    """Raises BadInput for an action space that is not a finite Box, and for a loss that does not fit the head."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: TD3Config | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        config = config or TD3Config()
        super().__init__(observation_space, config, seed=seed, device=device)
        self.box = UnitBox(action_space).to(self.device)
        self.head = Ensemble(config.head(), config.critics)
        check(self.head, minimum, self.fit)
        actions = self.box.dimensions
        with seeded(seed):
            self.actor = Actor(observation_space, actions, config.hidden).to(self.device)
            self.critic = Critic(observation_space, actions, config.hidden, self.head).to(self.device)
        self.target_actor, self.target_critic = (
            deepcopy(net).requires_grad_(False) for net in (self.actor, self.critic)
        )
        self._averages, self._trained = (
            [*actor.parameters(), *critic.parameters()]
            for actor, critic in ((self.target_actor, self.target_critic), (self.actor, self.critic))
        )
        self.networks = {
            "actor": self.actor,
            "critic": self.critic,
            "target_actor": self.target_actor,
            "target_critic": self.target_critic,
        }
        self.optimizers = {name: Adam(self.networks[name].parameters(), config.lr) for name in ("actor", "critic")}

    @torch.inference_mode()
    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> NDArray[Any]:
        """(N, A) float32 within the bounds; exploring adds Gaussian noise to the online actor's."""
        actor = self.target_actor if self.averaged and not (explore or online) else self.actor
        unit: Tensor = actor(self.tensors(obs))
        if explore and self.config.exploration_noise > 0:
            unit = unit + self.config.exploration_noise * self._normal(unit)
        actions: NDArray[Any] = self.box.from_unit(unit).cpu().numpy()
        return actions

    def update(self, batch: Batch) -> dict[str, float]:
        """One step of the critics, and, every `policy_delay` times, of the actor and the targets."""
        batch = self.on_device(batch)
        loss, info = self.critic_loss(batch)
        self.step("critic", loss, batch)
        self.updates += 1
        if self.updates % self.config.policy_delay == 0:
            loss, actor_info = self.actor_loss(batch)
            self.step("actor", loss, batch)
            info |= actor_info
            polyak(self._averages, self._trained, self.config.tau)
        return floats(info)

    def critic_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Sum over the critics of the mean error to one target."""
        raw = self.critic(batch["obs"], self.box.to_unit(batch["action"]))
        target = self.target(batch["next_obs"], batch["reward"], batch["terminated"])
        loss = self.fit(raw, self.head.encode(target)).mean(1).sum()
        return loss, {"critic/loss": loss.detach(), "critic/q": self.head.expected(raw.detach()).mean()}

    def actor_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Minus the first critic's value of the actor's action."""
        loss = -self.first_value(batch["obs"], self.actor(batch["obs"])).mean()
        return loss, {"actor/loss": loss.detach()}

    def first_value(self, obs: Obs, action: Tensor) -> Tensor:
        """(B,): the first critic's value of actions (B, A) in -1..1."""
        return self.head.head.expected(self.critic.first(obs, action))

    @torch.no_grad()
    def target(self, next_obs: Obs, reward: Tensor | float, terminated: Tensor) -> Tensor:
        """(B,): reward and the lower target critic's value of the target actor's action with clipped noise."""
        action: Tensor = self.target_actor(next_obs)
        clip = self.config.target_clip
        action = (action + (self.config.target_noise * self._normal(action)).clamp_(-clip, clip)).clamp_(-1, 1)
        value = minimum(self.head.each(self.target_critic(next_obs, action)))
        return td(reward, terminated, value, discount=self.config.discount)

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator).to(self.device)
