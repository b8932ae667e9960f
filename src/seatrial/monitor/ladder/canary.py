"""The canary: one token asked for now and then, as a client asks; what came of it, and whether it was the same again.

It is sent on a connection of its own under the endpoint's shared lock, and not at all while a suite holds the endpoint
alone, while the server sleeps, or where a request would keep it from sleeping or load a model. It is patient: that an
answer does not come is what the record is to show. It takes a slot for a moment, and with it what the server had kept
there of an earlier prompt; so it is rare.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from seatrial.given.errors import ConfigError
from seatrial.kinds import listed
from seatrial.kinds.kind import Kind
from seatrial.monitor.ladder.declined import message, retry_after
from seatrial.monitor.ladder.questions import Questions
from seatrial.monitor.ladder.rung import Rung, Say, Write
from seatrial.reading.channels import CONTENT, THOUGHT
from seatrial.reading.fields import listing, mapping, string
from seatrial.records import SECOND, Ask
from seatrial.servers import locks
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.bystanders import SAID, Bystanders
from seatrial.wire.transports.load import LoadTarget, Stream, stream
from seatrial.wire.transports.outcomes import classify

PATIENCE_S = 150.0
"""More than any limit of the verdict for a server that cannot be looked into (120 s): then it is closed."""

CAP = 1024 * 1024
"""Bytes of one answer: a server that ignores ``max_tokens`` is not followed for ever."""

LOCK_S = 0.1
"""Sharers pass the lock's turnstile one by one, each in far less; who holds the endpoint alone stays longer."""

SHAPES: tuple[dict[str, object], ...] = (
    {"max_tokens": 1, "temperature": 0},
    {"max_tokens": 4, "temperature": 0},
    {"max_tokens": 16, "temperature": 0},
    {"max_completion_tokens": 16},
)
"""What is asked for. More tokens where the first ones show nothing, as the opening tag of a thought that a server
hides; another way of asking, where a server refuses this one."""
LAST_BUDGET = 2
"""The last of them that asks for more tokens than the one before."""
WILL_NOT = frozenset({400, 422})
"""A server says so of a question that it does not take, and may take another one."""

LONGEST_S = 600.0
"""A server that asks to come back later (Retry-After) is asked again after this time at the latest."""
REFUSED_S = 60.0
"""A server that refused every question is asked again after this time at the earliest."""

FAIR, DEAREST = 32, 6
"""Tokens of an answer for which nothing is held against it, and how much more seldom the dearest one is asked for."""

MODELS, CHAT = "/v1/models", "/v1/chat/completions"
MODELS_S = 5.0
PROMPT = "Say hello."
HELD_ALONE = "held alone"
ENDS_OTHERS = "would end others' streams"
UNKNOWN = "not known whether it would load the model"


