"""That a process is there again is not that it is back: it is back once it answers, and a crash loop is one story."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.trials.tried import Tried, hold
from tests.trials.watch.watched import watching
from tests.trials.watch.well import well
from tests.trials.watch.written import Written

ENDS = "if os.environ['SAYS'] == '503': time.sleep(1.6); os._exit(1)"
"""What becomes of one that loads. Both are the same program, or the second would be an impostor."""


@contextmanager
def failing(lives: int) -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A server that, once it is told, is killed and started so many times, never to load its model."""
    told, over = threading.Event(), threading.Event()
    with well(ENDS) as first:

        def supervise() -> None:
            told.wait()
            first.process.kill()
            first.process.wait()
            for _ in range(lives):
                with well(ENDS, port=first.port, says=503) as server:
                    server.process.wait()
            over.set()

        threading.Thread(target=supervise, daemon=True).start()
        try:
            yield first.url, told, over
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
        watch.seen_well("a")
        told.set()
        watch.until(over.is_set, "all lives are over")
        watch.until(lambda: len(watch.lines("probe", "a", error="refused")) > 1, "the last end is seen", 20)
        said = watch.end()
    stops = watch.objects("kind", "stop")
    hold(len({stop["id"] for stop in stops}) == 1, "it is one story", said.out)
    hold(stops[-1]["until"] is None and not watch.objects("kind", "over"), "it never was back", said.out)
    hold((stops[-1]["restarts"] or 0) >= 3, "its restarts are counted", said.out)
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
