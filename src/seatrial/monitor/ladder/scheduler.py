"""The rung that only the engine's own loop can answer, and the counters that come with it.

llama.cpp: ``/slots``, and ``/metrics`` where nobody else reads the gauges that a reading resets. vLLM: ``/metrics``,
which has no such gauges. Ollama: ``/api/ps``. Which of them it is, is found out once in each life of the server.

What a server that may sleep is not asked: ``/slots`` counts as work there, wakes it, and keeps it awake (tried:
``sleep_idle_seconds`` of 4 s, asked once a second, never slept; asked while asleep, it loaded its model for 6 s). That
it may sleep is read from its arguments, or seen when it sleeps as we come. A setting in its environment
(``LLAMA_ARG_SLEEP_IDLE_SECONDS``), in a file of presets, or of a server on another host is not seen: such a server
stays awake while it is watched.

llama.cpp's router (``"role": "router"`` in its ``/props``) has no engine's loop of its own, and a question for a model
loads it: nothing is asked of it here, and the canary asks only for what is loaded already.

An answer proves less than silence does: recent builds of llama.cpp answer ``/slots`` and ``/metrics`` within
milliseconds while one long batch is decoded, from what the loop last said. Whether work goes on, ``progress`` tells.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from seatrial.kinds import (
    listed,
    llama_cpp,
    ollama,
    prometheus,
    vllm,
)
from seatrial.monitor.ladder.questions import Questions
from seatrial.monitor.ladder.rung import (
    Rung,
    Say,
    Write,
)
from seatrial.monitor.process.proc import Process
from seatrial.records import BUSY, Meter
from seatrial.wire.transports.probe import Answer

HANG_S = 60.0
"""A question that gets no answer is kept so long, then asked anew: one connection is open at most."""

LEARN_S = 5.0
LEARN_TRIES = 5
"""Questions about what it is that may fail before it is taken as something we do not know."""

WITHOUT_PROCESS = 5
"""Ticks to wait for the process behind a local port: its arguments tell whether it may be asked."""

CAP = 4 * 1024 * 1024
"""``/slots`` of a server in debug mode holds every prompt."""

NOT_OFFERED = frozenset({401, 403, 404, 405, 501})
KEEPS_AWAKE = "would keep it awake"
ASLEEP = "asleep"

_SLEEPS = re.compile(r"--sleep-idle-seconds(?:[= ](\S+))?")


class Source(msgspec.Struct, frozen=True):
    """A place to ask: its path, the name it has in the record, and what reads its answer."""

    path: str
    name: str
    read: Callable[[Answer], dict[str, Any]]


def may_sleep(arguments: str) -> bool:
    """Whether a command line lets llama-server sleep; a number below zero turns it off."""
    found = _SLEEPS.search(arguments)
    return found is not None and not (found.group(1) or "").startswith("-")


class Scheduler(Rung):
    """Asks once a second at most.

    Args:
        scrape: llama.cpp's ``/metrics`` may be read.
        process: the main process, where it is on this host and known.
        local: whether the endpoint is on this host; None until known.

    Attributes:
        known: whether it has been found out what the server is; the canary waits for that.
        forbidden: why it must not be given work now: it sleeps, or would be kept awake. Empty: it may.
        routes: whether it is a router, which loads the model that a request names.
    """

    def __init__(
        self,
        name: str,
        questions: Questions,
        write: Write,
        say: Say,
        *,
        scrape: bool = False,
        process: Callable[[], Process | None] = lambda: None,
        local: Callable[[], bool | None] = lambda: False,
    ) -> None:
        self._scrape, self._process, self._local = scrape, process, local
        self._sources: list[Source] = []
        self._turn = self._tries = self._bereft = 0
        self._life = ""
        self.known = self.routes = False
        self.forbidden = ""
        super().__init__(name, "scheduler", questions, write, say)

    def due(self, now: int) -> bool:  # noqa: ARG002 - a tick is the time
        process = self._process()
        life = process.incarnation if process is not None else self._life
        if life != self._life:
            self.known, self._life, self._tries, self.forbidden, self.routes = False, life, 0, "", False
        if self.known:
            return bool(self._sources)
        if self._local() is not False and process is None and self._bereft < WITHOUT_PROCESS:
            self._bereft += 1
            return False
        return True

    def step(self) -> None:
        if not self.known:
            self._learn()
            return
        source = self._sources[self._turn % len(self._sources)]
        self._turn += 1
        if source.path == "/props":
            self._look_asleep(source)
        else:
            self._ask(source)

    def _ask(self, source: Source) -> None:
        ask = self.begin()
        answer = self.questions.get(source.path, deadline_s=HANG_S, cap=CAP)
        outcome, fields = answer.error, None
        if not answer.error:
            outcome = "ok" if answer.status == 200 else f"http-{answer.status}"
        if outcome == "ok":
            try:
                fields = source.read(answer)
            except prometheus.Nonsense as error:
                outcome = "nonsense"
                self.trouble(f"{source.name} answers with {error}")
        self.end(ask, ended_at=answer.at, status=answer.status, outcome=outcome, detail=answer.detail)
        if fields is not None:
            self.write(Meter(name=self.name, source=source.name, **fields))
        if outcome == "too-large" or (answer.status in NOT_OFFERED and not answer.error):
            self._sources = [s for s in self._sources if s is not source]
            why = f"more than {CAP} bytes" if outcome == "too-large" else f"status {answer.status}"
            self.trouble(f"{source.name} is not asked any more: {why}")

    def _look_asleep(self, source: Source) -> None:
        """``/props`` is answered without waking a sleeper, and does not keep it awake."""
        self.skip(KEEPS_AWAKE)
        answer = self.questions.get(source.path, deadline_s=LEARN_S, cap=CAP)
        _, asleep = llama_cpp.props_asleep(answer.body) if answer.status == 200 else (False, None)
        if asleep is not None:
            self.forbidden = ASLEEP if asleep else KEEPS_AWAKE
            self.write(Meter(name=self.name, source=source.name, asleep=asleep))

    # what it is

    def _learn(self) -> None:
        found = self._find()
        if found is None:
            self._tries += 1
            if self._tries < LEARN_TRIES:
                return
        self._sources = found or []
        if self.routes:
            self.trouble(
                "the scheduler is not asked: a router of llama.cpp answers, and behind it each model's own server"
            )
        elif not found:
            self.trouble("the scheduler is not asked: the server offers nothing known that only its engine can answer")
        self.known = True

    def _find(self) -> list[Source] | None:
        """The sources to ask, by what answers; None: nothing does, for now."""
        ways = {"/props": self._as_llama, "/v1/models": self._as_vllm, "/api/ps": self._as_ollama}
        if not self.questions.api:
            del ways["/v1/models"]
        for path, way in ways.items():
            answer = self._about(path)
            if answer is None:
                return None
            if answer.status == 200 and ((sources := way(answer)) or self.routes):
                return sources
        return []

    def _about(self, path: str) -> Answer | None:
        """An answer that says something about the server, or None where it does not answer yet."""
        answer = self.questions.get(path, deadline_s=LEARN_S, cap=CAP)
        if answer.status is None and answer.error not in {"not-http", "too-large"}:
            self.trouble(f"GET {path}: {answer.error} ({answer.detail})")
        return None if answer.status in BUSY or answer.status is None else answer

    def _as_llama(self, props: Answer) -> list[Source]:
        llama, asleep = llama_cpp.props_asleep(props.body)
        if not llama:
            return []
        self.routes = llama_cpp.is_router(props.body)
        if self.routes:
            return []
        process = self._process()
        if asleep or (process is not None and may_sleep(process.arguments)):
            self.forbidden = ASLEEP if asleep else KEEPS_AWAKE
            self.trouble("the server may sleep: nothing is asked of it that would wake it or keep it awake")
            return [Source("/props", "llama.cpp /props", lambda _: {})]
        slots = llama_cpp.Slots()
        sources = [Source("/slots", "llama.cpp /slots", lambda x: slots.read(x.body))]
        if self._scrape:
            sources.append(
                Source("/metrics", "llama.cpp /metrics", lambda x: llama_cpp.llama_metrics(x.body, x.headers))
            )
        return sources

    def _as_vllm(self, models: Answer) -> list[Source]:
        if listed.first_model(models.body)[1] != "vllm":
            return []
        return [Source("/metrics", "vllm /metrics", lambda x: vllm.vllm_metrics(x.body, x.headers))]

    def _as_ollama(self, loaded: Answer) -> list[Source]:
        try:
            self._ollama(loaded)
        except prometheus.Nonsense:
            return []
        return [Source("/api/ps", "ollama /api/ps", self._ollama)]

    def _ollama(self, answer: Answer) -> dict[str, Any]:
        """Ollama unloads a model that nobody asks: a canary would load it, or put off its end."""
        fields, unloads = ollama.ollama_ps(answer.body, time.time())
        self.forbidden = ASLEEP if fields["asleep"] else KEEPS_AWAKE if unloads else ""
        return fields
