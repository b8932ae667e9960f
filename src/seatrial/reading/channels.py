"""Where the pieces of a text stand in an answer: what joins them, and what masks a secret in them, takes it from here.

A server may hand out a text in pieces, a delta each. Which pieces belong together is for the reader to know. Whatever
some reader joins, the mask must join as well before anything is recorded, else a secret stands in the clear where the
text is printed. So readers get at these fields by the functions of this module, and :class:`Channels` by the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from seatrial.reading.fields import integer, listing, mapping, string

CONTENT = "content"
"""Where a message or delta says what is meant for the user."""

THOUGHT = ("reasoning_content", "reasoning")
"""Where servers put what a model thinks; no document names the field."""

HELD = ("delta", "message")
"""Where a choice of a stream, or of a plain answer, has what was said."""

DEPTH = 64
"""Strings nested deeper are in no channel: nobody reads them."""

SWITCHES = 4
"""Fields in which a choice of an ordinary stream says something, one after the other: thought, content, tool calls."""

Channel = tuple[str | int | None, ...]
"""The path of a string; one that a reader joins from several paths begins with None."""

Piece = str | list[int]
"""Of a channel: a text, or the bytes of one."""


def content(message: Mapping[str, Any]) -> str:
    """What a message or delta says to the user; empty where it says nothing."""
    return string(message.get(CONTENT)) or ""


def thought(message: Mapping[str, Any]) -> str:
    """What a message or delta says of the model's thought; empty where it says nothing."""
    return next((text for key in THOUGHT if (text := string(message.get(key)))), "")


def called(message: Mapping[str, Any]) -> Iterator[tuple[int, Literal["name", "arguments"], str]]:
    """(index, part, text) of the tool calls of a message or delta; a call without a whole index goes by its position.

    What is no call, or has no function, is left out.
    """
    for position, call in enumerate(listing(message.get("tool_calls"))):
        function = mapping(call).get("function")
        if not isinstance(function, dict):
            continue
        index = integer(call.get("index"))
        for part in ("name", "arguments"):
            if (text := string(function.get(part))) is not None:
                yield position if index is None else index, part, text


def tokens(choice: Mapping[str, Any]) -> list[Any]:
    """The entries of a choice's log probabilities, of any type."""
    return listing(mapping(choice.get("logprobs")).get(CONTENT))


def spelled(entry: Any) -> Piece:
    """The text of a token: its bytes where they are given, for a token may be a part of a character."""
    given = listing(mapping(entry).get("bytes"))
    if given and all(isinstance(b, int) and 0 <= b < 256 for b in given):
        return given
    return string(mapping(entry).get("token")) or ""


def said(choice: Mapping[str, Any]) -> Any:
    """What a choice holds, however it was sent; of any type."""
    return next((value for key in HELD if (value := choice.get(key))), None)


def is_first(choice: Mapping[str, Any]) -> bool:
    """Whether a choice is the first one; where it has no index it is taken for that."""
    return choice.get("index") in (0, None)  # a list in its place is no index


