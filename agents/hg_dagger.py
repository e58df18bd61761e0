"""HG-DAgger: clone, while the policy drives, what a person does when it takes over (Kelly et al., ICRA 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .agent import Info
from .bc import BC, BCConfig
from .rows import Batch


@dataclass(frozen=True, kw_only=True)
class HGDaggerConfig(BCConfig):
    """Configuration of HG-DAgger; of each batch the half with the person's rows counts."""

    replay: str = "intervention"


class HGDagger(BC):
    """Clones the rows that a person chose, and no others."""

    default: ClassVar[type[BCConfig]] = HGDaggerConfig

    def update(self, batch: Batch) -> dict[str, float]:
        """One step towards the person's actions; none while the batch has none of them."""
        return super().update(batch) if batch["intervened"].any() else {}

    def policy_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Mean error over the rows that a person chose."""
        human = batch["intervened"]
        loss = (self.policy.errors(batch["obs"], batch["action"]) * human).sum() / human.sum()
        return loss, {"policy/loss": loss.detach()}
