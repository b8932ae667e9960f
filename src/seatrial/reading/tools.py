"""Reading the tool calls of an answer, plain or joined from deltas, whose every field may be of any type."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from seatrial.reading.bound import decoded
from seatrial.reading.channels import called
from seatrial.reading.chat import choices
from seatrial.reading.fields import integer, listing, mapping, string
from seatrial.records import Exchange

FENCED = re.compile(r"```\w*\n(.*?)(?:\n?```)?", re.DOTALL)
"""A text in a fence of Markdown, perhaps without its end."""

WRITTEN = re.compile(r"(?:\[\s*)?([\w.-]+)\((?:\s*\w+\s*=[^\n]*)?\)\s*\]?")
"""A call as a program would write it: its arguments by their names, perhaps in a list."""

BEGUN = re.compile(
    r'(?:\[\s*)?\{\s*(?:"type"\s*:\s*"function"\s*,\s*)?(?:"function"\s*:\s*\{\s*)?'
    r'"name"\s*:\s*"([\w.-]+)"\s*,\s*"(?:arguments|parameters)"'
)
"""How a call in JSON begins, also where a cap has cut it."""


class Calls:
    """The tool calls of one choice, in the order in which they began; the pieces of each are joined by its index.

    A plain message is one addition, a stream one a delta. What is no call, or has no function, is left out.
    """

    def __init__(self) -> None:
        self._pieces: dict[int, tuple[list[str], list[str]]] = {}

    def add(self, message: Mapping[str, Any]) -> None:
        """Take in the calls of a message or delta; a call without a whole index goes by its position."""
        for index, part, text in called(message):
            names, arguments = self._pieces.setdefault(index, ([], []))
            (names if part == "name" else arguments).append(text)

    def joined(self) -> Iterator[tuple[str, str]]:
        """(name, arguments) of each call."""
        return (("".join(names), "".join(arguments)) for names, arguments in self._pieces.values())


@dataclass(frozen=True)
class Piece:
    """One entry of ``tool_calls`` as it was sent: of a plain answer a whole call, of a stream a part of one.

    Attributes:
        where: the place in the answer, for a finding.
        choice: the index of its choice.
        position: its place in the list.
        sent: the entry itself; empty where it is no object.
    """

    where: str
    choice: int
    position: int
    sent: dict[str, Any]

    @property
    def index(self) -> Any:
        """What it says is its index; of any type. A plain answer needs none."""
        return self.sent.get("index")

    @property
    def function(self) -> dict[str, Any]:
        """Its function; empty where that is no object."""
        return mapping(self.sent.get("function"))


@dataclass
class MadeCall:
    """One call of a choice: of a stream its pieces, joined by their index. Values may be of any type.

    A piece without a whole index goes by its position. What is read of the joined call is read once: a hostile stream
    has ten thousand of them.
    """

    choice: int
    index: int
    pieces: list[Piece] = field(default_factory=list)

    @property
    def where(self) -> str:
        return f"choice {self.choice}, call {self.index}"

    def told(self, key: str) -> list[Any]:
        """Each value that its pieces give for ``id`` or ``type``, in order; a null is not given."""
        return [value for piece in self.pieces if (value := piece.sent.get(key)) is not None]

    @property
    def names(self) -> list[Any]:
        """Each value that its pieces give as the function's name."""
        return [value for piece in self.pieces if (value := piece.function.get("name")) is not None]

    @property
    def named(self) -> bool:
        """Whether any of its pieces has a function: one that has none tells name and arguments elsewhere."""
        return any(piece.function for piece in self.pieces)

    @property
    def given(self) -> list[Any]:
        """The arguments, piece by piece, as they were sent."""
        return [piece.function["arguments"] for piece in self.pieces if "arguments" in piece.function]

    @cached_property
    def id(self) -> str:
        """Its id as a client joins it; empty where it has none."""
        return "".join(filter(None, map(string, self.told("id"))))

    @cached_property
    def name(self) -> str:
        """The function's name as a client joins it."""
        return "".join(filter(None, map(string, self.names)))

    @cached_property
    def arguments(self) -> str:
        """The arguments' text as a client joins it: pieces that are no text are left out."""
        return "".join(filter(None, map(string, self.given)))

    @cached_property
    def value(self) -> Any:
        """What the arguments' text decodes to; None where it is no JSON: NaN and Infinity are none."""
        return decoded(self.arguments)[0]


def pieces(x: Exchange) -> Iterator[Piece]:
    """Every entry of every ``tool_calls`` of an answer, however it was sent, in the order in which it came."""
    for where, index, _choice, message in choices(x):
        for position, entry in enumerate(listing(message.get("tool_calls"))):
            yield Piece(where, index, position, mapping(entry))


def calls(x: Exchange) -> dict[int, list[MadeCall]]:
    """The calls of each choice that has any, in the order in which they began."""
    found: dict[int, dict[int, MadeCall]] = {}
    streamed = mapping(x.request_json).get("stream") is True
    for piece in pieces(x):
        index = integer(piece.index) if streamed else None
        key = piece.position if index is None else index
        found.setdefault(piece.choice, {}).setdefault(key, MadeCall(piece.choice, key)).pieces.append(piece)
    return {choice: list(held.values()) for choice, held in found.items()}


def offered(x: Exchange) -> dict[str, dict[str, Any]]:
    """The functions that a request offers, by name."""
    functions = (mapping(mapping(t).get("function")) for t in listing(mapping(x.request_json).get("tools")))
    return {name: each for each in functions if (name := string(each.get("name")))}


def is_told_in(text: str, names: Collection[str]) -> bool:
    """Whether a text is nothing but a call of one of some functions: in JSON, or as a program would write it, and
    perhaps in a fence."""
    text = text.strip()
    if fenced := FENCED.fullmatch(text):
        text = fenced[1].strip()
    if told := WRITTEN.fullmatch(text) or BEGUN.match(text):
        return told[1] in names
    value = decoded(text)[0] if names and text.startswith(("{", "[")) else None
    listed = [mapping(each) for each in listing(value) or [value]]
    made = [mapping(each.get("function")) or each for each in listed]
    return any(string(each.get("name")) in names and {"arguments", "parameters"} & each.keys() for each in made)
