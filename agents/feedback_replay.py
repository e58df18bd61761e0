"""Steps, and what is said about them later: replay that credits late feedback to what it may be about."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..robots.errors import BadInput
from .feedback import Feedback
from .replay import Batch, Replay, Transition

Window = tuple[float, float]
"""Shortest and longest delay, s, between an action and what a person says about it; any between is as likely."""

Times = NDArray[np.floating[Any]]


def credit(starts: Times, ends: Times, time: float, window: Window) -> Times:
    """How likely feedback given at `time` is about each of the steps seen from `starts` to `ends` (N,), s.

    The integral of the delay's density, uniform over `window`, from time - end to time - start (Deep TAMER, Warnell et
    al. 2018, arXiv 1709.10163).
    """
    low, high = window
    overlap = np.minimum(high, time - starts) - np.maximum(low, time - ends)
    weights: Times = np.maximum(overlap, 0.0) / (high - low)
    return weights


class FeedbackReplay(Replay):
    """Steps, and what a person's feedback says about them.

    The k-th step of an episode is seen from k to k + 1 times ctrl_dt, s. Each feedback is credited to the recent steps
    by `credit`; window None instead credits all of it to the step that was seen when it came. A row holds the total of
    its weights and the weighted mean of what was said, in which a weighted squared error has the same gradient as in
    all the pairs of step and feedback.

    `sample` gives once the rows that feedback has touched since the last time, however many, with the weight and value
    of that feedback; else, and only after every `every`-th step, n rows, uniformly, of all that have any weight.

    Raises BadInput for a ctrl_dt, window or period that makes no sense, and as `Rows` does.
    """

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        capacity: int,
        *,
        seed: int,
        ctrl_dt: float,
        window: Window | None = (0.2, 4.0),
        every: int = 1,
    ) -> None:
        if not 0.0 < ctrl_dt < math.inf or every < 1:
            raise BadInput(
                f"a step takes more than 0 s and minibatches come every 1 or more; got {ctrl_dt} and {every}"
            )
        if window is not None and not 0.0 <= window[0] < window[1] < math.inf:
            raise BadInput(f"a window is two delays in s, 0 <= shortest < longest, not {window}")
        super().__init__(observation_space, action_space, capacity, seed=seed)
        self._dt, self._window, self._every = ctrl_dt, window, every
        self._weights, self._values = torch.zeros(capacity), torch.zeros(capacity)
        self._recent: deque[tuple[int, int]] = deque(maxlen=capacity)  # (row, number of the step in its episode)
        self._step, self._steps = 0, 0  # of this episode, of all
        self._touched: list[tuple[Tensor, Tensor, Tensor]] = []  # rows, weights, values of each feedback

    def ready(self, n: int) -> bool:
        """Whether a batch is due."""
        return bool(self._touched) or (self._steps % self._every == 0 and bool(self._weights.any()))

    def begin(self) -> None:
        """Begin the clock of an episode anew, and forget when the steps of the last one were seen."""
        self._recent.clear()
        self._step = 0

    def add(self, transition: Transition) -> None:
        """Keep a step. Raises BadInput, naming the field, as `Rows.write`."""
        row = self._ring_of(transition).next_row
        super().add(transition)
        self._weights[row] = self._values[row] = 0.0
        self._recent.append((row, self._step))
        self._step += 1
        self._steps += 1
        while self._window and (self._step - 2 - self._recent[0][1]) * self._dt >= self._window[1]:
            self._recent.popleft()  # feedback still to come was not given before the last step began

    def feedback(self, given: Sequence[Feedback]) -> None:
        """Credit feedback to the steps since `begin`."""
        for each in given:
            rows, weights = self._credited(each.time)
            if len(rows) == 0:
                continue
            total = self._weights[rows] + weights
            self._values[rows] += (each.value - self._values[rows]) * weights / total
            self._weights[rows] = total
            self._touched.append((rows, weights, torch.full_like(weights, each.value)))

    def sample(self, n: int) -> Batch:
        """Draw the batch that is due, with feedback and weight. Raises BadInput when none is."""
        if not self.ready(n):
            raise BadInput(
                f"no feedback to learn from: {len(self)} steps kept, {int((self._weights > 0).sum())} with any"
            )
        if self._touched:
            rows, weights, values = (torch.cat(parts) for parts in zip(*self._touched, strict=True))
            self._touched = []
        else:
            credited = self._weights.nonzero().squeeze(1)
            rows = credited[torch.randint(len(credited), (n,), generator=self._generator)]
            weights, values = self._weights[rows], self._values[rows]
        batch = self._rows.read(rows)
        batch["weight"], batch["feedback"] = weights, values
        return batch

    def state_dict(self) -> dict[str, Tensor]:
        """All that sampling depends on, by flat names; what it holds shares memory with the replay."""
        touched = [torch.cat(parts) for parts in zip(*self._touched, strict=True)] or [torch.zeros(0)] * 3
        return super().state_dict() | {
            "weights": self._weights,
            "values": self._values,
            "recent": torch.tensor(self._recent, dtype=torch.int64).reshape(-1, 2),
            "clock": torch.tensor([self._step, self._steps]),
            "touched": torch.stack([part.double() for part in touched]),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on, bit for bit, where `state` was taken. Raises BadInput for a replay of other spaces or capacity."""
        super().load_state_dict(state)
        self._weights.copy_(state["weights"])
        self._values.copy_(state["values"])
        self._recent = deque(((row, step) for row, step in state["recent"].tolist()), maxlen=self.capacity)
        self._step, self._steps = state["clock"].tolist()
        rows, weights, values = state["touched"]
        self._touched = [(rows.long(), weights.float(), values.float())] if len(rows) else []

    def _credited(self, time: float) -> tuple[Tensor, Tensor]:
        """Rows that feedback given at `time` is about, (R,) int64, and how likely, (R,) float32."""
        recent = np.array(self._recent, np.int64).reshape(-1, 2)
        starts = recent[:, 1] * self._dt
        if self._window is None:
            weights = (recent[:, 1] == recent[starts <= time, 1].max(initial=-1)).astype(np.float64)
        else:
            weights = credit(starts, starts + self._dt, time, self._window)
        touched = weights > 0.0
        return torch.from_numpy(recent[touched, 0]), torch.from_numpy(weights[touched]).float()
