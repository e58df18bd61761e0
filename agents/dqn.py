"""DQN: the value of each action of a Discrete space (Mnih et al., Nature 2015), with a target that follows softly."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from ..robots.errors import BadInput
from .adam import Adam
from .agent import Info, Obs, floats, polyak, require, seeded
from .networks import MLP, Encoder
from .rows import Batch
from .value_learner import ValueConfig, ValueLearner
from .values.heads import Head
from .values.spec import check
from .values.targets import double, td


@dataclass(frozen=True, kw_only=True)
class DQNConfig(ValueConfig):
    """Defaults suit grid worlds: a small network, small batches, one update a step."""

    batch_size: int = 32
    learning_starts: int = 500
    hidden: tuple[int, ...] = (64,)
    loss: str = "huber"
    double: bool = True
    """whether the online network picks the action of which the target network gives the value"""
    max_norm: float = 10.0
    """gradients are shortened to this norm"""
    epsilon: tuple[float, float] = (1.0, 0.05)
    """share of random actions when exploring, at first and at last"""
    epsilon_updates: int = 10_000
    """updates from the first to the last"""

    def __post_init__(self) -> None:
        """Raise BadInput or UnknownName for a value that no run can use."""
        super().__post_init__()
        require("epsilon_updates", self.epsilon_updates, at_least=1)
        for share in self.epsilon:
            require("epsilon", share, at_least=0, at_most=1)


class QNetwork(nn.Module):
    """Observations -> raw values (B, A, size)."""

    def __init__(self, observation_space: spaces.Space[Any], actions: int, hidden: tuple[int, ...], head: Head) -> None:
        super().__init__()
        self.encoder = Encoder(observation_space)
        self.layers = MLP(self.encoder.size, hidden, actions * head.size)
        self._shape = (actions, head.size)

    def forward(self, obs: Obs) -> Tensor:
        """(B, ...) -> (B, A, size)."""
        raw: Tensor = self.layers(self.encoder(obs))
        return raw.reshape(-1, *self._shape)


class DQN(ValueLearner[DQNConfig]):
    """Raises BadInput for an action space that is not Discrete from 0 on, and for a loss that does not fit the head."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: DQNConfig | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        config = config or DQNConfig()
        super().__init__(observation_space, config, seed=seed, device=device)
        self.actions = count_of(action_space)
        self.head = config.head()
        check(self.head, self.fit)
        with seeded(seed):
            self.online = QNetwork(observation_space, self.actions, config.hidden, self.head).to(self.device)
        self.target_network = deepcopy(self.online).requires_grad_(False)
        self._averages, self._trained = list(self.target_network.parameters()), list(self.online.parameters())
        self.networks = {"online": self.online, "target": self.target_network}
        self.optimizers = {"online": Adam(self.online.parameters(), config.lr)}

    @property
    def epsilon(self) -> float:
        """Share of random actions when exploring."""
        first, last = self.config.epsilon
        return first + (last - first) * min(1.0, self.updates / self.config.epsilon_updates)

    @torch.inference_mode()
    def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> NDArray[Any]:
        """(N,) int64, the best of the network; exploring, a random one with probability `epsilon`."""
        network = self.target_network if self.averaged and not (explore or online) else self.online
        best: NDArray[Any] = self.head.expected(network(self.tensors(obs))).argmax(-1).cpu().numpy()
        if not explore or self.epsilon == 0:
            return best
        chance = torch.rand(len(best), generator=self.generator).numpy() < self.epsilon
        best[chance] = torch.randint(self.actions, (int(chance.sum()),), generator=self.generator).numpy()
        return best

    def update(self, batch: Batch) -> dict[str, float]:
        """One step of the network, and of the target after it."""
        batch = self.on_device(batch)
        loss, info = self.value_loss(batch)
        self.step("online", loss, batch, max_norm=self.config.max_norm)
        polyak(self._averages, self._trained, self.config.tau)
        self.updates += 1
        return floats(info)

    def value_loss(self, batch: Batch) -> tuple[Tensor, Info]:
        """Mean error to the target of the values of the actions taken."""
        taken = of_action(self.online(batch["obs"]), batch["action"])
        target = self.target(batch["next_obs"], batch["reward"], batch["terminated"])
        loss = self.fit(taken, self.head.encode(target)).mean()
        return loss, {"value/loss": loss.detach(), "value/q": self.head.expected(taken.detach()).mean()}

    @torch.no_grad()
    def target(self, next_obs: Obs, reward: Tensor | float, terminated: Tensor) -> Tensor:
        """(B,): reward and the target network's value of the best next action."""
        values = self.head.expected(self.target_network(next_obs))
        if self.config.double:
            best = double(self.head.expected(self.online(next_obs)), values)
        else:
            best = values.amax(-1)
        return td(reward, terminated, best, discount=self.config.discount)


def of_action(raw: Tensor, action: Tensor) -> Tensor:
    """(B, A, size), (B,) int64 -> (B, size)."""
    return raw[torch.arange(len(raw), device=raw.device), action]


def count_of(space: spaces.Space[Any]) -> int:
    """How many actions the space has, if it is Discrete from 0 on; BadInput if not."""
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return int(space.n)
    raise BadInput(f"this algorithm needs actions from a Discrete space that starts at 0, not {space}")
