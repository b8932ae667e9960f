"""The price of a look at a gateway of no known name: found out before its health page is asked again and again."""

from __future__ import annotations

import json
import random
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.processes import Golden
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Said, Tried, hold
from tests.trials.watch.watched import watching

FEW = 4
"""Looks that may be paid before their price is known."""


class Gateway(Small):
    """Hands chats on to the server behind it. What it does for a look is said by whoever derives from it."""

    port: int
    paid: list[str]
    looks: list[str]

    def get(self) -> None:
        if self.path == "/health":
            self.looks.append(self.path)
            self.look()
        elif self.path == "/v1/models":
            self.answer(200, listed("golden"))
        else:
            self.answer(404, {"detail": "Not Found"})

    def look(self) -> None:
        self.answer(200, {"status": "ok"})

    def post(self) -> None:
        said = self.call(self.asked_for())
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(said)

    def call(self, body: bytes) -> bytes:
        """A chat of the server behind it."""
        self.paid.append(self.path)
        url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        sent = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(sent, timeout=20) as answer:
            return bytes(answer.read())

    def pay(self) -> None:
        """The model is called for a look."""
        chat = {"model": "golden", "max_tokens": 1, "messages": [{"role": "user", "content": "Are you well?"}]}
        self.call(json.dumps(chat).encode())


class Pays(Gateway):
    """Its answer bears no mark of what it did."""

    def look(self) -> None:
        self.pay()
        super().look()


class Lists(Gateway):
    """Its answer lists what it called."""

    def look(self) -> None:
        self.pay()
        self.answer(200, {"healthy_endpoints": [{"model": "golden"}], "unhealthy_endpoints": []})


class Slow(Pays):
    """Nothing of what stands behind it can be seen; a call takes its time."""

    def call(self, body: bytes) -> bytes:
        threading.Event().wait(0.2)
        return super().call(body)


@contextmanager
def pair(kind: type[Gateway], folder: Path) -> Iterator[tuple[str, Golden, type[Gateway]]]:
    """A gateway of a kind in front of a server: its URL, the server, and what the gateway counts."""
    server = Golden(folder, random.Random())
    counting = type("Counting", (kind,), {"port": server.port, "paid": [], "looks": []})
    try:
        with serving(counting) as url:
            yield url, server, counting
    finally:
        server.close()


def watched(tried: Tried, folder: Path, url: str, server: Golden, *more: str, behind: bool = True) -> Said:
    """A watch of both, to its end; canaries go to the gateway at its beginning alone."""
    named = [f"--endpoint=gw={url}"]
    if behind:
        named += [f"--endpoint=direct=http://127.0.0.1:{server.port}", "--behind=gw=direct"]
    with watching(tried, folder / "run", *named, "--canary=1h", "--scrape", *more) as watch:
        return watch.ended()


def told(said: Said) -> str:
    """What its last line says."""
    return said.out.splitlines()[-1]


@pytest.mark.parametrize("kind", [Pays, pytest.param(Lists, marks=pytest.mark.long)])
def test_a_gateway_that_pays_for_looks_is_found_out_and_asked_no_more(tried: Tried, tmp_path, kind):
    with pair(kind, tmp_path) as (url, server, counted):
        said = watched(tried, tmp_path, url, server, "--for=40s")
    hold(len(counted.paid) <= FEW + 1, f"{FEW} looks and a canary at most are paid in 40 s", len(counted.paid))
    hold("/health" in told(said) and "not asked any more" in told(said), "the last line says so", told(said))
    hold(said.code == 0, "a gateway that is well is no stop", said.out)


def test_one_whose_answer_lists_what_it_called_needs_no_more_than_one_look(tried: Tried, tmp_path):
    with pair(Lists, tmp_path) as (url, server, counted):
        said = watched(tried, tmp_path, url, server, "--for=6s", "--canary=off", behind=False)
    hold(len(counted.paid) == 1, "one look is paid", len(counted.paid))
    hold("not asked any more" in told(said), "the last line says so", told(said))


@pytest.mark.long
def test_a_look_that_takes_as_long_as_a_chat_is_taken_for_one(tried: Tried, tmp_path):
    with pair(Slow, tmp_path) as (url, server, counted):
        said = watched(tried, tmp_path, url, server, "--for=40s", "--canary=5s", behind=False)
    hold(len(counted.looks) <= 16, "looks end once their time is known", len(counted.looks))
    hold("less time than a chat" in told(said), "the last line says why", told(said))


def test_what_cannot_be_seen_is_said_to_be_unknown(tried: Tried, tmp_path):
    """With --canary=off nothing is asked of the engine behind: nothing tells what a look costs."""
    with pair(Pays, tmp_path) as (url, server, _):
        said = watched(tried, tmp_path, url, server, "--for=5s", "--canary=off")
    hold("GET /health costs is not known" in told(said), "the last line says so", told(said))


@pytest.mark.long
def test_a_look_that_costs_nothing_goes_on_and_nothing_is_said_of_its_price(tried: Tried, tmp_path):
    """The twin: the same gateway, which only looks. It is no trial of an earlier commit."""
    with pair(Gateway, tmp_path) as (url, server, counted):
        said = watched(tried, tmp_path, url, server, "--for=20s")
    hold(len(counted.looks) >= 6, "its health page is asked on", len(counted.looks))
    hold("/health" not in told(said), "nothing is said of its price", told(said))
    hold(said.code == 0, "a gateway that is well is no stop", said.out)
