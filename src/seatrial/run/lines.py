"""Files of lines, one JSON object each, read back: what cannot be read is left out and counted."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, BinaryIO, get_args

import msgspec

from seatrial.records import LINES, Counters, Judgement, Line, LoadRow, Meter
from seatrial.run import sums

BLOCK = 256 * 1024
"""Bytes that are read and decoded at once, which takes two thirds of the time that single lines do."""

LINE_BYTES = 64 * 1024 * 1024
"""The longest line that is read: many times that of an answer of 200,000 reads. What is longer is no line."""

BAD = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What decoding bytes of any origin may raise."""

NAMES = ("case", "endpoint", "rule", "scenario", "suite", "name", "id", "w")
"""Fields that hold a name of ours, in which nothing is but what can be printed."""

_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(LINES)
decode = _DECODER.decode
_decode_all = _DECODER.decode_lines
SAID: Mapping[type[Line], tuple[str, ...]] = {
    Counters: ("tokens", "prompt_tokens", "prompt_read"),
    Judgement: ("expect",),
    LoadRow: ("tokens", "prompt_tokens", "cached", "drafted", "accepted"),
    Meter: ("tokens", "prompt_tokens"),
}
"""What lines hold as others said it: the decoder bounds no number of these, and of all else."""
_KINDS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(LINES))
_ODD = re.compile(rb"\\u|[^\x20-\x7e\n]")
"""What a line must hold to be worth a closer look, where no sum says that we wrote it."""
_HUGE = 10**300
"""What a server says may be anything with which a float can reckon."""


_BITS = tuple(1 << n for n in range(64))


class _Kind(msgspec.Struct):
    kind: str


def decoded(raw: Iterable[bytes]) -> Iterator[Line]:
    """Those that are lines; a torn one, and one of a kind unknown here, is left out."""
    for each in raw:
        with contextlib.suppress(*BAD):
            yield decode(each)


class LineReader:
    """Reads files of lines.

    Args:
        begin: what the sums of the run begin with; None: its lines bear none.

    Attributes:
        torn: last lines without an end, of writers that were killed.
        unknown: whole lines of a kind that this version does not know.
        damaged: lines that are none, or not as they were written: how many of each file.
    """

    def __init__(self, begin: int | None = None) -> None:
        self.torn = 0
        self.unknown = 0
        self.damaged: Counter[str] = Counter()
        self._begin = begin

    def read(self, handle: int, name: str) -> Iterator[Line]:
        """The lines of one open file, in their order, up to its length now; the file is closed at the end.

        Args:
            name: by which what is left out is counted.

        Raises:
            OSError: the file cannot be read on.
        """
        with os.fdopen(handle, "rb") as file:
            left = os.fstat(handle).st_size
            while left > 0 and (block := file.readlines(min(BLOCK, left)) if left < LINE_BYTES else _block(file)):
                left -= sum(map(len, block))
                if not block[-1].endswith(b"\n"):
                    if len(block[-1]) >= LINE_BYTES:
                        self.damaged[name] += 1
                        left = 0
                    else:
                        self.torn += 1
                    del block[-1]
                yield from self._decoded(block, name)

    def _decoded(self, block: Sequence[bytes], name: str) -> Iterable[Line]:
        begin = self._begin
        content = b"".join(block)
        if _ODD.search(content) is None if begin is None else sums.all_hold(block, begin):
            with contextlib.suppress(*BAD):
                lines = _decode_all(content)
                if all(_all_near(kind, lines) for kind in SAID):
                    return lines
        return self._one_by_one(block, name)

    def _one_by_one(self, block: Sequence[bytes], name: str) -> Iterator[Line]:
        for raw in block:
            line = self._one(raw)
            if line is None:
                if not self._is_of_tomorrow(raw):
                    self.damaged[name] += 1
            else:
                yield line

    def _one(self, raw: bytes) -> Line | None:
        if self._begin is not None and not sums.holds(raw.rstrip(b"\n"), self._begin):
            return None
        with contextlib.suppress(*BAD):
            line = decode(raw)
            if _reckoned(line) and (self._begin is not None or _ODD.search(raw) is None or _printable(line)):
                return line
        return None

    def _is_of_tomorrow(self, raw: bytes) -> bool:
        """Whether a line is whole, and of a kind that is not known here; it is counted then."""
        if self._begin is not None and not sums.holds(raw.rstrip(b"\n"), self._begin):
            return False
        try:
            kind = msgspec.json.decode(raw, type=_Kind).kind
        except BAD:
            return False
        known = kind in _KINDS
        self.unknown += not known
        return not known


