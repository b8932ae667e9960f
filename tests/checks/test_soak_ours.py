"""What is our own doing in a soak: users that wait for each other, and counters that others moved too."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.checks.areas.soak import answers, counters, figures, parts, validity
from seatrial.checks.rules import Rule
from seatrial.records import Crew, CrewWord, Expect, LoadRow, Meter, Outcome, Phase, Probe, SoakRun
from tests.checks.test_soak import MS, judged, load, row


def queue_of(*rows: LoadRow, users: str = "4", slots: str = "") -> SoakRun:
    run = load(*rows)
    start = msgspec.structs.replace(run.phases[0], facts={"users": users, "slots": slots})
    return msgspec.structs.replace(run, phases=(start, *run.phases[1:]))


S = 1000 * MS


def served(number: int, sent: int, first: int, last: int, word: str = "ok") -> LoadRow:
    """A stream sent, first heard and ended at these seconds."""
    return row(number, word, sent_at=sent * S, first_at=first * S, last_at=last * S, ended_at=last * S)


def unheard(number: int, sent: int, ended: int, word: str = "stall", status: int = 0) -> LoadRow:
    """A stream of which no token came until it was given up."""
    return row(number, word, sent_at=sent * S, first_at=0, last_at=0, ended_at=ended * S, status=status)


QUEUE = (served(1, 0, 1, 12), served(2, 0, 13, 25), served(3, 0, 26, 38))


@pytest.mark.parametrize(
    ("late", "rule"),
    [
        (unheard(4, 1, 31), answers.requests_are_answered),
        (unheard(4, 1, 31, status=200), answers.streams_terminate),  # headers come before its turn
        (unheard(4, 1, 60, word="deadline", status=200), answers.streams_terminate),
        (served(4, 1, 39, 61, word="deadline"), answers.streams_terminate),  # the deadline ran while it waited
    ],
)
def test_what_a_user_waits_for_other_users_is_not_the_servers_doing(late: LoadRow, rule: Rule) -> None:
    assert judged(rule, queue_of(*QUEUE, late))[0] is not Outcome.FAIL
    word, found = judged(answers.requests_are_answered, queue_of(*QUEUE, late))
    assert word is Outcome.INCONCLUSIVE
    assert found[-1].got.startswith("1 waited for others of ours")


@pytest.mark.parametrize(
    "run",
    [
        queue_of(*QUEUE, unheard(4, 1, 31), users="1"),  # nobody of ours was there to wait for
        queue_of(*QUEUE, unheard(4, 1, 31), slots="4"),  # there was a slot for each
        queue_of(unheard(1, 0, 30), unheard(2, 0, 30), unheard(3, 0, 30)),  # none was served
        queue_of(served(1, 0, 1, 2), unheard(4, 3, 33)),  # the one before had ended
        queue_of(*QUEUE, unheard(4, 1, 31), *(served(n, n, n + 1, n + 2) for n in range(5, 9))),  # left behind
        queue_of(*QUEUE, served(4, 1, 2, 31, word="stall")),  # silent after its first token
    ],
    ids=["one-user", "slots-for-all", "none-served", "before", "overtaken", "in-mid-stream"],
)
def test_a_silence_that_is_no_queue_is_the_servers(run: SoakRun) -> None:
    words = {judged(rule, run)[0] for rule in (answers.requests_are_answered, answers.streams_terminate)}
    assert Outcome.FAIL in words


def counted(*rows: LoadRow, moving: str = "", meters: tuple[Meter, ...] = (), **more: int) -> SoakRun:
    """A soak whose server counted so many more than was received."""
    told = {"requests": len(rows), "prompt_tokens": 5 * len(rows), "tokens": 9 * len(rows)}
    run = load(*rows, server={name: value + more.get(name, 0) for name, value in told.items()})
    read = tuple(msgspec.structs.replace(c, moving=c.phase == moving) for c in run.counters)
    return msgspec.structs.replace(run, counters=read, meters=meters)


def meter(at: int, running: int, waiting: int | None = None) -> Meter:
    return Meter(name="8080", source="/slots", t=at * S, running=running, waiting=waiting)


COUNTERS = (counters.requests_agree_with_the_server, counters.tokens_agree_with_the_server)
MORE = {"requests": 2, "tokens": 40, "prompt_tokens": 11}
SOUND = tuple(row(n) for n in range(20))


@pytest.mark.parametrize("rule", COUNTERS, ids=lambda rule: rule.id)
@pytest.mark.parametrize(
    ("run", "why"),
    [
        (counted(*SOUND, **MORE), "counted 2 requests that are not ours"),
        (counted(*SOUND, moving="after", **MORE), "still moved after the last one had ended"),
        (counted(*SOUND, moving="before", **MORE), "still moved before the first request"),
        (counted(*SOUND, meters=(meter(40, 3),), requests=30, tokens=300), "worked at 3 requests, 0 of them ours"),
        (counted(*SOUND, meters=(meter(40, 0, waiting=2),), requests=30, tokens=300), "worked at 2 requests"),
    ],
    ids=["requests", "after", "before", "in-work", "waiting"],
)
def test_another_client_makes_the_counters_no_evidence(rule: Rule, run: SoakRun, why: str) -> None:
    word, found = judged(rule, run)
    assert word is Outcome.INCONCLUSIVE
    assert why in found[0].got


@pytest.mark.parametrize(
    ("run", "rule"),
    [
        (counted(*SOUND, tokens=40), counters.tokens_agree_with_the_server),  # the counter of tokens alone
        (counted(*SOUND, requests=20, tokens=20, prompt_tokens=20), counters.requests_agree_with_the_server),  # twice
        (counted(*SOUND, meters=(meter(40, 3),), tokens=-9), counters.tokens_agree_with_the_server),  # less than ours
        (counted(*SOUND, meters=(meter(10, 6),), tokens=40), counters.tokens_agree_with_the_server),  # ours in work
    ],
    ids=["tokens", "twice", "fewer", "ours"],
)
def test_a_counter_of_its_own_mind_is_the_servers(run: SoakRun, rule: Rule) -> None:
    assert judged(rule, run)[0] is Outcome.ADVISORY


def phased(run: SoakRun, *phases: tuple[str, str, dict[str, str]]) -> SoakRun:
    """A soak of phases: name, sort and facts; each begins with the load."""
    lines = [
        Phase(endpoint="8080", what="phase", at=0, name=name, sort=sort, facts=facts) for name, sort, facts in phases
    ]
    return msgspec.structs.replace(run, phases=(run.phases[0], *lines, *run.phases[1:]))


@pytest.mark.parametrize("word", ["stall", "deadline"])
def test_a_long_prompt_that_is_not_read_in_time_shows_nothing(word: str) -> None:
    """Each slot is filled, so that nobody waits for ours; a slow reader reads for minutes."""
    rows = [unheard(20 + n, n, n + 30, word=word, status=200 * (n % 2)) for n in range(4)]
    filled = {"fill": ("fill", "fill", {"users": "4"}), "closed": ("closed", "closed", {"users": "4"})}
    for name, expected in (("fill", Outcome.INCONCLUSIVE), ("closed", Outcome.FAIL)):
        own = [msgspec.structs.replace(each, phase=name) for each in rows]
        run = phased(queue_of(*QUEUE, *own, slots="4"), filled[name])
        word_of, found = judged(answers.requests_are_answered, run)
        assert word_of is expected
        assert (judged(answers.streams_terminate, run)[0] is Outcome.FAIL) == (name == "closed")
        if name == "fill":
            assert found[0].got.startswith("4 long prompts without a token within 30 s")
    begun = msgspec.structs.replace(served(9, 9, 10, 40, word=word), phase="fill")
    run = phased(queue_of(*QUEUE, begun, slots="4"), filled["fill"])
    assert judged(answers.streams_terminate, run)[0] is Outcome.FAIL  # what was read has to end


def test_a_phase_that_sent_nothing_is_no_pass_on_canaries_alone() -> None:
    canaries = [row(n, canary=True, workload="canary", phase="open") for n in range(20)]
    for rate, expected in (("none", Outcome.INCONCLUSIVE), ("1.5", Outcome.PASS)):
        run = phased(load(*canaries), ("open", "open", {"rps": rate}))
        for rule in (answers.streams_terminate, answers.requests_are_answered):
            assert judged(rule, run)[0] is expected


def sent_by(name: str, number: int, at_ms: int, word: str = "ok", lasts_ms: int = 100) -> LoadRow:
    """A request of a worker: sent and ended at these times, answered from the middle on where it was answered."""
    sent, ended = at_ms * MS, (at_ms + lasts_ms) * MS
    came = {"byte_at": (sent + ended) // 2, "first_at": (sent + ended) // 2, "last_at": ended} if word == "ok" else {}
    none = {} if word == "ok" else {"first_at": 0, "last_at": 0, "status": 0}
    about = {"sent_at": sent, "intended_at": sent, "ended_at": ended, **none, **came}
    return row(number, word, w=name, n=number, id=f"{name}-{number}", **about)


def crewed(*rows: LoadRow, probes: tuple[Probe, ...] = (), where: str = "elsewhere") -> SoakRun:
    """A soak of two workers, which were there to its end."""
    crew = [
        Crew(endpoint="8080", worker=name, what=what, at=0, facts={"writes": where})
        for name in ("load1w1", "load1w2")
        for what in (CrewWord.JOINED, CrewWord.DONE)
    ]
    return msgspec.structs.replace(load(*rows), crew=tuple(crew), probes=probes)


WELL = tuple(sent_by("load1w1", n, n * 500) for n in range(1, 60))
"""The first worker is answered twice a second, all the time."""
BEFORE, AFTER = sent_by("load1w2", 100, 9_000), sent_by("load1w2", 109, 16_000)
CUT_OFF = tuple(sent_by("load1w2", 101 + n, 10_000 + 1500 * n, "unreachable", 1400) for n in range(3))


def looked(*, health: int | None = 200, error: str = "") -> tuple[Probe, ...]:
    return tuple(Probe(name="8080", t=(500 + 1000 * n) * MS, health=health, error=error) for n in range(59))


@pytest.mark.parametrize(
    "run",
    [crewed(*WELL, BEFORE, *CUT_OFF, AFTER), crewed(BEFORE, *CUT_OFF, AFTER, probes=looked())],
    ids=["the other worker was answered", "the recorder was"],
)
def test_what_one_worker_alone_could_not_reach_is_its_own_network(run: SoakRun) -> None:
    for rule in (answers.requests_are_answered, answers.streams_terminate):
        word, found = judged(rule, run)
        assert word is Outcome.INCONCLUSIVE
        assert "worker load1w2 could not reach the server for 3 requests, while others did" in found[-1].got
    assert {row.id for row in parts.parts(run, Expect()).astray} == {row.id for row in CUT_OFF}
    told = figures.figures(run, Expect())
    assert "load1w2 could not reach the server" in told["no verdict, for"]
    assert told["cut off by a worker's network"] == "3"
    assert told["lost"] == "0"


DOWN = tuple(sent_by("load1w1", n, n * 500, "ok" if n < 20 or n > 31 else "unreachable") for n in range(1, 60))


@pytest.mark.parametrize(
    "run",
    [
        crewed(BEFORE, *CUT_OFF, AFTER),  # nobody else was there
        crewed(BEFORE, *CUT_OFF, AFTER, probes=looked(health=None, error="unreachable")),
        crewed(*DOWN, BEFORE, *CUT_OFF, AFTER),  # all fail together
        crewed(*(r for r in WELL if r.ended_at < CUT_OFF[0].sent_at), *CUT_OFF),  # the server went down for good
        crewed(*WELL, BEFORE, *CUT_OFF, AFTER, where="here"),  # one host has one network
        crewed(*WELL, *CUT_OFF, *(sent_by("load1w2", 200 + n, 9_000 + 200 * n) for n in range(40))),  # one in some
        crewed(*WELL, sent_by("load1w2", 101, 10_000, "refused"), sent_by("load1w2", 102, 11_000, "reset")),
    ],
    ids=["alone", "watched", "together", "down for good", "here", "some of its requests", "no want of a way"],
)
def test_a_server_that_is_down_is_the_servers_whoever_noticed(run: SoakRun) -> None:
    assert judged(answers.requests_are_answered, run)[0] is Outcome.FAIL
    assert not parts.parts(run, Expect()).astray
    assert not any("could not reach" in text for text in validity.invalid(run, Expect()))
