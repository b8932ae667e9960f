"""Recorded runs with fixed times, written as a run writes them, so that what is printed of them can be compared."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from seatrial.checks.catalogue import load_all
from seatrial.given.waivers import Waiver
from seatrial.judging.run import Exchanges, JudgedRun
from seatrial.records import (
    SECOND,
    VERSION,
    Clock,
    Endpoint,
    Event,
    Fact,
    Finding,
    Happening,
    Judged,
    Line,
    LoadRow,
    Outcome,
    Phase,
    Planned,
    Probe,
    Received,
    RunInfo,
    Sample,
    Sent,
    Stop,
)
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.verdict.summary import Beside, summarise

T0 = 1000 * SECOND
WALL0 = 1_795_554_000 * SECOND  # 2026-11-24 21:00:00 UTC
ID = "20261124T210000Z-7c1e"
NAME = "8080"
HOSTILE = (
    "<script>document.title='owned'</script><img src=http://evil.invalid/x onerror=alert(1)>\x1b[31mred\x1b]0;t\x07"
)
KNOWN = "ollama before 0.31 (https://github.com/ollama/ollama/pull/17485)"


def at(seconds: float) -> int:
    """A monotonic time, by seconds since the run began."""
    return T0 + round(seconds * SECOND)


@dataclass
class Trial:
    """A run being made up: exchanges and lines of the watch are added, then :meth:`write` puts them on disk."""

    path: Path
    lines: dict[str, list[Line]] = field(default_factory=dict)
    content: bytes = b""
    number: int = 0

    def exchange(
        self, seconds: float, scenario: str, request: dict, response: list[tuple[float, bytes]], **more
    ) -> str:
        """Add one request and its answer, read by read, with the seconds after sending of each; returns its id."""
        body = json.dumps({"model": "phi-4", **request}).encode()
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:8080\r\ncontent-type: application/json\r\n"
        head += f"authorization: Bearer {'*' * 12}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.number += 1
        name = f"gw0-{self.number}"
        common = {"endpoint": NAME, "scenario": scenario, "method": "POST", "path": "/chat/completions"}
        sent = self._store(head.encode() + body)
        self._add("writers/gw0-7/exchanges.jsonl", Sent(w="gw0", n=self.number, t=at(seconds), request=sent, **common))
        received = self._store(b"".join(part for _, part in response))
        self._add(
            "writers/gw0-7/exchanges.jsonl",
            Received(
                w="gw0",
                t=at(seconds + 1),
                id=name,
                request=sent,
                response=received,
                frames=tuple((at(seconds + after), len(part)) for after, part in response),
                sent_at=at(seconds),
                ended_at=at(seconds + (response[-1][0] if response else 0)),
                **common,
                **more,
            ),
        )
        return name

    def unanswered(self, seconds: float, scenario: str) -> str:
        """A request that was in flight when the server died."""
        self.number += 1
        line = Sent(
            w="gw0",
            n=self.number,
            t=at(seconds),
            endpoint=NAME,
            scenario=scenario,
            method="POST",
            path="/chat/completions",
        )
        self._add("writers/gw0-7/exchanges.jsonl", line)
        return f"gw0-{self.number}"

    def watch(self, seconds: int, *, dies_at: float | None = None, gap: tuple[int, int] | None = None) -> None:
        """The recorder's lines, one of each a second."""
        watch = "watch/samples.jsonl"
        for second in range(seconds + 1):
            if gap and gap[0] < second < gap[1]:
                continue
            alive = dies_at is None or second < dies_at
            head = {"w": "recorder", "t": at(second)}
            wall = WALL0 + second * SECOND
            self._add(watch, Clock(**head, wall_ns=wall, boot_ns=at(second), raw_ns=at(second)))
            if alive:
                memory = 400_000_000 + second * 1_000_000
                self._add(
                    watch, Sample(**head, name=NAME, pid=36439, incarnation="b:36439:1", state="S", memory=memory)
                )
            health = 200 if alive else None
            self._add(watch, Probe(**head, name=NAME, listens=alive, health=health, owner=36439 if alive else None))
        self._add(
            watch, Event(w="recorder", t=at(0), what="trouble", name="gpu", at=at(0), text="no GPU: NVML not found")
        )

    def soak(self, start: float, end: float, streams: int) -> None:
        """Rows of a soak: streams one after the other between two times."""
        each = (end - start) / streams
        self._add("load/load1.jsonl", Phase(w="load1", t=at(start), endpoint=NAME, what="start", at=at(start)))
        for n in range(streams):
            begin = start + n * each
            row = LoadRow(
                w="load1",
                t=at(begin + each),
                id=f"load1-{n + 1}",
                endpoint=NAME,
                outcome="ok",
                intended_at=at(begin),
                sent_at=at(begin),
                first_at=at(begin + each / 4),
                last_at=at(begin + each * 0.9),
                ended_at=at(begin + each),
                deltas=40,
            )
            self._add("load/load1.jsonl", row)
        self._add("load/load1.jsonl", Phase(w="load1", t=at(end), endpoint=NAME, what="end", at=at(end)))

    def write(self, *, planned: tuple[Planned, ...] = (), demo: bool = False) -> RunDir:
        """Put everything on disk."""
        info = RunInfo(
            id=ID,
            started="2026-11-24T21:00:00Z",
            started_ns=T0,
            boot_id="b",
            arguments=("suites/",),
            versions={"seatrial": "0.1.0"},
            seed=7,
        )
        run = RunDir.create(self.path, info)
        run.write_endpoint(
            Endpoint(
                name=NAME,
                url="http://127.0.0.1:8080/v1",
                kind="generic",
                model="phi-4",
                models=("phi-4",),
                pid=36439,
                demo=demo,
                embedded=demo,
            )
        )
        self._number()
        for name, lines in self.lines.items():
            self._put(name, lines)
        (self.path / "writers/gw0-7").mkdir(parents=True, exist_ok=True)
        (self.path / "writers/gw0-7/bytes.bin").write_bytes(self.content)
        run.write_planned(planned)
        written = json.dumps(last_numbers(self.path))
        last = max((line.t for lines in self.lines.values() for line in lines), default=T0)
        seal = Event(what=Happening.SEAL, name="keeper", at=last, facts={Fact.LINES: written}, w="keeper", n=1, t=last)
        self._put("watch/keeper/events.jsonl", [seal])
        return run

    def _number(self) -> None:
        """Number the lines of each writer from 1 without a gap: what was sent bears its number, the rest follows."""
        last: dict[str, int] = {"gw0": self.number}
        for lines in self.lines.values():
            for place, line in enumerate(lines):
                if not isinstance(line, Sent):
                    last[line.w] = last.get(line.w, 0) + 1
                    lines[place] = msgspec.structs.replace(line, n=last[line.w])

    def _put(self, name: str, lines: list[Line]) -> None:
        """Write one file of lines, each with its sum, and an answered exchange with the sums of its bytes."""
        begin = sums.start(ID)
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as content:
            for line in lines:
                stamped = msgspec.structs.replace(line, v=VERSION)
                if isinstance(stamped, Received):
                    spans = (self.content[offset:][:length] for offset, length in (stamped.request, stamped.response))
                    stamped = msgspec.structs.replace(stamped, sums=tuple(sums.of_bytes(s, begin) for s in spans))
                content.write(sums.signed(msgspec.json.encode(stamped), begin) + b"\n")

    def _store(self, content: bytes) -> tuple[int, int]:
        span = (len(self.content), len(content))
        self.content += content
        return span

    def _add(self, file: str, line: Line) -> None:
        self.lines.setdefault(file, []).append(line)


