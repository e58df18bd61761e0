"""Proxy value propagation (PVP, NeurIPS 2023): learn without reward from a person who takes over.

What the person did is labelled +label, what the agent had proposed instead -label, and temporal differences without
reward carry both on to where nobody intervened. `PVP` does so on TD3, `DiscretePVP` on DQN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor

from ..robots.errors import BadInput
from .agent import Info, require
from .dqn import DQN, DQNConfig, of_action
from .rows import Batch
from .td3 import TD3, TD3Config
from .values.losses import cross_entropy, mse


@dataclass(frozen=True, kw_only=True)
class ProxyConfig:
    """What both forms have besides what they are built on."""

    replay: str = "intervention"
    label: float = 1.0
    """value of a person's action; minus it, of the action that they overrode"""
    label_weight: float = 1.0
    """of the labels in the loss"""
    td_weight: float = 1.0
    """of the temporal differences in the loss"""
    negative_label: bool = True
    """False: without the label of what was overridden, for comparison"""
    approve: bool = False
    """whether what a person looked at and let pass is labelled like their own action; not in PVP"""
    mask_takeover_start: bool = False
    """whether the first step of a takeover, while the person is still reacting, has neither labels nor differences"""
    legacy: bool = False
    """with the defects of the public release, for comparison: labels on all rows of the batch (TD3 form), time limits
    as terminations, and what the replay does under the same switch"""


@dataclass(frozen=True, kw_only=True)
class PVPConfig(ProxyConfig, TD3Config):
    """Defaults are those of the paper's driving tasks; the person is the exploration."""

    lr: float = 1e-4
    td_weight: float = 0.5
    mask_takeover_start: bool = True
    exploration_noise: float = 0.0
    bc_weight: float = 0.0
    """of the actor's squared distance to the person's actions; 1 in PVP4Real (ICRA 2025), with td_weight 1"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        check_labels(self, self.support)
        require("bc_weight", self.bc_weight, at_least=0)


@dataclass(frozen=True, kw_only=True)
class DiscretePVPConfig(ProxyConfig, DQNConfig):
    """Defaults suit grid worlds in which a person overrides single steps."""

    learning_starts: int = 10
    double: bool = False
    epsilon: tuple[float, float] = (0.0, 0.0)
    average_from: int | None = 500  # labels of a person pull hard: the averaged network is the steadier one by then

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        check_labels(self, self.support)


class PVP(TD3):
    """For actions from a Box."""

    config: PVPConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: PVPConfig | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        super().__init__(observation_space, action_space, config or PVPConfig(), seed=seed, device=device)
        self.fit_label = label_loss(self.config.support)

    def critic_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Labels and temporal differences, summed over the critics.

        mean_B[I ((Q(s, a) - label)^2 + (Q(s, a_proposed) + label)^2)] label_weight + mean_B[(Q(s, a) - y)^2] td_weight,
        with I the person's rows. One pass through the critics for all rows, the person's twice.
        """
        config, human = self.config, human_rows(batch, self.config)
        taught, taught_weight = self._labelled(human | batch["approved"] if config.approve else human)
        differs = (batch["action"] != batch["policy_action"]).any(-1)  # in demonstrations nothing was proposed
        overridden, overridden_weight = self._labelled(human & differs & config.negative_label)
        features, count = self.critic.encoder(batch["obs"]), len(human)
        raw = self.critic.of_features(
            torch.cat([features, features[overridden]]),
            self.box.to_unit(torch.cat([batch["action"], batch["policy_action"][overridden]])),
        )
        taken, refused = raw[:, :count], raw[:, count:]
        label = torch.full((), config.label, device=self.device)
        labels = taught_weight * self.fit_label(taken[:, taught], self.head.encode(label)).sum() / count
        labels += overridden_weight * self.fit_label(refused, self.head.encode(-label)).sum() / count
        target = self.target(batch["next_obs"], 0.0, ended_rows(batch, config))
        differences = (self.fit(taken, self.head.encode(target)) * td_rows(batch, config)).mean(1).sum()
        loss = config.label_weight * labels + config.td_weight * differences
        return loss, proxy_info("critic", labels, differences, self.head.expected(taken))

    def actor_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Minus the first critic's value, and, with bc_weight, the distance to what the person did."""
        action = self.actor(batch["obs"])
        loss = -self.first_value(batch["obs"], action).mean()
        if self.config.bc_weight > 0:
            human = human_rows(batch, self.config)
            distance = (action - self.box.to_unit(batch["action"])).square().mean(-1)
            loss = loss + self.config.bc_weight * (human * distance).sum() / (human.sum() + 1e-5)
        return loss, {"actor/loss": loss.detach()}

    def _labelled(self, rows: Tensor) -> tuple[Tensor, Tensor | float]:
        """Indices of the rows with a label, and its weight; the release's mean over the batch labels every row."""
        if self.config.legacy:
            return torch.arange(len(rows), device=self.device), rows.float().mean()
        return rows.nonzero().squeeze(1), 1.0


