"""What the golden server answers, whatever carries it: a request in, the bytes of an answer out.

Everything an answer is made of is known before its first byte leaves, so that what was counted and what was sent can be
compared exactly.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from tests.golden import chat, items
from tests.golden.app import embeddings, pages
from tests.golden.app.cache import Prefixes
from tests.golden.app.slots import Slots
from tests.golden.faults import Call, Chosen
from tests.golden.http1 import LIMIT, BadRequestError, Heard, Request
from tests.golden.items import Act, Item, Pause, Piece, Raw, Reply
from tests.golden.registry import streaming
from tests.golden.truth import Truth
from tests.golden.validation import MODEL, RefusedError, check_chat, parse

TEXT = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),)
CHATS = "/v1/chat/completions"

READ_AT_ONCE = 16
"""Tokens of a prompt that are read in the time in which one of an answer is made."""

PUBLIC = frozenset({"/health", "/v1/health", "/_truth"})


class Service:
    """The answers of one server. One thread asks for them.

    Args:
        faults: ``NAME`` or ``NAME:RATE``.
        thinking: thoughts come before the answer, unless a request turns them off; without it, where a request asks.
        thought_in: the field of a message that holds them.
        key: what ``Authorization: Bearer`` must hold; None: nobody asks.
        token_ms: pause before each token of a stream.
        seed: of the faults' rates.
        slots: chats that are worked on at a time; others wait.
        held: no request meets a fault before :meth:`release`.

    Raises:
        UnknownFaultError: see :class:`~tests.golden.registry.Chosen`.
    """

    def __init__(
        self,
        faults: Iterable[str] = (),
        *,
        thinking: bool = False,
        thought_in: str = chat.THOUGHT,
        key: str | None = None,
        token_ms: float = 0,
        seed: int = 0,
        slots: int = chat.SLOTS,
        held: bool = False,
    ) -> None:
        self.truth = Truth()
        self._faults = Chosen(faults, self.truth, seed=seed, held=held)
        self._key, self.token_s = key, token_ms / 1000
        self.slots = Slots(slots)
        self._world = chat.World(self.truth, Prefixes(), thinking=thinking, thought_in=thought_in)
        self._latest: deque[Call] = deque(maxlen=slots)
        self._working: dict[int, Call | None] = {}  # what is being answered, by the slot it has

    def release(self) -> None:
        """From now on requests meet the faults."""
        self._faults.held = False

    def heard(self, head: Request) -> Heard:
        """What is done about the head of a request, before its body is read."""
        call = Call(head)
        call.shots = self._faults.draw(call, head=True)
        return cast("Heard", call.change("head", Heard()))

    @contextlib.contextmanager
    def answering(self, request: Request) -> Iterator[Iterator[Piece]]:
        """The bytes of the answer to a request, which holds a slot until the end."""
        self.truth.count("requests")
        self.truth.count("in_flight")
        slot = next(n for n in itertools.count() if n not in self._working)
        self._working[slot] = None
        try:
            answer = self._answer(request, slot)
            with contextlib.closing(answer) if isinstance(answer, Generator) else contextlib.nullcontext():
                yield answer
        finally:
            self.truth.count("in_flight", -1)
            del self._working[slot]

    @staticmethod
    def refuse(error: BadRequestError) -> Iterator[Piece]:
        """The bytes of the answer to what is no request."""
        reply = RefusedError(str(error), status=error.status).reply()
        return items.whole(reply, bodiless=False, close=True)

    def _answer(self, request: Request, slot: int) -> Iterator[Piece]:
        """Bytes of the answer to a request."""
        small = request.method == "POST" and len(request.body) <= LIMIT
        call = self._working[slot] = Call(request, parse(request.body) if small else None)
        call.shots = self._faults.draw(call)
        close, bodiless = not request.keep_alive, request.method == "HEAD"
        try:
            outcome = self._route(call)
        except RefusedError as refused:
            self.truth.count("refused")
            outcome = refused.reply()
        if isinstance(outcome, Reply):
            pieces = items.whole(call.change("reply", outcome), bodiless=bodiless, close=close)
            if self.token_s and call.told is not None:
                pieces = _made_first(pieces, self.token_s * call.told.completion_tokens)
        else:
            chunked = request.version == "HTTP/1.1"
            changed = call.pass_through("events", self._chunks(call, outcome))
            pieces = items.streamed(changed, chunked=chunked, close=close or not chunked)
        if call.told is not None:
            pieces = self.slots.served(call, pieces, self.token_s * call.told.prompt_tokens / READ_AT_ONCE)
        return call.pass_through("wire", pieces)

    def _chunks(self, call: Call, made: chat.Completion) -> Iterator[Item]:
        for item in chat.chunks(made, self.truth, self.token_s):
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
            CHATS: ("POST", self._chat),
            "/invocations": ("POST", self._chat),
            "/v1/embeddings": ("POST", self._embed),
            "/health": ("GET", lambda _: Reply(200, {"status": "ok"})),
            "/v1/health": ("GET", lambda _: Reply(200, {"status": "ok"})),
            "/metrics": ("GET", self._metrics),
            "/slots": ("GET", lambda _: Reply(200, self._slots())),
            "/props": ("GET", lambda _: Reply(200, pages.props())),
            "/_truth": ("GET", lambda _: Reply(200, self.truth.snapshot())),
        }
        allowed, handle = routes.get(request.path, ("GET", None))
        if handle is None and request.path.startswith("/v1/models/"):
            handle = self._one_model
        self._authorize(call)
        if len(request.body) > LIMIT:
            raise RefusedError(f"the body is longer than {LIMIT} bytes", status=413)
        if handle is None:
            raise RefusedError(f"there is nothing at {request.path[:200]!r}", code="not_found", status=404)
        if request.method != allowed and not (request.method == "HEAD" and allowed == "GET"):
            raise RefusedError(f"{request.path} takes {allowed}, not {request.method[:20]}", status=405)
        return handle(call)

    def _authorize(self, call: Call) -> None:
        if self._key is None or call.path in PUBLIC:
            return
        call.key = self._key
        scheme, _, given = call.request.headers.get("authorization", "").partition(" ")
        if not call.change("door", scheme.lower() == "bearer" and given.strip() == self._key):
            raise RefusedError("a valid API key is needed", code="invalid_api_key", status=401)

    def _one_model(self, call: Call) -> Reply:
        wanted = call.path.removeprefix("/v1/models/")
        if wanted != MODEL:
            raise RefusedError(
                f"the model {wanted[:200]!r} does not exist", param="model", code="model_not_found", status=404
            )
        return Reply(200, pages.model())

    def _chat(self, call: Call) -> Reply | chat.Completion:
        self.truth.count("chats")
        call.others = tuple(self._latest)
        if call.request.headers.get("content-encoding", "identity") != "identity":
            raise RefusedError("a compressed request body is not supported", status=415)
        asked = call.body
        body = check_chat(call.change("body", asked))
        call.body = body
        made = chat.prepare(call, body, self._world)
        self._latest.append(replace(call, body=asked, others=(), shots=()))
        return made if streaming(call) else Reply(200, call.change("whole", chat.whole(made, self.truth)))

    def _embed(self, call: Call) -> Reply:
        call.body = call.change("body", call.body)
        return Reply(200, call.change("embedding", embeddings.reply(call.body, self.truth)))

    def _slots(self) -> list[dict[str, Any]]:
        """In llama.cpp's shape: what works is told of, an idle slot says only that it is idle."""
        works = {n: call.told for n, call in self._working.items() if call is not None and call.told is not None}
        return [chat.slot(n, works.get(n)) for n in range(max([chat.SLOTS, *(n + 1 for n in works)]))]

    def _metrics(self, call: Call) -> Reply:
        truth = self.truth.snapshot()
        numbers = {
            "prompt_tokens_total": truth["prompt_tokens"],
            "tokens_predicted_total": truth["tokens"],
            "requests_processing": max(truth["in_flight"] - 1, 0),  # without the scrape itself
            "requests_deferred": 0,
            "chats_total": truth["chats"],
            "spec_decode_num_draft_tokens_total": truth["drafted"],
            "spec_decode_num_accepted_tokens_total": truth["accepted"],
        }
        lines = []
        for name, value in call.change("metrics", numbers).items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP llamacpp:{name} {name.replace('_', ' ')}", f"# TYPE llamacpp:{name} {kind}"]
            lines.append(f"llamacpp:{name} {value}")
        return Reply(200, ("\n".join(lines) + "\n").encode(), TEXT)


def _made_first(pieces: Iterator[Piece], seconds: float) -> Iterator[Piece]:
    """An answer that is no stream takes as long as its tokens."""
    yield Pause(seconds)
    yield from pieces
