"""Memory that grew before a death is told, and who may have killed for it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.waiting import until

GROWS = """
import http.server, sys, threading, time
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.readline()
kept = []
for _ in range(12):
    kept.append(b"x" * (40 << 20)); time.sleep(0.3)
sys.stdin.read()
"""
MOST = 450 << 20
"""Bytes at which it is killed."""


@contextlib.contextmanager
def growing() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server whose memory grows when it is told so by a line."""
    command = [sys.executable, "-c", GROWS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}", server
        finally:
            server.kill()


def used(path: Path) -> list[int]:
    """The memory of each sample in the record so far, bytes."""
    samples = path / "watch" / "samples.jsonl"
    text = samples.read_bytes() if samples.is_file() else b""
    lines = [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
    return [line["memory"] for line in lines if line.get("kind") == "sample" and "memory" in line]


@pytest.mark.long
def test_memory_that_grew_before_a_death_is_told(tmp_path):
    run = tmp_path / "run"
    with growing() as (url, server), watching(tried(), run, f"--endpoint=a={url}", "--canary=off", "--json") as watch:
        until(lambda: len(used(run)) > 2, "it is sampled", 30)
        assert server.stdin is not None
        server.stdin.write("\n")
        server.stdin.flush()
        until(lambda: max(used(run)) > MOST, "its memory is seen to grow", 30)
        server.kill()
        watch.until(lambda: watch.objects("verdict", "STOPPED"), "its end is told")
        watch.end()
    (stop,) = watch.objects("verdict", "STOPPED")
    hold(any("memory grew from" in text for text in stop["evidence"]), "it is told that its memory grew", stop)
    hold(any("systemd-oomd, earlyoom" in text for text in stop["hypotheses"]), "who may have killed for it", stop)
    hold(stop["cause"].startswith("UNKNOWN"), "and none of them is named as the cause", stop)