def stream(*datas: str, head: bytes = b"") -> list[tuple[float, bytes]]:
    """An answer as a stream: its head, then one event a read, a tenth of a second apart."""
    opened = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n" + head + b"\r\n"
    return [(0.1, opened), *((0.1 * n, f"data: {d}\n\n".encode()) for n, d in enumerate(datas, start=2))]


def chunk(**delta: str) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return json.dumps({"id": "c1", "object": "chat.completion.chunk", "choices": [choice]})


def plain(body: bytes, status: str = "200 OK", media: str = "application/json") -> list[tuple[float, bytes]]:
    """An answer in one read."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    return [(0.42, head.encode() + body)]


def case(rule: str, scenario: str, outcome: Outcome, exchange: str = "", **more) -> Judged:
    """A judged case of the conformance suite; its level is the rule's."""
    known = load_all().get(rule)
    return Judged(
        case=f"{rule}[{scenario}]@{NAME}",
        endpoint=NAME,
        rule=rule,
        scenario=scenario,
        suite=more.pop("suite", "conformance"),
        outcome=outcome,
        level=more.pop("level", str(known.level) if known else ""),
        exchanges={"": exchange} if exchange else {},
        **more,
    )


def judged_run(
    run: RunDir, cases: list[Judged], stops: tuple[Stop, ...] = (), not_tested: list[tuple[str, str]] | None = None
) -> JudgedRun:
    """A judged run of made-up outcomes over a recording; what is WAIVED, kim has waived."""
    lines = run.in_time()
    endpoints = run.endpoints()
    waived = [c for c in cases if c.outcome is Outcome.WAIVED]
    word = {"who": "kim", "why": "accepted for the cutover", "until": datetime.date(2027, 1, 1)}
    verdict = summarise(
        run=run.info.id,
        endpoints=endpoints,
        cases=cases,
        stops=stops,
        record=lines,
        waived=[(c.case, Waiver(case=c.rule, **word)) for c in waived],
        not_tested=not_tested or [],
        beside=Beside(answered={name: {"plain": True} for name in endpoints}),
    )
    return JudgedRun(run, run.info, endpoints, tuple(cases), stops, verdict, lines, Exchanges(run, lines))


