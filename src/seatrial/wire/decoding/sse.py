"""An incremental reader of Server-Sent Events, sans-IO, after the WHATWG specification.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. Lines end by LF, CRLF or
CR; reads may be cut anywhere. Three things differ from a browser, for nothing may be swallowed: a line whose field is
unknown (``error: {...}``, a bare JSON object) is kept in :attr:`Reader.strays`, what an end of file leaves without its
blank line stands in :attr:`Reader.tail`, and data stay bytes, so that broken UTF-8 is seen by whoever decodes them.

Three paths lead to the same events: one read that is one event (as servers send), whole blocks between blank lines,
and line by line for everything else.
"""

from __future__ import annotations

import re

import msgspec

from seatrial.wire.decoding.errors import WireError

EVENT_CAP = 16 * 1024 * 1024
"""Bytes of one event, comments before it included, that are held before its blank line comes."""

STRAYS_CAP = 16
_LF, _CR = b"\n\r"  # numbers: looking for one in bytes is a tenth of the cost of looking for a slice
_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"([^\r\n]*)(?>\r\n|\r|\n)")


class SseEvent(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event: its data lines joined by LF, its type (empty: none given), and the offset of its end.

    The end is where the blank line ended; CR ends it, an LF that follows in a later read does not delay the event.
    """

    data: bytes
    type: str
    end: int


class Reader:
    """Feed it reads; it returns the events that each read completes.

    Attributes:
        comments: comment lines seen.
        strays: the first lines with an unknown field, at most 16.
        stray_count: how many there were.
    """

    __slots__ = (
        "_cap",
        "_clear",
        "_data",
        "_end",
        "_first",
        "_held",
        "_held_size",
        "_parts",
        "_parts_size",
        "_skip_lf",
        "_type",
        "comments",
        "stray_count",
        "strays",
    )

    def __init__(self, event_cap: int = EVENT_CAP) -> None:
        self.comments = 0
        self.strays: list[bytes] = []
        self.stray_count = 0
        self._cap = event_cap
        self._end = 0  # offset of the first byte that is neither in a dispatched event nor held
        self._parts: list[bytes] = []  # of the line that has no end yet
        self._parts_size = 0
        self._held: list[bytes] = []  # whole lines of the event that has no end yet
        self._held_size = 0
        self._data: list[bytes] = []
        self._type = b""
        self._first = True  # the next line is the stream's first: a byte order mark may stand before it
        self._skip_lf = False  # the last read ended in CR, which is a line's end whether or not LF follows
        self._clear = False  # between events, with nothing held: the fast path may be taken

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the bytes of one read, in order.

        Raises:
            WireError: ``too-large``, an event is longer than the cap.
        """
        if self._clear and data[:6] == b"data: " and data[-1] == _LF == data[-2]:
            payload = data[6:-2]
            if _LF not in payload and _CR not in payload:
                self._end += len(data)
                return [SseEvent(payload, "", self._end)]
        if _LF not in data and _CR not in data:
            if not data:
                return []
            self._clear = self._skip_lf = False
            self._parts.append(data)
            self._parts_size += len(data)
            if self._parts_size + self._held_size > self._cap:
                raise self._too_large()
            return []
        return self._feed(data)

    @property
    def tail(self) -> bytes:
        """Bytes after the last complete event."""
        return b"".join(self._held) + b"".join(self._parts)

    def _feed(self, data: bytes) -> list[SseEvent]:
        """Take a read that ends at least one line."""
        if self._skip_lf and data.startswith(b"\n"):
            data = data[1:]
            if self._held:
                self._held.append(b"\n")
                self._held_size += 1
            else:
                self._end += 1
        self._skip_lf = False
        if self._parts:
            self._parts.append(data)
            data = b"".join(self._parts)
            self._parts.clear()
            self._parts_size = 0
        events: list[SseEvent] = []
        eol = b"" if self._held else _uniform_line_end(data)
        if eol:
            data = self._feed_blocks(data, eol, events)
        if not eol or _LF in data:
            data = self._feed_lines(data, events)
        if data:
            self._parts.append(data)
            self._parts_size = len(data)
        if self._parts_size + self._held_size > self._cap:
            raise self._too_large()
        self._clear = not (data or self._held or self._skip_lf or self._first)
        return events

    def _feed_blocks(self, data: bytes, eol: bytes, events: list[SseEvent]) -> bytes:
        """Read whole blocks between blank lines; returns what follows the last of them."""
        blank = eol + eol
        step = len(blank)
        blocks = data.split(blank)
        rest = blocks.pop()
        end = self._end
        if self._first and blocks:
            self._first = False
            if blocks[0].startswith(_BOM):
                blocks[0] = blocks[0][len(_BOM) :]
                end += len(_BOM)
        append = events.append
        for block in blocks:
            end += len(block) + step
            if block[:6] == b"data: " and _LF not in block:
                append(SseEvent(block[6:], "", end))
                continue
            for line in block.split(eol):
                self._line(line)
            self._end = end
            self._dispatch(events)
        self._end = end
        return rest

    def _feed_lines(self, data: bytes, events: list[SseEvent]) -> bytes:
        """Read whole lines; returns what follows the last of them."""
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        for match in _LINE.finditer(data, 0, cut):
            line = match[1]
            if line and not (self._first and line == _BOM):
                self._held.append(match[0])
                self._held_size += len(match[0])
                self._line(line)
                continue
            self._first = False
            self._end += len(match[0]) + self._held_size
            self._dispatch(events)
        self._skip_lf = cut == len(data) > 0 and data.endswith(b"\r")
        return data[cut:]

    def _too_large(self) -> WireError:
        return WireError("too-large", f"an event is longer than {self._cap} bytes")

    def _line(self, line: bytes) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return
        if line.startswith(b":"):
            self.comments += 1
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value
        elif name not in {b"id", b"retry"}:
            self.stray_count += 1
            if len(self.strays) < STRAYS_CAP:
                self.strays.append(line)

    def _dispatch(self, events: list[SseEvent]) -> None:
        """A blank line came. A block without data lines is no event, and its type is forgotten."""
        if self._data:
            events.append(SseEvent(b"\n".join(self._data), self._type.decode("utf-8", "replace"), self._end))
        self._data.clear()
        self._type = b""
        self._held.clear()
        self._held_size = 0


def _uniform_line_end(data: bytes) -> bytes:
    """LF or CRLF where all lines end by it; empty where they are mixed or end by CR."""
    if _CR not in data:
        return b"\n"
    return b"\r\n" if data.count(b"\r") == data.count(b"\r\n") == data.count(b"\n") else b""