class Numbers:
    """The numbers of the lines of each writer, which count from 1 without a gap: what is missing was lost.

    What is kept grows with the lines that came, however high their numbers are: a whole number of 64 bits for each 64
    neighbours of which one came.

    Attributes:
        doubled: lines that came a second time, and were left out.
    """

    def __init__(self) -> None:
        self.doubled = 0
        self._seen: dict[str, dict[int, int]] = {}
        self._told: Counter[str] = Counter()

    def once(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines, each the first time that it comes."""
        seen = self._seen
        writer: str | None = None
        mine: dict[int, int] = {}
        for line in lines:
            n = line.n
            if n < 1:  # of a line that no writer wrote
                yield line
                continue
            if line.w != writer:  # the next line is of the same one, but for the first of a file
                writer = line.w
                mine = seen.setdefault(writer, {})
            block, bit = n >> 6, _BITS[n & 63]
            known = mine.get(block, 0)
            if known & bit:
                self.doubled += 1
                continue
            mine[block] = known | bit
            yield line

    def told(self, writer: str, first: int, last: int) -> None:
        """Lines of a writer that the record itself says are missing: who judges it knows, and they are no damage."""
        self._told[writer] += max(0, min(last, self._highest(writer)) - max(first, 1) + 1)

    def _highest(self, writer: str) -> int:
        mine = self._seen.get(writer)
        top = max(mine) if mine else 0
        return (top << 6) + mine[top].bit_length() - 1 if mine else 0

    def lost(self, last: dict[str, int]) -> dict[str, int]:
        """How many lines of each writer are missing. ``last``: the number of its last line, where that is known."""
        found = {}
        for writer in sorted(self._seen.keys() | last.keys()):
            there = sum(map(int.bit_count, self._seen.get(writer, {}).values()))
            missing = max(self._highest(writer), last.get(writer, 0)) - there - self._told[writer]
            if missing > 0:
                found[writer] = missing
        return found


def _block(file: BinaryIO) -> list[bytes]:
    """Lines of about a block's length together; one without an end is cut at the longest that is read."""
    found: list[bytes] = []
    length = 0
    while length < BLOCK and (line := file.readline(LINE_BYTES)):
        found.append(line)
        length += len(line)
        if not line.endswith(b"\n"):
            break
    return found


def _printable(line: Line) -> bool:
    return all(str(getattr(line, name, "")).isprintable() for name in NAMES)


def _reckoned(line: Line) -> bool:
    """Whether a reader can reckon with what a line passes on as others said it; the decoder bounds what is ours."""
    return all(_near(getattr(line, name)) for name in SAID.get(type(line), ()))


def _all_near(kind: type[Line], lines: Sequence[Line]) -> bool:
    """:func:`_reckoned` of each line of one kind: of a night's many rows, whose numbers are small ones."""
    mine = [line for line in lines if type(line) is kind]
    for name in SAID[kind] if mine else ():
        told = [*filter(None, map(attrgetter(name), mine))]
        small = {int}.issuperset(map(type, told)) and min(told, default=0) > -_HUGE and max(told, default=0) < _HUGE
        if not small and not all(map(_near, told)):
            return False
    return True


def _near(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_near, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_near, value))
    return not isinstance(value, int | float) or -_HUGE < value < _HUGE
