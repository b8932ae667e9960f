"""That a process is there again is not that it is back: it is back once it answers, and a crash loop is one story."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching
from tests.trials.watch.written import Written

SERVER = """
import http.server, json, os, sys, threading
port, loads = int(sys.argv[1]), sys.argv[2] == "loads"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = {"status": "ok"} if self.path == "/health" else {"object": "list", "data": [{"id": "m"}]}
        body = json.dumps({"error": {"message": "Loading model"}} if loads else ready).encode()
        self.send_response(503 if loads else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
print("up", flush=True)
if loads:
    threading.Timer(1.6, lambda: os._exit(1)).start()
server.serve_forever()
"""


def start(port: int, how: str) -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port), how], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert server.stdout is not None
    server.stdout.readline()
    return server


@contextmanager
def failing(lives: int) -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A server that, once it is told, is killed and started so many times, never to load its model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told, over = threading.Event(), threading.Event()
    first = start(port, "ready")

    def supervise() -> None:
        told.wait()
        first.kill()
        first.wait()
        for _ in range(lives):
            start(port, "loads").wait()
        over.set()

    threading.Thread(target=supervise, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}", told, over
    finally:
        told.set()
        over.wait(60)


@pytest.mark.long
def test_a_crash_loop_is_one_story_live_and_at_the_end(tried: Tried, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with (
        failing(5) as (url, told, over),
        watching(tried, path, f"--endpoint=a={url}", "--canary=off", "--json") as watch,
    ):
        samples = path / "watch" / "samples.jsonl"
        watch.until(lambda: samples.is_file() and samples.read_text().count('"health":200') > 1, "it is seen")
        told.set()
        watch.until(over.is_set, "all lives are over")
        watch.until(lambda: samples.read_text().count('"error":"refused"') > 1, "the last end is seen", 20)
        said = watch.end()
    stops = watch.objects("kind", "stop")
    hold(len({stop["id"] for stop in stops}) == 1, "it is one story", said.out)
    hold(stops[-1]["until"] is None and not watch.objects("kind", "over"), "it never was back", said.out)
    hold(stops[-1].get("restarts", 0) >= 3, "its restarts are counted", said.out)
    judged = tried.seatrial("judge", str(path), path=path)
    hold(judged.out.count("SILENT STOP") == 1 and judged.code == 1, "and so it is in its record", judged.out)


def loop() -> Written:
    """A server that was well, is killed, and is started twelve times; each life loads for two seconds, then ends."""
    written = Written().seconds(8)
    written.died(9)
    for number in range(12):
        written.seconds(1)
        written.found(5000 + number)
        written.health = 503
        written.seconds(2)
        written.died(1 << 8)
    return written.seconds(6)


def test_twelve_restarts_are_one_stop_in_a_record(tried: Tried, tmp_path: Path) -> None:
    path = loop().to(tmp_path / "run")
    judged = tried.seatrial("judge", str(path), path=path)
    hold(judged.out.count("SILENT STOP") == 1, "one stop", judged.out)
    told = re.search(
        r"RESTARTED.* 12 times in 36 s, never ready; each life 2\.0 s, exit 1", " ".join(judged.out.split())
    )
    hold(told, "it tells the story", judged.out)


def test_it_is_back_once_it_answers(tried: Tried, tmp_path: Path) -> None:
    written = Written().seconds(8)
    written.died(9)
    written.seconds(1)
    written.found(5001)
    written.health = 503
    written.seconds(20)
    written.health = 200
    path = written.seconds(5).to(tmp_path / "run")
    judged = tried.seatrial("judge", str(path), path=path)
    said = " ".join(judged.out.split())
    hold(re.search(r"RESTARTED.* back at \S+ after 2[123] s", said), "it is back once /health is well", judged.out)
