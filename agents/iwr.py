"""Intervention weighted regression: clone a person's rows and the policy's, half and half (Mandlekar et al., 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .bc import BC, BCConfig


@dataclass(frozen=True, kw_only=True)
class IWRConfig(BCConfig):
    """Configuration of IWR; the replay is what weights: half of each batch are the person's rows."""

    replay: str = "intervention"


class IWR(BC):
    """Clones every executed row of a balanced batch."""

    default: ClassVar[type[BCConfig]] = IWRConfig
