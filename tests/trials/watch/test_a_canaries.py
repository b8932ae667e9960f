"""A series of canaries without a success is told, whatever the server says meanwhile; a watch of it is not READY."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Said, Tried, hold
from tests.trials.watch.watched import watching
from tests.trials.watch.written import Written


@dataclass
class Asked:
    """What came to a server so far: its chats, and how many of them it refused."""

    chats: int = 0
    refused: int = 0


Says = Callable[[int], tuple[int, str]]
"""Status and message of the n-th chat; 200 answers."""


@contextmanager
def chatting(says: Says, *, mute_after: int = 10**9, refuses: bytes = b"no such words") -> Iterator[tuple[str, Asked]]:
    """A server that lists a model, is well by its /health until so many chats, and answers chats as it is told."""
    numbers, asked = itertools.count(1), Asked()

    class Handler(Small):
        def get(self) -> None:
            if asked.chats > mute_after and self.path == "/health":
                threading.Event().wait(5)
            self.answer(200, {"status": "ok"} if self.path == "/health" else listed("m"))

        def post(self) -> None:
            refused = refuses in self.asked_for()
            asked.refused += refused
            asked.chats = number = next(numbers)
            status, message = (400, "max_tokens must be at least 2") if refused else says(number)
            if status != 200:
                self.answer(status, {"error": {"message": message, "code": status}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n')
            self.wfile.write(b"data: [DONE]\n\n")

    with serving(Handler) as url:
        yield url, asked


def watched(
    tried: Tried, path: Path, says: Says, must: str = "", *, chats: int = 0, refusals: int = 0, **server: Any
) -> Said:
    """What a watch said until it said what it must, or until there were so many chats; at its end.

    Args:
        refusals: at least so many canaries are refused, or the trial has shown nothing.
    """
    with (
        chatting(says, **server) as (url, asked),
        watching(tried, path, f"--endpoint=a={url}", "--canary=1s", "--wedged=2s") as watch,
    ):
        watch.until(lambda: re.search(must, watch.out), f"it says {must!r}", 40)
        watch.until(lambda: asked.chats >= chats, f"there are {chats} chats", 30)
        assert asked.refused >= refusals, f"the server refused {asked.refused}, not {refusals} or more"
        return watch.end()


def last(said: Said) -> str:
    return said.out.strip().splitlines()[-1]


@pytest.mark.long
def test_errors_from_the_first_canary_on_are_told(tried: Tried, tmp_path: Path) -> None:
    said = watched(tried, tmp_path / "run", lambda _: (500, "generate() failed"), "WEDGED")
    hold(re.search(r"[3-9] canaries: HTTP 500 generate\(\) failed", said.out), "with their reason", said.out)
    hold(said.code == 1, "the exit code is 1", said.code)
    judged = tried.seatrial("judge", str(tmp_path / "run"), path=tmp_path / "run")
    hold("NOT READY" in judged.out and judged.code == 1, "its record is not READY", judged.out)


@pytest.mark.long
def test_a_refusal_is_told_where_canaries_were_answered(tried: Tried, tmp_path: Path) -> None:
    said = watched(
        tried, tmp_path / "run", lambda n: (200, "") if n == 1 else (404, "gone"), "[3-9] canaries: HTTP 404 gone"
    )
    hold(said.code == 1, "the exit code is 1", said.code)


@pytest.mark.long
def test_errors_are_told_while_health_is_silent(tried: Tried, tmp_path: Path) -> None:
    said = watched(
        tried, tmp_path / "run", lambda n: (200, "") if n == 1 else (500, "lost"), "HTTP 500 lost", mute_after=1
    )
    hold(said.code == 1, "the exit code is 1", said.code)


@pytest.mark.long
def test_every_second_canary_that_fails_is_told(tried: Tried, tmp_path: Path) -> None:
    said = watched(
        tried,
        tmp_path / "run",
        lambda n: (500, "half") if n % 2 else (200, ""),
        r"5 of the last (?:9|1[0-9]) canaries failed: HTTP 500 half",
    )
    hold(said.code == 1, "the exit code is 1", said.code)
    hold(said.out.count("WEDGED") == 2, "once, and at the end", said.out)


@pytest.mark.long
def test_the_last_line_counts_the_canaries(tried: Tried, tmp_path: Path) -> None:
    said = watched(tried, tmp_path / "run", lambda n: (200, "") if n < 3 else (503, "later"), chats=5)
    hold(re.search(r"no stop; canaries: 2 of [3-9] answered; exit 0$", last(said)), "it counts them", last(said))


def test_a_record_whose_canaries_were_never_answered_is_not_ready(tried: Tried, tmp_path: Path) -> None:
    said = watched(tried, tmp_path / "run", lambda _: (503, "no available workers"), chats=3)
    hold("no stop" in said.out and said.code == 10, "no stop, and inconclusive", f"{said.code}: {said.out}")
    judged = tried.seatrial("judge", str(tmp_path / "run"), path=tmp_path / "run")
    hold("NOT PROVEN" in judged.out and judged.code == 10, "its record is NOT PROVEN", judged.out)


def test_a_watch_without_canaries_says_that_the_engine_was_not_tested(tried: Tried, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with (
        chatting(lambda _: (200, "")) as (url, _),
        watching(tried, path, f"--endpoint=a={url}", "--canary=off", "--for=3s") as watch,
    ):
        said = watch.ended()
    hold("not tested: the engine" in said.out and said.code == 0, "the watch says so, and ends with 0", said.out)
    judged = tried.seatrial("judge", str(path), path=path)
    hold(re.search(r"not tested +the engine", judged.out) and judged.code == 0, "and so does its record", judged.out)


def test_a_server_that_refuses_one_token_is_asked_for_more(tried: Tried, tmp_path: Path) -> None:
    said = watched(tried, tmp_path / "run", lambda _: (200, ""), chats=4, refusals=1, refuses=b'"max_tokens":1,')
    found = re.search(r"no stop; canaries: ([1-9]) of ([1-9]) answered; exit 0$", last(said))
    hold(found and found[1] == found[2], "all of its canaries are answered", last(said))


def test_a_server_that_refuses_every_canary_is_inconclusive(tried: Tried, tmp_path: Path) -> None:
    said = watched(tried, tmp_path / "run", lambda _: (400, "no"), "the canary cannot ask: HTTP 400")
    hold("no stop" in said.out and said.code == 10, "no stop, and inconclusive", f"{said.code}: {said.out}")


BUSY = {"outcome": "busy", "status": 503, "detail": "no available workers"}


def judged(tried: Tried, path: Path, written: Written) -> Said:
    return tried.seatrial("judge", str(written.to(path)), path=path)


def test_no_worker_for_ever_is_told(tried: Tried, tmp_path: Path) -> None:
    written = Written().right()
    for _ in range(34):
        written.canary(**BUSY)
    said = judged(tried, tmp_path / "run", written)
    hold("WEDGED" in said.out and said.code == 1, "503 for more than five minutes is told", said.out)


def test_who_was_busy_for_two_minutes_is_left_alone_and_later_failures_are_told(tried: Tried, tmp_path: Path) -> None:
    """The twin, and that it is no excuse for what comes after it."""
    written = Written().right()
    for _ in range(12):
        written.canary(**BUSY)
    quiet = judged(tried, tmp_path / "quiet", written.right())
    hold("READY" in quiet.out and quiet.code == 0, "two minutes of 503 are no stop", quiet.out)
    again = Written().right()
    for _ in range(12):
        again.canary(**BUSY)
    for number in range(20):
        again = again.canary(outcome="http_5xx", status=500) if number % 4 == 0 else again.right()
    said = judged(tried, tmp_path / "run", again)
    hold("WEDGED" in said.out and said.code == 1, "five of twenty are told", said.out)


def test_loading_for_ever_is_told(tried: Tried, tmp_path: Path) -> None:
    loading = judged(tried, tmp_path / "quiet", Written(503).seconds(590))
    hold("WEDGED" not in loading.out, "a server may load for ten minutes", loading.out)
    said = judged(tried, tmp_path / "run", Written(503).seconds(615))
    hold("WEDGED" in said.out and said.code == 1, "no server loads for longer", said.out)
