"""The golden server itself: sockets and connections.

One asyncio loop; each connection is a task that answers its requests in order, as :class:`Service` has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from tests.golden import chat
from tests.golden.http1 import HEAD_LIMIT, BadRequestError, read_request
from tests.golden.items import Act, Pause, Piece
from tests.golden.service import Service
from tests.golden.validation import MODEL


class Golden:
    """A server on a loopback port; ``with Golden() as g`` runs it in a thread of its own.

    Args:
        faults: ``NAME`` or ``NAME:RATE``.
        thinking: thoughts come before the answer, unless a request turns them off; without it, where a request asks.
        thought_in: the field of a message that holds them.
        key: what ``Authorization: Bearer`` must hold; None: nobody asks.
        token_ms: pause before each token of a stream.
        port: 0 takes a free one.
        seed: of the faults' rates.
        died: what the death of the process means here; by default the listener and all connections close.
        service: what answers, in place of one as described.
        host: the address it listens at.
        held: no request meets a fault before :meth:`release`.

    Raises:
        UnknownFaultError: see :class:`~tests.golden.registry.Chosen`.
        OSError: the port cannot be had.
    """

    def __init__(
        self,
        faults: Iterable[str] = (),
        *,
        thinking: bool = False,
        thought_in: str = chat.THOUGHT,
        key: str | None = None,
        token_ms: float = 0,
        port: int = 0,
        seed: int = 0,
        died: Callable[[], None] | None = None,
        service: Service | None = None,
        host: str = "127.0.0.1",
        held: bool = False,
    ) -> None:
        self._service = service or Service(
            faults, thinking=thinking, thought_in=thought_in, key=key, token_ms=token_ms, seed=seed, held=held
        )
        self._truth = self._service.truth
        self._died = died
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaf = False
        self._turn = asyncio.Lock()
        self._socket = socket.create_server((host, port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}/v1"
        self.model = MODEL
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def release(self) -> None:
        """From now on requests meet the faults."""
        self._service.release()

    def truth(self) -> dict[str, Any]:
        """What it really did, as ``/_truth`` gives it."""
        return self._truth.snapshot()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="golden", daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._end.set)
        if self._thread is not None:
            self._thread.join()

    async def serve(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve until :meth:`stop` or ``__exit__``; ends connections at once."""
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._server = await asyncio.start_server(self._connected, sock=self._socket, limit=HEAD_LIMIT)
        self._ready.set()
        started()
        await self._end.wait()
        self._close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """End serving; from the loop's own thread (a signal handler)."""
        if self._end is not None:
            self._end.set()

    def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    # connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._truth.count("connections")
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the server ends: neither is news
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_request(reader, writer, self._service.heard, self._turn)
            except BadRequestError as error:
                await self._send(self._service.refuse(error), reader, writer)
                return
            if request is None:
                return
            if self._deaf:
                await _until_gone(reader)
                return
            with self._service.answering(request) as answer:
                goes_on = await self._send(answer, reader, writer)
            if not goes_on or not request.keep_alive:
                return

    async def _send(self, pieces: Iterator[Piece], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send an answer; whether the connection may be used again."""
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)  # a full socket buffer is not the only reason to let others have a turn
            elif isinstance(piece, Pause):
                await asyncio.sleep(piece.seconds)
            else:
                await self._act(piece, reader, writer)
                return False
        return True

    async def _act(self, act: Act, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if act is Act.RESET:
            plain = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif act is Act.DIE:
            if self._died is not None:
                self._died()
            self.stop()
        elif act in (Act.STALL, Act.DEAF):
            if act is Act.DEAF:
                self._deaf = True
                self._server.close()
            await _until_gone(reader)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
