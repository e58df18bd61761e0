"""Adam, without what torch.optim does around it at every step: of a small network's update, that is a tenth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

SLOTS = ("mean", "square")


class Adam:
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1) over `parameters`, all of them in one kernel."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        self.parameters: list[Tensor] = list(parameters)
        self.lr = lr
        self._moments = {slot: [torch.zeros_like(each) for each in self.parameters] for slot in SLOTS}
        self._steps = torch.zeros((), device=self.parameters[0].device)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move the parameters against their gradients, which are in the same order."""
        self._steps += 1
        torch._fused_adam_(
            self.parameters,
            [each.contiguous() for each in gradients],  # the kernel takes memory as it lies; of convolutions, turned
            self._moments["mean"],
            self._moments["square"],
            [],
            [self._steps] * len(self.parameters),
            lr=self.lr,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Tensor]:
        """`steps`, and `mean.<k>` and `square.<k>` of the gradients of parameter k; they share memory."""
        moments = {f"{slot}.{k}": each for slot in SLOTS for k, each in enumerate(self._moments[slot])}
        return {"steps": self._steps, **moments}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state` was taken."""
        for name, own in self.state_dict().items():
            own.copy_(state[name])
