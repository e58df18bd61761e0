"""Checkpoints: a policy that can act elsewhere, and all that its training needs to go on bit for bit.

A folder of checkpoints holds one folder a checkpoint, named by the step; a new one is written beside and renamed, and
only then are older ones removed, so that whoever dies in between leaves a whole one. Tensors are kept as safetensors,
all else as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium

from ..envs.policy_env import Recipe
from ..robots.errors import BadInput
from .spaces import space_from_json, space_to_json

if TYPE_CHECKING:
    from .train import Training

SCHEMA = 1
"""Version of what is written here; a checkpoint of another one is refused."""

POLICY, TRAINING = "policy", "training"
"""Names of the two pairs of files: what acts, and what a training needs besides to go on."""

FOLDER = "checkpoints"
"""Where a run keeps them."""

State = Mapping[str, Any]
"""Tensors by flat names."""


@dataclass(frozen=True)
class PolicyHeader:
    """What must be known to build an agent again, and an environment that it fits.

    algorithm: one of `ALGORITHMS`. config: of that algorithm. ctrl_dt: s a step, None where the environment has no
    clock. step: of the training at which it was taken.
    """

    algorithm: str
    config: Mapping[str, Any]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    recipe: Recipe
    ctrl_dt: float | None
    step: int

    def as_json(self) -> dict[str, Any]:
        """What `policy.json` holds, with the versions that wrote it."""
        spaces = {name: space_to_json(getattr(self, name)) for name in ("observation_space", "action_space")}
        plain = {name: getattr(self, name) for name in ("algorithm", "config", "ctrl_dt", "step")}
        versions = {name: version(name) for name in ("valuefield", "torch")}
        return {"schema": SCHEMA, **plain, **spaces, "recipe": self.recipe.as_json(), "versions": versions}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PolicyHeader:
        """The header that `as_json` wrote."""
        spaces: dict[str, Any] = {name: space_from_json(values[name]) for name in ("observation_space", "action_space")}
        plain: dict[str, Any] = {name: values[name] for name in ("algorithm", "config", "ctrl_dt", "step")}
        return cls(**plain, **spaces, recipe=Recipe.from_json(values["recipe"]))


def save(folder: Path, header: PolicyHeader, policy: State, training: tuple[State, Mapping[str, Any]] | None) -> Path:
    """Write a checkpoint into `folder`, then remove those that it replaces.

    policy: the agent's tensors. training: besides, the replay's tensors and whatever else there is to resume; a
    checkpoint without it only acts, and leaves the last one with it alone.
    """
    made = folder / f"{header.step:09d}"
    partial = folder / f".{made.name}.partial"
    for left in folder.glob(".*.partial"):  # by whoever died while writing
        shutil.rmtree(left)
    partial.mkdir(parents=True)
    _write(partial, POLICY, policy, header.as_json())
    if training:
        _write(partial, TRAINING, training[0], {"schema": SCHEMA, **training[1]})
    _sync(partial)
    if made.exists():
        shutil.rmtree(made)
    partial.rename(made)
    _sync(folder)
    for older in _all(folder):
        if older < made and (training or not _resumable(older)):
            shutil.rmtree(older)
    return made


def latest(path: Path, *, resumable: bool = False) -> Path:
    """The newest checkpoint at `path`: itself, or in it, or in its folder `checkpoints`, as in that of a run.

    Raises BadInput when there is none; `resumable`: none with a training in it.
    """
    path = path.parent if path.name == f"{POLICY}.json" else path
    if _is_checkpoint(path) and (not resumable or _resumable(path)):
        return path
    found = [each for folder in (path, path / FOLDER) for each in _all(folder) if not resumable or _resumable(each)]
    if not found:
        what = "checkpoint to resume from" if resumable else f"checkpoint (a folder with {POLICY}.json)"
        raise BadInput(f"{path} {'has no' if path.exists() else 'does not exist, so it has no'} {what}")
    return max(found)


def read_policy(path: Path) -> tuple[PolicyHeader, State]:
    """Header and tensors of the newest policy at `path`. Raises BadInput for what this version did not write."""
    path = latest(path)
    notes, state = _read(path, POLICY)
    try:
        return PolicyHeader.from_json(notes), state
    except (KeyError, TypeError) as error:
        raise BadInput(f"{path / POLICY}.json is not whole: {error!r}") from error


class TrainingCheckpoints:
    """The checkpoints of one training, in `folder`, and the way back to the last of them.

    header: of its policies. identity: everything that must be the same for a training to go on, JSON-able.
    """

    def __init__(self, folder: Path, header: PolicyHeader, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.identity: dict[str, Any] = json.loads(json.dumps(identity))
        self.header = header

    @property
    def newest(self) -> Path | None:
        """The newest checkpoint there is."""
        return max(_all(self.folder), default=None)

    def save(self, training: Training, *, resumable: bool) -> None:
        """Write the policy as it is now; `resumable`, which is for the end of an episode: with all that is to go on."""
        header = replace(self.header, step=training.counters.steps)
        notes = {"identity": self.identity, "counters": asdict(training.counters)}
        rest = (training.replay.state_dict(), notes) if resumable else None
        save(self.folder, header, training.agent.state_dict(), rest)

    def resume(self, training: Training) -> None:
        """Put `training` where the newest checkpoint is. Raises BadInput if there is none, or of another training."""
        path = latest(self.folder, resumable=True)
        notes, rows = _read(path, TRAINING)
        for key in dict.fromkeys([*self.identity, *notes["identity"]]):
            theirs, ours = notes["identity"].get(key), self.identity.get(key)
            if theirs != ours:
                raise BadInput(f"{path} cannot be resumed: its {key} is {_unlike(theirs, ours)}")
        training.resume(read_policy(path)[1], rows, notes["counters"])


def _unlike(theirs: Any, ours: Any) -> str:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        differ = [key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)]
        return "; ".join(f"{key} {_unlike(theirs.get(key), ours.get(key))}" for key in sorted(differ))
    return f"{theirs!r} there and {ours!r} here"


def _write(folder: Path, name: str, state: State, notes: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(notes, indent=1), encoding="utf-8")


def _read(folder: Path, name: str) -> tuple[dict[str, Any], State]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        notes = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if notes["schema"] != SCHEMA:
            raise BadInput(f"{folder} is a checkpoint of schema {notes['schema']}; this version reads schema {SCHEMA}")
        return notes, load_file(folder / f"{name}.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise BadInput(f"{folder} is not a whole checkpoint: {error}") from error


def _all(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("[0-9]*") if _is_checkpoint(each))


def _is_checkpoint(path: Path) -> bool:
    return (path / f"{POLICY}.json").exists()


def _resumable(path: Path) -> bool:
    return (path / f"{TRAINING}.json").exists()


def _sync(folder: Path) -> None:
    """Have the disk keep what was written, before anything older is removed."""
    for path in (*folder.glob("*.*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
