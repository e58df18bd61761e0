"""An append-only journal of records that outlives its writer, and how it becomes a Parquet file."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..robots.errors import ValuefieldError

NOTES = b"valuefield"
"""The key of a schema's metadata under which everything else about an episode is kept, as JSON."""


class RecordingFailed(ValuefieldError):
    """An episode cannot be written: the disk is full, or the directory is not to be written to."""

    exit_status = 3


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of a journal that its writer left behind.

    path: the Parquet file, None if the journal held no whole record. steps: those kept. broken: whether a last record
    was cut off, and dropped.
    """

    journal: Path
    path: Path | None
    steps: int
    broken: bool

    def __str__(self) -> str:
        lost = "; the last record was cut off and is dropped" if self.broken else ""
        if self.path is None:
            return f"{self.journal} held no whole record and is removed{lost}"
        return f"recovered {self.steps} steps of {self.journal} into {self.path}{lost}"


class Journal:
    """An Arrow stream in a new file `directory`/episode-<number>.journal, locked for as long as its writer lives."""

    def __init__(self, directory: Path, schema: pa.Schema) -> None:
        self._schema = schema
        with _failing_clearly(directory):
            self.path, self._file = _create(directory)
            self._stream = pa.ipc.new_stream(self._file, schema)

    @property
    def closed(self) -> bool:
        """Whether `finish` was called."""
        return self._file.closed

    def append(self, values: Sequence[Any]) -> None:
        """Write one record, a value for each field of the schema, and flush it."""
        arrays = [pa.array([value], field.type) for value, field in zip(values, self._schema, strict=True)]
        with _failing_clearly(self.path):
            self._stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
            self._file.flush()

    def finish(self, notes: dict[str, Any]) -> Path:
        """Turn the journal into a Parquet file with `notes` added to its metadata, and return its path."""
        with _failing_clearly(self.path), self._file:
            self._stream.close()
            self._file.flush()
            return _convert(self.path, _read(self.path)[0], notes)


def recover(directory: Path | str) -> list[Recovery]:
    """Turn every journal in `directory` whose writer died into an episode; those still being written are left alone.

    Raises RecordingFailed when a file cannot be written.
    """
    done = []
    for path in sorted(Path(directory).glob("episode-*.journal")):
        with _failing_clearly(path), path.open("rb") as file:
            if _lock(file):
                done.append(_rescue(path))
    return done


def _rescue(path: Path) -> Recovery:
    batches, broken = _read(path)
    if not batches:
        path.unlink()
        return Recovery(path, None, 0, broken)
    episode = _convert(path, batches, {"success": None, "complete": False})
    return Recovery(path, episode, len(batches) - 1, broken)


def _create(directory: Path) -> tuple[Path, BinaryIO]:
    """Open a journal under the next free number; no two processes ever get the same."""
    directory.mkdir(parents=True, exist_ok=True)
    taken = [int(path.stem.split("-")[1]) for path in directory.glob("episode-[0-9]*.*")]
    for number in count(max(taken, default=-1) + 1):
        path = directory / f"episode-{number:06d}.journal"
        if path.with_suffix(".parquet").exists():
            continue
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        _lock(file)
        return path, file
    raise AssertionError("numbers do not end")


def _lock(file: BinaryIO) -> bool:
    """Lock an open journal until it is closed or its process dies; False when another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> tuple[list[pa.RecordBatch], bool]:
    """Return the whole records, and whether the file breaks off in the middle of one."""
    batches: list[pa.RecordBatch] = []
    with path.open("rb") as file:
        try:
            batches.extend(pa.ipc.open_stream(file))
        except (pa.ArrowInvalid, OSError) as error:
            if getattr(error, "errno", None) is not None:  # the disk's own failure, not Arrow's word for a cut-off file
                raise
            return batches, True
    return batches, False


def _convert(journal: Path, batches: list[pa.RecordBatch], notes: dict[str, Any]) -> Path:
    """Write the records to a Parquet file that appears whole or not at all, then remove the journal."""
    all_notes = json.loads(batches[0].schema.metadata[NOTES]) | notes
    table = pa.Table.from_batches(batches).replace_schema_metadata({NOTES: json.dumps(all_notes)})
    partial, path = journal.with_suffix(".partial"), journal.with_suffix(".parquet")
    with partial.open("wb") as file:
        pq.write_table(table, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    journal.unlink()
    return path


@contextmanager
def _failing_clearly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingFailed(
            f"cannot write {path}: {error.strerror or error}; what was flushed before is kept"
        ) from error
