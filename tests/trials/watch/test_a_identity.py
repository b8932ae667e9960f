"""After a restart another model is told and is no READY, and so are two servers at one port; the same ones are not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching
from tests.trials.watch.well import Well, well
from tests.trials.watch.written import Written

OFFERS = """
def get(self):
    import json
    pages = {"/health": {}, "/v1/models": {"object": "list", "data": [{"id": name} for name in sys.argv[2].split(",")]}}
    body = json.dumps(pages.get(self.path, {})).encode()
    self.send_response(200 if self.path in pages else 404)
    self.send_header("Content-Length", str(len(body)))
    self.end_headers()
    self.wfile.write(body)
def post(self):
    self.rfile.read(int(self.headers["Content-Length"]))
    self.send_response(200)
    self.send_header("Content-Type", "text/event-stream")
    self.end_headers()
    said = '{"choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":%s}]}'
    for reason in "null", '"length"':
        self.wfile.write(f"data: {said % reason}\\n\\n".encode())
    self.wfile.write(b"data: [DONE]\\n\\n")
Well.do_GET, Well.do_POST = get, post
"""
"""It lists the models that its arguments name, and answers a chat."""
WORKERS = """
import signal
for number in range(2):
    if not os.fork():
        signal.alarm(120)
        http.server.ThreadingHTTPServer(("127.0.0.1", server.server_port), Well).serve_forever()
"""
"""Two workers of its own, each with a LISTEN socket at its port."""


@contextmanager
def lives(*models: str) -> Iterator[Iterator[Well]]:
    """A server at one port, in one life after another, each with its models; each is ended in order for the next."""

    def starts() -> Iterator[Well]:
        port = 0
        for each in models:
            with well(OFFERS, each, port=port) as server:
                port = server.port
                yield server
                server.process.terminate()
                server.process.wait()

    each = starts()
    try:
        yield each
    finally:
        each.close()  # type: ignore[attr-defined]


@pytest.mark.long
def test_another_model_after_a_restart_is_told_live_and_in_the_record(tried: Tried, tmp_path: Path) -> None:
    """The first restart brings the same models in another order, the second one others."""
    path = tmp_path / "run"
    with lives("qwen-7b,phi", "phi,qwen-7b", "phi,qwen-1b") as each:
        first = next(each)
        with watching(tried, path, f"--endpoint=a={first.url}", "--model=qwen-7b", "--json") as watch:
            watch.seen_well("a")
            for server in each:
                pid = server.process.pid
                watch.until(
                    lambda pid=pid: len(watch.lines("probe", "a", owner=pid, health=200)) > 7, "the next one is seen"
                )
            said = watch.end()
    told = [each for each in watch.objects("kind", "stop") if each["verdict"] == "OTHER MODEL"]
    hold(len(told) == 1 and told[0]["until"] is None, "another model is told, once, and lasts", said.out)
    judged = tried.seatrial("judge", str(path), path=path)
    words = " ".join(judged.out.split())
    hold("it listed qwen-7b, and lists phi, qwen-1b since its restart" in words, "with the names", judged.out)


def maintained(*models: str) -> Written:
    """A record of an announced restart, before and after which the server says what it serves."""
    written = Written().seconds(8)
    for number, name in enumerate(models):
        if number:
            written.event(what="planned-stop")
            written.died(15)
            written.seconds(1)
            written.found(5000 + number)
        written.seconds(4)
        offered: list[dict[str, Any]] = [{"id": each} for each in name.split(",")]
        written.identity(models=offered)
        written.seconds(12)
    return written


def test_an_announced_restart_does_not_excuse_another_model(tried: Tried, tmp_path: Path) -> None:
    path = maintained("qwen-7b", "qwen-1b").to(tmp_path / "run")
    judged = tried.seatrial("judge", str(path), path=path)
    hold(judged.code == 1 and "NOT READY" in judged.out, "no READY, by what was said of its model", judged.out)
    same = maintained("qwen-7b,phi", "phi,qwen-7b").to(tmp_path / "same")
    judged = tried.seatrial("judge", str(same), path=same)
    hold(judged.code == 0, "the same models in another order are nothing", judged.out)


@pytest.mark.long
def test_two_servers_at_one_port_are_told_and_workers_of_one_are_not(tried: Tried, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with well(shared=True) as old, well(WORKERS, shared=True) as family:
        apart = time.monotonic() + 2.5  # those that one parent starts together may share a port by right
        endpoints = [f"--endpoint=a={old.url}", f"--endpoint=b={family.url}"]
        with watching(tried, path, *endpoints, "--canary=off", "--json") as watch:
            watch.seen_well("a", "b")
            watch.until(lambda: time.monotonic() > apart, "it goes on meanwhile", 5)
            with well("", "new", port=old.port, shared=True):
                watch.until(lambda: watch.objects("verdict", "TWO OWNERS"), "two servers at one port are told", 45)
            watch.until(lambda: watch.objects("kind", "over"), "and that one of them is gone", 20)
            said = watch.end()
    names = {each["name"] for each in watch.objects("kind", "stop")}
    hold(names == {"a"} and said.code == 1, "workers of one server are none", said.out)
    judged = tried.seatrial("judge", str(path), path=path)
    hold(judged.code == 1 and "TWO OWNERS" in judged.out, "and so it is in the record", judged.out)
