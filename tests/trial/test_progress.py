"""The progress line, from files as a load and a recorder write them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from seatrial.records import SECOND, LoadRow, Phase, Sample, Sent
from seatrial.run.writer import Writer
from seatrial.trial.progress import Progress, clock


def sent() -> Sent:
    return Sent(endpoint="8080", scenario="soak/closed", method="POST", path="/chat/completions", load=True)


def row(word: str, wait_s: float = 0.25) -> LoadRow:
    first = 10 * SECOND + int(wait_s * SECOND)
    return LoadRow(
        id="load1-1", endpoint="8080", outcome=word, intended_at=0, sent_at=10 * SECOND, ended_at=12 * SECOND,
        first_at=first, last_at=first + SECOND, tokens=41, deltas=41, status=200,
    )  # fmt: skip


def phase(name: str, **facts: str) -> Phase:
    return Phase(endpoint="8080", what="phase", at=5 * SECOND, name=name, sort=name, facts=facts)


def test_it_grows_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    progress = Progress(tmp_path, "8080", "load1", 7, 60)
    assert progress.line(0) == "soak 8080  starting"
    writer = Writer(tmp_path / "writers" / "load1-7", "load1", {"rows.jsonl": tmp_path / "load" / "load1.jsonl"})
    writer.write("rows.jsonl", Phase(endpoint="8080", what="start", at=5 * SECOND))
    for _ in range(3):
        writer.write("exchanges.jsonl", sent())
    assert progress.line(6 * SECOND) == "soak 8080  00:01 of 01:00  3 in flight  no answer yet  lost 0"
    writer.write("rows.jsonl", phase("closed", n="1 of 1"))
    for word, wait in (("ok", 0.25), ("no_terminator", 0.5)):
        writer.write("rows.jsonl", row(word, wait))
    line = progress.line(46 * SECOND)
    assert line == "soak 8080  00:41 of 01:00  1 in flight  TTFT p50 0.25 p99 0.50 s  40 tok/s a stream  lost 1"
    writer.write("rows.jsonl", phase("open", n="4 of 6", rps="1.3"))
    assert progress.line(46 * SECOND).startswith("soak 8080  00:41 of 01:00  open 1.3/s (phase 4 of 6)  1 in flight")
    writer.close()
    progress.close()


def test_memory_is_that_of_all_processes_of_the_endpoint_last_seen(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    watch = Writer(tmp_path / "watch", "recorder")
    for name, pid, memory in (("8080", 1, 400_000_000), ("8080", 2, 44_000_000), ("9090", 3, 10**9), ("8080", 4, None)):
        watch.write("samples.jsonl", Sample(name=name, pid=pid, incarnation="i", memory=memory))
    load = Writer(tmp_path / "writers" / "load1-7", "load1", {"rows.jsonl": tmp_path / "load" / "load1.jsonl"})
    load.write("rows.jsonl", Phase(endpoint="8080", what="start", at=SECOND))
    for name, shows in (("8080", True), ("7070", False)):
        with closing(Progress(tmp_path, name, "load1", 7, 60)) as progress:
            assert progress.line(2 * SECOND).endswith("lost 0  444 MB" if shows else "lost 0")
    watch.close()
    load.close()


def test_torn_lines_wait_for_their_end(tmp_path: Path) -> None:
    rows = tmp_path / "load" / "load1.jsonl"
    rows.parent.mkdir()
    progress = Progress(tmp_path, "8080", "load1", 7, 60)
    rows.write_bytes(b'{"kind":"phase","v":1,"endpoint":"8080","wha')
    assert progress.line(0).endswith("starting")
    with rows.open("ab") as file:
        file.write(b't":"start","at":5}\nnonsense\n')
    assert "00:01 of" in progress.line(SECOND + 5)
    progress.close()


def test_hours_are_shown_where_they_are_needed() -> None:
    assert (clock(2530, 28800), clock(2530, 3000)) == ("00:42:10", "42:10")