class DiscretePVP(DQN):
    """For actions from a Discrete space."""

    config: DiscretePVPConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: DiscretePVPConfig | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        super().__init__(observation_space, action_space, config or DiscretePVPConfig(), seed=seed, device=device)
        self.fit_label = label_loss(self.config.support)

    def value_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """As PVP.critic_loss; a proposal is labelled only where it differs from what the person did."""
        config, human = self.config, human_rows(batch, self.config)
        raw = self.online(batch["obs"])
        taken, proposed = of_action(raw, batch["action"]), of_action(raw, batch["policy_action"])
        taught = human | batch["approved"] if config.approve else human
        overridden = human & (batch["action"] != batch["policy_action"]) & config.negative_label
        label = torch.full((), config.label, device=self.device)
        labels = (taught * self.fit_label(taken, self.head.encode(label))).mean()
        labels = labels + (overridden * self.fit_label(proposed, self.head.encode(-label))).mean()
        target = self.target(batch["next_obs"], 0.0, ended_rows(batch, config))
        differences = (self.fit(taken, self.head.encode(target)) * td_rows(batch, config)).mean()
        loss = config.label_weight * labels + config.td_weight * differences
        return loss, proxy_info("value", labels, differences, self.head.expected(taken))


def check_labels(config: ProxyConfig, support: tuple[float, float] | None) -> None:
    """Raise BadInput for a negative weight or label, and for labels outside the support of the values."""
    for name in ("label", "label_weight", "td_weight"):
        require(name, getattr(config, name), at_least=0)
    if support and not support[0] <= -config.label <= config.label <= support[1]:
        raise BadInput(f"the support {support} of values leaves out the labels {-config.label} and {config.label}")


def label_loss(support: tuple[float, float] | None) -> Callable[[Tensor, Tensor], Tensor]:
    """The unreduced loss of labels: squared error, whatever that of temporal differences; of histograms, theirs."""
    return mse if support is None else cross_entropy


def human_rows(batch: Batch, config: ProxyConfig) -> Tensor:
    """(B,) bool: whose action is the person's and counts."""
    start = batch["takeover_start"]
    return batch["intervened"] & ~start if config.mask_takeover_start else batch["intervened"] | start


def td_rows(batch: Batch, config: ProxyConfig) -> Tensor:
    """(B,) bool: with a temporal difference."""
    start = batch["takeover_start"]
    return ~start if config.mask_takeover_start else torch.ones_like(start)


def ended_rows(batch: Batch, config: ProxyConfig) -> Tensor:
    """(B,) bool: after which nothing is bootstrapped; the release took a time limit for an end."""
    return batch["terminated"] | batch["truncated"] if config.legacy else batch["terminated"]


def proxy_info(prefix: str, labels: Tensor, differences: Tensor, taken: Tensor) -> Info:
    """The terms of the loss and the mean value of the actions taken."""
    terms = {"labels": labels, "differences": differences, "q": taken.mean()}
    return {f"{prefix}/{name}": value.detach() for name, value in terms.items()}
