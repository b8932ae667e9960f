"""A server in a process of its own that says that it is well, and does what a trial has it do beside that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WELL = """
import http.server, os, subprocess, sys, threading, time
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["SAYS"]) if self.path == "/health" else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer.allow_reuse_port = "SHARED" in os.environ
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Well)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
"""
RESTS = "\nthreading.Event().wait()\n"
"""It has a pipe for an input; what was done beside may read one line of it."""


@dataclass(frozen=True)
class Well:
    """The server: its process and its port."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, line: str) -> None:
        """A line on its input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


@contextmanager
def well(beside: str = "", *arguments: str, port: int = 0, says: int = 200, shared: bool = False) -> Iterator[Well]:
    """A server that ends with the block, and all processes that it has started.

    Args:
        beside: what it does once it serves, as Python; ``arguments`` are its ``sys.argv[2:]``.
        port: 0: a free one.
        says: the status of its /health; another than 200: it is not well. It stands in its environment: by its text and
            its arguments it is the same program.
        shared: others may listen at its port.
    """
    command = [sys.executable, "-c", WELL + beside + RESTS, str(port), *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "SAYS": str(says), **({"SHARED": "yes"} if shared else {})},
    ) as process:
        assert process.stdout is not None
        try:
            yield Well(process, int(process.stdout.readline()))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
