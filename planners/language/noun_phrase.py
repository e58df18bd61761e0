"""Finds which of the scene's names a phrase such as "the second drawer from the top" means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...robots.errors import nearest
from .lexicon import (
    COLORS,
    CONTAINERS,
    DETERMINERS,
    FILLERS,
    FURNITURE,
    HAVE_HANDLES,
    NOUNS,
    NUMBERS,
    ORDINALS,
    PARTS,
    POSITIONS,
    PRONOUNS,
    RANKS,
)
from .tokens import Token, tokenize

KINDS: dict[str, Callable[[frozenset[str]], bool]] = {
    "thing": lambda words: True,
    "drawer": lambda words: bool(words & HAVE_HANDLES) and not words & PARTS,
    "handle": lambda words: bool(words & PARTS),
    "button": lambda words: "button" in words,
    "container": lambda words: bool(words & CONTAINERS) and not words & PARTS,
    "area": lambda words: "target" in words,
    "cabinet": lambda words: bool(words & FURNITURE),
    "rubbish": lambda words: "rubbish" in words,
}
"""What may stand in a place of a sentence, by the words of its name."""


@dataclass(frozen=True)
class Description:
    """What a phrase says of a thing. words: of its name. place: its ordinal, from the front or (`back`) the back."""

    words: frozenset[str] = frozenset()
    place: int | None = None
    back: bool = False
    part: str | None = None
    text: str = ""


@dataclass
class Names:
    """The names of a scene. complaint: why the phrase that reached farthest into the sentence has no meaning here."""

    names: Sequence[str]
    complaint: tuple[int, str] = (-1, "")
    words: dict[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.words = {name: frozenset(token.word for token in tokenize(name)) for name in self.names}

    def read(
        self, tokens: Sequence[Token], start: int, kind: str, last: str | None, *, owned: bool = True
    ) -> Iterator[tuple[str, int]]:
        """Yield each (name, end) that a phrase from `start` on may mean, the longest phrase first.

        kind: one of KINDS. last: the name that a pronoun stands for. owned: whether `of the cabinet` may follow.
        """
        at = start
        while at < len(tokens) and tokens[at].text in DETERMINERS:
            at += 1
        if at == start and at < len(tokens) and tokens[at].text in PRONOUNS:
            yield from self._pronoun(at, kind, last)
            return
        run = self._run(tokens, at)
        if run == at > start:
            self._complain(at, self._unknown(_until_preposition(tokens[at:]), kind))
        for end in range(run, at, -1):
            described = _described(tokens[at:end])
            if described is not None:
                said = replace(described, text=_text(tokens[at:end]))
                for whole, after in self._more(tokens, said, end, owned=owned):
                    yield from self._meant(whole, kind, last, after)

    def read_all(self, tokens: Sequence[Token], start: int, kind: str) -> Iterator[tuple[list[str], int]]:
        """Yield (names, end) for `all buttons`, `both tomatoes` or `the blocks`: everything that the words fit."""
        at = start
        while at < len(tokens) and tokens[at].text in _EVERY:
            at += 1
        end = self._run(tokens, at)
        said = _described(tokens[at:end])
        if at > start and said is not None and (tokens[end - 1].is_plural or tokens[start].text == "every"):
            found = self._candidates(said, kind, None)
            if len(found) > 1 and (tokens[start].text != "both" or len(found) == 2):
                yield found, end

    def named(self, kind: str) -> list[str]:
        """Return the things (no parts, unless `kind` asks for them) of a kind."""
        return [name for name in self.names if KINDS[kind](self.words[name]) and self._whole(name, kind)]

    def _pronoun(self, at: int, kind: str, last: str | None) -> Iterator[tuple[str, int]]:
        if last is None:
            self._complain(at, "it is not clear what 'it' stands for")
            return
        last = _owner_of(last) if kind == "drawer" else last
        if KINDS[kind](frozenset(token.word for token in tokenize(last))):
            yield last, at + 1

    def _run(self, tokens: Sequence[Token], at: int) -> int:
        """Return the end of the run of words that may belong to a name."""
        known = frozenset().union(*self.words.values()) | NOUNS | COLORS | POSITIONS | FILLERS
        while at < len(tokens) and (tokens[at].word in known or tokens[at].text in ORDINALS or _number(tokens[at])):
            at += 1
        return at

    def _more(
        self, tokens: Sequence[Token], said: Description, end: int, *, owned: bool
    ) -> Iterator[tuple[Description, int]]:
        """Yield `said` with what follows the noun added to it, then without."""
        for words, counts, change in _AFTERTHOUGHTS:
            run = tokens[end : end + len(words)]
            if len(run) == len(words) and all(
                token.text in each or token.word in each for token, each in zip(run, words, strict=True)
            ):
                more = replace(change(said, run[counts].word), text=f"{said.text} {_text(run)}")
                yield from self._more(tokens, more, end + len(words), owned=owned)
        if owned and end < len(tokens) and tokens[end].text in ("of", "on", "in"):
            yield from self._owner(tokens, said, end)
        yield said, end

    def _owner(self, tokens: Sequence[Token], said: Description, end: int) -> Iterator[tuple[Description, int]]:
        """`handle of the top drawer`: its owner's words count; `drawer of the cabinet`: nothing is added."""
        if said.part is not None and tokens[end].text != "in":
            for name, after in self.read(tokens, end + 1, "drawer", None, owned=False):
                yield (
                    replace(said, words=said.words | self.words[name], text=f"{said.text} {_text(tokens[end:after])}"),
                    after,
                )
        for _, after in self.read(tokens, end + 1, "cabinet", None, owned=False):
            yield said, after

    def _meant(self, said: Description, kind: str, last: str | None, end: int) -> Iterator[tuple[str, int]]:
        found = self._candidates(said, kind, last)
        if last is not None and kind == "drawer":
            last = _owner_of(last)
        if len(found) == 1:
            yield found[0], end
        elif last in found:
            yield last, end  # "the drawer" is the one that was spoken of
        elif found:
            self._complain(end, f"{said.text!r} may be {_listed(found)}")
        elif not self._candidates(said, "thing", last):
            self._complain(end, self._unknown(said.text, kind))

    def _candidates(self, said: Description, kind: str, last: str | None) -> list[str]:
        if said.part is not None:
            return self._parts(said, kind)
        wanted = said.words - FURNITURE if said.words & HAVE_HANDLES else said.words
        if "target" in wanted and not any("target" in words for words in self.words.values()):
            wanted = wanted - {"target"}  # a target is anything where nothing is called so
        pool = [name for name in self.named(kind) if wanted <= self.words[name]]
        if last in self.words and kind == "thing" and not wanted & NOUNS:
            alike = self.words[last] - COLORS - POSITIONS
            pool = [name for name in pool if alike <= self.words[name]] or pool
        pool = [name for name in pool if self.words[name] == wanted] or pool
        return pool if said.place is None else self._counted(pool, said.place, back=said.back)

    def _parts(self, said: Description, kind: str) -> list[str]:
        """Return the parts meant, or the things that they are on where the sentence has a place for those."""
        owners = [
            name
            for name in self.named("thing")
            if said.words <= self.words[name]
            and (KINDS["drawer"](self.words[name]) or f"{name} {said.part}" in self.names)
        ]
        if said.place is not None:
            owners = self._counted(owners, said.place, back=said.back)
        if kind == "drawer":
            return owners
        return [f"{name} {said.part}" for name in owners] if kind in ("thing", "handle") else []

    def _counted(self, pool: list[str], place: int, *, back: bool) -> list[str]:
        """Take the one at an ordinal from a row that is numbered, or named top, middle, bottom."""
        ranks = {name: _rank(self.words[name]) for name in pool}
        if any(rank is None for rank in ranks.values()) or len(set(ranks.values())) < len(pool):
            return []
        row = sorted(pool, key=lambda name: ranks[name] or 0, reverse=back)
        index = place if place < 0 else place - 1
        return row[index:][:1] if -len(row) <= index < len(row) else []

    def _whole(self, name: str, kind: str) -> bool:
        return kind == "handle" or not self.words[name] & PARTS

    def _unknown(self, said: str, kind: str) -> str:
        fitting = [name for name in self.names if KINDS[kind](self.words[name])] or list(self.names)
        close = nearest(said, fitting)
        return f"there is no {said!r} here{close or '; there are: ' + ', '.join(fitting)}"

    def _complain(self, at: int, text: str) -> None:
        if at > self.complaint[0]:
            self.complaint = (at, text)


