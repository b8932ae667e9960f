"""Bytes that are not to be kept leave the record, and the record stays one that can be read."""

from __future__ import annotations

from seatrial.records import Received, Sent
from seatrial.run.about import run_info
from seatrial.run.directory import RunDir
from seatrial.run.privacy import forget


def recorded(path):
    """A run of three answered exchanges and one that was never answered; their ids."""
    run = RunDir.create(path / "run", run_info("r", arguments=()))
    writer = run.writer("main")
    names = []
    for number in range(4):
        told = {"endpoint": "e", "scenario": "s", "method": "POST", "path": "/x"}
        request = writer.store(b"ask%d" % number)
        sent = writer.write("exchanges.jsonl", Sent(request=request, **told))
        names.append(sent.id)
        if number < 3:
            response = writer.store(b"say%d" % number)
            line = Received(id=sent.id, request=request, response=response, **told)
            writer.write("exchanges.jsonl", line)
    writer.close()
    return RunDir.open(run.path), names


def stored(run):
    (store,) = run.path.glob("writers/*/bytes.bin")
    return store.read_bytes()


def test_what_is_kept_is_kept_at_its_place_and_nothing_else_is(tmp_path):
    run, names = recorded(tmp_path)
    assert forget(run, {names[1]}) == 2
    lines = {line.id: line for line in run.lines() if isinstance(line, Received)}
    kept, gone = lines[names[1]], lines[names[0]]
    assert run.bytes_of("main", kept.request) + run.bytes_of("main", kept.response) == b"ask1say1"
    assert not kept.dropped
    assert gone.dropped
    assert (gone.request, gone.response) == ((0, 0), (0, 0))
    assert stored(run).replace(b"\0", b"") == b"ask1say1ask3"


def test_what_was_never_answered_keeps_its_request(tmp_path):
    run, names = recorded(tmp_path)
    forget(run, set())
    unanswered = next(line for line in run.lines() if isinstance(line, Sent) and line.id == names[3])
    assert run.bytes_of("main", unanswered.request) == b"ask3"


def test_lines_that_cannot_be_read_stay_as_they_are_and_twice_is_once(tmp_path):
    run, names = recorded(tmp_path)
    (lines,) = run.path.glob("writers/*/exchanges.jsonl")
    with lines.open("ab") as file:
        file.write(b'{"kind": "of tomorrow"}\n{"torn": ')
    forget(run, {names[2]})
    first = lines.read_bytes()
    assert first.endswith(b'{"kind": "of tomorrow"}\n{"torn": ')
    assert forget(run, {names[2]}) == 2
    assert lines.read_bytes() == first
    assert b"say2" in stored(run)


def test_a_store_that_is_a_link_is_left_alone(tmp_path):
    run, _ = recorded(tmp_path)
    (store,) = run.path.glob("writers/*/bytes.bin")
    elsewhere = tmp_path / "elsewhere"
    store.rename(elsewhere)
    store.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert forget(run, set()) == 0
    assert elsewhere.read_bytes() == before
