"""The measuring transport: one request, mostly a streamed chat, on its own connection, with the time of every byte.

It reads the socket itself, as the bytes come: what stands between a client's layers costs more than the reading, and a
load follows hundreds of streams on one core. A fresh connection per request, because servers close after a stream
without saying so, and a pool then reports resets that are none. Limits hold where the bytes arrive:
:mod:`seatrial.wire.transports.tap`; framing is read by :mod:`seatrial.wire.decoding.incremental`.

Nothing here knows gevent; under Locust the sockets it opens are patched and wait without blocking others.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from seatrial.reading import fields
from seatrial.records import LEFT, NAME_SHOWN, Received
from seatrial.wire.decoding import chunks
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.decoding.incremental import Incoming
from seatrial.wire.decoding.sse import Reader, SseEvent
from seatrial.wire.masking.headers import secret_names, star
from seatrial.wire.masking.mask import NOTHING, Unseen
from seatrial.wire.transports.tap import LoadTarget, Tap, connect, said

__all__ = ["LoadTarget", "ShortAnswer", "Stream", "get", "stream", "whole"]

TAIL_S = 2.0
"""After [DONE] a server has this long to end the body; the answer is complete, its framing may not be."""

SHOWN = 300
"""Characters of a server's texts that are kept beside its bytes."""

LONGEST = 8192
"""Bytes of such a text before the mask has passed over it: cut closer, a part of a secret could stand at the cut."""

BODY_SHOWN = 65536
"""Of an answer that is no stream, at most this much is read: enough to say what it was."""

_UNSENDABLE = re.compile(r"[\x00-\x20\x7f]")

NAMES = 3
"""Names of a model that are kept of one stream: one is right, and two show that it changes."""


@dataclass(slots=True)
class Stream:
    """What one request came to. Times are CLOCK_MONOTONIC in ns, 0: it never came. Bytes and texts are masked.

    ``sent_at`` is taken before the connection is opened: that is what a user waits for. ``error`` is a word of
    :data:`seatrial.wire.decoding.errors.ERRORS`, empty where the body ended as its framing says.
    """

    sent_at: int = 0
    ended_at: int = 0
    first_at: int = 0
    last_at: int = 0
    content_at: int = 0  # first delta that is no thought
    gap_from: int = 0
    gap_to: int = 0
    deltas: int = 0
    comments: int = 0  # keep-alive comments: bytes that are no token
    status: int = 0
    media_type: str = ""
    retry_after: str = ""
    done: bool = False
    finish_reason: str = ""
    named: tuple[str, ...] = ()  # what its chunks call the model, at most NAMES
    final_usage: bool = False  # a chunk without choices that carries usage, and no delta after it
    prompt_tokens: int | None = None
    tokens: int | None = None
    cached: int | None = None  # tokens of the prompt that were known, as usage tells
    drafted: int | None = None  # tokens proposed by a draft, and those taken, as timings tell
    accepted: int | None = None
    faults: int = 0  # events whose data is no chunk
    fault: str = ""  # what a server said was wrong, in the stream or in the body
    reported: bool = False  # ``fault`` is an error object or error event of the server
    error: str = ""
    detail: str = ""
    sent: Unseen = NOTHING
    came: Unseen = NOTHING
    frames: tuple[tuple[int, int], ...] = ()

    @property
    def request(self) -> bytes:
        """The bytes that were sent."""
        return self.sent.masked()

    @property
    def response(self) -> bytes:
        """The bytes that came."""
        return self.came.masked()

    def line(self, name: str, /, *, endpoint: str, scenario: str, path: str, **stored: Any) -> Received:
        """What came of a POST as a line of a run directory; ``stored`` says where its bytes lie, and more of it."""
        told: dict[str, Any] = {"request": (0, len(self.sent)), "response": (0, len(self.came)), **stored}
        return Received(
            id=name,
            endpoint=endpoint,
            scenario=scenario,
            method="POST",
            path=path,
            frames=self.frames,
            sent_at=self.sent_at,
            ended_at=self.ended_at,
            error=self.error,
            detail=self.detail,
            **told,
        )


