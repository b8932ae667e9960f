"""The progress line, from files as a load and a recorder write them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import structs

from seatrial.records import SECOND, Clock, Event, Gpu, Line, LoadRow, LogRate, Phase, Sample, Sent
from seatrial.run.writer import Writer, encode
from seatrial.trial.progress import Progress, clock


def sent() -> Sent:
    return Sent(endpoint="8080", scenario="soak/closed", method="POST", path="/chat/completions", load=True)


def row(word: str, wait_s: float = 0.25) -> LoadRow:
    first = 10 * SECOND + int(wait_s * SECOND)
    return LoadRow(
        id="load1-1", endpoint="8080", outcome=word, intended_at=10 * SECOND, sent_at=10 * SECOND, ended_at=12 * SECOND,
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
    assert progress.line(6 * SECOND) == "soak 8080  00:01 of 01:00  3 in flight  no answer yet  lost 0  not watched"
    writer.write("rows.jsonl", phase("closed", n="1 of 1"))
    for word, wait in (("ok", 0.25), ("no_terminator", 0.5)):
        writer.write("rows.jsonl", row(word, wait))
    line = progress.line(46 * SECOND)
    begins, ends = "soak 8080  00:41 of 01:00  1 in flight  TTFT p50 0.25 p99 0.50 s", "lost 1  disowned 50.0 %"
    assert line == f"{begins}  40 tok/s a stream  {ends}  not watched"
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
            assert ("lost 0  444 MB" in progress.line(2 * SECOND)) == shows
    watch.close()
    load.close()


def watch_line(folder: Path, *lines: tuple[float, Line]) -> str:
    """The line of a soak of eight users, of what a recorder wrote at these seconds."""
    samples = folder / "watch" / "samples.jsonl"
    samples.parent.mkdir(parents=True)
    (folder / "load").mkdir()
    stamped = [structs.replace(line, w="recorder", n=n, t=int(t * SECOND)) for n, (t, line) in enumerate(lines, 1)]
    samples.write_bytes(b"".join(encode(line) + b"\n" for line in stamped))
    start = Phase(endpoint="8080", what="start", at=SECOND, facts={"users": "8", "slots": "8"})
    (folder / "load" / "load1.jsonl").write_bytes(encode(start) + b"\n")
    with closing(Progress(folder, "8080", "load1", 7, 28800)) as progress:
        return progress.line(3600 * SECOND)


CLOCK = Clock(wall_ns=0, boot_ns=0, raw_ns=0)


def held(memory: int) -> Sample:
    return Sample(name="8080", pid=7, incarnation="i", memory=memory)


def test_growth_is_shown_by_the_hour_once_ten_minutes_show_it(tmp_path: Path) -> None:
    grows = [(60.0 * n, held(17_000_000_000 + n * 5_000_000)) for n in range(30)]
    assert "  17.1 GB +0.3/h  no GPU told  no log told  stops 0" in watch_line(tmp_path / "a", (0, CLOCK), *grows)
    assert "  17.0 GB  no GPU told" in watch_line(tmp_path / "b", (0, CLOCK), *grows[:9])
    rests = [(60.0 * n, held(444_000_000)) for n in range(90)]
    assert "  444 MB +0/h  no GPU told" in watch_line(tmp_path / "c", (0, CLOCK), *rests)


def test_the_whole_line_of_a_night(tmp_path: Path) -> None:
    cards = [(90.0, Gpu(index=n, uuid=f"G{n}", busy=busy)) for n, busy in enumerate((44, 3))]
    told = LogRate(name="8080", file="log", since=30 * SECOND, lines=180, size=9000)
    line = watch_line(tmp_path, (0, CLOCK), (89, held(10**9)), *cards, (90, told), (91, CLOCK))
    assert line.startswith("soak 8080  00:59:59 of 08:00:00  0 of 8 in flight  no answer yet  lost 0  1.0 GB")
    assert line.endswith("  GPU 44 %  log 3/s  stops 0")


def test_what_was_told_long_ago_is_not_of_now(tmp_path: Path) -> None:
    told = LogRate(name="8080", file="log", since=30 * SECOND, lines=180, size=9000)
    card = Gpu(index=0, uuid="G", busy=44)
    line = watch_line(tmp_path, (0, CLOCK), (90, card), (90, told), (190, CLOCK))
    assert line.endswith("lost 0  no memory told  no GPU told  no log told  stops 0")


def test_a_stop_is_counted_once_and_only_of_this_endpoint(tmp_path: Path) -> None:
    def event(what: str, t: float, name: str = "8080", **more: Any) -> tuple[float, Line]:
        return t, Event(what=what, name=name, at=int(t * SECOND), pid=7, incarnation=f"i-{name}", **more)

    lines = [
        (0.5, CLOCK), event("found", 1), event("found", 1, "9090"),
        event("exit", 5, status=9, signalled_at=5 * SECOND, source="pidfd-info"),
        *((float(t), CLOCK) for t in range(6, 200)),
    ]  # fmt: skip
    assert watch_line(tmp_path / "a", *lines).endswith("stops 1")
    others = [(t, structs.replace(line, name="9090") if isinstance(line, Event) else line) for t, line in lines]
    assert watch_line(tmp_path / "b", *others).endswith("stops 0")


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
