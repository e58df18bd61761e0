"""Episodes on disk: a journal while one runs, a Parquet file when it is over, and the way back after a crash.

Row 0 holds the first observation. Row k holds what the k-th step did and the observation after it: every observation
is stored once, and the next observation of a step is read, never inferred.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..robots.errors import BadInput
from .episodes_columns import Column, columns_of
from .episodes_journal import NOTES, Journal

SCHEMA = 2
"""Version of what is written here; 1 did not have `approved`. A file of another one is refused."""

_OBS = "obs/"
_STEP = pa.schema(
    [
        ("action", pa.list_(pa.float64())),
        ("policy_action", pa.list_(pa.float64())),
        ("intervened", pa.bool_()),
        ("takeover_start", pa.bool_()),
        ("approved", pa.bool_()),
        ("reward", pa.float64()),
        ("terminated", pa.bool_()),
        ("truncated", pa.bool_()),
        ("info", pa.string()),
    ]
)


@dataclass(frozen=True)
class EpisodeHeader:
    """What must be known to make sense of an episode, or to play it again.

    env: id. action: name of the action space. ctrl_dt: s a step. seed, variation: of the reset, None if not given.
    reset_info: what else of the reset's info is to be kept; keys become strings, arrays lists.
    """

    env: str
    instruction: str
    action: str
    ctrl_dt: float
    seed: int | None = None
    variation: int | None = None
    reset_info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step, as replay keeps it.

    action: (A,) what the environment was given. policy_action: (A,) what the policy proposed, None where none was
    asked. intervened: a person, or an expert for one, chose the action. takeover_start: and had not chosen the last.
    approved: they said yes to the proposal.
    """

    action: NDArray[Any]
    reward: float
    terminated: bool
    truncated: bool
    policy_action: NDArray[Any] | None = None
    intervened: bool = False
    takeover_start: bool = False
    approved: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Episode:
    """T steps, read back.

    obs: key -> (T + 1, ...); step k leads from obs[key][k] to obs[key][k + 1]. success: None if nobody judged it.
    complete: False if it was recovered from the journal of a process that died.
    """

    header: EpisodeHeader
    obs: Mapping[str, NDArray[Any]]
    steps: tuple[Step, ...]
    success: bool | None
    complete: bool


class EpisodeWriter:
    """Writes one episode, a record a step, each flushed before `step` returns.

    Opens `directory`/episode-<number>.journal and writes the first observation `obs`; `finish` turns the journal into
    episode-<number>.parquet. Left as a context manager before that, it finishes with success None.
    Raises RecordingFailed when the files cannot be written, BadInput for values that an episode cannot hold.
    """

    def __init__(self, directory: Path | str, header: EpisodeHeader, obs: Mapping[str, Any]) -> None:
        self._columns = columns_of(obs)
        notes = {**asdict(header), "reset_info": _plain(header.reset_info), "schema": SCHEMA}
        fields = [*_STEP, *(column.field(_OBS) for column in self._columns)]
        self._journal = Journal(Path(directory), pa.schema(fields, {NOTES: json.dumps(notes)}))
        self._write(dict.fromkeys(_STEP.names), obs)

    @property
    def path(self) -> Path:
        """Where the journal is."""
        return self._journal.path

    def step(self, step: Step, next_obs: Mapping[str, Any]) -> None:
        """Append one step and the observation after it."""
        row = {name: getattr(step, name) for name in _STEP.names}
        row["action"] = _row(step.action)
        row["policy_action"] = None if step.policy_action is None else _row(step.policy_action)
        row["info"] = json.dumps(_plain(step.info))
        self._write(row, next_obs)

    def finish(self, success: bool | None) -> Path:
        """End the episode and return the path of its Parquet file."""
        return self._journal.finish({"success": success, "complete": True})

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if not self._journal.closed:
            self.finish(success=None)

    def _write(self, row: Mapping[str, Any], obs: Mapping[str, Any]) -> None:
        changed = {column.key for column in self._columns} ^ set(obs)
        if changed:
            raise BadInput(
                f"the observations of an episode must keep their keys; changed: {', '.join(sorted(changed))}"
            )
        self._journal.append([*row.values(), *(column.encode(obs[column.key]) for column in self._columns)])


def read_episode(path: Path | str, keys: Collection[str] | None = None) -> Episode:
    """Read an episode; of its observations only `keys`, where given.

    Raises BadInput for what is not an episode of a version up to this one, and for keys that it does not have.
    """
    path = Path(path)
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInput(f"{path} is not an episode: {error}") from error
    schema = file.schema_arrow
    notes = _notes(path, schema)
    columns = [Column.from_field(each, _OBS) for each in schema if each.name.startswith(_OBS)]
    known = [column.key for column in columns]
    unknown = set(keys or ()) - set(known)
    if unknown:
        raise BadInput(f"{path} has no {', '.join(sorted(unknown))}; it has: {', '.join(known)}")
    wanted = [column for column in columns if keys is None or column.key in keys]
    fields = [name for name in _STEP.names if name in schema.names]
    table = file.read([*fields, *(_OBS + column.key for column in wanted)])
    return Episode(
        header=EpisodeHeader(**{name: notes[name] for name in EpisodeHeader.__dataclass_fields__}),
        obs={column.key: column.decode(table[_OBS + column.key]) for column in wanted},
        steps=tuple(_step(row) for row in table.select(fields).slice(1).to_pylist()),
        success=notes["success"],
        complete=notes["complete"],
    )


def _notes(path: Path, schema: pa.Schema) -> dict[str, Any]:
    if not schema.metadata or NOTES not in schema.metadata:
        raise BadInput(f"{path} is not an episode: it is a Parquet file of something else")
    notes: dict[str, Any] = json.loads(schema.metadata[NOTES])
    if notes["schema"] not in range(1, SCHEMA + 1):
        raise BadInput(f"{path} is an episode of schema {notes['schema']}; this version reads schemas 1 to {SCHEMA}")
    return notes


def _step(row: dict[str, Any]) -> Step:
    policy_action = row.pop("policy_action")
    return Step(
        **row
        | {
            "action": np.array(row["action"]),
            "policy_action": None if policy_action is None else np.array(policy_action),
            "info": json.loads(row["info"]),
        }
    )


def _row(action: NDArray[Any]) -> NDArray[np.float64]:
    row = np.asarray(action, dtype=np.float64)
    if row.ndim != 1:
        raise BadInput(f"an action is a row of numbers, not an array of shape {row.shape}")
    return row


def _plain(value: Any) -> Any:
    """Return `value` as JSON has it. Raises BadInput for what JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise BadInput(f"an episode's info holds numbers, texts, lists and dicts, not {type(value).__name__} {value!r:.60}")