def stream(
    target: LoadTarget,
    body: bytes,
    *,
    into: Stream | None = None,
    path: str = "/chat/completions",
    leave_after: int = 0,
) -> Stream:
    """POST a streaming chat and follow it to its end. Never raises for what a server or a network does.

    Args:
        into: a caller that may be interrupted from outside gives it: it then holds what was seen until then.
        leave_after: deltas after which our client closes its connection; 0: it stays to the end.
    """
    meter = _Meter(target, Stream() if into is None else into, leave_after=leave_after)
    meter.run("POST", path, body)
    return meter.stream


def whole(target: LoadTarget, body: bytes, path: str, *, into: Stream) -> bytes:
    """POST a request whose answer is no stream; its body, masked. Never raises for what a server or a network does.

    Args:
        into: holds the times of the answer: all of it counts as one delta.
    """
    meter = _Meter(target, into, follow=False)
    meter.run("POST", path, body)
    return target.mask.bytes(bytes(meter.body))


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """A short answer that is no stream; ``status`` 0: none came, and ``error`` says why."""

    status: int
    body: bytes
    error: str = ""


def get(target: LoadTarget, path: str) -> ShortAnswer:
    """GET a path below the base URL, or from the server's root where it begins with ``//``. Never raises."""
    try:
        target.turn()
    except OSError as error:
        return ShortAnswer(0, b"", f"not asked: its pace cannot be kept to: {error.strerror}")
    meter = _Meter(target, Stream(), follow=False)
    meter.run("GET", path, None)
    body = target.mask.bytes(bytes(meter.body))
    return ShortAnswer(meter.stream.status, body, meter.stream.error and meter.stream.detail)


