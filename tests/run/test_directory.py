"""The run directory: what is written is read back, whatever moment its writer died at."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.records import VERSION, Clock, Endpoint, Judgement, Planned, Record, RunInfo, Sent
from seatrial.run import lines as files
from seatrial.run.directory import RunDir, new_path
from seatrial.run.space import Reserve
from seatrial.run.sums import signed, start
from seatrial.run.writer import RunDirError, Writer

INFO = RunInfo(
    id="r", started="2026-11-24T22:51:03Z", started_ns=1, boot_id="b", arguments=("suites",), versions={}, seed=0
)
SENT = {"endpoint": "e", "scenario": "s", "method": "GET", "path": "/models"}
CLOCKS = {"wall_ns": 0, "boot_ns": 0, "raw_ns": 0}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs" / "one", INFO)


def test_lines_come_back_as_they_were_written_in_order_of_time(run):
    first, second = run.writer("gw0"), run.writer("gw1")
    sent = [w.write("exchanges.jsonl", Sent(endpoint="e", scenario=s, method="GET", path="/models"))
            for w, s in ((first, "a"), (second, "b"), (first, "c"))]  # fmt: skip
    read = [line for line in run.in_time() if isinstance(line, Sent)]
    assert read == sent
    assert [line.scenario for line in read] == ["a", "b", "c"]
    assert {(line.v, line.w) for line in read} == {(VERSION, "gw0"), (VERSION, "gw1")}


def test_bytes_come_back_by_writer_and_span(run):
    writer = run.writer("main")
    spans = [writer.store(content) for content in (b"first", b"", b"second")]
    assert [run.bytes_of("main", span) for span in spans] == [b"first", b"", b"second"]
    assert run.bytes_of("nobody", (0, 4)) == b""


def test_past_its_byte_budget_a_writer_stores_no_more_and_says_so(tmp_path):
    writer = Writer(tmp_path / "w", "main", budget=10)
    assert writer.store(b"12345678") == (0, 8)
    assert writer.store(b"123") is None
    assert writer.store(b"12") == (8, 2)


def test_a_line_for_which_there_is_no_room_leaves_the_file_as_it_was(run):
    writer = run.writer("main")
    writer.write("judgements.jsonl", Judgement(case="first", endpoint="e", rule="r"))
    kept = writer.store(b"first")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (next(run.path.glob("writers/*/*.jsonl")).stat().st_size + 40, limits[1]))
    try:
        with pytest.raises(RunDirError, match="cannot write"):
            writer.write("judgements.jsonl", Judgement(case="second", endpoint="e", rule="r"))
        with pytest.raises(RunDirError, match="cannot write"):
            writer.store(b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    after = writer.store(b"third")
    writer.write("judgements.jsonl", Judgement(case="third", endpoint="e", rule="r"))
    assert [line.case for line in run.in_time() if isinstance(line, Judgement)] == ["first", "third"]
    assert [run.bytes_of("main", span) for span in (kept, after)] == [b"first", b"third"]
    assert not run.damage.lines


def test_space_is_held_back_until_it_is_let_go(tmp_path):
    spare = Reserve(tmp_path / "spare", 1 << 20)
    assert (tmp_path / "spare").stat().st_blocks * 512 >= 1 << 20
    assert (spare.release(), spare.release()) == (True, False)
    assert not list(tmp_path.iterdir())
    assert not Reserve(tmp_path / "nowhere" / "spare").held


def test_a_torn_last_line_and_an_unknown_kind_are_left_out_and_counted(run):
    writer = run.writer("main")
    writer.write("judgements.jsonl", Judgement(case="c", endpoint="e", rule="r"))
    path = next(run.path.glob("writers/*/judgements.jsonl"))
    with path.open("ab") as file:
        file.write(signed(b'{"kind":"of-tomorrow","v":1}', start(INFO.id)) + b'\n{"kind":"judgement","v":1,"w":"main"')
    assert [type(line).__name__ for line in run.lines("writers/*/judgements.jsonl")] == ["Clock", "Judgement"]
    assert (run.unread.unknown, run.unread.torn) == (1, 1)


def test_of_a_long_file_all_that_can_be_read_is_read(run, monkeypatch):
    monkeypatch.setattr(files, "BLOCK", 256)  # lines straddle its ends
    writer = run.writer("main")
    names = [f"c{n}" for n in range(60)]
    for name in names:
        writer.write("judgements.jsonl", Judgement(case=name, endpoint="e", rule="r"))
    path = next(run.path.glob("writers/*/judgements.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:30], b"\xff\n", *lines[30:31], b"{}\n", *lines[31:]]))
    assert [line.case for line in run.in_time().of(Judgement)] == names
    assert (run.unread.unknown, run.unread.torn) == (0, 0)
    assert list(run.damage.lines.values()) == [2]


def test_a_record_stands_in_order_of_time_and_knows_its_kinds():
    record = Record([Sent(n=1, t=5, **SENT), Clock(t=7, **CLOCKS), Sent(n=2, t=3, **SENT), Clock(t=1, **CLOCKS)])
    assert [line.t for line in record] == [1, 3, 5, 7]
    assert [line.n for line in record.of(Sent)] == [2, 1]
    assert (len(record), record[0].t, record.end, [line.t for line in record[1:3]]) == (4, 1, 7, [3, 5])
    assert (list(record.of(Judgement)), Record().end) == ([], 0)


WRITER = """
import sys
from pathlib import Path
from seatrial.records import Sent
from seatrial.run.directory import RunDir

writer = RunDir.open(Path(sys.argv[1])).writer("gw0")
while True:
    span = writer.store(b"x" * 100)
    assert span
    writer.write("exchanges.jsonl", Sent(endpoint="e", scenario="s", method="P", path="/", request=span))
"""


def test_a_writer_killed_at_any_moment_leaves_no_line_without_its_bytes(run):
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(run.path)])
        written = run.path / "writers" / f"gw0-{process.pid}" / "exchanges.jsonl"
        while process.poll() is None and not (written.is_file() and written.stat().st_size > 5000):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    for folder in run.path.glob("writers/*"):
        size = (folder / "bytes.bin").stat().st_size
        lines = [x for x in run.lines(f"writers/{folder.name}/exchanges.jsonl") if isinstance(x, Sent)]
        assert lines
        assert all(sum(line.request) <= size for line in lines)


def test_latest_points_to_the_newest_run(run):
    run.publish()
    RunDir.create(run.path.parent / "two", INFO).publish()
    assert RunDir.open(run.path.parent / "latest").path == (run.path.parent / "two").resolve()


def test_endpoints_and_the_plan_come_back(run):
    endpoint = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",))
    plan = Planned(case="a/b[c]@e", endpoint="e", rule="a/b", scenario="c", suite="conformance")
    run.write_endpoint(endpoint)
    run.write_planned([plan])
    assert run.endpoints() == {"e": endpoint}
    assert [line.case for line in run.planned()] == ["a/b[c]@e"]


def test_what_cannot_be_written_is_one_line_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirError, match="name another with --run-dir"):
        RunDir.create(tmp_path / "file" / "run", INFO)


def test_a_full_disk_is_one_line(tmp_path):
    writer = Writer(tmp_path / "w", "main", {"exchanges.jsonl": Path("/dev/full")})
    with pytest.raises(RunDirError, match="free space"):
        writer.write("exchanges.jsonl", Judgement(case="c", endpoint="e", rule="r"))


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(RunDirError, match=r"no run\.json"):
        RunDir.open(tmp_path)


def test_names_of_runs_sort_by_time(tmp_path):
    assert new_path(tmp_path).name[8] == "T"
