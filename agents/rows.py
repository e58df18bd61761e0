"""Transitions as rows: one packed float32 array for all that is a vector, one uint8 array for each image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..robots.errors import BadInput
from .row_fields import Field, Fields, check_picture, discrete_range, field_name, numbers_of, observation_boxes

Observation = NDArray[Any] | Mapping[str, NDArray[Any]]
"""What a policy sees: an array, or a dict of arrays where the observation space is a Dict."""

SIDES = ("obs", "next_obs")
FLAGS = ("intervened", "takeover_start", "approved", "terminated", "truncated")


@dataclass(slots=True)
class Transition:
    """One step of an episode, unbatched.

    action: what was executed; policy_action: what the policy proposed: (A,) floats, or one integer where the space is
    Discrete. intervened: a person chose the action. takeover_start: and had not chosen the one before. approved: a
    person looked at the proposal and let it pass. next_obs: the observation after the step; after an episode's last
    step too, where it is not the one that the next episode begins with.
    """

    obs: Observation
    action: Any
    policy_action: Any
    reward: float
    next_obs: Observation
    terminated: bool
    truncated: bool
    intervened: bool = False
    takeover_start: bool = False
    approved: bool = False


class Batch(TypedDict):
    """B transitions as tensors on the CPU.

    obs, next_obs: (B, ...) float32 or uint8, or a dict of such. action, policy_action: (B, A) float32, (B,) int64 where
    the space is Discrete. reward: (B,) float32. The five flags: (B,) bool. Rows that a person's feedback was credited
    to have feedback (B,), what it said, and weight (B,), how much of it is theirs.
    """

    obs: Tensor | dict[str, Tensor]
    action: Tensor
    policy_action: Tensor
    reward: Tensor
    next_obs: Tensor | dict[str, Tensor]
    intervened: Tensor
    takeover_start: Tensor
    approved: Tensor
    terminated: Tensor
    truncated: Tensor
    feedback: NotRequired[Tensor]
    weight: NotRequired[Tensor]


class Rows:
    """Room for `capacity` transitions of these spaces; which of them are filled is the caller's to know.

    Boxes of uint8 are kept as they are, all other numbers as float32. nbytes: of the whole room. Raises BadInput for
    spaces that are neither Boxes, Dicts of them nor (of actions) Discrete, for a capacity below 1 and for one beyond
    this machine's memory.
    """

    def __init__(
        self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any], capacity: int
    ) -> None:
        self._plain, boxes = observation_boxes(observation_space)
        self._choices = discrete_range(action_space)
        self._pictures = {key: box.shape for key, box in boxes.items() if box.dtype == np.uint8}
        self._vectors = {key: box.shape for key, box in boxes.items() if box.dtype != np.uint8}
        shapes = {field_name(side, key): shape for side in SIDES for key, shape in self._vectors.items()}
        action_shape = (action_space.shape or ()) if self._choices is None else ()
        shapes |= {"action": action_shape, "policy_action": action_shape, "reward": ()} | dict.fromkeys(FLAGS, ())
        self._fields = Fields(shapes)
        self._reward = self._fields["reward"].first
        self.nbytes = self._allocate(capacity)
        self._scratch = np.zeros(self._fields.width, np.float32)

    def write(self, index: int, transition: Transition) -> None:
        """Put a transition into row `index`.

        Raises BadInput, naming the field, for a shape or dtype that is not the space's, for an action that is none and
        for numbers that are not finite as float32; the row is then as it was.
        """
        row = self._scratch
        for side, obs in zip(SIDES, (transition.obs, transition.next_obs), strict=True):
            self._write_observation(row, side, obs)
        self._write_action(row, self._fields["action"], transition.action)
        self._write_action(row, self._fields["policy_action"], transition.policy_action)
        row[self._reward] = transition.reward
        row[self._reward + 1 :] = [getattr(transition, name) for name in FLAGS]
        if not np.isfinite(row).all():
            name, value = self._fields.first_not_finite(row)
            raise BadInput(f"{name} of a transition holds {value}; replay takes numbers that are finite as float32")
        self._packed[index] = row
        for (side, key), pictures in self._stacks.items():
            pictures[index] = self._part(getattr(transition, side), key)

    def read(self, index: Tensor) -> Batch:
        """The rows of `index` (B,) int64."""
        rows = self._packed_tensor.index_select(0, index)
        flags = (rows[:, self._reward + 1 :] != 0).unbind(1)
        action, policy_action = self._fields["action"].of(rows), self._fields["policy_action"].of(rows)
        if self._choices is not None:
            action, policy_action = action.long(), policy_action.long()
        return {
            "obs": self._read_observation(rows, index, "obs"),
            "action": action,
            "policy_action": policy_action,
            "reward": rows[:, self._reward],
            "next_obs": self._read_observation(rows, index, "next_obs"),
            "intervened": flags[0],
            "takeover_start": flags[1],
            "approved": flags[2],
            "terminated": flags[3],
            "truncated": flags[4],
        }

    def state(self, first: int, stop: int) -> dict[str, Tensor]:
        """Rows `first` to `stop` under flat names; they share memory with what is here."""
        state = {"rows": self._packed_tensor[first:stop]}
        return state | {field_name(*name): each[first:stop] for name, each in self._stack_tensors.items()}

    def load(self, first: int, state: Mapping[str, Tensor]) -> int:
        """Put what `state` returned into the rows from `first` on, and return how many. BadInput for other spaces'."""
        count = len(state.get("rows", ()))
        here = self.state(first, first + count)
        for name in sorted(here.keys() | state.keys()):
            there, ours = (tuple(each[name].shape) if name in each else "missing" for each in (state, here))
            if there != ours:
                raise BadInput(f"the saved rows are of other spaces: {name} is {there} there and {ours} here")
        for name, tensor in here.items():
            tensor.copy_(state[name])
        return count

    def _allocate(self, capacity: int) -> int:
        pixels = 2 * sum(int(np.prod(shape)) for shape in self._pictures.values())
        row_bytes = 4 * self._fields.width + pixels
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // row_bytes
        if not 1 <= capacity <= most:
            raise BadInput(
                f"a replay of {capacity} rows of {row_bytes} bytes; allowed here are 1 to {most}, which is this "
                "machine's memory"
            )
        self._packed = np.zeros((capacity, self._fields.width), np.float32)
        self._stacks = {
            (side, key): np.zeros((capacity, *shape), np.uint8)
            for side in SIDES
            for key, shape in self._pictures.items()
        }
        self._packed_tensor = torch.from_numpy(self._packed)
        self._stack_tensors = {name: torch.from_numpy(each) for name, each in self._stacks.items()}
        return capacity * row_bytes

    def _write_observation(self, row: NDArray[np.float32], side: str, obs: Observation) -> None:
        known = self._vectors.keys() | self._pictures.keys()
        if not self._plain and (not isinstance(obs, Mapping) or obs.keys() != known):
            found = ", ".join(sorted(obs)) if isinstance(obs, Mapping) else type(obs).__name__
            raise BadInput(f"{side} of a transition must have the keys {', '.join(sorted(known))}; it has: {found}")
        for key in self._vectors:
            self._fields[field_name(side, key)].put(row, self._part(obs, key))
        for key, shape in self._pictures.items():
            check_picture(field_name(side, key), self._part(obs, key), shape)

    def _write_action(self, row: NDArray[np.float32], field: Field, action: Any) -> None:
        if self._choices is not None and numbers_of(field, action).item() not in self._choices:
            allowed = f"integers {self._choices.start} to {self._choices.stop - 1}"
            raise BadInput(f"{field.name} of a transition is {action}; allowed: {allowed}")
        field.put(row, action)

    def _read_observation(self, rows: Tensor, index: Tensor, side: str) -> Tensor | dict[str, Tensor]:
        parts = {key: self._fields[field_name(side, key)].of(rows) for key in self._vectors}
        for key in self._pictures:
            parts[key] = self._stack_tensors[side, key].index_select(0, index)
        return parts[""] if self._plain else parts

    def _part(self, obs: Any, key: str) -> Any:
        return obs if self._plain else obs[key]
