"""The detector's side of a trial: the real recorder, light clients that write what a load writes, and the record."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from load.record import RowWriter, row_of
from seatrial.records import SECOND, Ask, Clock, Event, Line, Probe, RunInfo, Sample
from seatrial.records.targets import Watched
from seatrial.run.directory import RunDir
from seatrial.run.writer import Writer
from seatrial.stops.state.limits import Limits
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.load import LoadTarget, stream
from seatrial.wire.transports.outcomes import classify
from tests.faults.processes import DEADLINE_S, TrialError, pause, until

CANARY_S = 1.0
IDLE_S = 6.0
"""A client's patience between two bytes: longer than the limit of a stall."""
DEADLINE = 8.0
"""And for a whole stream, should keep-alive bytes come for ever."""
REAL_TOKENS = 8
"""Of an answer of a real server: it must end well within a client's patience on the processors that all share."""
THINK_S = 0.2
"""A client's pause after a failure, and between the chats of a real server, which has two processors for all."""
LIMITS = Limits(
    frozen=3 * SECOND,
    still=3 * SECOND,
    wedged_silent=4 * SECOND,
    wedged=6 * SECOND,
    wedged_unseen=8 * SECOND,
    stall=4 * SECOND,
)
"""What the trials are watched with: the shipped ones, shortened."""


