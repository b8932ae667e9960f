"""A watch harms nobody: where a server drops whom it serves when it is asked, it is asked no more while it serves."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.faults.pace import pace
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching

TICK_S = 0.05


class Engine:
    """What all requests of a server share: whose turn it is."""

    def __init__(self) -> None:
        self.turn = 0

    def begin(self) -> int:
        self.turn += 1
        return self.turn


def server(engine: Engine) -> type[Small]:
    """A server that ends the stream it sends when another chat or a list of models is asked for."""

    class Server(Small):
        def get(self) -> None:
            if self.path == "/v1/models":
                engine.begin()
                self.answer(200, listed("m"))
            else:
                self.answer(200 if self.path == "/health" else 404, {})

        def post(self) -> None:
            tokens = int(json.loads(self.asked_for()).get("max_tokens", 1))
            mine = engine.begin()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for _ in range(tokens):
                if engine.turn != mine:
                    break
                piece = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                pace(TICK_S)
            else:
                end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
                self.wfile.write(f"data: {json.dumps(end)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

    return Server


@contextmanager
def user(url: str, tokens: int) -> Iterator[list[bool]]:
    """Somebody whose streams follow each other until the block ends; of each, whether it came to its end."""
    whole: list[bool] = []
    over = threading.Event()
    place = urlsplit(url).netloc

    def stream() -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection(place, timeout=30)
            connection.request("POST", "/v1/chat/completions", json.dumps({"max_tokens": tokens, "stream": True}))
            whole.append(b'"stop"' in connection.getresponse().read())
            connection.close()

    thread = threading.Thread(target=stream, daemon=True)
    thread.start()
    try:
        yield whole
    finally:
        over.set()
        thread.join(30)


@pytest.mark.long
def test_of_one_users_streams_at_most_two_are_cut_and_that_is_said(tried: Tried, tmp_path):
    engine = Engine()
    with serving(server(engine)) as url, user(url, round(3 / TICK_S)) as whole:
        with watching(tried, tmp_path / "run", f"--endpoint=one={url}", "--for=40s", "--canary=2s") as watch:
            said = watch.ended()
        cut = whole.count(False)
    hold(len(whole) >= 5, "the user was served while it was watched", whole)
    hold(cut <= 2, "at most two of the user's streams are cut, start-up questions counted", f"{cut} cut: {whole}")
    hold("one request at a time" in said.out, "it is said why nothing more is asked", said.out)
