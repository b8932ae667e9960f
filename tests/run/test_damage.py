"""What a damaged run directory still gives, and what is told of the damage."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from seatrial.records import (
    VERSION,
    Clock,
    Counters,
    Endpoint,
    Event,
    Fact,
    Happening,
    Judgement,
    LoadRow,
    Planned,
    Received,
    RunInfo,
    Sent,
)
from seatrial.records.record import KINDS
from seatrial.records.words import HIGHEST
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.run.lines import SAID, Numbers
from seatrial.run.writer import RunDirError, encode

ENDPOINT = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",))


def info(name: str) -> RunInfo:
    return RunInfo(
        id=name, started="2026-11-24T22:51:03Z", started_ns=1, boot_id="b", arguments=("suites",), versions={}, seed=0
    )


def record(path: Path) -> RunDir:
    """A run of three cases, sealed."""
    run = RunDir.create(path, info(path.name))
    run.write_endpoint(ENDPOINT)
    run.write_planned([Planned(case=f"c{n}", endpoint="e", rule="r", scenario="s", suite="x") for n in range(3)])
    writer = run.writer("main")
    told = {"endpoint": "e", "scenario": "s", "method": "GET", "path": "/models"}
    for n in range(3):
        request, response = writer.store(b"GET"), writer.store(b"answer %d" % n)
        sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
        writer.write("exchanges.jsonl", Received(id=sent.id, **told, request=request, response=response))
        writer.write("judgements.jsonl", Judgement(case=f"c{n}", endpoint="e", rule="r", exchanges={"": sent.id}))
    writer.close()
    keeper = run.watch_writer("keeper")
    lines = json.dumps(last_numbers(path))
    keeper.write("events.jsonl", Event(what=Happening.SEAL, name="keeper", at=1, facts={Fact.LINES: lines}))
    keeper.close()
    return RunDir.open(path)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return record(tmp_path / "one")


def one(run: RunDir, pattern: str) -> Path:
    return next(run.path.glob(pattern))


def change(path: Path, *, keep) -> None:
    path.write_bytes(b"".join(keep(path.read_bytes().splitlines(keepends=True))))


def test_a_whole_run_is_not_damaged(run):
    record, plan = run.whole()
    assert len(record.of(Received)) == len(plan) == 3
    assert run.endpoints() == {"e": ENDPOINT}
    assert [run.exchange_of(line) for line in record.of(Received)] == [(b"GET", b"answer %d" % n, "") for n in range(3)]
    assert (run.damage.told(), run.damage.of_the_record, run.damage.open) == ((), False, False)


@pytest.mark.parametrize(
    ("file", "keep", "told"),
    [
        ("writers/*/exchanges.jsonl", lambda lines: lines[:2] + lines[3:], "1 line(s) that were written are missing"),
        ("writers/*/judgements.jsonl", lambda lines: lines[:-1], "by writer: main 1"),
        ("planned.jsonl", lambda lines: lines[:1], "by writer: plan 2"),
        ("writers/*/exchanges.jsonl", lambda lines: lines * 2, "stand there twice"),
        ("writers/*/exchanges.jsonl", lambda lines: [b"\xff\n", *lines], "1 line(s) unreadable"),
        (
            "writers/*/judgements.jsonl",
            lambda lines: [line.replace(b'"case":"c1"', b'"case":"c2"') for line in lines],
            "judgements.jsonl 1",
        ),
    ],
)
def test_lines_that_are_lost_changed_or_doubled_are_counted(run, file, keep, told):
    change(one(run, file), keep=keep)
    run.whole()
    assert any(told in text for text in run.damage.told()), run.damage.told()


def test_a_line_whose_number_no_writer_comes_to_is_damaged(run):
    line = Judgement(v=VERSION, w="main", n=10**12, t=1, case="c9", endpoint="e", rule="r")
    with one(run, "writers/*/judgements.jsonl").open("ab") as file:
        file.write(sums.signed(encode(line), run.begin) + b"\n")
    record, _ = run.whole()
    assert "c9" not in {line.case for line in record.of(Judgement)}
    assert list(run.damage.lines.values()) == [1]
    assert run.damage.lost == {}


def test_what_is_kept_of_numbers_does_not_grow_with_their_height():
    numbers = Numbers()
    told = [Sent(w="main", n=n, endpoint="e", scenario="s", method="GET", path="/") for n in (1, HIGHEST, 3, HIGHEST)]
    assert [line.n for line in numbers.once(told)] == [1, HIGHEST, 3]
    assert numbers.doubled == 1
    assert numbers.lost({"gw0": 5}) == {"gw0": 5, "main": HIGHEST - 3}


def test_lines_out_of_order_are_whole(run):
    change(one(run, "writers/*/exchanges.jsonl"), keep=lambda lines: lines[::-1])
    assert len(run.whole()[0].of(Received)) == 3
    assert run.damage.told() == ()


def test_lines_of_another_run_are_none_of_this_one(run, tmp_path):
    other = record(tmp_path / "two")
    shutil.copyfile(one(other, "writers/*/judgements.jsonl"), run.path / "writers" / "judgements.jsonl")
    found, _ = run.whole()
    assert len(found.of(Judgement)) == 3
    assert "writers/judgements.jsonl 3" in run.damage.told()[0]
    shutil.copyfile(one(other, "endpoints/e.json"), one(run, "endpoints/e.json"))
    assert run.endpoints() == {}


def test_a_record_without_its_seal_has_no_end(run):
    (run.path / "watch" / "keeper" / "events.jsonl").unlink()
    run.whole()
    assert run.damage.open


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.unlink(), "0 of 3 bytes are there"),
        (lambda path: os.truncate(path, 30), "8 bytes are there"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"answer", b"Answer")), "its bytes were changed"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "0 of 3 bytes are there"),
    ],
)
def test_bytes_that_are_not_those_recorded_are_told(run, spoil, told):
    spoil(one(run, "writers/*/bytes.bin"))
    last = run.whole()[0].of(Received)[-1]
    assert told in run.exchange_of(last)[2]
    assert run.damage.exchanges == {last.id}


def test_bytes_of_a_foreign_writer_of_the_same_name_are_not_taken(run):
    folder = run.path / "writers" / "main-1"
    folder.mkdir()
    (folder / "bytes.bin").write_bytes(b"X" * 100)
    assert run.exchange_of(run.whole()[0].of(Received)[0])[1:] == (b"answer 0", "")


@pytest.mark.parametrize(
    "page",
    [b"", b"\xff", b"[" * 100_000, b'{"id":3}', b'{"id":' + b"9" * 5000 + b"}"],
)
def test_without_a_run_json_there_is_no_run(run, page):
    (run.path / "run.json").write_bytes(page)
    with pytest.raises(RunDirError, match=r"run\.json") as caught:
        RunDir.open(run.path)
    assert "\n" not in str(caught.value)


def test_a_run_json_that_was_changed_is_not_believed(run):
    page = run.path / "run.json"
    page.write_bytes(page.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert "not as it was written" in RunDir.open(run.path).damage.page


def test_a_run_without_sums_is_read_and_its_absurd_lines_are_not(tmp_path):
    run = RunDir.create(tmp_path / "old", info("old"), with_sums=False)
    writer = run.writer("main")
    writer.write("judgements.jsonl", Judgement(case="c", endpoint="e", rule="r"))
    path = one(run, "writers/*/judgements.jsonl")
    good = b'{"kind":"judgement","v":2,"w":"main","n":9,"t":%b,"case":"%b","endpoint":"e","rule":"r"}\n'
    far, named = (b"9" * 400, b"d"), (b"5", rb"\u202ed")
    with path.open("ab") as file:
        file.write(
            b"".join(good % pair for pair in ((b"5", b"d"), far, (b"1e400", b"d"), named)) + b"[" * 90_000 + b"\n"
        )
    read = list(run.lines())
    assert [line.case for line in read if not isinstance(line, Clock)] == ["c", "d"]
    assert run.damage.lines == {f"writers/{path.parent.name}/judgements.jsonl": 4}
    assert b'"crc"' not in path.read_bytes()


@pytest.mark.parametrize(
    ("number", "field", "read"),
    [
        ("9" * 400, "t", False),
        ("1" + "0" * 30, "t", False),
        ("-" + "9" * 40, "deltas", False),
        ("1e300", "t", False),
        ("1795868939699005831", "t", True),
        ("1" + "0" * 30, "tokens", True),
        ("9" * 400, "tokens", False),
    ],
)
def test_a_number_with_which_nobody_can_reckon_is_not_read_though_the_sum_agrees(run, number, field, read):
    path = next(run.path.glob("writers/*/exchanges.jsonl")).with_name("rows.jsonl")
    fields = {"kind": "load", "v": 2, "w": "main", "n": 10, "id": "r", "endpoint": "e", "outcome": "ok"}
    text = (
        json.dumps({**fields, "intended_at": 1, "sent_at": 1, "ended_at": 2, field: 7})
        .replace(": 7", f": {number}")
        .encode()
    )
    path.write_bytes(sums.signed(text, sums.start(run.info.id)) + b"\n")
    assert len(list(run.lines("writers/**/rows.jsonl"))) == read
    assert run.damage.lines.total() == (not read)


def bare(hint):
    """Whether a type lets a number of any size through."""
    if get_origin(hint) is Annotated:
        return False
    return hint in (int, float, Any) or any(map(bare, get_args(hint)))


def test_every_number_of_a_line_is_bounded_or_looked_at():
    fields = {kind: {n for n, h in get_type_hints(kind, include_extras=True).items() if bare(h)} for kind in KINDS}
    counts = {"tokens", "prompt_tokens"}
    wanted = {kind: {"expect"} if kind is Judgement else counts for kind in SAID}
    wanted[Counters] = counts | {"prompt_read"}
    wanted[LoadRow] = counts | {"cached", "drafted", "accepted"}
    assert {kind: found for kind, found in fields.items() if found} == wanted


def test_a_file_without_an_end_is_not_read_to_it(run):
    os.truncate(one(run, "writers/*/exchanges.jsonl"), 100 * 10**9)
    assert len(run.whole()[0].of(Received)) == 3
    assert run.damage.lines.total() == 1


def test_a_sum_is_of_its_line_alone():
    line = sums.signed(b'{"kind":"clock","n":1}', sums.start("r"))
    assert sums.holds(line, sums.start("r"))
    assert not sums.holds(line, sums.start("s"))
    assert not any(
        sums.holds(line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :], sums.start("r"))
        for at in range(len(line))
        for bit in range(8)
    )
    page = sums.signed_page(b'{\n  "a": 1\n}', 7)
    assert json.loads(page)["a"] == 1
    assert (sums.page_holds(page, 7), sums.page_holds(page, 8), sums.page_holds(b'{"a": 1}')) == (True, False, None)
