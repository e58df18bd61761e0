"""Pieces of program text that the offline grammar puts together."""

from __future__ import annotations

import json


def quoted(text: str) -> str:
    """`text` as a string of a program."""
    return json.dumps(text, ensure_ascii=False)


def call(function: str, *texts: str, **values: str) -> str:
    """A call with `texts` as strings and `values` as they stand."""
    arguments = [quoted(text) for text in texts] + [f"{key}={value}" for key, value in values.items()]
    return f"{function}({', '.join(arguments)})"


def lines(*parts: str) -> str:
    """A program of these lines; empty ones are left out."""
    return "\n".join(part for part in parts if part) + "\n"