class Canary(Rung):
    """Asked every so often, one at a time.

    Args:
        every_s: seconds between the beginnings of two.
        model: named in the request; empty: the only one of ``/models``.
        forbidden: why it may not be asked now; empty: it may; None: that is not known yet.
        router: the kind of a router that answers, which would load the model that is asked for and put out another;
            None: no router does.
        company: what becomes of others when it is asked.
    """

    def __init__(
        self,
        name: str,
        questions: Questions,
        write: Write,
        say: Say,
        *,
        every_s: float,
        model: str = "",
        forbidden: Callable[[], str | None] = lambda: "",
        router: Callable[[], Kind | None] = lambda: None,
        patience_s: float = PATIENCE_S,
        company: Bystanders | None = None,
    ) -> None:
        self._every, self._model, self._forbidden = int(every_s * SECOND), model, forbidden
        self._router = router
        self._company = company or Bystanders(lambda: None)
        self._next = 0
        self._shape = 0
        self._known = self._looked = self._listed = self._dear = False
        self._answers = Answers()
        self._stream = Stream()
        self._target = LoadTarget(
            url=questions.api,
            mask=questions.mask,
            headers=questions.headers,
            ca=questions.ca,
            idle_s=patience_s,
            deadline_s=patience_s,
            cap_bytes=CAP,
        )
        super().__init__(name, "canary", questions, write, say)

    def due(self, now: int) -> bool:
        return self._every > 0 and now >= self._next and self._forbidden() is not None

    def shown(self, ask: Ask) -> Ask:
        s = self._stream
        return msgspec.structs.replace(
            ask,
            status=s.status or None,
            first_at=s.first_at,
            last_at=s.last_at,
            deltas=s.deltas,
            comments=s.comments,
        )

    def step(self) -> None:
        if forbidden := self._forbidden():
            self.skip(forbidden)
            return
        if self._spares():
            return
        self._model = self._model or self._only_model()
        if not self._model or self._spares():
            return
        if (router := self._router()) and (why := self._unloaded(router)):
            self._next = time.monotonic_ns() + self._every
            self.skip(why)
            return
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locks.shared(self.questions.api, timeout_s=LOCK_S))
            except locks.LockTimeout:
                self.skip(HELD_ALONE)
                return
            except ConfigError as error:
                self.trouble(f"no canary is sent: {error}")
                self._next = time.monotonic_ns() + self._every
                return
            held.enter_context(self._company.question(CHAT))  # now: one that is not sent is no trial
            self._send()
        if self._known and not self._looked and not self._spares():
            self._looked = True
            with self._company.question(MODELS):
                self._listed = self._router() is None and self._is_listed() is True

    def _spares(self) -> bool:
        """Whether it is not sent for the sake of others, whose streams it would end."""
        if not self._company.held_back():
            return False
        self.skip(ENDS_OTHERS)
        self.trouble(SAID.format(cuts=self._company.cuts))
        return True

    def _send(self) -> None:
        self._stream = Stream()
        ask = self.begin()
        self._next = ask.asked_at + self._every
        outcome = self._answered()
        s = self._stream
        right = self._answers.same(_text(s)) if outcome == "ok" else None
        detail = "" if outcome == "ok" else message(s.fault or s.detail, s.status)
        told: dict[str, object] = {}
        if outcome == "busy":
            told["retry_s"] = asked = retry_after(s.retry_after, time.time())
            self._next = max(self._next, s.ended_at + int(min(asked, LONGEST_S) * SECOND))
        elif outcome == "http_4xx" and not self._known:
            self._next = max(self._next, s.ended_at + int(REFUSED_S * SECOND))
            self.trouble(f"the canary cannot ask: HTTP {s.status}")
        elif outcome == "http_4xx" and self._listed and self._is_listed() is False:
            told["skipped"] = "its model is not listed any more"
        elif outcome == "ok" and not self._known:
            self._known = True
        if outcome == "ok":
            self._next = max(self._next, ask.asked_at + self._every * self._price(max(s.deltas, s.tokens or 0)))
        self.end(self.shown(ask), ended_at=s.ended_at, outcome=outcome, detail=detail, right=right, **told)

    def _price(self, tokens: int) -> int:
        """How much more seldom it is sent: a server may answer with many tokens though one was asked for."""
        times = min(DEAREST, max(1, tokens // FAIR))
        if times > 1 and not self._dear:
            self._dear = True
            every = self._every * times / SECOND
            self.trouble(f"a canary costs {tokens} tokens, though it asks for few: one is sent every {every:.0f} s")
        return times

    def _answered(self) -> str:
        """Ask as is known to show something; the outcome. Ask otherwise where nothing shows, or it is refused."""
        outcome = self._try()
        while (outcome == "empty" and self._shape < LAST_BUDGET) or self._may_be_asked_otherwise(outcome):
            self._shape += 1
            self._answers = Answers()
            outcome = self._try()
        if not self._known and outcome == "http_4xx":
            self._shape = 0
        return outcome

    def _may_be_asked_otherwise(self, outcome: str) -> bool:
        refused = outcome == "sse_error" or (outcome == "http_4xx" and self._stream.status in WILL_NOT)
        return refused and not self._known and self._shape + 1 < len(SHAPES)

    def _try(self) -> str:
        """Ask once; the outcome."""
        self._stream = Stream()
        said = {"model": self._model, "messages": [{"role": "user", "content": PROMPT}], "stream": True}
        body = {**said, **SHAPES[self._shape]}
        stream(self._target, msgspec.json.encode(body), into=self._stream)
        outcome = classify(self._stream)
        if outcome == "not_a_stream" and any(_messages(self._stream)):  # whole at once is an answer too
            return "ok" if _text(self._stream).strip() else "empty"
        return outcome

    def _unloaded(self, router: Kind) -> str:
        """Why a router must not be asked for the model now; empty: it is loaded at this moment and may not sleep."""
        answer = self.questions.get(MODELS, deadline_s=MODELS_S, cap=CAP)
        return router.unloaded(answer.body, self._model) if answer.status == 200 else UNKNOWN

    def _is_listed(self) -> bool | None:
        """Whether the server lists the model, which it may put away after a time; None: it tells nothing of that."""
        answer = self.questions.get(MODELS, deadline_s=MODELS_S, cap=CAP)
        return self._model in listed.models(answer.body) if answer.status == 200 else None

    def _only_model(self) -> str:
        """The one model there is; of several none, for a question could load one that nobody uses."""
        with self._company.question(MODELS):
            answer = self.questions.get(MODELS, deadline_s=MODELS_S, cap=CAP)
        names = listed.models(answer.body) if answer.status == 200 else []
        if len(names) == 1:
            return names[0]
        self._next = time.monotonic_ns() + self._every
        told = f"{len(names)}: name one with --model" if names else "none"
        self.trouble(f"no canary is sent: no model is named, and /models tells {told}")
        return ""


class Answers:
    """Knows an answer once it has come twice in a row; says of later ones whether they are the same."""

    def __init__(self) -> None:
        self._last: str | None = None
        self._known: str | None = None

    def same(self, text: str) -> bool | None:
        """Whether it is the known answer; None: no answer is known."""
        if self._known is None:
            self._known = text if text == self._last else None
            self._last = text
        return None if self._known is None else text == self._known


def _text(s: Stream) -> str:
    """What the answer said, thoughts before words."""
    said = list(_messages(s))
    return "".join(string(message.get(name)) or "" for name in (*THOUGHT, CONTENT) for message in said)


def _messages(s: Stream) -> Iterator[dict[str, Any]]:
    """The deltas of a stream; the messages of a server that answers with one object, though a stream was asked for."""
    x = assemble(s.line("canary", endpoint="", scenario="canary", path="/chat/completions"), s.request, s.response)
    for chunk in x.chunks:
        yield from (mapping(choice.get("delta")) for choice in chunk.choices)
    for choice in listing(mapping(x.json).get("choices")):
        yield mapping(mapping(choice).get("message"))
