"""Sentences as words, for the offline grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lexicon import COMPOUNDS, SYNONYMS

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:\.\d+)?(?:st|nd|rd|th)?|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Token:
    """text: as written, in small letters. word: the one that stands for it and its synonyms. part: (start, end)."""

    text: str
    word: str
    part: tuple[int, int]

    @property
    def is_plural(self) -> bool:
        """Whether this is the plural of the word that stands for it."""
        return self.text.endswith("s") and self.text != self.word and " " not in self.text

    @property
    def is_sign(self) -> bool:
        """Whether this is a comma or the like."""
        return not self.text[0].isalnum()


def tokenize(sentence: str) -> tuple[Token, ...]:
    """Split into words, numbers and signs; nouns of several words become one token, hyphens and the genitive go."""
    found = []
    for match in _WORD.finditer(sentence):
        text = match.group().lower().replace("’", "'").removesuffix("'s")
        if text not in ("-", '"', "'"):
            found.append(Token(text, SYNONYMS.get(text, text), match.span()))
    return tuple(_joined(found))


def _joined(tokens: list[Token]) -> list[Token]:
    joined: list[Token] = []
    while tokens:
        lengths = (size for size in (3, 2) if tuple(token.text for token in tokens[:size]) in COMPOUNDS)
        size = next(lengths, 1)
        run, tokens = tokens[:size], tokens[size:]
        text = " ".join(token.text for token in run)
        word = run[0].word if size == 1 else COMPOUNDS[tuple(token.text for token in run)]
        joined.append(Token(text, word, (run[0].part[0], run[-1].part[1])))
    return joined
