"""What every verb shares: the three flags, where text goes, and the one JSON object."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import numpy as np
import tyro
from rich.console import Console

_json_stream: ContextVar[TextIO | None] = ContextVar("json_stream", default=None)


def new_run_folder() -> Path:
    """runs/ and the time to the millisecond: sorted by age, and never that of another run."""
    return Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]


@dataclass(frozen=True, kw_only=True)
class CommonArgs:
    """The flags of every verb; the verb's own dataclass inherits them."""

    json: bool = False
    """Print one JSON object on standard output and everything else on standard error."""
    seed: int = 0
    """Seed of everything random; with several episodes, of the first."""
    out: Annotated[Path, tyro.conf.arg(help_behavior_hint="(default: runs/TIME)")] = field(
        default_factory=new_run_folder
    )
    """Folder for what the verb writes; made when it is needed."""


def console(args: CommonArgs) -> Console:
    """Where a verb writes for people: standard output, or standard error under `--json`."""
    return Console(stderr=args.json, highlight=False, soft_wrap=True)


def emit(args: CommonArgs, result: Mapping[str, Any]) -> None:
    """Print `result` as one line of JSON if `--json` was given. NaN and infinity become null: JSON knows neither."""
    if args.json:
        line = json.dumps(_plain(result), ensure_ascii=False, allow_nan=False)
        print(line, file=_json_stream.get() or sys.stdout, flush=True)


@contextmanager
def stdout_for_json() -> Iterator[None]:
    """Keep standard output for `emit`: stray prints, of C libraries too, go to standard error meanwhile."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(kept, "w", encoding="utf-8") as stream, redirect_stdout(sys.stderr):
        token = _json_stream.set(stream)
        try:
            yield
        finally:
            _json_stream.reset(token)
            ctypes.CDLL(None).fflush(None)  # what C has buffered must not come out after the object
            os.dup2(kept, 1)


def _plain(value: Any) -> Any:
    """`value` in the types that JSON has; numpy's scalars and arrays, paths and tuples are converted."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case Path():
            return str(value)
        case float():
            return value if np.isfinite(value) else None
    return value
