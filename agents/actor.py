"""What can drive an environment: an expert, a planner, a checkpoint, a person."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Actor(Protocol):
    """One action a control step; takeover-safe, for it decides from the observation and not from a counter."""

    def reset(self, obs: dict[str, Any], info: dict[str, Any]) -> None:
        """Begin an episode with the observation and info of the environment's reset."""
        ...

    def act(self, obs: dict[str, Any]) -> NDArray[np.floating[Any]]:
        """The action for this observation, in the environment's action space."""
        ...