ROLE_TWICE = Finding(
    "violation",
    "chunk 2",
    "no role",
    "assistant",
    'a client on the official SDK joins them: role "assistantassistant", and the turn is dropped',
)


def sunk(path: Path) -> JudgedRun:
    """A run with everything in it: a silent stop, hostile text wherever a server can put it, and each outcome."""
    trial = Trial(path)
    asked = {"stream": True, "messages": [{"role": "user", "content": "it's $HOME"}]}
    answer = stream(chunk(role="assistant"), chunk(role="assistant", content=HOSTILE), "[DONE]")
    told = trial.exchange(5, "usage", asked, answer)
    page = trial.exchange(6, "n", {"n": 3}, plain(HOSTILE.encode() * 400, "502 Bad <b>Gateway</b>", "text/html"))
    lost = tuple(trial.unanswered(62, "plain") for _ in range(4))
    trial.watch(120, dies_at=63.412, gap=(80, 90))
    trial.soak(20, 60, 12)
    grave = Finding("violation", "choices", "3", HOSTILE, "a client sees two answers missing", grave=True)
    plain_one = Finding("violation", "choices[0]", "logprobs", "null", "a client that reads them crashes")
    cases = [
        *(
            case("sse/role-is-sent-once", name, Outcome.FAIL, told, findings=(ROLE_TWICE,), known=KNOWN)
            for name in ("usage", "plain")
        ),
        case("sse/done-comes-once-and-last", "plain", Outcome.PASS, told),
        *(
            case("models/list-has-its-shape", f"s{n}", Outcome.INCONCLUSIVE, why="the server was gone")
            for n in range(5)
        ),
        case("params/n-gives-n-choices", "n", Outcome.WAIVED, page, findings=(grave,), waiver="kim until 2027-01-01"),
        case("params/logprobs-are-given", "logprobs", Outcome.ADVISORY, told, findings=(plain_one,)),
        case("params/wrong-types-are-refused", "n", Outcome.NOT_EXECUTED, why="the run ended before it was judged"),
        case("params/max-tokens-caps", "cap", Outcome.UNSUPPORTED, told, why="400 not here"),
    ]
    return judged_run(trial.write(), cases, (kill(lost),), not_tested=[("drift", "needs 30 min"), ("GPU", HOSTILE)])


def calm(path: Path) -> JudgedRun:
    """A run on which everything holds."""
    trial = Trial(path)
    told = trial.exchange(1, "plain", {"stream": True}, stream(chunk(role="assistant"), "[DONE]"))
    trial.watch(10)
    return judged_run(trial.write(demo=True), [case("sse/done-comes-once-and-last", "plain", Outcome.PASS, told)])


def kill(suspects: tuple[str, ...]) -> Stop:
    return Stop(
        name=NAME,
        family="STOPPED",
        kind="signal",
        signal=9,
        alive_at=at(63.412),
        dead_at=at(63.414),
        proof="token 41 of request gw0-3",
        rung="the process itself",
        pid=36439,
        uptime_s=2292,
        excluded=("OOM killer (oom_kill +0 on the host, +0 in its cgroup)", "restart (no new incarnation)"),
        cause="UNKNOWN: sender of the signal not observable without audit rights",
        hypotheses=(
            "its launcher's time-out: would show uptime at a round 1800 s (it was 2292 s: speaks against)",
            "the end of a login session: would show session leader gone at the same moment (not seen)",
        ),
        suspects=suspects,
        log=("an ordinary slot line", f"slot release \x1b[2J{HOSTILE}"),
    )