class _Node(dict[str | int, "_Node"]):
    """The strings of one path of documents, and the paths that go on from it."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def __missing__(self, step: str | int) -> _Node:
        below = self[step] = _Node()
        return below


class Channels:
    """The texts of an answer, each joined from the pieces that some reader joins.

    Every string has the channel of its path, whatever the positions in arrays, but with the ``index`` of objects that
    have one. Of an ordinary stream readers join no others. Where they may, :attr:`crossed` says so, and a ``thorough``
    pass is due: it adds what each reader joins, and what a person may read who goes by the order in which pieces came:
    all of a choice, and all of all choices.
    """

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough
        self._root = _Node()
        self._heard: dict[Channel, list[Piece]] = {}
        self._odd = False
        self._fields: set[str] = set()  # of all deltas
        self._spelled: set[bool] = set()  # whether tokens gave their bytes
        self._last: dict[int, str] = {}  # the field in which each choice said something last
        self._switches = 0
        self._order: list[Piece] = self._heard.setdefault((None, "order"), [])

    @property
    def crossed(self) -> bool:
        """Whether the pieces came in such a way that a reader may join those of several paths."""
        both = self._fields.issuperset(THOUGHT) or len(self._spelled) > 1
        return self._odd or both or self._switches > SWITCHES * len(self._last)

    @property
    def joined(self) -> dict[Channel, list[Piece]]:
        """The pieces of each channel, in order."""
        found = dict(self._heard)
        paths: list[tuple[Channel, _Node]] = [((), self._root)]
        while paths:
            channel, node = paths.pop()
            if node.pieces:
                found[channel] = node.pieces
            paths += [((*channel, step), below) for step, below in node.items()]
        return found

    def add(self, document: Any) -> None:
        """Take in the JSON of a body or of one event."""
        for each in document if isinstance(document, list) else (document,):
            choices = each.get("choices") if isinstance(each, dict) else None
            if isinstance(choices, list) and choices:
                self._odd = self._odd or len(choices) > 1
                for choice in choices:
                    if isinstance(choice, dict):
                        (self._listen if self._thorough else self._look)(choice)
        if isinstance(document, dict):
            self._members(document, self._root, 0)
        else:
            self._items([document], self._root, 0)

    def _members(self, value: dict[str, Any], node: _Node, depth: int) -> None:
        for key, each in value.items():
            if isinstance(each, str):
                node[key].pieces.append(each)
            elif isinstance(each, dict):
                if depth < DEPTH:
                    self._members(each, node[key], depth + 1)
            elif isinstance(each, list) and depth < DEPTH:
                self._items(each, node[key], depth + 1)

    def _items(self, value: list[Any], node: _Node, depth: int) -> None:
        if value and integer(value[0]) is not None:
            small = [n for n in value if isinstance(n, int) and 0 <= n < 256]
            self._odd = self._odd or len(small) < len(value)
            node.pieces.append(small)
        for each in value:
            if isinstance(each, str):
                node.pieces.append(each)
            elif isinstance(each, dict):
                index = integer(each.get("index"))
                if depth < DEPTH:
                    self._members(each, node if index is None else node[index], depth + 1)
            elif isinstance(each, list) and depth < DEPTH:
                self._items(each, node, depth + 1)

    def _look(self, choice: dict[str, Any]) -> None:
        """Note what makes a stream crossed."""
        index, message = integer(choice.get("index")), choice.get("delta")
        if index is None or not isinstance(message, dict) or "message" in choice:
            self._odd = True
            return
        for key, value in message.items():
            if value and key != "role":
                if self._last.get(index) != key:
                    self._last[index] = key
                    self._fields.add(key)
                    self._switches += 1
                if isinstance(value, str):
                    self._order.append(value)
        calls = message.get("tool_calls")
        if calls and (len(listing(calls)) > 1 or integer(mapping(listing(calls)[0]).get("index")) is None):
            self._odd = True
        if choice.get("logprobs"):
            self._spelled.update([bool(mapping(entry).get("bytes")) for entry in tokens(choice)])

    def _listen(self, choice: dict[str, Any]) -> None:
        """Join what each reader does: by the choice's index, and of the first choice; then all as it came."""
        index = integer(choice.get("index"))
        heard: list[tuple[Channel, Any]] = [((None, "first"), said(choice))] if is_first(choice) else []
        if index is not None:
            heard += [((None, index, key), choice.get(key)) for key in HELD]
        for name, message in heard:
            if isinstance(message, dict):
                self._put((*name, "thought"), thought(message))
                self._put((*name, CONTENT), content(message))
                for number, part, text in called(message):
                    self._put((*name, "call", number, part), text)
        for entry in tokens(choice):
            self._put((None, str(index), "tokens"), spelled(entry))
        for key in HELD:
            for piece in _leaves(choice.get(key)):
                self._put((None, str(index), "all"), piece)
                self._put((None, "all"), piece)
        message = choice.get("delta")
        if isinstance(message, dict):
            self._order += [value for key, value in message.items() if key != "role" and isinstance(value, str)]

    def _put(self, channel: Channel, piece: Piece) -> None:
        if piece:
            self._heard.setdefault(channel, []).append(piece)


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """The strings in a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < DEPTH:
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each, depth + 1)
