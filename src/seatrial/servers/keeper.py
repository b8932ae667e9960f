"""The keeper: starts what a run starts, says how it ended, and outlives pytest by the seconds it takes to end it.

``python -m seatrial.servers.keeper RUN`` is started by :mod:`seatrial.servers.keeping` in a session of its own. The
first line of its stdin is an :class:`~seatrial.servers.orders.Order`; the end of its stdin, by an orderly close or by
the death of pytest or of a watch, ends the run. Beside the recorder, which observes, it has at most one child: the
embedded server, or the command of a watch. Requests come over a Unix socket, one JSON line each way a connection. One
thread, one loop.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from seatrial.given.address import host_port, root
from seatrial.records import Event, Fact, Happening
from seatrial.records.targets import Watched
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.run.space import LOG_BYTES, SPARE, bound
from seatrial.run.writer import RunDirError
from seatrial.servers.child import Child, Ending
from seatrial.servers.door import Door, Reply
from seatrial.servers.job import Job
from seatrial.servers.orders import EmbeddedSpec, Order
from seatrial.servers.recorder_child import SEAL_S, RecorderChild

RECORDER = "seatrial.monitor.recorder"
START_S = 90.0
"""The longest a server may take to load its model."""
GRACE_S = 2.0
"""Between TERM and KILL at the end; it dies within 0.1 s of TERM unless something is wrong."""
LOG_EVERY_S = 1.0
"""Between two looks at the log of a server of ours."""
DYING_S = 0.5
"""How long a restart waits for a death under way, which can take 0.1 s to show: only then is a stop ours."""
DESERTED = "the run was ended without a word: who began it was killed, or insisted on its end"
"""What the seal says where nobody looks after the run directory any more."""
ORDERLY = b"\n"
"""On stdin before it ends: who started us lives, and looks after the run directory itself."""


class Keeper:
    """The loop, and all it holds."""

    def __init__(self, run: RunDir, order: Order, recorder: str) -> None:
        self.run, self.order = run, order
        self.writer = run.watch_writer("keeper")
        self.loop = selectors.DefaultSelector()
        self.server: Child | None = None
        self.job: Job | None = None
        self.port = order.embedded.port if order.embedded else 0
        self.waiting: list[Reply] = []
        self.over = self.orderly = False
        self.cut: set[Path] = set()  # logs whose middle is not kept
        self.recorder = RecorderChild(run.path, self.writer.folder / "recorder.log", recorder)
        self.door = Door(self.loop, self._handle)

    # the loop

    def serve(self) -> None:
        """Until stdin closes or SIGTERM comes."""
        self.loop.register(0, selectors.EVENT_READ, self._parent)
        self.loop.register(self.recorder.pidfd, selectors.EVENT_READ, self._recorder_ended)
        pid = self._start_command()
        for watched in self.order.watch:
            ours = self.order.command is not None and self.order.command.name == watched.name
            self._watch(msgspec.structs.replace(watched, pid=pid, ours=True) if ours else watched)
        if self.over:
            return
        if self.order.embedded is None:
            self._say({"address": self.door.address, "embedded": None, "command": pid})
        else:
            self.waiting.append(self._say_started)
            self._start(self.order.embedded, 0)
        while not self.over:
            for key, _ in self.loop.select(self._patience()):
                if self.loop.get_map().get(key.fd) is key:  # an earlier one of this round may have closed it
                    key.data()
            self._check_late()

    def _patience(self) -> float | None:
        """Seconds until a starting server is late, or its log is looked at; None: there is none."""
        if self.server is None or not self.server.alive:
            return None
        if self.server.url:
            return LOG_EVERY_S
        return max(0.0, START_S - (time.monotonic_ns() - self.server.started_at) / 1e9)

    def _check_late(self) -> None:
        if self.server is None:
            return
        if self._patience() == 0.0:
            self._forget(self.server)
            self._exited(self.server, self.server.end(0))
        if bound(self.server.log) and self.server.log not in self.cut:
            self.cut.add(self.server.log)
            self.event(
                Happening.LOG_CUT, text=f"its log floods: of more than {LOG_BYTES >> 20} MB the middle is not kept"
            )

    def _parent(self) -> None:
        if os.read(0, 4096):
            self.orderly = True
        else:
            self.over = True

    def _start_command(self) -> int | None:
        """The pid of the command that was started; None where none is asked for, or it cannot be."""
        command = self.order.command
        if command is None:
            return None
        self.recorder.await_heartbeat()  # the command is watched from its start
        try:
            self.job = Job(command, self.loop, self.event)
        except OSError as error:
            self._say({"error": f"{command.argv[0]} cannot be started: {error.strerror}", "log": []})
            self.over = True
            return None
        return self.job.pid

    # the server

    def _start(self, spec: EmbeddedSpec, generation: int) -> None:
        log = self.run.path / "server" / f"{spec.name}-{generation}.log"
        try:
            server = self.server = Child(spec, generation, self.port, log)
        except OSError as error:
            self._settle({"error": f"the embedded server cannot be started: {error}", "log": []})
            return
        self.event(Happening.START, pid=server.pid, at=server.started_at, generation=generation)
        self.loop.register(server.said, selectors.EVENT_READ, lambda: self._heard(server))
        self.loop.register(server.pidfd, selectors.EVENT_READ, lambda: self._died(server))

    def _heard(self, server: Child) -> None:
        if not server.hear():
            return
        self.loop.unregister(server.said)
        if server.url:
            host, self.port = host_port(server.url)
            self.event(Happening.READY, pid=server.pid, generation=server.generation, text=server.url)
            watched = Watched(
                name=self._name, host=host, port=self.port, base=root(server.url), pid=server.pid,
                generation=server.generation, api=server.url, key=server.spec.key or "", ours=True,
            )  # fmt: skip
            self._watch(watched)
            self._settle(self._status())

    def _died(self, server: Child) -> None:
        signalled_at = time.monotonic_ns()
        self._forget(server)
        server.hear()
        self._exited(server, server.reap(signalled_at))

    def _forget(self, server: Child) -> None:
        for handle in (server.said, server.pidfd):
            with contextlib.suppress(KeyError, ValueError):
                self.loop.unregister(handle)

    def _exited(self, server: Child, ended: Ending) -> None:
        self.event(
            Happening.EXIT,
            pid=server.pid,
            at=ended.at,
            signalled_at=ended.signalled_at,
            status=ended.status,
            source="waitid",
            generation=server.generation,
            text=str(ended),
        )
        if self.waiting and self.server is server:
            late = ended.signalled_at - server.started_at >= START_S * 1e9
            how = f"was not ready in {START_S:.0f} s" if late else f"ended while starting ({ended})"
            self._settle({"error": f"the embedded server {how}; its log: {server.log}", "log": server.tail()})

    def _stop(self, server: Child, why: str) -> None:
        """End the server and say before that it is we who do it."""
        if server.wait(0):
            self._died(server)
            return
        self._announce(why)
        self._forget(server)
        self._exited(server, server.end(GRACE_S))

    def _restart(self, generation: int | None, answer: Reply) -> None:
        """Raise the generation, unless one past the one stated lives already."""
        server, spec = self.server, self.order.embedded
        assert spec is not None
        current = -1 if server is None else server.generation
        starting = server is not None and server.alive and not server.url
        if starting:
            self.waiting.append(answer)
        elif server is not None and server.alive and generation is not None and current > generation:
            answer(self._status())
        else:
            if server is not None and server.alive:
                server.wait(DYING_S)
                self._stop(server, "a restart was asked for")
            self.waiting.append(answer)
            self._start(spec, current + 1)

    # what it says

    @property
    def _name(self) -> str:
        return self.order.embedded.name if self.order.embedded else ""

    def _status(self) -> dict[str, Any]:
        server = self.server
        assert server is not None
        return {"url": server.url, "pid": server.pid, "generation": server.generation}

    def _settle(self, reply: dict[str, Any]) -> None:
        waiting, self.waiting = self.waiting, []
        for answer in waiting:
            answer(reply)

    def _say_started(self, reply: dict[str, Any]) -> None:
        if "error" in reply:
            self._say(reply)
            self.over = True
        else:
            self._say({"address": self.door.address, "embedded": reply})

    def _say(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # pytest is gone: the end of stdin says so too
            os.write(1, json.dumps(message).encode() + b"\n")

    def event(self, what: Happening, *, at: int = 0, name: str = "", **fields: Any) -> None:
        """Write one event. A full disk must not keep us from ending what we started."""
        line = Event(what=what, name=name or self._name, at=at or time.monotonic_ns(), **fields)
        try:
            self.writer.write("events.jsonl", line)
        except RunDirError as error:
            print(error, file=sys.stderr)

    def _announce(self, why: str, name: str = "") -> None:
        self.event(Happening.PLANNED_STOP, name=name, text=why)
        self.recorder.tell({"planned_stop": name or self._name})

    def _watch(self, watched: Watched) -> None:
        self.recorder.tell(msgspec.to_builtins(watched))

    def _recorder_ended(self) -> None:
        self.loop.unregister(self.recorder.pidfd)
        pid, code = self.recorder.pid, self.recorder.status()
        self.event(Happening.TROUBLE, name="recorder", pid=pid, text=f"the recorder ended, status {code}")

    # requests

    def _handle(self, request: dict[str, Any], answer: Reply) -> None:
        if "planned_stop" in request:
            self._announce(str(request.get("why", "announced")), str(request["planned_stop"]))
            answer({"ok": True})
        elif "watch" in request:
            self._watch(msgspec.convert(request["watch"], Watched))
            answer({"ok": True})
        elif "restart" in request:
            name = request["restart"]
            if not self._name or name != self._name or self.server is None:
                answer({"error": f"the keeper started no server called {name}"})
            else:
                self._restart(request.get("generation"), answer)
        else:
            raise KeyError("neither planned_stop, nor watch, nor restart")

    # the end

    def end(self) -> None:
        """End the server, have the record sealed, remove the socket. Takes well under a second normally."""
        self._settle({"error": "the run is ending"})
        if self.server is not None and self.server.alive:
            self._stop(self.server, "the run ended")
        if self.job is not None:
            self.job.end_all(self._announce, GRACE_S, self.recorder.pid)
        for spare in (self.run.path / "load").glob(f"*{SPARE}"):  # of who was killed; the seal may need the room
            with contextlib.suppress(OSError):
                spare.unlink()
        if not self.recorder.seal():
            self.event(
                Happening.TROUBLE, name="recorder", text=f"it did not seal the record in {SEAL_S:.0f} s and was killed"
            )
        lines = msgspec.json.encode(last_numbers(self.run.path)).decode()
        self.event(Happening.SEAL, name="keeper", text="" if self.orderly else DESERTED, facts={Fact.LINES: lines})
        self.door.close()
        self.writer.close()
        if self.order.temporary and not self.orderly:
            shutil.rmtree(self.run.path, ignore_errors=True)


def main() -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.servers.keeper", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--recorder", default=RECORDER, help=f"module of the recorder (default {RECORDER})")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    order = sys.stdin.buffer.readline()
    if not order:
        return 0  # pytest is gone already
    keeper = Keeper(RunDir.open(options.run), msgspec.json.decode(order, type=Order), options.recorder)

    def stop(*_: object) -> None:
        keeper.over = True

    wake, waker = socket.socketpair()
    waker.setblocking(False)  # noqa: FBT003
    keeper.loop.register(wake, selectors.EVENT_READ, stop)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGTERM, stop)
    try:
        keeper.serve()
    finally:
        keeper.end()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
