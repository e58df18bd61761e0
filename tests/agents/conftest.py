from collections.abc import Callable
from typing import Any

import pytest
import torch


@pytest.fixture
def make_batch() -> Callable[..., dict[str, Any]]:
    """A batch of which only the fields that matter need be given; nobody intervenes and no episode ends."""

    def make(obs: Any, action: Any, **fields: Any) -> dict[str, Any]:
        action = torch.as_tensor(action)
        no = torch.zeros(len(action), dtype=torch.bool)
        flags = dict.fromkeys(("intervened", "takeover_start", "approved", "terminated", "truncated"), no)
        rest = {
            "obs": obs,
            "action": action,
            "policy_action": action,
            "reward": torch.zeros(len(action)),
            "next_obs": obs,
        }
        given = {name: value if isinstance(value, dict) else torch.as_tensor(value) for name, value in fields.items()}
        return {**rest, **flags, **given}

    return make
