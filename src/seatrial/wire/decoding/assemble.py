"""From recorded bytes to an :class:`~seatrial.records.Exchange`: pure, and the same during a run and years after it.

Nothing is asked but the line and the bytes: whatever they are (cut, hostile, edited since), an exchange comes out and
nothing is raised. Everything that grows is bounded: chunks, events, inflated bytes, JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from seatrial.reading import fields
from seatrial.records import Chunk, Exchange, Received
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.decoding.framing import Layout, lay_out
from seatrial.wire.decoding.inflate import Inflated, inflate, is_encoded
from seatrial.wire.decoding.sse import Reader, SseEvent

JSON_CAP = 16 * 1024 * 1024
"""Bytes of JSON that are decoded at once; decoded, they are up to twenty times larger."""

EVENTS_CAP = 200_000
"""Events of one answer that are read: more than the tokens of a long context."""

LINES_CAP = 5 * EVENTS_CAP
"""Lines of one answer that are read: an event may be many, and comments are no events."""

SLICE = 64 * 1024
"""Bytes of a body that the reader gets at once: what it makes beyond a cap is what one slice holds."""

BODYLESS = frozenset({204, 304})

_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
"""The head of an answer whose body is framed as that of a request is."""

Clock = Callable[[int], int]


def assemble(line: Received, request: bytes, response: bytes) -> Exchange:
    """Make the exchange that ``line`` describes out of the raw bytes of request (head and body) and answer."""
    head, _, sent_body = request.partition(b"\r\n\r\n")
    sent_headers = _request_headers(head)
    if ("transfer-encoding", "chunked") in sent_headers:
        sent_body = lay_out(_CHUNKED + sent_body, "POST").pieces.join()
    layout = lay_out(response, line.method)
    inflated = _body(layout)
    faults = [layout.fault, inflated.fault]
    media = layout.header("content-type").partition(";")[0].strip().lower()
    chunks: tuple[Chunk, ...] = ()
    decoded: Any = None
    comments, tail = 0, b""
    if media == "text/event-stream":
        reader = Reader()
        events, stopped = _read_events(reader, inflated.body)
        arrived = _arrivals(line, layout, inflated)
        chunks = tuple(_chunk(index, event, arrived) for index, event in enumerate(events))
        comments, tail = reader.comments, b"" if stopped else reader.tail
        faults += [_strays(reader), stopped]
    elif layout.status is not None and layout.status not in BODYLESS and line.method != "HEAD":
        decoded, fault = decode_json(inflated.body)
        faults.append(fault)
    return Exchange(
        id=line.id,
        endpoint=line.endpoint,
        scenario=line.scenario,
        method=line.method,
        path=line.path,
        request_headers=sent_headers,
        request_body=sent_body,
        request_json=decode_json(sent_body)[0],
        sent_at=line.sent_at,
        ended_at=line.ended_at,
        status=layout.status,
        reason=layout.reason,
        http_version=layout.http_version,
        headers=layout.headers,
        raw=response,
        body=inflated.body,
        json=decoded,
        fault="; ".join(fault for fault in faults if fault),
        framing=_broken(layout, inflated),
        chunks=chunks,
        comments=comments,
        tail=tail,
        error=line.error,
        detail=line.detail,
        connection=line.connection,
        generation=line.generation,
        retries=line.retries,
        chunked=layout.chunked,
        last_chunk=layout.last_chunk,
        dropped=line.dropped,
    )


def decode_json(data: bytes) -> tuple[Any, str]:
    """(what the bytes decode to, why they do not), as strict as :func:`seatrial.reading.fields.decoded`."""
    if not data:
        return None, "empty, where JSON is expected"
    if len(data) > JSON_CAP:
        return None, f"{len(data)} bytes of JSON: more than {JSON_CAP} are not decoded"
    try:
        return fields.decoded(data), ""
    except fields.NoJsonError as error:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as broken:
            return None, f"not UTF-8: byte {broken.start} ({data[broken.start : broken.start + 4]!r})"
        return None, f"not JSON: {error}"


def _body(layout: Layout) -> Inflated:
    coding = layout.header("content-encoding")
    if is_encoded(coding) and layout.pieces.length:
        return inflate(coding, (piece for _, piece in layout.pieces.items()))
    plain = Inflated()
    plain.body = layout.pieces.join()
    return plain


def _broken(layout: Layout, inflated: Inflated) -> str:
    """How a body breaks what its head announces; what is beyond a cap of ours is no fault of it."""
    if layout.status is None or layout.unread:
        return ""
    return layout.fault or (inflated.fault if inflated.broken else "")


def _arrivals(line: Received, layout: Layout, inflated: Inflated) -> Clock:
    """Body offset -> when the read came that brought the byte before it."""
    ends = list(accumulate(length for _, length in line.frames))
    times = [time for time, _ in line.frames]

    def at(raw_end: int) -> int:
        return times[min(bisect_left(ends, raw_end), len(times) - 1)] if times else line.ended_at

    if not inflated.ends:
        return lambda end: at(layout.pieces.base_offset(end))
    pieces = layout.pieces.items()
    body_ends = [end for end, _ in inflated.ends]

    def encoded_at(end: int) -> int:
        start, piece = pieces[inflated.ends[min(bisect_left(body_ends, end), len(body_ends) - 1)][1]]
        return at(start + len(piece))

    return encoded_at


def _chunk(index: int, event: SseEvent, arrived: Clock) -> Chunk:
    text = event.data.decode("utf-8", "replace")
    done = event.data == b"[DONE]"
    value, fault = (None, "") if done else decode_json(event.data)
    return Chunk(index=index, at=arrived(event.end), data=text, event=event.type, json=value, fault=fault, done=done)


def _read_events(reader: Reader, body: bytes) -> tuple[list[SseEvent], str]:
    """(the events of a body, why the reader was stopped before its end)."""
    events: list[SseEvent] = []
    start = lines = 0
    while start < len(body):
        piece = body[start : start + SLICE]
        if piece.endswith(b"\r"):  # its LF may follow: a line's end is not cut
            piece = body[start : start + SLICE + 1]
        lines += piece.count(b"\n") + piece.count(b"\r")
        if lines > LINES_CAP:
            return events, f"more than {LINES_CAP} lines: {len(body) - start} bytes from byte {start} on are not read"
        try:
            events += reader.feed(piece)
        except WireError as error:
            return events, f"{error.detail}; {len(body) - start} bytes from byte {start} on are not read"
        start += len(piece)
        if len(events) > EVENTS_CAP:
            del events[EVENTS_CAP:]
            left = len(body) - events[-1].end
            return events, f"more than {EVENTS_CAP} events: the {left} bytes after them are not read"
    return events, ""


def _strays(reader: Reader) -> str:
    if not reader.stray_count:
        return ""
    return f"{reader.stray_count} lines are no part of an event, first: {reader.strays[0][:200]!r}"


def _request_headers(head: bytes) -> tuple[tuple[str, str], ...]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    return tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
