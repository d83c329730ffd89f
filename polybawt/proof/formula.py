r"""Reads as much of TLA+ as mutation needs: tokens with their columns, and conjuncts of actions.

Columns matter: a list of ``/\`` or ``\/`` is held together by them, so a text that becomes longer
pushes to the right all that was aligned with what follows it.  A token knows where it stands; an
edit says what to put in the place of a stretch, and ``edited`` keeps the lists in their columns.

Not here: precedence, types, meaning. What cannot be told apart by its form is left as it is.
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Final

from attrs import frozen

CONJUNCTION, DISJUNCTION = "/\\", "\\/"
QUANTIFIERS: Final = ("\\E", "\\A", "CHOOSE")
_COMMENT: Final = re.compile(r"\\\*[^\n]*|\(\*.*?\*\)", re.S)
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|\\[A-Za-z]+|/\\|\\/|<=>|=>|==|\|->|->|:>|@@|\.\.|<=|=<|>=|<<|>>|\[\]|<>|~>'
    r"|\w+|\S"
)
_OPEN, _CLOSE = ("(", "[", "{", "<<"), (")", "]", "}", ">>")
_PREFIXES: Final = ("LET", "IF", "CASE", *QUANTIFIERS)  # these reach as far as they can


@frozen
class Token:
    text: str
    start: int
    end: int
    column: int


@frozen
class Edit:
    """Put ``text`` in the place of a stretch of the module."""

    start: int
    end: int
    text: str


@frozen
class Part:
    """A conjunct of an action, by the numbers of its tokens. ``primed``: it says what follows."""

    first: int
    beyond: int
    primed: bool


def bare(module: str) -> str:
    """The same text in the same columns, without its comments."""
    return _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), module)


def tokens_of(text: str, start: int, end: int) -> list[Token]:
    """The tokens of a stretch of a module without comments."""
    return [
        Token(m[0], m.start(), m.end(), m.start() - text.rfind("\n", 0, m.start()) - 1)
        for m in _TOKEN.finditer(text, start, end)
    ]


def edited(text: str, edit: Edit) -> str:
    """The text after one edit, with all lists of its bullets as they were."""
    old = text[edit.start : edit.end]
    if "\n" in old:  # what follows stays in its line and column
        kept = re.sub(r"[^\n]", " ", old)
        breaks = kept.index("\n")
        return text[: edit.start] + edit.text + kept[breaks:] + text[edit.end :]
    grown = len(edit.text) - len(old)
    if grown <= 0:
        return text[: edit.start] + edit.text + " " * -grown + text[edit.end :]
    column = edit.start - text.rfind("\n", 0, edit.start) - 1
    line, *below = text[edit.end :].split("\n")
    shifted, aligned = [line], True
    for following in below:
        indent = len(following) - len(following.lstrip())
        aligned = aligned and (not following.strip() or indent >= column)
        shifted.append(" " * grown + following if aligned and following.strip() else following)
    return text[: edit.start] + edit.text + "\n".join(shifted)


class Formula:
    """The body of one definition. ``primed`` names the definitions that are actions themselves."""

    def __init__(self, tokens: list[Token], primed: Collection[str] = ()) -> None:
        self.tokens = tokens
        self._primed = primed

    def parts(self) -> Iterator[Part]:
        """The conjuncts of an action, those of its branches too; none if it is no action."""
        if self.says_next():
            yield from self._parts(0, len(self.tokens))

    def says_next(self, first: int = 0, beyond: int | None = None) -> bool:
        """Whether a stretch is about the next state."""
        return any(
            t.text in ("'", "UNCHANGED") or t.text in self._primed
            for t in self.tokens[first:beyond]
        )

    def _parts(self, first: int, beyond: int) -> Iterator[Part]:
        if first >= beyond:
            return
        conjuncts, branches = self._split(first, beyond)
        if not self.says_next(first, beyond):
            if not conjuncts or self.tokens[first].text == "LET":
                yield Part(first, beyond, primed=False)
                return
            branches = []
        for stretch in conjuncts:
            yield from self._parts(*stretch)
        for stretch in branches:  # an unprimed branch is no conjunct of the whole
            if self.says_next(*stretch):
                yield from self._parts(*stretch)
        if not conjuncts and not branches:
            yield Part(first, beyond, primed=True)

    def _split(
        self, first: int, beyond: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """What an action is the conjunction of, or else its alternatives."""
        head = self.tokens[first]
        if head.text in (CONJUNCTION, DISJUNCTION):
            items = self._bulleted(first, beyond)
            return (items, []) if head.text == CONJUNCTION else ([], items)
        if head.text == "(" and self.closing(first) == beyond - 1:
            return [(first + 1, beyond - 1)], []
        if head.text == "LET":
            return [(self._matching(first, beyond, "LET", "IN") + 1, beyond)], []
        if head.text in QUANTIFIERS:
            return [(self.find(first, beyond, ":") + 1, beyond)], []
        if head.text == "IF":
            then = self._matching(first, beyond, "IF", "THEN")
            other = self._matching(first, beyond, "IF", "ELSE")
            return [], [(then + 1, other), (other + 1, beyond)]
        if head.text == "CASE":
            arms = [first, *self._all(first, beyond, "[]"), beyond]
            return [], [(self.find(a, b, "->") + 1, b) for a, b in pairwise(arms)]
        return self._infix(first, beyond)

    def _infix(
        self, first: int, beyond: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        operands, start, at, operator = [], first, first, ""
        while at < beyond:
            text = self.tokens[at].text
            if text in _OPEN:
                at = self.closing(at)
            elif text in _PREFIXES:
                break
            elif text in (CONJUNCTION, DISJUNCTION):
                operator = text
                operands.append((start, at))
                start = at + 1
                if start < beyond and self.tokens[start].text in (CONJUNCTION, DISJUNCTION):
                    break
            elif text in ("=>", "<=>"):
                return [], []
            at += 1
        found = [*operands, (start, beyond)] if operator else []
        return (found, []) if operator == CONJUNCTION else ([], found)

    def _bulleted(self, first: int, beyond: int) -> list[tuple[int, int]]:
        head = self.tokens[first]
        bullets = [
            at
            for at in self._all(first, beyond, head.text)
            if self.tokens[at].column == head.column
        ]
        return [(a + 1, b) for a, b in zip(bullets, [*bullets[1:], beyond], strict=True)]

    def closing(self, opened: int) -> int:
        """The bracket that closes this one."""
        depth = 0
        for at in range(opened, len(self.tokens)):
            text = self.tokens[at].text
            depth += (text in _OPEN) - (text in _CLOSE)
            if not depth:
                return at
        raise ValueError(f"{self.tokens[opened]} is never closed")

    def find(self, first: int, beyond: int, text: str) -> int:
        """The first such token outside of all brackets; ``beyond`` when there is none."""
        return next(iter(self._all(first, beyond, text)), beyond)

    def _all(self, first: int, beyond: int, text: str) -> list[int]:
        found, depth = [], 0
        for at in range(first, beyond):
            here = self.tokens[at].text
            depth -= here in _CLOSE
            if not depth and here == text:
                found.append(at)
            depth += here in _OPEN
        return found

    def _matching(self, first: int, beyond: int, opening: str, text: str) -> int:
        """The ``IN`` of this ``LET``, the ``THEN`` or ``ELSE`` of this ``IF``."""
        depth = 0
        for at in range(first, beyond):
            here = self.tokens[at].text
            depth += here == opening
            if here == text:
                depth -= 1
                if not depth:
                    return at
        raise ValueError(f"{opening} without {text}")

    def condition(self, first: int) -> tuple[int, int]:
        """What stands between an ``IF`` and its ``THEN``."""
        return first + 1, self._matching(first, len(self.tokens), "IF", "THEN")

    def binders(self) -> set[int]:
        r"""Every ``\in`` that binds a name, and is no question."""
        found: set[int] = set()
        for at, token in enumerate(self.tokens):
            if token.text in QUANTIFIERS:
                found.update(self._all(at, self.find(at, len(self.tokens), ":"), "\\in"))
            elif token.text in ("{", "["):
                end = self.closing(at)
                ends = [self.find(at + 1, end, mark) for mark in (":", "|->", "->")]
                if min(ends) < end:
                    found.update(self._all(at + 1, min(ends), "\\in"))
        return found

    def updates(self) -> set[int]:
        """Every ``=`` of an ``EXCEPT ![...] = ...``, which is no question either."""
        found: set[int] = set()
        for at, token in enumerate(self.tokens[:-1]):
            if token.text == "!" and self.tokens[at + 1].text == "[":
                found.add(self.closing(at + 1) + 1)
        return found

    def unary(self, at: int) -> bool:
        """Whether a minus belongs to what follows it alone."""
        return not at or not re.match(r"[\w\"')\]}]|>>", self.tokens[at - 1].text)

    def indexes(self, at: int) -> bool:
        """Whether a number is a place in a tuple: ``r[1]``."""
        around = [t.text for t in self.tokens[max(at - 2, 0) : at + 2]]
        return len(around) == 4 and around[1::2] == ["[", "]"] and around[0][-1].isalnum()

    def edit(self, first: int, beyond: int, text: str) -> Edit:
        return Edit(self.tokens[first].start, self.tokens[beyond - 1].end, text)

    def text(self, first: int, beyond: int) -> str:
        """A stretch on one line."""
        stretch = self.tokens[first:beyond]
        gaps = [" " if a.end < b.start else "" for a, b in pairwise(stretch)]
        return "".join(gap + t.text for gap, t in zip(["", *gaps], stretch, strict=True))
