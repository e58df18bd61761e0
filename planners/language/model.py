"""Language models: one protocol, and any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...robots.errors import BadInput, ModelUnavailable, ValuefieldError

if TYPE_CHECKING:
    from openai import OpenAI

Message = dict[str, str]
"""`role` ("system", "user" or "assistant") and `content`."""

MAX_REPLY = 1_000_000
"""Bytes of a reply that are read at most; a program has 10,000 characters."""
MAX_TOKENS = 1024

URL, MODEL, KEY = "VALUEFIELD_LLM_URL", "VALUEFIELD_LLM_MODEL", "VALUEFIELD_LLM_KEY"
"""Environment variables that stand in for arguments that are not given."""


class LanguageModel(Protocol):
    """Writes the next message of a conversation."""

    @property
    def name(self) -> str:
        """Which model this is; replies are cached under it."""
        ...

    def complete(self, messages: Sequence[Message]) -> str:
        """Answer `messages`. Raises ModelUnavailable when there is no answer to be had."""
        ...


class OpenAIModel:
    """A model behind an endpoint of OpenAI's chat-completions protocol, asked at temperature 0.

    url: base URL, such as http://localhost:8000/v1. name: the endpoint's name of the model. key: a secret that a local
    server may do without. What is not given is taken from the environment variables above. seconds: deadline of a
    whole reply, all attempts and pauses between them together. retries: further attempts after an answer 408, 409,
    429 or 5xx, or a broken connection, with growing pauses (those of the `openai` client).
    Raises BadInput when no URL or no model is named.
    """

    def __init__(
        self,
        url: str | None = None,
        name: str | None = None,
        key: str | None = None,
        *,
        seconds: float = 60.0,
        retries: int = 3,
    ) -> None:
        self.url = url or _from_environment(URL, "the endpoint's base URL")
        self.name = name or _from_environment(MODEL, "the model's name")
        self._key = key or os.environ.get(KEY) or "none"
        self._seconds, self._retries = seconds, retries

    def complete(self, messages: Sequence[Message]) -> str:
        """Ask the endpoint. Raises ModelUnavailable, in one line, when it is down, slow, or answers with nonsense."""
        from openai import OpenAI  # takes a second to import

        answer: queue.Queue[str | Exception] = queue.Queue(maxsize=1)
        client = OpenAI(base_url=self.url, api_key=self._key, timeout=self._seconds, max_retries=self._retries)

        def ask() -> None:
            try:
                answer.put(self._ask(client, messages))
            except Exception as error:  # handed to the thread that waits
                answer.put(error)

        # The client's own time limit is for each read, and a server can drip one byte at a time: hence the thread.
        threading.Thread(target=ask, daemon=True).start()
        try:
            result = answer.get(timeout=self._seconds)
        except queue.Empty:
            raise ModelUnavailable(f"{self._where}: no reply within {self._seconds:g} s") from None
        finally:
            client.close()
        if isinstance(result, Exception):
            raise self._explained(result) from result
        return result

    def _ask(self, client: OpenAI, messages: Sequence[Message]) -> str:
        request = client.chat.completions.with_streaming_response
        body, began = b"", time.monotonic()
        with request.create(
            model=self.name,
            messages=list(messages),  # type: ignore[arg-type]
            temperature=0.0,
            max_tokens=MAX_TOKENS,
        ) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_REPLY:
                    raise ModelUnavailable(f"{self._where}: a reply of more than {MAX_REPLY} bytes")
                if time.monotonic() - began > self._seconds:
                    raise ModelUnavailable(f"{self._where}: no whole reply within {self._seconds:g} s")
        return self._content(body)

    def _content(self, body: bytes) -> str:
        try:
            content: Any = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise ModelUnavailable(f"{self._where}: the reply is no chat completion: {body[:60]!r}") from None
        if not isinstance(content, str) or not content.strip():
            raise ModelUnavailable(f"{self._where}: the reply is empty")
        return content

    def _explained(self, error: Exception) -> Exception:
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        if isinstance(error, ValuefieldError):
            return error
        if isinstance(error, APITimeoutError):
            return ModelUnavailable(f"{self._where}: no reply within {self._seconds:g} s")
        if isinstance(error, APIConnectionError):
            return ModelUnavailable(f"{self._where}: cannot connect; is the endpoint up?")
        if isinstance(error, APIStatusError):
            return ModelUnavailable(f"{self._where}: answered {error.status_code}: {_short(error.message)}")
        if isinstance(error, OpenAIError | OSError | ValueError):
            return ModelUnavailable(f"{self._where}: {_short(str(error) or type(error).__name__)}")
        return error

    @property
    def _where(self) -> str:
        return f"language model {self.name!r} at {self.url}"


def _from_environment(variable: str, what: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise BadInput(f"{what} is not given; name it, or set {variable}")
    return value


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:157] + "..."
