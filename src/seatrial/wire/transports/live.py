"""An exchange that its caller reads while it goes on: the answer's head first, its body as the server sends it.

The suites read an answer to its end and look at it then. Who times the words of a stream, or leaves it after the first,
cannot wait for that. What is recorded is the same: the bytes as they were read, with the mask over them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import httpcore

from seatrial.records import LEFT
from seatrial.wire.decoding.errors import WireError
from seatrial.wire.decoding.framing import lay_out
from seatrial.wire.masking.redact import redact
from seatrial.wire.transports.bounded import Bounds
from seatrial.wire.transports.http import Client, Prepared, Recording, broken

DONE = re.compile(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?data: ?\[DONE\]")
"""The last line of a stream, whether or not its blank line has come. No text holds it: line ends are escaped there."""
REST_S = 1.0
"""The official SDK reads a stream to its [DONE] and closes it: so long is what comes behind waited for, all in all."""


class Live:
    """One exchange while it goes on. :meth:`end` ends it at whatever point it stands, and gives the recording.

    Attributes:
        request: its bytes, masked.
        failure: why it ended otherwise than its framing says; None: it did not, or not yet.
        status: 0 where no head came.
        headers: names and values of the answer, in order.
    """

    def __init__(self, client: LiveClient, prepared: Prepared, watch: Bounds) -> None:
        self._client, self._prepared, self._watch = client, prepared, watch
        self._lock = threading.Lock()
        self._whole = False
        self._recording: Recording | None = None
        self.request = client.request_bytes(prepared)
        self.failure: WireError | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.extensions: dict[str, object] = {}
        self.sent_at = time.monotonic_ns()
        self._pieces: Iterator[bytes] | None = iter(())
        try:
            answer = client.send(prepared, watch)
        except WireError as error:
            self.failure = error
        except httpcore.ProtocolError as error:
            self.failure = WireError(*broken(error, watch))
        else:
            self.status, self.headers = answer.status, answer.headers
            self.extensions = {k: v for k, v in answer.extensions.items() if k in {"http_version", "reason_phrase"}}
            self._pieces = answer.iter_stream()

    def pieces(self) -> Iterator[bytes]:
        """The body, without its framing, as it comes.

        Raises:
            WireError: it ends otherwise than its framing says.
        """
        try:
            for piece in self._pieces or ():  # noqa: UP028 - who stops reading here would close what it yields from
                yield piece
        except GeneratorExit:
            raise
        except WireError as error:
            self.failure = error
            raise
        except httpcore.ProtocolError as error:
            self.failure = WireError(*broken(error, self._watch))
            raise self.failure from error
        except BaseException:  # Ctrl-C, a time-out of the test's own: what is left of it can be read no more
            self._pieces = None
            raise
        self._whole = True

    def end(self) -> Recording:
        """End it, and give what was recorded; a second call gives the same."""
        with self._lock:
            if self._recording is None:
                self._recording = self._ended()
            return self._recording

    def _ended(self) -> Recording:
        if not self._whole and self.failure is None:
            self._whole = self._said_done() and self._rest()
        if not self._whole and self.failure is None:
            self.failure = WireError(LEFT, f"the test closed it before its end; {self._watch.size} bytes had come")
        ended_at = time.monotonic_ns()
        self._client.close()
        response, withheld = redact(self._client.mask, self._watch.received(), self._prepared.method)
        error, detail = (self.failure.word, self.failure.detail) if self.failure else ("", "")
        return Recording(
            request=self.request,
            response=response,
            frames=tuple((at, len(data)) for at, data in self._watch.reads),
            sent_at=self.sent_at,
            ended_at=ended_at,
            error=error,
            detail=self._client.mask.text("; ".join(part for part in (detail, withheld) if part)),
        )

    def _said_done(self) -> bool:
        """Whether the [DONE] of a stream has come: behind it nobody reads on."""
        body = lay_out(self._watch.received(), self._prepared.method).pieces.join()
        return bool(DONE.search(body))

    def _rest(self) -> bool:
        """Read on behind the [DONE] of a stream, but not for long; whether the answer came to its end.

        Whatever else comes of it is nothing that its caller met: that left it at its [DONE].
        """
        self._watch.hurry(REST_S)
        try:
            for _ in self._pieces or ():
                pass
        except (WireError, httpcore.ProtocolError, ValueError, RuntimeError):
            return False  # the last two: another thread reads it now
        return self._pieces is not None


class LiveClient(Client):
    """A client of one exchange, on a connection of its own."""

    def begin(self, request: Prepared, *, deadline_s: float, idle_s: float) -> Live:
        """Send a request, and read the head of its answer. What a server or network does is never raised.

        Args:
            deadline_s: seconds that the exchange may take from its sending to its end.
            idle_s: the longest wait for a next byte.

        Raises:
            ValueError: a method, path or header cannot be sent as HTTP.
        """
        self.turn()
        return Live(self, request, Bounds(deadline_s, min(idle_s, deadline_s), self.cap_bytes))
