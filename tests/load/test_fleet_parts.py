"""Shares, clocks and batches of a load over several processes, without one."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from load.fleet import outbox as outboxes
from load.fleet.clocks import WINDOW_NS, ClockOffset
from load.fleet.inbox import KINDS, TIMES, Inbox, RefusedError, aligned
from load.fleet.messages import Ack, Batch, FilePart, Welcome
from load.fleet.outbox import MOST_BYTES, FolderWriter, Outbox
from load.fleet.share import ALONE, LoadShare
from load.fleet.worker import sound
from load.record import RowWriter, row_of
from seatrial.given import workload
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, Judgement, Line, LoadRow, PhaseSort, Received, RunInfo, Sent, SoakRun
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.writer import encode
from seatrial.wire.masking.mask import Unseen
from seatrial.wire.transports.load import Stream
from tests.load.simulated import ENDPOINT, Queue

# shares


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_the_parts_of_all_workers_are_the_whole(of: int) -> None:
    shares = [LoadShare(index, of) for index in range(of)]
    times = [Random(3).random() * n for n in range(100)]
    assert sorted(at for share in shares for at in share.arrivals(times)) == sorted(times)
    for users in (0, 1, of - 1, of, 40, 41):
        assert sum(share.users(users) for share in shares) == users
    for lanes in (1, 2, 4, 7, 12):
        numbers = [share.number(own, lanes) for share in shares for own in range(500)]
        assert len(set(numbers)) == len(numbers)
        assert set(range(100)) <= set(numbers)


def test_one_process_has_all_of_it() -> None:
    assert [ALONE.number(n, lanes) for lanes in (1, 4) for n in range(6)] == [*range(6)] * 2
    assert list(ALONE.arrivals([1.0, 2.0])) == [1.0, 2.0]


def test_a_conversation_stays_with_one_worker() -> None:
    lanes, turns = 8, 6
    for index in range(3):
        mine = {LoadShare(index, 3).number(own, lanes) % lanes for own in range(lanes * turns)}
        assert {lane % 3 for lane in mine} == {index}


# clocks


@pytest.mark.parametrize("shift_s", [0, 3600, -3600])
def test_the_other_clock_lies_within_the_stated_error_whichever_way_takes_longer(shift_s: int) -> None:
    draw, shift = Random(shift_s), shift_s * SECOND
    clock, now = ClockOffset(), 10**13
    for _ in range(200):
        there, work, back = (draw.randrange(50_000, 30_000_000) for _ in range(3))
        clock.exchange(now, now + there + shift, now + there + work + shift, now + there + work + back)
        offset, error = clock.found
        assert abs(offset - shift) <= error
        now += SECOND // 4
    assert clock.found[1] < 15_000_000  # the shortest of many, of up to 60 ms; and what clocks drift in 5 s


def test_clocks_that_drift_apart_stay_within_the_stated_error() -> None:
    draw, clock, start = Random(1), ClockOffset(), 10**13
    for second in range(3600):
        now = start + second * SECOND

        def theirs(at: int) -> int:
            return at + 3600 * SECOND + round((at - start) * 990e-6)  # both slewed, apart from each other

        there, back = draw.randrange(100_000, 2_000_000), draw.randrange(100_000, 2_000_000)
        clock.exchange(now, theirs(now + there), theirs(now + there), now + there + back)
        offset, error = clock.found
        assert abs(offset - (theirs(now) - now)) <= error


def test_what_was_found_is_kept_for_a_while() -> None:
    draw, clock, found = Random(1), ClockOffset(), set()
    for second in range(600):
        now, there = second * SECOND, draw.randrange(100_000, 2_000_000)
        clock.exchange(now, now + there, now + there, now + there + draw.randrange(100_000, 2_000_000))
        found.add(clock.found)
    assert len(found) < 130


def test_a_worker_that_ships_nothing_remembers_nothing(tmp_path: Path) -> None:
    for ships in (False, True):
        writer = FolderWriter(a_run(tmp_path / str(ships)), "load1w1", ships=ships)
        requests(writer, 10)
        assert bool(writer.due) == ships


def test_workers_share_the_bytes_that_a_load_may_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "LOAD_BYTES", 100)
    for of, kept in ((1, True), (2, False)):
        writer = FolderWriter(a_run(tmp_path / str(of)), "load1w1", ships=False, of=of)
        assert (writer.store(b"x" * 60) is not None) == kept


def test_an_old_round_trip_is_not_believed_for_ever() -> None:
    clock = ClockOffset()
    assert not clock.known
    clock.exchange(0, 100, 100, 200)
    late = WINDOW_NS + 10**9
    clock.exchange(late, late + 5_000_000, late + 5_000_000, late + 10_000_000)
    assert clock.found[1] > 1_000_000


# what is shipped


@pytest.fixture
def master(tmp_path: Path) -> RunDir:
    return a_run(tmp_path / "master")


def a_run(path: Path) -> RunDir:
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    return RunDir.open(RunDir.create(path, info).path)


class Gaps(list[tuple[str, int, int]]):
    def __call__(self, name: str, first: int, last: int) -> None:
        self.append((name, first, last))


def requests(writer: FolderWriter, how_many: int, *, size: int = 40) -> None:
    recorder = RowWriter(writer, "8080", seed=1)
    for n in range(how_many):
        name = recorder.begin()
        s = Stream(
            sent_at=n + 1,
            ended_at=n + 2,
            first_at=n + 2,
            content_at=n + 2,
            sent=Unseen(b"ask"),
            came=Unseen(b"x" * size),
            frames=((n + 2, size),),
        )
        recorder.end(row_of(name, "8080", "ok", s, intended_at=n + 1), s)


def shipped(own: RunDir, offset: int = 0, size: int = 40) -> list[Batch]:
    """All batches of a worker that nobody has acknowledged yet but the one before."""
    writer = FolderWriter(own, "load1w1")
    requests(writer, 60, size=size)
    sent: list[Batch] = []

    def heard(batch: Batch) -> None:
        sent.append(batch)
        outbox.acknowledged(Ack(number=batch.number))

    outbox = Outbox(writer, lambda: (offset, 7), heard)
    assert outbox.flush(2.0**40)
    assert sum(isinstance(line, LoadRow) for line in own.lines()) == 60
    return sent


@pytest.mark.parametrize("size", [40, 20_000, 3 * MOST_BYTES])
def test_what_a_worker_wrote_stands_in_the_masters_run_as_if_written_there(
    tmp_path: Path, master: RunDir, size: int
) -> None:
    own = a_run(tmp_path / "own")
    gaps = Gaps()
    inbox = Inbox(master, "8080", gaps)
    inbox.open("load1w1", 7)
    for batch in shipped(own, size=size):
        inbox.take("load1w1", batch)
        inbox.take("load1w1", batch)  # said again, for its acknowledgement was late
    assert list(master.in_time()) == list(own.in_time())
    assert gaps == []
    for line in master.in_time().of(Received):
        assert master.exchange_of(line)[2] == ""
    assert not master.damage.told()


def test_a_batch_that_was_not_acknowledged_in_time_is_sent_again_the_next_time(tmp_path: Path, master: RunDir) -> None:
    """A master may be too busy for an answer; what it was to be told is not lost for that."""
    own, gaps = a_run(tmp_path / "own"), Gaps()
    inbox, deaf = Inbox(master, "8080", gaps), True
    inbox.open("load1w1", 7)
    writer = FolderWriter(own, "load1w1")
    requests(writer, 3, size=3 * MOST_BYTES)  # batches that hold nothing but bytes are among them

    def heard(batch: Batch) -> None:
        if not deaf:
            inbox.take("load1w1", batch)
            outbox.acknowledged(Ack(number=batch.number))

    outbox = Outbox(writer, lambda: (0, 7), heard)
    for _ in range(3):
        assert not outbox.flush(time.monotonic() + 0.01)
    deaf = False
    assert outbox.flush(2.0**40)
    assert outbox.flush(0.0)
    assert list(master.in_time()) == list(own.in_time())
    assert gaps == []
    sent, received = (next((run.path / "writers").glob("*/bytes.bin")).read_bytes() for run in (own, master))
    assert sent == received


def test_times_are_moved_and_lengths_are_not(tmp_path: Path, master: RunDir) -> None:
    own, offset = a_run(tmp_path / "own"), -3600 * SECOND
    inbox = Inbox(master, "8080", Gaps())
    inbox.open("load1w1", 7)
    for batch in shipped(own, offset):
        inbox.take("load1w1", batch)
    for mine, theirs in zip(
        SoakRun.of("8080", own.in_time()).rows, SoakRun.of("8080", master.in_time()).rows, strict=True
    ):
        assert theirs.sent_at - mine.sent_at == theirs.first_at - mine.first_at == theirs.t - mine.t == offset
        assert theirs.byte_at - mine.byte_at == theirs.content_at - mine.content_at == offset
        assert theirs.last_at == mine.last_at == 0  # it never came, on any clock
    before, after = (next(iter(run.in_time().of(Received))) for run in (own, master))
    assert [at + offset for at, _ in before.frames] == [at for at, _ in after.frames]


def test_no_time_of_a_line_that_workers_write_is_forgotten() -> None:
    assert {name for kind in KINDS for name in kind.__struct_fields__ if name.endswith("_at")} <= TIMES


def test_a_gap_is_named_by_its_numbers(tmp_path: Path, master: RunDir) -> None:
    gaps = Gaps()
    inbox = Inbox(master, "8080", gaps)
    inbox.open("load1w1", 7)
    whole = [part for batch in shipped(a_run(tmp_path / "own")) for part in batch.parts if part.file != "bytes.bin"]
    inbox.take("load1w1", Batch(number=1, parts=tuple(whole[:5])))
    inbox.take("load1w1", Batch(number=2, parts=tuple(whole[8:])))
    assert gaps == [("load1w1", 6, 8)]
    assert inbox.lines("load1w1") == len(whole)


def forged(master: RunDir, line: Line) -> FilePart:
    content = sums.signed(encode(line), master.begin) + b"\n"
    return FilePart(file="rows.jsonl", at=0, content=content)


SENT = Sent(w="load1w1", n=1, t=1, endpoint="8080", scenario="s", method="POST", path="/", load=True)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (Judgement(w="load1w1", n=1, t=1, case="c", endpoint="8080", rule="r"), "no worker writes"),
        (Sent(w="recorder", n=1, t=1, endpoint="8080", scenario="s", method="POST", path="/"), "another writer's"),
        (Sent(w="load1w1", n=1, t=1, endpoint="other", scenario="s", method="POST", path="/"), "another writer's"),
        (Sent(w="load1w1", n=0, t=1, endpoint="8080", scenario="s", method="POST", path="/"), "another writer's"),
    ],
    ids=["kind", "writer", "endpoint", "number"],
)
def test_what_a_worker_cannot_have_written_is_refused(master: RunDir, line: Line, why: str) -> None:
    inbox = Inbox(master, "8080", Gaps())
    inbox.open("load1w1", 7)
    with pytest.raises(RefusedError, match=why):
        inbox.take("load1w1", Batch(number=1, parts=(forged(master, line),)))
    assert list(master.lines()) == []


@pytest.mark.parametrize(
    "part",
    [
        FilePart(file="rows.jsonl", at=0, content=b'{"kind":"load"}\n'),
        FilePart(file="rows.jsonl", at=0, content=encode(SENT) + b"\n"),
        FilePart(file="bytes.bin", at=-1, content=b"x"),
        FilePart(file="bytes.bin", at=1 << 40, content=b"x"),
    ],
    ids=["no line", "no sum", "before the file", "far behind it"],
)
def test_bytes_that_are_no_workers_are_refused(master: RunDir, part: FilePart) -> None:
    inbox = Inbox(master, "8080", Gaps())
    inbox.open("load1w1", 7)
    with pytest.raises(RefusedError):
        inbox.take("load1w1", Batch(number=1, parts=(part,)))
    with pytest.raises(RefusedError):
        inbox.take("load1w2", Batch(number=1, parts=()))
    assert all(path.stat().st_size == 0 for path in master.path.glob("writers/*/*"))


def test_a_line_without_times_is_the_same_on_every_clock() -> None:
    assert aligned(SENT, 0) == SENT
    assert aligned(SENT, 5).t == 6


# who is followed

WELCOME = Welcome(name="load1w1", run="r", endpoint=ENDPOINT, workload=workload.named("short"))


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "../../etc/cron.d/x"},
        {"name": ""},
        {"name": ".."},
        {"endpoint": None},
        {"endpoint": msgspec.structs.replace(ENDPOINT, name="../8080")},
        {"workload": None},
        {"index": 1},
        {"index": -1},
        {"of": 0},
        {"users": 0},
        {"deadline_s": float("nan")},
        {"idle_s": 0.0},
        {"canary_s": float("inf")},
    ],
    ids=str,
)
def test_a_welcome_that_makes_no_sense_is_not_followed(changed: dict[str, Any]) -> None:
    assert sound(WELCOME)
    assert not sound(msgspec.structs.replace(WELCOME, **changed))


# shapes

OPEN = SoakPhase(name="open", sort=PhaseSort.OPEN, seconds=60.0, rps=(5.0,))


def test_workers_together_send_what_one_process_sends() -> None:
    alone = sent_by(ALONE)
    parts = [sent_by(LoadShare(index, 3)) for index in range(3)]
    assert sorted(at for part in parts for at in part) == alone
    assert all(part for part in parts)


def sent_by(share: LoadShare) -> list[int]:
    queue = Queue(slots=200, service_s=0.1)
    helm = queue.helm()
    helm.share, helm.begun = share, 0.0
    queue.sail(OPEN, helm)
    return sorted(ticket.intended_at for ticket in queue.taken)
