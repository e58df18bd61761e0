"""Keeps the replies of a language model as JSON files, so that the same question is asked once."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .model import LanguageModel, Message


class CachedModel:
    """A model whose replies are kept in `folder`, one file each, named by the SHA-256 of what was asked.

    The hash is over the canonical JSON of the model's name, the prompt (the first message) and the other messages.
    A file that holds anything else than that question and its reply is asked for and written anew.
    """

    def __init__(self, model: LanguageModel, folder: Path) -> None:
        self.model = model
        self.folder = folder

    @property
    def name(self) -> str:
        """The name of the model behind it."""
        return self.model.name

    def complete(self, messages: Sequence[Message]) -> str:
        """Answer from the folder, else from the model; what the model raises is not kept."""
        question: dict[str, object] = {"model": self.name, "prompt": messages[0], "messages": list(messages[1:])}
        text = json.dumps(question, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
        kept = _read(path, question)
        if kept is not None:
            return kept
        reply = self.model.complete(messages)
        self._write(path, {**question, "reply": reply})
        return reply

    def _write(self, path: Path, entry: dict[str, object]) -> None:
        """Write whole or not at all: another process may be reading."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".part", delete=False, encoding="utf-8") as file:
            json.dump(entry, file, indent=1)
        os.replace(file.name, path)


def _read(path: Path, question: dict[str, object]) -> str | None:
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("reply"), str):
        return None
    asked = {key: value for key, value in entry.items() if key != "reply"}
    return str(entry["reply"]) if asked == question else None
