"""Reading the tool calls of an answer, plain or joined from deltas, whose every field may be of any type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.reading.channels import called


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
