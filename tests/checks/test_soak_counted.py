"""The rules of a soak that hold its requests and tokens against the server's own counters."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.checks.areas.soak import company, counters
from seatrial.records import Counters, Expect, Meter, Outcome
from tests.checks.test_soak import MS, PACED, judged, load, row


@pytest.mark.parametrize("word", ["deadline", "stall", "cancelled", "left"])
@pytest.mark.parametrize(("server", "expected"), [(9, "PASS"), (9 + 64, "PASS"), (9 + 65, "ADVISORY"), (8, "ADVISORY")])
def test_tokens_of_a_stream_that_we_ended_count_up_to_its_cap(word: str, server: int, expected: str) -> None:
    run = load(row(1), row(2, word, **PACED), server={"tokens": server})
    assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome(expected)


@pytest.mark.parametrize("cap", [0, 16])
@pytest.mark.parametrize("word", ["deadline", "cancelled"])
def test_of_a_stream_that_ran_beyond_its_cap_nobody_knows_what_the_server_made(word: str, cap: int) -> None:
    ran = {**PACED, "cap": cap, "deltas": 500}
    run = load(row(1), row(2, word, **ran), server={"tokens": 509})
    assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome.PASS
    assert "agree" in counters.token_figures(run, Expect())["tokens"]
    assert judged(counters.tokens_agree_with_the_server, load(*run.rows, server={"tokens": 8}))[0] is Outcome.ADVISORY


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"requests": 3}, Outcome.PASS),
        ({"requests": 2}, Outcome.ADVISORY),
        ({"requests": 4}, Outcome.ADVISORY),
        ({"requests": None}, Outcome.UNSUPPORTED),
        ({"requests": -500}, Outcome.INCONCLUSIVE),
    ],
)
def test_requests_against_the_counter(server: dict[str, int | None], expected: Outcome) -> None:
    run = load(row(1), row(2), row(3), row(4, "refused", status=0), server=server)
    assert judged(counters.requests_agree_with_the_server, run)[0] is expected


def test_a_request_that_was_reset_unanswered_may_have_been_counted_or_not() -> None:
    for counted in (1, 2):
        run = load(row(1), row(2, "reset", status=0), server={"requests": counted})
        assert judged(counters.requests_agree_with_the_server, run)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, Outcome.PASS),
        ({"tokens": 17}, Outcome.ADVISORY),
        ({"tokens": 19}, Outcome.ADVISORY),
        ({"prompt_tokens": 9}, Outcome.ADVISORY),
        ({"prompt_tokens": None}, Outcome.PASS),
        ({"tokens": None}, Outcome.UNSUPPORTED),
    ],
)
def test_tokens_against_the_counter(server: dict[str, int | None], expected: Outcome) -> None:
    assert judged(counters.tokens_agree_with_the_server, load(row(1), row(2), server=server))[0] is expected


def test_streams_without_usage_leave_a_bound_only() -> None:
    rows = (row(1), row(2, "no_terminator"))
    rule = counters.tokens_agree_with_the_server
    assert judged(rule, load(*rows, server={"tokens": 14, "prompt_tokens": 10}))[0] is Outcome.INCONCLUSIVE
    assert judged(rule, load(*rows, server={"tokens": 8}))[0] is Outcome.ADVISORY
    assert judged(rule, load(row(1, tokens=None), row(2, tokens=None)))[0] is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("server", "expected"), [({}, "PASS"), ({"tokens": 12}, "INCONCLUSIVE"), ({"tokens": 8}, "ADVISORY")]
)
def test_who_is_turned_away_is_no_gap_in_the_count(server: dict[str, int], expected: str) -> None:
    """A server made nothing of what it answered with 429; one behind a gateway that said 503 may have made more."""
    run = load(row(1), row(2, "busy", status=429, deltas=0), row(3, "busy", status=503, deltas=0), server=server)
    assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome(expected)
    counted = {"requests": 1 if not server else 3}
    assert judged(counters.requests_agree_with_the_server, load(*run.rows, server=counted))[0] is Outcome.PASS
    told_none = load(*run.rows, row(4, "http_5xx", status=500, deltas=0))
    assert judged(counters.tokens_agree_with_the_server, told_none)[0] is Outcome.INCONCLUSIVE


def test_counters_that_differ_across_a_stop_say_nothing() -> None:
    for rule, server in (
        (counters.tokens_agree_with_the_server, {"tokens": 17}),
        (counters.requests_agree_with_the_server, {"requests": 9}),
    ):
        run = load(row(1), row(2), server=server)
        assert judged(rule, run)[0] is Outcome.ADVISORY
        assert judged(rule, run, stopped=[[0, 1]])[0] is Outcome.INCONCLUSIVE
        assert judged(rule, load(row(1), row(2)), stopped=[[0, 1]])[0] is Outcome.PASS


def meters(*told: tuple[str, int | None], source: str = "vLLM's /metrics") -> tuple[Meter, ...]:
    """Looks at a server, one a second: the mark of its start, and its total of tokens."""
    return tuple(
        Meter(name="8080", source=source, t=n * 1000 * MS, start=mark, tokens=tokens)
        for n, (mark, tokens) in enumerate(told, start=1)
    )


@pytest.mark.parametrize(
    ("looks", "began_again"),
    [
        (meters(("a", 5), ("b", 9)), True),
        (meters(("a", None), ("b", None), ("a", None)), True),  # several answer by that name
        (meters(("", 500), ("", 3)), True),
        (meters(("a", 5), ("a", 5), ("a", 9)), False),
        (meters(("", 5), ("", None), ("", 9)), False),
        ((*meters(("", 500)), *meters(("", None), ("", 3), source="llama.cpp /slots")), False),
        (tuple(msgspec.structs.replace(each, t=90_000 * MS + each.t) for each in meters(("a", 5), ("b", 3))), False),
    ],
)
def test_counters_that_began_again_unseen_say_nothing(looks: tuple[Meter, ...], began_again: bool) -> None:
    """Of a server that is elsewhere: none of its processes was seen to end."""
    off = msgspec.structs.replace(load(row(1), row(2), server={"tokens": 9, "requests": 1}), meters=looks)
    for rule in (counters.tokens_agree_with_the_server, counters.requests_agree_with_the_server):
        assert judged(rule, off)[0] is (Outcome.INCONCLUSIVE if began_again else Outcome.ADVISORY)
    assert bool(counters.token_figures(off, Expect())) is not began_again
    assert company.made_for_us(off) == (None if began_again else 9)
    same = msgspec.structs.replace(load(row(1), row(2)), meters=looks)
    assert judged(counters.tokens_agree_with_the_server, same)[0] is Outcome.PASS


def test_a_server_gone_at_the_end_is_no_server_without_counters() -> None:
    run = load(row(1), row(2))
    gone = Counters(endpoint="8080", phase="after", source="refused")
    run = msgspec.structs.replace(run, counters=(run.counters[0], gone))
    assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome.INCONCLUSIVE


def test_figures_of_the_counters() -> None:
    assert counters.token_figures(load(row(1), row(2)), Expect()) == {"tokens": "agree with the server's (18)"}
    off = load(row(1), server={"tokens": 12})
    assert counters.token_figures(off, Expect()) == {"tokens": "9, the server's 12"}
    assert counters.token_figures(load(row(1), server={"tokens": None}), Expect()) == {}
    left = counters.token_figures(load(row(1), row(2, "left", cap=8, deltas=5), server={"tokens": 12}), Expect())
    assert left == {"tokens": "agree with the server's (12, 3 of them of 1 that were left)"}


@pytest.mark.parametrize(
    ("server", "expected"),
    [({}, Outcome.PASS), ({"tokens": 9 + 8}, Outcome.PASS), ({"tokens": 9 + 9}, Outcome.ADVISORY),
     ({"tokens": 8}, Outcome.ADVISORY), ({"prompt_tokens": 500}, Outcome.PASS),
     ({"prompt_tokens": 4}, Outcome.ADVISORY)],
)  # fmt: skip
def test_what_a_client_left_may_have_been_made_up_to_its_cap(server: dict[str, int], expected: Outcome) -> None:
    sound, refused = row(1), row(3, "declined", status=400, phase="open")
    left = row(2, "left", cap=8, deltas=5, phase="open")
    run = load(sound, left, refused, server=server)
    assert judged(counters.tokens_agree_with_the_server, run)[0] is expected


def test_prompts_that_a_server_read_are_those_that_were_not_cached() -> None:
    rows = (row(1, prompt_tokens=30, cached=10), row(2, prompt_tokens=30, cached=0))
    for read, expected in ((50, Outcome.PASS), (60, Outcome.ADVISORY), (49, Outcome.ADVISORY)):
        run = load(*rows, server={"prompt_tokens": None, "prompt_read": read})
        word, found = judged(counters.tokens_agree_with_the_server, run)
        assert word is expected
        assert all(finding.where == "the prompt tokens that were not cached" for finding in found)
    untold = load(rows[0], row(2), server={"prompt_tokens": None, "prompt_read": 7})
    assert judged(counters.tokens_agree_with_the_server, untold)[0] is Outcome.PASS


def test_vectors_and_requests_to_be_refused_may_be_counted_or_not() -> None:
    rows = (
        row(1, phase="open", cap=48),
        row(2, phase="open", tokens=0, prompt_tokens=7),
        row(3, "left", phase="open", cap=9),
    )
    for requests in (1, 2, 3):
        run = load(*rows, server={"requests": requests, "prompt_tokens": 5})
        assert judged(counters.requests_agree_with_the_server, run)[0] is Outcome.PASS
        assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome.PASS
    assert judged(counters.requests_agree_with_the_server, load(*rows, server={"requests": 4}))[0] is Outcome.ADVISORY
    assert judged(counters.requests_agree_with_the_server, load(*rows, server={"requests": 0}))[0] is Outcome.ADVISORY


def test_tokens_that_no_stream_told_are_no_nought() -> None:
    run = load(*(row(n, tokens=None) for n in range(3)), server={"tokens": 27})
    assert counters.token_figures(run, Expect()) == {"tokens": "no stream told any, the server's 27"}