def _described(run: Sequence[Token]) -> Description | None:
    """What the words before and in a noun say; None where they do not make a phrase."""
    words, place, part = set(), None, None
    for position, token in enumerate(run):
        number = _number(token)
        if token.text in FILLERS:
            continue
        if token.text in ORDINALS:
            place = ORDINALS[token.text]
        elif number is not None and position > 0:
            words.add(str(number))
        elif token.word in PARTS and position == len(run) - 1:
            part = token.word
        else:
            words.add(token.word)
    if not words and place is None and part is None:
        return None
    return Description(frozenset(words), place, part=part)


def _with(said: Description, word: str) -> Description:
    return replace(said, words=said.words | {word})


def _from_end(said: Description, word: str) -> Description:
    return replace(said, back=word == "bottom")


def _same(said: Description, word: str) -> Description:
    return said


_THE = frozenset({"the", "a"})
_AFTERTHOUGHTS: tuple[tuple[tuple[frozenset[str], ...], int, Callable[[Description, str], Description]], ...] = (
    ((frozenset({"that", "which"}), frozenset({"is"}), COLORS | POSITIONS), 2, _with),
    ((frozenset({"with"}), _THE, COLORS, frozenset({"base", "cap", "top", "bottom"})), 2, _with),
    ((frozenset({"that", "which"}), frozenset({"is"}), frozenset({"in", "at", "on"}), _THE, POSITIONS), 4, _with),
    ((frozenset({"in", "at", "on"}), _THE, POSITIONS), 2, _with),
    ((frozenset({"on", "at"}), POSITIONS), 1, _with),
    ((frozenset({"from"}), _THE, frozenset({"top", "bottom"})), 2, _from_end),
    ((frozenset({"on", "from", "off"}), _THE, frozenset({"table"})), 2, _same),
)
"""Words that may follow a noun, which of them counts, and what it adds to what was said."""


_PREPOSITIONS = frozenset("to into in onto on and then with from of at by over above until so while".split())
_EVERY = frozenset({"all", "both", "every", "of", "the"})


def _owner_of(name: str) -> str:
    """Return the thing that a part is on, or the thing itself."""
    owner, _, word = name.rpartition(" ")
    return owner if word in PARTS else name


def _rank(words: frozenset[str]) -> int | None:
    numbers = [int(word) for word in words if word.isdigit()]
    ranks = [place for place, word in enumerate(RANKS) if word in words]
    return next(iter(numbers + ranks), None)


def _number(token: Token) -> int | None:
    return int(token.text) if token.text.isdigit() else NUMBERS.get(token.text)


def _text(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)


def _until_preposition(tokens: Sequence[Token]) -> str:
    """Return the words of a noun that is not known, as far as that can be told."""
    ends = (place for place, token in enumerate(tokens) if token.is_sign or token.text in _PREPOSITIONS)
    return _text(tokens[: next(ends, len(tokens))])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"
