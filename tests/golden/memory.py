"""The golden server without sockets: the suites' transport speaks to it in its own thread.

No byte crosses the system, nobody waits for another thread's turn, and a server that falls silent is given up at once:
what takes a client its patience takes no time here.
"""

from __future__ import annotations

import contextlib
import time
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import httpcore

from seatrial.wire.decoding.errors import WireError
from seatrial.wire.transports.bounded import Backend, BoundedStream
from seatrial.wire.transports.http import Client
from tests.golden.http1 import HEAD_LIMIT, BadRequestError, Heard, Request, read_request
from tests.golden.items import Act, Pause, Piece
from tests.golden.service import Service

URL = "http://127.0.0.1:1/v1"
"""Where it says that it is; nobody listens there."""

KEY = "sk-golden-0123456789"
"""What a server that asks for a key is given."""


class Memory:
    """A server without sockets. One thread asks it.

    Args:
        faults, settings: as :class:`~tests.golden.service.Service` takes them.
    """

    def __init__(self, faults: Iterable[str] = (), **settings: Any) -> None:
        self._faults, self._settings = tuple(faults), settings
        self.service = Service(faults, **settings)
        self.url = URL
        self.gone = self.deaf = False

    def client(self, **settings: Any) -> Client:
        """A client of the suites that speaks to it, with its key."""
        key = self._settings.get("key")
        own = {} if key is None else {"authorization": f"Bearer {key}"}
        return Client(self.url, backend=Door(self), **own, **settings)

    def keyed(self) -> Memory:
        """Another server of the same faults, which asks for a key."""
        return Memory(self._faults, **self._settings, key=KEY)


class Door(Backend):
    """What connects a client to the server."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.stream = None
        if self._memory.gone or self._memory.deaf:
            raise WireError("refused", f"nothing listens at {host}:{port} (connection refused)")
        self._memory.service.truth.count("connections")
        self.stream = MemoryStream(cast("Any", Line(self._memory)), self.watch)
        return self.stream


class MemoryStream(BoundedStream):
    """A connection to a service. Whoever falls silent there does so until the deadline."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return super().read(max_bytes, timeout)
        except WireError as error:
            if error.word != "idle":
                raise
            late = f"the total deadline of {self.watch.deadline_s:g} s passed while reading"
            raise WireError("deadline", late) from None

    def await_word(self) -> None:
        """A request is answered once it is whole: nothing comes before."""

    def get_extra_info(self, info: str) -> Any:
        return cast("Line", self._socket).readable() if info == "is_readable" else None


class Line:
    """One connection, as a socket has it: a request is answered once somebody reads."""

    def __init__(self, memory: Memory) -> None:
        self.ended = False
        self._memory = memory
        self._heard, self._out = bytearray(), bytearray()
        self._answer = contextlib.ExitStack()
        self._pieces: Iterator[Piece] | None = None
        self._goes_on = True

    def settimeout(self, seconds: float) -> None:
        """Nothing here takes time."""

    def send(self, data: bytes) -> int:
        if self.ended:
            raise BrokenPipeError("the peer has closed")
        self._heard += data
        return len(data)

    def recv(self, most: int) -> bytes:
        while not self._out:
            if self.ended:
                return b""
            self._step()
        sent = bytes(self._out[:most])
        del self._out[:most]
        return sent

    def readable(self) -> bool:
        """Whether more came behind an answer: bytes, or the end."""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while not (self._out or self.ended or self._pieces is None):
                self._step()
        return bool(self._out) or self.ended

    def close(self) -> None:
        self.ended = True
        self._answer.close()

    def _step(self) -> None:
        """One piece more of the answer; the answer to the next request where none is under way.

        Raises:
            TimeoutError: nothing will come.
            ConnectionResetError: the server reset the connection.
        """
        if self._pieces is None:
            self._begin()
            return
        piece = next(self._pieces, None)
        if isinstance(piece, bytes):
            self._out += piece
        elif isinstance(piece, Pause):
            time.sleep(piece.seconds)
        elif piece is None:
            self._pieces = None
            self._answer.close()
            self.ended = not self._goes_on
        else:
            self._act(piece)

    def _begin(self) -> None:
        if self._memory.deaf or not self._heard:
            raise TimeoutError
        try:
            request = read(bytes(self._heard), self._out, self._memory.service.heard)
        except BadRequestError as error:
            self._pieces, self._goes_on = self._memory.service.refuse(error), False
            return
        finally:
            self._heard.clear()
        if request is None:
            raise TimeoutError
        self._goes_on = request.keep_alive
        self._pieces = self._answer.enter_context(self._memory.service.answering(request))

    def _act(self, act: Act) -> None:
        if act in (Act.STALL, Act.DEAF):
            self._memory.deaf |= act is Act.DEAF
            raise TimeoutError
        self.close()
        if act is Act.DIE:
            self._memory.gone = True
        elif act is Act.RESET:
            raise ConnectionResetError("the peer reset the connection")


def read(sent: bytes, out: bytearray, heard: Callable[[Request], Heard]) -> Request | None:
    """The request that came; None: it is not whole.

    Raises:
        BadRequestError: it is none.
    """
    reader = StreamReader(HEAD_LIMIT, cast("Any", _NoLoop()))
    reader.feed_data(sent)
    reader.feed_eof()
    reading = read_request(reader, cast("Any", _Writer(out)), heard)
    try:
        reading.send(None)
    except StopIteration as read:
        return cast("Request | None", read.value)
    except IncompleteReadError:
        return None
    raise AssertionError("all that there is was fed, and it waits for more")


class _NoLoop:
    """Stands where a reader wants its loop; one that is never waited for asks little of it."""

    def get_debug(self) -> bool:
        return False


class _Writer:
    """What a server says before it has read all of a request."""

    def __init__(self, out: bytearray) -> None:
        self._out = out

    def write(self, data: bytes) -> None:
        self._out += data
