"""The golden server itself: sockets, connections, routes.

One asyncio loop; each connection is a task that answers its requests in order. Everything an answer is made of is known
before its first byte leaves, so that what was counted and what was sent can be compared exactly.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Self

from tests.golden import chat, items
from tests.golden.app import embeddings, pages
from tests.golden.app.cache import Prefixes
from tests.golden.faults import Call, Chosen
from tests.golden.http1 import HEAD_LIMIT, BadRequestError, Request, read_request
from tests.golden.items import Act, Item, Pause, Piece, Raw, Reply
from tests.golden.registry import streaming
from tests.golden.truth import Truth
from tests.golden.validation import MODEL, RefusedError, check_chat, parse

TEXT = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),)
PUBLIC = frozenset({"/health", "/v1/health", "/_truth"})


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
    ) -> None:
        self._truth = Truth()
        self._faults = Chosen(faults, self._truth, seed=seed)
        self._key, self._token_s = key, token_ms / 1000
        self._world = chat.World(self._truth, Prefixes(), thinking=thinking, thought_in=thought_in)
        self._died = died
        self._tasks: set[asyncio.Task[None]] = set()
        self._working: dict[int, Call | None] = {}  # what is being answered, by the slot it has
        self._deaf = False
        self._socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.model = MODEL
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

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
                request = await read_request(reader, writer)
            except BadRequestError as error:
                reply = RefusedError(str(error), status=error.status).reply()
                await self._send(items.whole(reply, bodiless=False, close=True), reader, writer)
                return
            if request is None:
                return
            if self._deaf:
                await _until_gone(reader)
                return
            self._truth.count("requests")
            self._truth.count("in_flight")
            slot = next(n for n in itertools.count() if n not in self._working)
            self._working[slot] = None
            try:
                answer = self._answer(request, slot)
                with contextlib.closing(answer) if isinstance(answer, Generator) else contextlib.nullcontext():
                    goes_on = await self._send(answer, reader, writer)
            finally:
                self._truth.count("in_flight", -1)
                del self._working[slot]
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

    # answers

    def _answer(self, request: Request, slot: int) -> Iterator[Piece]:
        """Bytes of the answer to a request."""
        call = self._working[slot] = Call(request, parse(request.body) if request.method == "POST" else None)
        call.shots = self._faults.draw(call)
        close, bodiless = not request.keep_alive, request.method == "HEAD"
        try:
            outcome = self._route(call)
        except RefusedError as refused:
            self._truth.count("refused")
            outcome = refused.reply()
        if isinstance(outcome, Reply):
            pieces = items.whole(call.change("reply", outcome), bodiless=bodiless, close=close)
        else:
            chunked = request.version == "HTTP/1.1"
            changed = call.pass_through("events", self._chunks(call, outcome))
            pieces = items.streamed(changed, chunked=chunked, close=close or not chunked)
        return call.pass_through("wire", pieces)

    def _chunks(self, call: Call, made: chat.Completion) -> Iterator[Item]:
        for item in chat.chunks(made, self._truth, self._token_s):
            yield item if isinstance(item, (Raw, Pause, Act)) else call.change("chunk", item)

    def _route(self, call: Call) -> Reply | chat.Completion:
        """The reply to a request, or the answer that will be streamed.

        Raises:
            RefusedError: with the status and error object to send.
        """
        request = call.request
        if request.method == "OPTIONS":
            return Reply(204, b"", pages.cors(request))
        routes: dict[str, tuple[str, Callable[[Call], Reply | chat.Completion]]] = {
            "/v1/models": ("GET", lambda _: Reply(200, {"object": "list", "data": [pages.model()]})),
            "/v1/chat/completions": ("POST", self._chat),
            "/v1/embeddings": ("POST", self._embed),
            "/health": ("GET", lambda _: Reply(200, {"status": "ok"})),
            "/v1/health": ("GET", lambda _: Reply(200, {"status": "ok"})),
            "/metrics": ("GET", self._metrics),
            "/slots": ("GET", lambda _: Reply(200, self._slots())),
            "/props": ("GET", lambda _: Reply(200, pages.props())),
            "/_truth": ("GET", lambda _: Reply(200, self.truth())),
        }
        allowed, handle = routes.get(request.path, ("GET", None))
        if handle is None and request.path.startswith("/v1/models/"):
            handle = self._one_model
        self._authorize(request)
        if handle is None:
            raise RefusedError(f"there is nothing at {request.path[:200]!r}", code="not_found", status=404)
        if request.method != allowed and not (request.method == "HEAD" and allowed == "GET"):
            raise RefusedError(f"{request.path} takes {allowed}, not {request.method[:20]}", status=405)
        return handle(call)

    def _authorize(self, request: Request) -> None:
        if self._key is None or request.path in PUBLIC:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or given.strip() != self._key:
            raise RefusedError("a valid API key is needed", code="invalid_api_key", status=401)

    def _one_model(self, call: Call) -> Reply:
        wanted = call.path.removeprefix("/v1/models/")
        if wanted != MODEL:
            raise RefusedError(
                f"the model {wanted[:200]!r} does not exist", param="model", code="model_not_found", status=404
            )
        return Reply(200, pages.model())

    def _chat(self, call: Call) -> Reply | chat.Completion:
        self._truth.count("chats")
        if call.request.headers.get("content-encoding", "identity") != "identity":
            raise RefusedError("a compressed request body is not supported", status=415)
        body = check_chat(call.change("body", call.body))
        call.body = body
        made = chat.prepare(call, body, self._world)
        return made if streaming(call) else Reply(200, call.change("whole", chat.whole(made, self._truth)))

    def _embed(self, call: Call) -> Reply:
        call.body = call.change("body", call.body)
        return Reply(200, call.change("embedding", embeddings.reply(call.body, self._truth)))

    def _slots(self) -> list[dict[str, Any]]:
        """In llama.cpp's shape: what works is told of, an idle slot says only that it is idle."""
        works = {n: call.told for n, call in self._working.items() if call is not None and call.told is not None}
        return [chat.slot(n, works.get(n)) for n in range(max([chat.SLOTS, *(n + 1 for n in works)]))]

    def _metrics(self, call: Call) -> Reply:
        truth = self.truth()
        numbers = {
            "prompt_tokens_total": truth["prompt_tokens"],
            "tokens_predicted_total": truth["tokens"],
            "requests_processing": max(truth["in_flight"] - 1, 0),  # without the scrape itself
            "requests_deferred": 0,
            "chats_total": truth["chats"],
        }
        lines = []
        for name, value in call.change("metrics", numbers).items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP llamacpp:{name} {name.replace('_', ' ')}", f"# TYPE llamacpp:{name} {kind}"]
            lines.append(f"llamacpp:{name} {value}")
        return Reply(200, ("\n".join(lines) + "\n").encode(), TEXT)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
