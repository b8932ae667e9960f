"""A golden process: a small server in llama.cpp's manner, right until it is told to fail.

A script of its own, run without site packages so that it starts in a tenth of a second. It is steered over a Unix
socket that the detector never sees: one JSON order a line; the reply says when the order was carried out (``at``,
monotonic ns). It lives no longer than its standard input.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine  # beside this script
from http1 import Gone, Peer, listen
from manners import Manner, hang, said
from pace import pace

RUNNER = "import sys; sys.stdin.read()"
"""The child that would do the work: it waits."""


class Golden:
    """The server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.engine = Engine(options.slots)
        self.manner = Manner(options.manner)
        self.listener = listen(options.port, shared=options.shared)
        self.runner: subprocess.Popen[bytes] | None = None
        self.needed = False  # without its runner it answers every chat with 500
        self.abort_at: tuple[int, socket.socket] | None = None
        self.listening = True
        self.pieces: list[mmap.mmap] = []  # of memory it has taken
        self.used: list[bytes] = []  # and of such that it has filled

    def serve(self) -> None:
        """Accept for ever; a listener that was closed leaves the process alive."""
        print(json.dumps({"port": self.listener.getsockname()[1], "pid": os.getpid()}), flush=True)
        while self.listening:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                continue
            threading.Thread(target=self._connection, args=(sock,), daemon=True).start()
        threading.Event().wait()

    def _connection(self, sock: socket.socket) -> None:
        with sock:
            try:
                self._answer(Peer(sock))
            except (OSError, Gone, ValueError):
                return

    def _answer(self, peer: Peer) -> None:
        method, path, _, body = peer.request()
        engine = self.engine
        if self.manner.how == "never":
            hang(peer.sock)
        elif method == "POST" and path.endswith("/chat/completions"):
            self._chat(peer, json.loads(body))
        elif self.manner.silent:
            hang(peer.sock)
        elif self.manner.loads:
            peer.answer(503, said("Loading model"))
        elif path == "/health":
            peer.answer(200, {"status": "ok"})
        elif path.endswith("/models"):
            model = {"id": self.options.model, "aliases": self.options.alias}
            routed = {"status": self._status()} if self.options.router else {}
            listed = [{**model, "object": "model", "owned_by": "llamacpp", **routed}]
            peer.answer(200, {"object": "list", "data": listed})
        elif path == "/props":
            about = {"total_slots": len(engine.slots), "build_info": self.options.build}
            about |= {"role": "router"} if self.options.router else {}
            peer.answer(200, {"is_sleeping": engine.asleep, **about})
        elif path.startswith("/slots"):
            peer.answer(200, engine.ask()["slots"])
        elif path == "/metrics":
            found = engine.ask()
            totals = {"tokens_predicted_total": found["tokens"], "prompt_tokens_total": found["prompt_tokens"]}
            text = "".join(f"llamacpp:{name} {value}\n" for name, value in totals.items())
            peer.answer(200, text.encode(), "text/plain")
        else:
            peer.answer(404, {"error": {"message": "no such page", "code": 404}})

    def _lacks(self) -> bool:
        """Whether the child without which it answers nothing has ended."""
        return self.needed and self.runner is not None and self.runner.returncode is not None

    def _status(self) -> dict[str, Any]:
        """What a router says of its model: its server serves, has failed, or was told to end."""
        if self._lacks():
            return {"value": "unloaded", "args": [], "failed": True, "exit_code": 1}
        return {"value": "loaded" if self.needed else "unloaded", "args": []}

    def _chat(self, peer: Peer, request: dict[str, Any]) -> None:
        if self._lacks():
            peer.answer(500, {"error": {"message": "generate() failed", "code": 500}})
            return
        if refused := self.manner.turned_away(request):
            peer.answer(refused[0], said(refused[1]))
            return
        wanted, most = request.get("max_tokens") or request.get("max_completion_tokens") or 60, self.options.most
        job = self.engine.submit(min(wanted, most))
        self.manner.serves(job)
        finish = "length" if wanted <= most else "stop"
        if not request.get("stream"):
            text = " ".join(iter(job.out.get, None))
            message = {"role": "assistant", "content": text}
            peer.answer(200, _chunk(choices=[{"index": 0, "message": message, "finish_reason": finish}]))
            return
        peer.begin_stream()
        try:
            self._stream(peer, job, finish)
        except OSError:
            job.cancelled = True

    def _stream(self, peer: Peer, job: Any, finish: str) -> None:
        peer.event(_event({"role": "assistant", "content": ""}))
        for count, word in enumerate(iter(job.out.get, None), start=1):
            peer.event(_event({"content": word + " "}))
            if self.abort_at and count == self.abort_at[0]:
                self.abort_at[1].sendall(b'{"at": %d}\n' % time.monotonic_ns())
                os.abort()
        if job.cancelled:
            return  # the connection ends, and the stream does not
        peer.event(_event({}, finish))
        peer.event(b"data: [DONE]\n\n")
        peer.end_stream()

    # orders

    def obey(self, order: dict[str, Any], sock: socket.socket) -> None:
        """Carry out one order and say when."""
        carry_out: Callable[..., bool | None] = getattr(self, f"do_{order.pop('do')}")
        if carry_out(sock, **order) is not False:
            _say(sock)

    def do_exit(self, sock: socket.socket, code: int) -> None:
        _say(sock)
        os._exit(code)

    def do_raise(self, sock: socket.socket, number: int) -> None:
        _say(sock)
        os.kill(os.getpid(), number)

    def do_abort(self, sock: socket.socket, event: int) -> bool:
        self.abort_at = (event, sock)
        return False

    def do_deaf(self, sock: socket.socket) -> None:
        self.listening = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def do_wedge(self, sock: socket.socket) -> None:
        self.engine.wedge()

    def do_unwedge(self, sock: socket.socket) -> None:
        self.engine.go.set()

    def do_manner(self, sock: socket.socket, how: str) -> None:
        """Meet chats so from now on."""
        self.manner = Manner(how)

    def do_write(self, sock: socket.socket, text: str) -> None:
        """Write a line into its log."""
        os.write(2, text.encode() + b"\n")

    def do_prefill(self, sock: socket.socket, seconds: float, how: str) -> None:
        self.engine.prefill, self.engine.how = seconds, how

    def do_sleep(self, sock: socket.socket, load_s: float) -> None:
        self.engine.asleep, self.engine.load_s = True, load_s

    def do_fill(self, sock: socket.socket, more_mb: int) -> None:
        """Limit the address space, and use nearly all of it."""
        size = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
        limit = size + more_mb * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        self.pieces.append(mmap.mmap(-1, int(limit * 0.95) - size))

    def do_grow(self, sock: socket.socket, mb: int, seconds: float) -> None:
        """Use more and more memory, in twenty steps."""
        for _ in range(20):
            self.used.append(b"x" * (mb * 50_000))
            pace(seconds / 20)

    def do_log(self, sock: socket.socket, rate: int, seconds: float) -> None:
        """Write so many lines a second into its log, for a while."""

        def write() -> None:
            for _ in range(int(seconds * 20)):
                os.write(2, b"slot 0: the prompt is read again\n" * (rate // 20))
                pace(0.05)

        threading.Thread(target=write, daemon=True).start()

    def do_free(self, sock: socket.socket) -> None:
        """Give it back."""
        self.used.clear()

    def do_exhaust(self, sock: socket.socket) -> bool:
        """Use up the rest, and end as a C++ program does that cannot allocate."""
        try:
            while True:
                self.pieces.append(mmap.mmap(-1, 1_000_000))
        except OSError:
            _say(sock)
            os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
            os.abort()

    def do_runner(self, sock: socket.socket) -> None:
        """Start the child, and start it again whenever it ends."""
        started = threading.Event()

        def keep() -> None:
            while True:
                self.runner = self._child()
                started.set()
                self.runner.wait()

        threading.Thread(target=keep, daemon=True).start()
        started.wait()

    def do_engine(self, sock: socket.socket) -> None:
        """Start a child without which no chat is answered, and that nobody starts again."""
        self.needed, self.runner = True, self._child()
        threading.Thread(target=self.runner.wait, daemon=True).start()

    def do_recycle(self, sock: socket.socket) -> None:
        """A master's work: another worker is started, then the old one is ended in order."""
        old, self.runner = self.runner, self._child()
        assert old is not None
        old.terminate()
        old.wait()

    def do_unload(self, sock: socket.socket) -> None:
        """The child has nothing to do, and its parent kills it."""
        assert self.runner is not None
        self.needed = False
        self.runner.kill()
        self.runner.wait()

    def _child(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-E", "-S", "-c", RUNNER], stdin=subprocess.PIPE)

    def do_runner_pid(self, sock: socket.socket) -> bool:
        assert self.runner is not None
        _say(sock, pid=self.runner.pid)
        return False


def _say(sock: socket.socket, **more: int) -> None:
    sock.sendall(json.dumps({"at": time.monotonic_ns(), **more}).encode() + b"\n")


def _chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "golden", **fields}


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = _chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def take_orders(path: str, golden: Golden) -> None:
    """Listen for orders in a thread."""
    with socket.socket(socket.AF_UNIX) as door:
        Path(path).unlink(missing_ok=True)
        door.bind(path)
        door.listen(8)
        while True:
            sock, _ = door.accept()
            threading.Thread(target=_orders, args=(sock, golden), daemon=True).start()


def _orders(sock: socket.socket, golden: Golden) -> None:
    with sock, sock.makefile("rb") as lines:
        for line in lines:
            golden.obey(json.loads(line), sock)


def end_with_stdin() -> None:
    """End when whoever started us does; the kernel ends us at once should its thread be gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def supervise(serve: Callable[[], None]) -> None:
    """Fork a server, and another as soon as it has ended: what a supervisor does within milliseconds."""
    while True:
        child = os.fork()
        if not child:
            end_with_stdin()
            serve()
        os.waitpid(child, 0)


def main() -> None:
    """The process."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the trials under nohup has it ignored, and so its child
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--orders", required=True)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--most", type=int, default=60, help="tokens of an answer")
    parser.add_argument("--manner", default="", help="how it meets chats: manners.py lists the words")
    parser.add_argument("--leaves", type=float, default=0.0, help="end with status 1 after so many seconds")
    parser.add_argument("--router", action="store_true", help="it says of its model what its child does")
    parser.add_argument("--supervised", action="store_true")
    parser.add_argument("--sleep-idle-seconds", type=int, help="only to be seen in its arguments")
    parser.add_argument("--model", default="golden")
    parser.add_argument("--alias", action="append", default=[])
    parser.add_argument("--build", default="b6000")
    parser.add_argument("--shared", action="store_true", help="others may listen at its port")
    options = parser.parse_args()
    end_with_stdin()

    def serve() -> None:
        golden = Golden(options)
        threading.Thread(target=take_orders, args=(options.orders, golden), daemon=True).start()
        if options.leaves:
            threading.Timer(options.leaves, os._exit, (1,)).start()
        golden.serve()

    if options.supervised:
        supervise(serve)
    serve()


if __name__ == "__main__":
    main()