class Watch:
    """A recorder in a process of its own, writing a run directory."""

    def __init__(self, folder: Path, limits: Limits = LIMITS) -> None:
        info = RunInfo(id=folder.name, started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0,
                       options={"limits": msgspec.to_builtins(limits)})  # fmt: skip
        self.rundir = RunDir.create(folder / "run", info)
        self.limits = limits
        self.clients: list[Client] = []
        self._canary: dict[str, bool] = {}
        with (folder / "recorder.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatrial.monitor.recorder", str(self.rundir.path)],
                stdin=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def command(self, **fields: Any) -> None:
        """Say something to the recorder as the keeper does."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(fields).encode() + b"\n")
        self.process.stdin.flush()

    def add(
        self, server: Any, name: str = "a", *, canary: bool = False, log: bool = False, answers: bool = True
    ) -> None:
        """Watch a server. answers: before the strike its canaries do."""
        base = f"http://127.0.0.1:{server.port}"
        told = Watched(
            name=name,
            host="127.0.0.1",
            port=server.port,
            base=base,
            api=f"{base}/v1",
            model=server.model,
            key=server.key,
            canary_s=CANARY_S if canary else 0,
            log=str(server.log) if log else "",
        )
        self.command(**msgspec.to_builtins(told))
        self._canary[name] = canary and answers

    def traffic(self, server: Any, name: str = "a", clients: int = 2, tokens: int = 20, patience_s: float = 0) -> None:
        """Clients that send one chat after another."""
        self.clients += [Client(self.rundir, server, name, n, tokens, patience_s) for n in range(clients)]

    def tell(self, what: str, name: str, text: str) -> None:
        """Have the keeper write an event of what the operator said."""
        with contextlib.closing(self.rundir.watch_writer("keeper")) as writer:
            writer.write("events.jsonl", Event(what=what, name=name, at=time.monotonic_ns(), text=text))

    def ready(self, streams: int = 1) -> int:
        """Wait until every server is found, sampled and heard, canaries and clients have been answered; that time.

        Canaries may wait for long: beside clients it is watched first whether questions harm them.
        """
        for name, canary in self._canary.items():
            until(lambda n=name: self._seen(n), f"{name} is found, sampled and heard")
            if canary:
                until(lambda n=name: self._answered(n), f"two canaries of {name} have been answered", 2 * DEADLINE_S)
        for client in self.clients:
            until(lambda c=client: c.streams >= streams, "a client's streams have ended")
        return self.ticked_at()

    def _answered(self, name: str) -> bool:
        asked = [x for x in self.lines() if isinstance(x, Ask) and x.name == name and x.rung == "canary"]
        return len({x.id for x in asked if x.outcome == "ok"}) >= 2

    def _seen(self, name: str) -> bool:
        if self.process.poll() is not None:
            raise TrialError("the recorder has ended")
        of = [x for x in self.lines() if isinstance(x, Event | Sample | Probe) and x.name == name]
        return (
            any(isinstance(x, Event) and x.what == "found" for x in of)
            and any(isinstance(x, Sample) for x in of)
            and any(isinstance(x, Probe) and x.health is not None for x in of)
        )

    def lines(self) -> list[Line]:
        return self.rundir.in_time()

    def ticks(self, since: int = 0) -> list[int]:
        """The heartbeats after a time."""
        found: list[int] = []
        for line in self.rundir.lines("watch/samples.jsonl"):
            due = found[-1] + SECOND // 2 if found else since  # a tick may write its clock twice
            if isinstance(line, Clock) and line.t > due:
                found.append(line.t)
        return found

    def ticked_at(self) -> int:
        return until(self.ticks, "a heartbeat")[-1]

    def watch_for(self, ticks: int, since: int) -> None:
        """Let the record go on for so many heartbeats after a time."""
        until(lambda: len(self.ticks(since)) >= ticks, f"{ticks} heartbeats", DEADLINE_S + 2 * ticks)

    def suspend(self) -> int:
        """Stop the recorder itself by a signal."""
        os.kill(self.process.pid, signal.SIGSTOP)
        return time.monotonic_ns()

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def seal(self) -> list[Line]:
        """End the record in an orderly way; all of it, in order of time."""
        for client in self.clients:
            client.stop.set()
        for client in self.clients:
            client.join(1.5)
        for client in self.clients:
            client.close()
        self.command(seal=True)
        if self.process.wait(DEADLINE_S):
            raise TrialError("the recorder failed")
        return self.lines()

    def close(self) -> None:
        """End what is left."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class _Gate:
    """A writer that writes nothing more once the record is sealed."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self.open = writer, True
        self._lock = threading.Lock()

    def write(self, file: str, line: Line) -> Line:
        with self._lock:
            return self._writer.write(file, line) if self.open else line

    def store(self, content: bytes) -> tuple[int, int] | None:
        with self._lock:
            return self._writer.store(content) if self.open else None

    def close(self) -> None:
        with self._lock:
            if self.open:
                self.open = False
                self._writer.close()


class Client(threading.Thread):
    """One client: a chat after another, each with its lines as the soak writes them."""

    def __init__(self, rundir: RunDir, server: Any, name: str, number: int, tokens: int, patience_s: float) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.streams = 0
        self._gate = _Gate(rundir.load_writer(f"load{name}{number}"))
        self._name, self._thinks = name, server.real
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        url = f"http://127.0.0.1:{server.port}/v1"
        self._target = LoadTarget(url=url, mask=Mask(None), headers=headers, idle_s=patience_s or IDLE_S,
                              deadline_s=patience_s or DEADLINE)  # fmt: skip
        self._body = json.dumps(
            {"model": server.model, "stream": True, "max_tokens": min(tokens, REAL_TOKENS) if server.real else tokens,
             "temperature": 0,
             "messages": [{"role": "user", "content": "What is the sea like today?"}]}
        ).encode()  # fmt: skip
        self.start()

    def run(self) -> None:
        recorder = RowWriter(self._gate, self._name, seed=0)
        while not self.stop.is_set():
            request, intended = recorder.begin(), time.monotonic_ns()
            found = stream(self._target, self._body)
            outcome = classify(found)
            recorder.end(row_of(request, self._name, outcome, found, intended_at=intended), found)
            self.streams += 1
            if outcome != "ok" or self._thinks:
                self.stop.wait(THINK_S)

    def close(self) -> None:
        self.stop.set()
        self._gate.close()


@contextlib.contextmanager
def slow_reader(server: Any) -> Any:
    """A client that asks for a long answer and reads next to nothing of it. Nobody records it."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(("127.0.0.1", server.port))
        body = json.dumps({"model": server.model, "stream": True, "max_tokens": 60,
                           "messages": [{"role": "user", "content": "Tell me a long story."}]}).encode()  # fmt: skip
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        sock.sendall(head + body)
        yield sock.recv(64)


def wait_until(at: int) -> None:
    """Until a time of the monotonic clock: the phase of a strike against the recorder's tick."""
    while (left := at - time.monotonic_ns()) > 0:
        pause(left / 1e9)