class _Meter:
    """One request being measured. With ``follow`` off the body is kept instead of being read as a stream."""

    def __init__(self, target: LoadTarget, into: Stream, *, follow: bool = True, leave_after: int = 0) -> None:
        self.stream = into
        self.body = bytearray()
        self._target = target
        self._follow = follow
        self._leave_after = leave_after
        self._tap: Tap | None = None
        self._answer = Incoming()
        self._reader = Reader()
        self._named = ""

    def run(self, method: str, path: str, body: bytes | None) -> None:
        s = self.stream
        s.sent_at = time.monotonic_ns()
        try:
            self._exchange(method, path, body)
        except WireError as error:
            s.error, s.detail = error.word, error.detail
        except (OSError, ValueError) as error:
            s.error, s.detail = "not-http", said(error)
        finally:
            s.ended_at = time.monotonic_ns()
            self._close()

    def _close(self) -> None:
        """Let go of the socket and hand over its bytes, to be masked before anybody sees them."""
        s, tap, mask = self.stream, self._tap, self._target.mask
        if tap is not None:
            tap.shut()
            sent = star(tap.sent, secret_names(self._target.headers))
            s.sent, s.came = Unseen(sent, mask), Unseen(tap.received, mask)
            s.frames = tuple(tap.frames)
        s.named = tuple(mask.start(name, NAME_SHOWN) for name in s.named)
        s.detail, s.fault = mask.start(s.detail, SHOWN), mask.start(s.fault, SHOWN)
        s.finish_reason, s.media_type = mask.start(s.finish_reason, SHOWN), mask.start(s.media_type, SHOWN)
        s.retry_after = mask.start(s.retry_after, SHOWN)

    def _exchange(self, method: str, path: str, body: bytes | None) -> None:
        request = self._request(method, path, body)
        self._tap = tap = connect(self._target)
        tap.sendall(request)
        answer, s = self._answer, self.stream
        body_of = b""
        while not answer.status:
            body_of = self._more(tap)
        s.status = answer.status
        s.media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        s.retry_after = answer.headers.get("retry-after", "")
        if self._follow and s.status == 200 and s.media_type == "text/event-stream":
            self._read_events(tap, body_of)
        else:
            self._read_body(tap, body_of)

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        """Head and body as they leave; the operator's headers take the place of ours."""
        target = self._target
        url = path[1:] if path.startswith("//") else urlsplit(target.url).path.rstrip("/") + path
        if _UNSENDABLE.search(url):
            raise ValueError(f"{url!r} cannot be sent as a path")
        headers = {
            "Host": target.host,
            "Accept": "text/event-stream" if self._follow else "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "seatrial",
        }
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        given = {name.lower() for name in target.headers}
        ours = [pair for pair in headers.items() if pair[0].lower() not in given]
        lines = [f"{name}: {value}" for name, value in (*ours, *target.headers.items())]
        head = "\r\n".join([f"{method} {url} HTTP/1.1", *lines, "", ""])
        return head.encode("latin-1") + (body or b"")

    def _more(self, tap: Tap) -> bytes:
        """Bytes of the body that the next read brings, perhaps none.

        Raises:
            WireError: the connection ended before the answer did, or what came breaks HTTP.
        """
        answer = self._answer
        if not answer.fault:
            data = tap.read()
            if not data and not answer.ended():
                raise WireError("cut", "the connection ended before the answer did")
            body = answer.feed(data)
            if body or not answer.fault:
                return body
        raise WireError(answer.word, answer.fault)

    def _read_events(self, tap: Tap, body: bytes) -> None:
        answer, feed, take, s = self._answer, self._reader.feed, self._take, self.stream
        while True:
            for event in feed(body):
                take(event, tap.at)
            s.comments = self._reader.comments
            if s.done:
                tap.end_within(TAIL_S)
            elif 0 < self._leave_after <= s.deltas:
                s.error = LEFT
                return
            if answer.complete or tap.ended:
                break
            body = self._more(tap)
        for stray in self._reader.strays:
            if stray.startswith((b"error", b"{")):  # seen of servers that leave out "data:" when they fail
                s.reported = True
                s.fault = stray[:LONGEST].decode("utf-8", "replace")

    def _read_body(self, tap: Tap, body: bytes) -> None:
        cap, answer = BODY_SHOWN if self._follow else self._target.cap_bytes, self._answer
        self.body += body
        while len(self.body) < cap and not (answer.complete or tap.ended):
            self.body += self._more(tap)
        if not self._follow and self.stream.status == 200 and self.body:
            self._count(tap.at)
        if self._follow:
            said_so = f"{answer.reason} {self.body[:LONGEST].decode('utf-8', 'replace')}"
            self.stream.fault = said_so.strip()

    def _take(self, event: SseEvent, at: int) -> None:
        s = self.stream
        if event.data == b"[DONE]":
            s.done = True
            return
        try:
            chunk = chunks.decode(event.data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            s.faults += 1
            s.fault = s.fault or f"{error}: {event.data[:LONGEST].decode('utf-8', 'replace')}"
            return
        if chunk.error is not None or event.type == "error":
            s.reported = True
            s.fault = event.data[:LONGEST].decode("utf-8", "replace")
            return
        if isinstance(chunk.usage, chunks.Usage) and chunk.usage != chunks.UNTOLD:
            s.prompt_tokens = fields.counted(chunk.usage.prompt_tokens)
            s.tokens = fields.counted(chunk.usage.completion_tokens)
            s.cached = _whole(chunk.usage.prompt_tokens_details, "cached_tokens")
            s.final_usage = s.final_usage or not chunk.choices
        if chunk.timings is not None:
            s.drafted = _whole(chunk.timings, "draft_n")
            s.accepted = _whole(chunk.timings, "draft_n_accepted")
        if chunk.model != self._named and chunk.model and isinstance(chunk.model, str):
            self._named = chunk.model
            self._name(chunk.model[:LONGEST])
        for choice in chunk.choices or ():
            s.finish_reason = choice.finish_reason or s.finish_reason
            delta = choice.delta
            if delta is None:
                continue
            if delta.content or delta.tool_calls:
                s.content_at = s.content_at or at
                self._count(at)
            elif delta.reasoning_content or delta.reasoning:
                self._count(at)

    def _name(self, name: str) -> None:
        named = self.stream.named
        if name not in named and len(named) < NAMES:
            self.stream.named = (*named, name)

    def _count(self, at: int) -> None:
        s = self.stream
        s.deltas += 1
        s.final_usage = False
        if not s.first_at:
            s.first_at = at
            if self._tap is not None:
                self._tap.begun = True
        elif at - s.last_at > s.gap_to - s.gap_from:
            s.gap_from, s.gap_to = s.last_at, at
        s.last_at = at


def _whole(holder: Any, key: str) -> int | None:
    return fields.counted(fields.mapping(holder).get(key))
