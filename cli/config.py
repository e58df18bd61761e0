"""Configurations from the command line: `KEY=VALUE` and TOML files, in the types of a dataclass."""

from __future__ import annotations

import contextlib
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import tyro

from ..robots.errors import BadInput, UnknownName
from .main import one_line

Config = TypeVar("Config")


def configured(kind: type[Config], given: Mapping[str, Any], *, flag: str = "--config") -> Config:
    """A `kind`, which is a dataclass, with these values, texts or not, in place of its defaults. flag: for errors.

    Raises UnknownName for a key that it has not, BadInput for a value of another type than the key's.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in names:
            raise UnknownName(f"key of {flag}", key, names)
    words = [word for key, value in given.items() for word in (f"--{key}", *_words(value))]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(kind, args=words, config=(tyro.conf.FlagConversionOff,), add_help=False)
    except SystemExit:
        raise BadInput(f"{flag}: {one_line(said.getvalue())}") from None


def table(file: Path | None) -> dict[str, Any]:
    """What a TOML file says; nothing without one. Raises BadInput for what cannot be read."""
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"--config-file {file}: {error}") from error


def pairs(texts: Sequence[str], *, flag: str = "--config") -> dict[str, str]:
    """What texts KEY=VALUE say. Raises BadInput for others."""
    split = [text.partition("=") for text in texts]
    for text, (_, _, value) in zip(texts, split, strict=True):
        if not value:
            raise BadInput(f"{flag} takes KEY=VALUE, not {text!r}")
    return {key.strip().replace("-", "_"): value.strip() for key, _, value in split}


def _words(value: Any) -> list[str]:
    """A value as words of a command line: lists, and `256,256`, are one word an item; `true` is Python's True."""
    if isinstance(value, Mapping):
        raise BadInput(f"a configuration has no tables: {dict(value)}")
    words = [str(item) for item in value] if isinstance(value, list) else str(value).replace(",", " ").split()
    return [word.capitalize() if word.lower() in ("true", "false", "none") else word for word in words]
