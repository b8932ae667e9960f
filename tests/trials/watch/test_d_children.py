"""A server of many processes does not fill the disk: of its children the record holds a bounded part."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.waiting import until

MANY = 120
SERVER = """
import http.server, subprocess, sys
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
children = [subprocess.Popen(["sleep", "120"]) for _ in range(int(sys.argv[1]))]
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def manifold() -> Iterator[str]:
    """A server with many children, and its URL."""
    command = [sys.executable, "-c", SERVER, str(MANY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # its children too


def samples(run: Path) -> list[dict[str, int]]:
    """The samples in the record so far."""
    path = run / "watch" / "samples.jsonl"
    text = path.read_bytes() if path.is_file() else b""
    lines = [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
    return [line for line in lines if line.get("kind") == "sample"]


@pytest.mark.long
def test_many_children_are_looked_at_in_turn(tmp_path):
    run = tmp_path / "run"
    with manifold() as url, watching(tried(), run, f"--endpoint=a={url}", "--canary=off", "--json") as watch:
        until(lambda: len({line["pid"] for line in samples(run)}) > MANY, "every process is seen", 40)
        until(lambda: sum("parent" not in line for line in samples(run)) >= 7, "some seconds have passed", 40)
        watch.end()
    all_seen = max(at for pid in {line["pid"] for line in samples(run)}
                   for at in [min(line["t"] for line in samples(run) if line["pid"] == pid)])  # fmt: skip
    later = [line for line in samples(run) if line["t"] > all_seen]
    seconds = sum("parent" not in line for line in later)
    written = len(later) - seconds
    hold(seconds > 2, "it goes on for some seconds", seconds)
    hold(written <= 20 * (seconds + 1), "at most 20 samples of children a second", f"{written} in {seconds} s")
    hold("looked at each second" in watch.out, "and that is said", watch.out[-2000:])
