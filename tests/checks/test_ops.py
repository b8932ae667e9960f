"""Rules on health and counters."""

import json

import msgspec
import pytest

from seatrial.records import SECOND, Probe
from tests.checks.specimens import HEAD, USAGE, breaks, choice, exchange, found, holds, plain, refused
from tests.checks.test_soak import MS, load, row

PAGE = """# HELP tokens_predicted_total Tokens.
# TYPE tokens_predicted_total counter
tokens_predicted_total {tokens}
# TYPE spec_decode_num_draft_tokens_total counter
spec_decode_num_draft_tokens_total{{model="a b"}} {drafted}
# TYPE spec_decode_num_accepted_tokens_total counter
spec_decode_num_accepted_tokens_total {accepted}
# TYPE busy gauge
busy 1.5 1700000000000
"""


def page(tokens=0, drafted=0, accepted=0, more=""):
    told = PAGE.format(tokens=tokens, drafted=drafted, accepted=accepted) + more
    return exchange(told.encode(), headers={"content-type": "text/plain"}, method="GET", path="//metrics")


def spoken(drafted=2, accepted=1):
    timings = {"draft_n": drafted, "draft_n_accepted": accepted}
    body = HEAD | {"choices": [choice()], "usage": USAGE, "timings": timings}
    return exchange(json.dumps(body).encode())


def metered(second, chat=None, first=None):
    return {"first": first or page(), "chat": chat or spoken(), "second": second}


def health(answer, before=None, elsewhere=None):
    return {"before": before or plain(), "/health/liveliness": elsewhere or refused(404), "usual": answer}


WELL = exchange(b'{"status": "ok"}', method="GET", path="//health")


def test_health_says_ready():
    rule = "ops/health-says-ready"
    empty = exchange(b"", status=204, headers={}, method="GET", path="//health")
    holds(rule, [health(WELL), health(empty), {"before": plain(), "/health/liveliness": WELL}])
    breaks(rule, health(refused(503)), "the page", "503")
    breaks(rule, health(refused(401)), "the page", "401")
    assert [f.optional for f in found(rule, health(refused(404)))] == [True]
    assert [f.kind for f in found(rule, health(refused(503), before=refused(500)))] == ["no-evidence"]


def test_ready_means_that_chats_are_answered():
    rule = "ops/ready-means-that-chats-are-answered"
    holds(rule, [health(WELL), health(refused(503), before=refused(500)), health(WELL, before=refused(400))])
    told = breaks(rule, health(WELL, before=refused(500)), "the page", "200, and a chat: 500")
    assert told.causes == ("http/valid-request-is-answered[s]",)
    breaks(rule, health(WELL, before=exchange(b"", status=None, error="deadline")), "the page", "deadline")
    assert [f.optional for f in found(rule, health(refused(404)))] == [True]


def test_counters_can_be_read():
    rule = "ops/counters-can-be-read"
    holds(rule, [metered(page()), metered(page(), first=page(more='q{quantile="0.5"} NaN\nr +Inf\n\n'))])
    breaks(rule, metered(page(), first=page(more="waiting None\n")), "a line", "waiting None")
    breaks(rule, metered(page(), first=page(more="<html>\n")), "a line", "<html>")
    breaks(rule, metered(page(), first=exchange(b"")), "the page")


def test_totals_never_fall():
    rule = "ops/totals-never-fall"
    holds(rule, [metered(page(5), first=page(5)), metered(page(7), first=page(5))])
    breaks(rule, metered(page(4), first=page(5)), "tokens_predicted_total", "4")
    bare = exchange(b"busy 1\n")
    assert [f.optional for f in found(rule, metered(bare, first=bare))] == [True]


def test_generated_tokens_are_counted():
    rule = "ops/generated-tokens-are-counted"
    holds(rule, [metered(page(2)), metered(page(9))])  # others may have been served
    breaks(rule, metered(page(1)), "generated tokens", "1 more")
    told = plain({"usage": None})
    assert [f.kind for f in found(rule, metered(page(2), chat=told))] == ["no-evidence"]
    assert [f.optional for f in found(rule, metered(exchange(b"busy 1\n")))] == [True]


def test_drafts_are_counted():
    rule = "ops/drafts-are-counted"
    holds(rule, [metered(page(2, 2, 1)), metered(page(2), chat=spoken(0, 0))])
    breaks(rule, metered(page(2, 0, 1)), "drafted tokens", "0 more")
    breaks(rule, metered(page(2, 2, 0)), "accepted tokens", "0 more")
    breaks(rule, metered(page(2, 2, 3), chat=spoken(2, 3)), "timings.draft_n_accepted", "3")
    assert [f.optional for f in found(rule, metered(page(2), chat=plain()))] == [True]


@pytest.mark.parametrize("rule", ["counters-can-be-read", "totals-never-fall", "drafts-are-counted"])
def test_a_server_need_not_have_counters(rule):
    assert [f.optional for f in found(f"ops/{rule}", metered(page(), first=refused(501)))] == [True]
    silent = exchange(b"", status=None, error="deadline")
    assert [f.kind for f in found(f"ops/{rule}", metered(silent))] == ["no-evidence"]


def looked(*probes):
    return msgspec.structs.replace(load(row(1), row(9)), probes=probes)


def look(second, health=200, took_ms=2, **said):
    return Probe(name="8080", t=second * SECOND, health=health, health_ns=took_ms * MS, **said)


def test_health_is_told_under_load():
    rule = "ops/health-is-told-under-load"
    well = [look(n) for n in range(2, 9)]
    holds(rule, [looked(*well), looked(*well, look(0, 503)), looked(*well[1:], look(2, 503))])
    breaks(rule, looked(*well, look(3, 503), look(4, 503)), "looks at health", "2 of 9: 503")
    breaks(rule, looked(*well, look(3, took_ms=1500), look(4, None, 5000, error="deadline")), "looks", "in 5.0 s")
    assert [f.optional for f in found(rule, looked(look(3, 404)))] == [True]
    assert [f.optional for f in found(rule, looked(look(3, None, error="not asked: it sleeps")))] == [True]
