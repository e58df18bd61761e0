"""What the agents have in common that learn a value by bootstrapping: discount, targets that follow softly, a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gymnasium import spaces

from ..robots.errors import BadInput, UnknownName
from .agent import AgentConfig, Learner, require
from .values.heads import HLGauss, Scalar
from .values.losses import LOSSES


@dataclass(frozen=True, kw_only=True)
class ValueConfig(AgentConfig):
    """Configuration of a learner of values."""

    hidden: tuple[int, ...] = (256, 256)
    """layers behind the observation's features"""
    lr: float = 1e-3
    """of Adam"""
    discount: float = 0.99
    tau: float = 0.005
    """how far the targets move towards the online networks each time"""
    loss: str = "mse"
    """of values: mse, huber, or cross_entropy with a support"""
    support: tuple[float, float] | None = None
    """lowest and highest return: values are HL-Gauss histograms over it; None: scalars"""
    average_from: int | None = None
    """updates from which on it acts with the target (averaged) network when it does not explore; None: never"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        require("discount", self.discount, at_least=0, at_most=1)
        require("tau", self.tau, at_least=0, at_most=1)
        if not self.lr > 0:
            raise BadInput(f"lr is above 0, not {self.lr}")
        if self.loss not in LOSSES:
            raise UnknownName("loss", self.loss, LOSSES)

    def head(self) -> Scalar | HLGauss:
        """The head of a value. Raises BadInput for a support that is none."""
        return Scalar() if self.support is None else HLGauss(*self.support)


Config = TypeVar("Config", bound=ValueConfig)


class ValueLearner(Learner[Config]):
    """Base of the learners of values. `fit`: the unreduced loss of raw numbers against an encoded target."""

    def __init__(self, observation_space: spaces.Space[Any], config: Config, *, seed: int, device: str) -> None:
        super().__init__(observation_space, config, seed=seed, device=device)
        self.fit: Callable[..., Any] = LOSSES[config.loss]

    @property
    def averaged(self) -> bool:
        """Whether it acts with the target network, unless it explores."""
        return self.config.average_from is not None and self.updates >= self.config.average_from
