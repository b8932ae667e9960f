"""A golden process: a small server in llama.cpp's manner, right until it is told to fail.

A script of its own, run without site packages so that it starts in a tenth of a second. It is steered over a Unix
socket that the detector never sees: one JSON order a line; the reply says when the order was carried out (``at``,
monotonic ns). It lives no longer than its standard input.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from engine import Engine  # beside this script
from http1 import Gone, Peer, listen
from manners import Manner, hang, said
from orders import Orders, take_orders

STACK = 512 * 1024
"""Of each thread, in bytes: one whose memory is nearly used up still takes orders."""


class Golden(Orders):
    """The server."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self.options = options
        self.engine = Engine(options.slots)
        self.manner = Manner(options.manner)
        self.listener = listen(options.port, shared=options.shared)
        self.listening = True

    def serve(self) -> None:
        """Accept for ever; a listener that was closed leaves the process alive."""
        print(json.dumps({"port": self.listener.getsockname()[1], "pid": os.getpid()}), flush=True)
        while self.listening:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                continue
            try:
                threading.Thread(target=self._connection, args=(sock,), daemon=True).start()
            except RuntimeError:  # no memory is left for it
                sock.close()
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


def _chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "golden", **fields}


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    chunk = _chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


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
    threading.stack_size(STACK)
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
