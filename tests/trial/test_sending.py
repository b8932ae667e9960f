"""What keeps sending honest: who waited for whom, how long silence is borne, and that nothing of it is charged."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
import pytest

from seatrial.checks import traits
from seatrial.given.options import Options
from seatrial.reading import marks
from seatrial.reading.chat import answers
from seatrial.records import (
    LEFT,
    SECOND,
    Endpoint,
    Event,
    Happening,
    Leaving,
    Marked,
    Received,
    Record,
    Request,
    RunInfo,
    Scenario,
    Sent,
    Wave,
    Width,
)
from seatrial.run.directory import RunDir
from seatrial.trial.sending import pace, queue
from seatrial.trial.sending import sender as sending
from seatrial.trial.sending.guard import Guard
from seatrial.trial.sending.pace import Pace, Patience
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial
from seatrial.verdict import doing
from seatrial.wire.transports import http
from tests.behaviour.specimens import exchange, streamed
from tests.golden.faults import legal
from tests.golden.items import Pause
from tests.golden.server import Golden

ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant"}}]}


def chat(**body: Any) -> Scenario:
    asked = {"model": None, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 30, **body}
    return Scenario(requests={"only": Request(body=asked)}, traits=traits.CHAT)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    RunDir.create(tmp_path / "run", info)
    made = Trial(Options(timeout_s=1.0), tmp_path / "run")
    yield made
    made.writer.close()


def sender_to(trial: Trial, golden: Golden, **known: Any) -> tuple[Sender, Endpoint]:
    endpoint = Endpoint(name="it", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), **known)
    trial.rundir.write_endpoint(endpoint)
    return Sender(trial, Guard(trial)), endpoint


def at_once(sender: Sender, endpoint: Endpoint, scenarios: list[Scenario]) -> list[Any]:
    """Send them at the same time; what came of each."""
    came: list[Any] = [None] * len(scenarios)

    def one(n: int) -> None:
        came[n] = sender.send(f"chat/{n}", scenarios[n], endpoint)["only"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(scenarios))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def of(trial: Trial, what: Happening) -> list[Event]:
    return [line for line in trial.rundir.in_time() if isinstance(line, Event) and line.what is what]


@pytest.mark.parametrize("stream", [True, False])
def test_a_request_that_waited_for_another_one_of_ours_is_sent_again_alone(trial, stream):
    """Six at once to a server of one slot, each of half a second and more: the last ones end too late, by us."""
    trial.options = Options(timeout_s=2.0)
    with Golden(["one-at-a-time"], token_ms=30) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 5 + [chat(stream=stream)])
    assert [(x.status, x.error) for x in came] == [(200, "")] * 6
    assert of(trial, Happening.QUEUED)
    (said,) = doing.notices(trial.rundir.in_time())
    assert "having waited for others of this run" in said
    assert "-n 0" not in said  # there were no workers


@pytest.mark.parametrize(("slots", "sent"), [(2, 3), (8, 4), (None, 4)])
def test_what_leaves_at_once_is_worked_on_at_once(trial, slots, sent):
    """One more than there are slots; they overlap, or the server would not have worked on two at a time."""
    one = chat(stream=True).requests["only"]
    crowd = Scenario(requests={str(n): one for n in range(4)}, traits=traits.NONE, at_once=True)
    trial.options = Options(timeout_s=30.0)
    with Golden(token_ms=50) as golden:
        sender, endpoint = sender_to(trial, golden, slots=slots)
        came = sender.send("context/crowd", crowd, endpoint)
    assert [(name, x.status) for name, x in came.items()] == [(str(n), 200) for n in range(sent)]
    assert max(x.sent_at for x in came.values()) < min(x.ended_at for x in came.values())


def test_waves_are_as_wide_as_the_endpoint_and_their_marks_are_apart(trial):
    told = {"role": "user", "content": Marked(text="Repeat: {mark}")}
    echo = Request(body={"model": None, "messages": [told], "max_tokens": 30, "stream": True})
    scenario = Scenario(
        requests={"echo": echo, "leaver": msgspec.structs.replace(echo, leaves=Leaving.WORDS)},
        traits=traits.NONE,
        waves=(Wave(of=("echo",)), Wave(of=("leaver",), width=Width.ONE)),
    )
    trial.options = Options(timeout_s=30.0)
    with Golden(token_ms=20) as golden:
        sender, endpoint = sender_to(trial, golden, slots=2)
        came = sender.send("concurrency/echoes", scenario, endpoint)
    assert [(name, x.error) for name, x in came.items()] == [("echo-1.1", ""), ("echo-1.2", ""), ("leaver-2.1", LEFT)]
    said = [answers(x)[0].content for x in came.values() if not x.error]
    assert [marks.found(text) for text in said] == [
        marks.found(x.request_body.decode()) for x in list(came.values())[:2]
    ]
    assert len(set(said)) == 2


def test_where_the_server_says_that_it_has_one_slot_none_waits(trial):
    trial.options = Options(timeout_s=2.0)
    with Golden(["one-at-a-time"], token_ms=30) as golden:
        sender, endpoint = sender_to(trial, golden, slots=1)
        came = at_once(sender, endpoint, [chat(stream=True)] * 4)
    assert [(x.status, x.error) for x in came] == [(200, "")] * 4
    assert not of(trial, Happening.QUEUED)


def test_a_server_that_stalls_is_not_excused_by_our_number(trial):
    """None of ours was answered while it was silent: there was no queue."""
    with Golden(["never-answered"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 3)
    assert {x.error for x in came} == {"deadline"}
    assert not of(trial, Happening.QUEUED)


def test_with_slots_for_all_a_silent_stream_is_the_servers_own(trial):
    with Golden(["never-answered:0.5"], seed=3) as golden:
        sender, endpoint = sender_to(trial, golden, slots=4)
        came = at_once(sender, endpoint, [chat(stream=True)] * 4)
        assert golden.truth()["fired"]["never-answered"] == sum(bool(x.error) for x in came) > 0
    assert not of(trial, Happening.QUEUED)


def test_the_end_of_the_time_for_it_bounds_a_repetition(trial):
    trial.options = Options(timeout_s=30.0)
    with Golden(["one-at-a-time", "stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        x = sender.send("chat/x", chat(stream=True), endpoint, time.monotonic() + 0.5)["only"]
    assert x.error == "deadline"
    assert (x.ended_at - x.sent_at) / SECOND < trial.options.timeout_s / 2


# who waited


CHATS, VECTORS = exchange().path, "/embeddings"


def sent(name: str, at: float, path: str = CHATS, method: str = "POST") -> Sent:
    return Sent(endpoint="golden", scenario="s", method=method, path=path, w=name, n=1, t=int(at * SECOND))


def test_one_that_was_being_served_waited_for_nobody_from_then_on():
    spoke = streamed(ROLE, id="main-1", error="deadline", sent_at=10 * SECOND, ended_at=40 * SECOND)
    early = _at(spoke, 11)
    assert not queue.waited(early, [received("a", 12, 39)])
    assert queue.waited(_at(spoke, 30), [received("a", 12, 29)])


def _at(x: Any, second: int) -> Any:
    """A stream whose first word came then."""
    return msgspec.structs.replace(x, chunks=(msgspec.structs.replace(x.chunks[0], at=second * SECOND),))


def received(name: str, of: float, to: float, *, first: float | None = None, path: str = CHATS) -> Received:
    frames = ((int((first or of) * SECOND), 5), (int(to * SECOND), 5))
    return Received(id=f"{name}-1", endpoint="golden", scenario="s", method="POST", path=path, request=(0, 0),
                    response=(0, 0), frames=frames, sent_at=int(of * SECOND), ended_at=int(to * SECOND))  # fmt: skip


LATE = exchange(id="main-1", error="idle", status=None, sent_at=10 * SECOND, ended_at=40 * SECOND)


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ([], False),
        ([received("a", 5, 39)], True),  # one of ours was answered meanwhile
        ([received("a", 1, 9)], False),  # its answer had ended before
        ([received("a", 41, 42)], False),
        ([received("a", 5, 20), *(received(f"b{n}", 21 + n, 22 + n) for n in range(3))], True),  # a few overtook it
        ([received("a", 5, 20), *(received(f"b{n}", 21 + n, 22 + n) for n in range(4))], False),  # too many did
        ([received(f"b{n}", 21 + n, 22 + n, path=VECTORS) for n in range(9)], True),  # of another route
    ],
    ids=["nobody", "one", "before", "after", "overtaken-by-few", "overtaken-by-many", "overtaken-by-another-route"],
)
def test_who_waited_in_a_queue(lines, held):
    assert queue.waited(LATE, lines) is held


@pytest.mark.parametrize(("slots", "held"), [(None, True), (1, True), (2, True), (3, False)])
def test_company_is_counted_at_one_time_against_the_slots(slots, held):
    lines = [sent("a", 5), received("a", 5, 15), sent("b", 12), sent("c", 16), received("c", 16, 20)]
    assert queue.in_company(LATE, lines, slots) is held


@pytest.mark.parametrize(
    ("beside", "held"),
    [
        (sent("a", 12, VECTORS), True),  # an engine may do one kind of work at a time, whatever its slots
        (sent("a", 12, "/models", "GET"), False),
        (sent("a", 41, VECTORS), False),
    ],
    ids=["vectors", "a-list", "later"],
)
def test_work_of_another_route_is_company_whatever_the_slots(beside, held):
    assert queue.in_company(LATE, [beside], 4) is held


@pytest.mark.parametrize(
    ("x", "held"),
    [
        (LATE, True),
        (exchange(status=503), True),
        (exchange(status=429), True),
        (exchange(error="deadline", body=b" "), True),
        (exchange(error="deadline", body=b'{"id'), True),
        (streamed(error="idle"), True),
        (streamed(ROLE, error="idle"), False),
        (streamed(ROLE, error="deadline"), True),
        (exchange(error="idle", body=b'{"id'), False),
        (exchange(error="reset", status=None), False),
        (exchange(status=500), False),
        (exchange(), False),
    ],
)
def test_what_looks_as_if_it_had_waited(x, held):
    assert queue.may_have(x) is held


# how long silence is borne

GIVEN = Patience(60.0, 30.0)


def stalled(after: float = 0.0, seconds: float = 30.0) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """A stream that gave a byte ``after`` seconds, and then nothing for so many seconds."""
    x = streamed(ROLE, error="idle", sent_at=SECOND, ended_at=int((1 + after + seconds) * SECOND))
    return x, ((int((1 + after) * SECOND), 1),)


def well(*reads: float) -> tuple[Any, tuple[tuple[int, int], ...]]:
    frames = tuple((int((1 + at) * SECOND), 1) for at in reads)
    return streamed(ROLE, sent_at=SECOND, ended_at=frames[-1][0]), frames


def test_after_three_stalls_alike_streams_are_given_three_times_the_longest_gap(tmp_path):
    known = Pace(tmp_path)
    known.learn("it", "stream", *well(0.5, 3.0, 3.1), GIVEN)
    for n in range(3):
        assert known.patience("it", "stream", 60.0) == GIVEN, n
        known.learn("it", "stream", *stalled(), GIVEN)
    short = known.patience("it", "stream", 60.0)
    assert (short.deadline_s, short.short) == (60.0, True)
    assert short.idle_s == pytest.approx(7.5)
    assert not known.patience("it", "plain answer", 60.0).short
    assert not known.patience("other", "stream", 60.0).short
    assert Pace(tmp_path).patience("it", "stream", 60.0) == short  # another process of the run
    known.learn("it", "stream", *well(0.1), short)
    assert known.patience("it", "stream", 60.0) == GIVEN


@pytest.mark.parametrize(("answered", "given"), [(None, 15.0), (2.0, 15.0), (9.0, 27.0), (50.0, 60.0)])
def test_a_careless_request_is_given_what_a_slow_server_takes_for_a_good_one(tmp_path, answered, given):
    known = Pace(tmp_path)
    if answered is not None:
        known.learn("it", "plain answer", *well(answered), GIVEN)
        known.learn("it", "page", *well(55.0), GIVEN)
    assert known.careless("it", 60.0) == given
    assert known.careless("it", 10.0) == 10.0


def test_at_least_five_seconds_where_none_ended_well_or_quickly(tmp_path):
    known = Pace(tmp_path)
    for _ in range(3):
        known.learn("it", "stream", *stalled(), GIVEN)
    assert known.patience("it", "stream", 60.0) == Patience(60.0, 5.0, short=True)
    assert known.patience("it", "stream", 3.0) == Patience(3.0, 3.0)  # less than that was asked for


def test_one_that_ends_well_between_them_begins_the_count_anew(tmp_path):
    known = Pace(tmp_path)
    for _ in range(4):
        known.learn("it", "stream", *stalled(), GIVEN)
        known.learn("it", "stream", *stalled(), GIVEN)
        known.learn("it", "stream", *well(0.1), GIVEN)
    assert not known.patience("it", "stream", 60.0).short


def test_comments_without_end_and_no_word_are_silence_too(tmp_path):
    known = Pace(tmp_path)
    pings = tuple((n * SECOND, 8) for n in range(2, 62))
    for _ in range(3):
        x = streamed(error="deadline", sent_at=SECOND, ended_at=61 * SECOND)
        known.learn("it", "stream", x, pings, GIVEN)
    assert known.patience("it", "stream", 60.0) == Patience(5.0, 30.0, short=True)


def test_one_that_speaks_until_its_deadline_is_slow_and_not_silent():
    spoke = _at(streamed(ROLE, error="deadline", sent_at=SECOND, ended_at=61 * SECOND), 60)
    assert pace.silent(spoke, ((60 * SECOND, 1),), 30.0) == ""
    assert pace.silent(streamed(ROLE, error="reset"), (), 30.0) == ""


def test_what_our_own_end_cut_short_is_no_stall():
    x, frames = stalled(seconds=3.0)
    assert pace.silent(x, frames, 30.0) == ""


def test_a_stalling_server_costs_three_whole_silences(trial, monkeypatch):
    monkeypatch.setattr(pace, "LEAST_S", 0.3)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        trial.options = Options(timeout_s=600.0)  # nothing but patience ends a silence
        with monkeypatch.context() as brief:
            for module in (pace, sending):
                brief.setattr(module, "IDLE_S", 1.0)
            came = [sender.send(f"sse/{n}", chat(stream=True), endpoint)["only"] for n in range(3)]
        came += [sender.send(f"sse/{n}", chat(stream=True), endpoint)["only"] for n in range(3, 7)]
    took = [(x.ended_at - x.sent_at) / SECOND for x in came]
    assert min(took[:3]) > 0.9
    assert max(took[3:]) < http.IDLE_S / 2
    assert {x.error for x in came[3:]} == {"idle"}
    assert [event.text for event in of(trial, Happening.SHORTENED)] == [x.id for x in came[3:]]
    (said,) = doing.notices(trial.rundir.in_time())
    assert said == "it: after three stalls, 4 streams were given 0.3 s of silence before being given up"


def test_a_heavy_request_keeps_its_patience(trial, monkeypatch):
    monkeypatch.setattr(pace, "LEAST_S", 0.1)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        for n in range(3):
            sender.send(f"sse/{n}", chat(stream=True), endpoint)
        light = chat(stream=True)
        heavy = Scenario(requests=light.requests, traits=light.traits, hazard=2)
        x = sender.send("sse/heavy", heavy, endpoint)["only"]
    assert (x.ended_at - x.sent_at) / SECOND > 0.9


def test_a_heavy_request_with_a_deadline_of_its_own_may_be_silent_until_then(trial, monkeypatch):
    monkeypatch.setattr(sending, "IDLE_S", 0.1)
    light = chat(stream=True)
    with Golden(["stall"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        long = Scenario(requests=light.requests, traits=light.traits, hazard=2, deadline_s=1.0)
        x = sender.send("context/long", long, endpoint)["only"]
    assert (x.ended_at - x.sent_at) / SECOND > 0.9


def test_events_that_say_nothing_cost_no_verdict():
    odd = [
        Event(what=Happening.SHORTENED, name="it", at=0, facts={"seconds of silence": text})
        for text in ("", "x", "nan", "inf", "-inf", "1e999", "\n", "5")
    ]
    (said,) = doing.notices(Record(odd))
    assert said == "it: after three stalls, 1 request was given 5 s of silence before being given up"


def test_a_server_that_works_on_at_what_we_gave_up_is_waited_for(trial, monkeypatch):
    """It does not see that a client has left: what was sent again waits for what was given up before."""
    monkeypatch.setattr(legal, "_in_turn", _deaf_to_leaving)
    with Golden(["one-at-a-time"]) as golden:
        sender, endpoint = sender_to(trial, golden)
        came = at_once(sender, endpoint, [chat(stream=True)] * 3)
    assert [(x.status, x.error) for x in came] == [(200, "")] * 3
    assert len(of(trial, Happening.QUEUED)) > 1


def _deaf_to_leaving(pieces: Any, shot: Any) -> Any:
    """Each answer takes 0.6 s of the server's time from when it is its turn, whoever still listens."""
    free_at = shot.memory["free"] = max(shot.memory.get("free", 0.0), time.monotonic()) + 0.6
    yield Pause(free_at - time.monotonic())
    yield from pieces


def test_a_plain_answer_may_be_silent_for_as_long_as_streams_take(tmp_path):
    known = Pace(tmp_path)
    known.learn("it", "stream", *well(0.5, 9.0), GIVEN)
    for _ in range(3):
        x = exchange(error="idle", sent_at=SECOND, ended_at=31 * SECOND)
        known.learn("it", "plain answer", x, (), GIVEN)
    assert known.patience("it", "plain answer", 60.0) == Patience(60.0, 27.0, short=True)


def test_a_plain_answer_says_nothing_until_it_is_whole(tmp_path):
    known = Pace(tmp_path)
    assert known.patience("it", "plain answer", 120.0) == Patience(120.0, 120.0)
    assert known.patience("it", "stream", 120.0) == Patience(120.0, 30.0)
