"""What a language model is shown: one data file a program, with what to write and worked examples."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ...robots.errors import UnknownName
from .model import Message

LMPS = (
    "planner",
    "composer",
    "parse_query_obj",
    "get_affordance_map",
    "get_avoidance_map",
    "get_rotation_map",
    "get_velocity_map",
    "get_gripper_map",
)
"""The eight language-model programs of VoxPoser (Huang et al., 2023, section 3 and its appendix)."""

_QUERY = "# Query: "
_TITLE = "# Program: "


@dataclass(frozen=True, slots=True)
class Example:
    """A query, the names of the scene it is asked in, and the program that answers it."""

    names: tuple[str, ...]
    query: str
    source: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The instructions and the examples of one program."""

    name: str
    instructions: str
    examples: tuple[Example, ...]

    def messages(self, query: str, names: Sequence[str]) -> list[Message]:
        """Lay the prompt out as a conversation that ends with `query`."""
        rounds = [{"role": "system", "content": f"{_TITLE}{self.name}\n\n{self.instructions}"}]
        for example in self.examples:
            rounds.append({"role": "user", "content": ask(example.query, example.names)})
            rounds.append({"role": "assistant", "content": example.source})
        return [*rounds, {"role": "user", "content": ask(query, names)}]


def ask(query: str, names: Sequence[str]) -> str:
    """Write a query as the models see it: the names of the scene, then the query on one line."""
    return f"objects = {json.dumps(list(names), ensure_ascii=False)}\n{_QUERY}{' '.join(query.split())}"


def asked(messages: Sequence[Message]) -> tuple[str, str, tuple[str, ...]]:
    """Read a conversation of `Prompt.messages` back: the program's name, the last query and the scene's names."""
    title = messages[0]["content"].splitlines()[0].removeprefix(_TITLE)
    last = next(each["content"] for each in reversed(messages) if _QUERY in each["content"])
    objects, _, query = last.partition(f"\n{_QUERY}")
    return title, query, tuple(json.loads(objects.removeprefix("objects = ")))


@cache
def load(name: str) -> Prompt:
    """Read the prompt of one of LMPS from its data file. Raises UnknownName."""
    if name not in LMPS:
        raise UnknownName("language program", name, LMPS)
    folder = files(f"{__package__}.prompts")
    text = folder.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    instructions, *blocks = re.split(r"^(?=objects = )", text, flags=re.MULTILINE)
    if name != "planner":
        instructions += "\n" + folder.joinpath("language.txt").read_text(encoding="utf-8")
    return Prompt(name, instructions.strip(), tuple(_example(block) for block in blocks))


def _example(block: str) -> Example:
    objects, query, source = block.split("\n", 2)
    names = tuple(json.loads(objects.removeprefix("objects = ")))
    return Example(names, query.removeprefix(_QUERY), source.strip())
