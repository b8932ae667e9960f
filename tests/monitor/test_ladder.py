"""The scheduler's rung against servers of every dialect, and against those that hang, sleep or talk nonsense."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.kinds import llama_cpp
from seatrial.kinds.kind import Clue
from seatrial.monitor.ladder import scheduler
from seatrial.wire.transports import probe
from tests.golden.client import call
from tests.golden.server import Golden
from tests.monitor.sites import KEY, climb, events, hang, reply, site, then

PROPS = {"total_slots": 2, "is_sleeping": False}
IDLE = [{"id": 0, "is_processing": False}]
BUSY = [
    {"id": 0, "id_task": 3, "is_processing": True, "n_prompt_tokens_processed": 9, "next_token": [{"n_decoded": 5}]}
]
TOTALS = b"llamacpp:tokens_predicted_total 3.21457e+06\nllamacpp:n_decode_total 12\nllamacpp:requests_processing NaN\n"
ENGINE = b'process_start_time_seconds 1.76e+09\nvllm:num_requests_running{engine="0"} 2\nvllm:num_requests_waiting 1\n'


def llama(**paths):
    return site(**{"props": reply(200, PROPS), "slots": reply(200, IDLE), **paths})


def test_the_golden_server_is_asked_with_its_key_and_what_it_works_on_is_told():
    with Golden(["slow-prefill"], key=KEY) as golden, climb(golden.url, model="", key=KEY, canary_s=0.1) as c:
        c.until(lambda: any(m.running for m in c.meters("/slots")), "a slot that works")
        assert not c.asks("canary"), "the prompt is still worked on"
        first = c.meters("/slots")[0].progress
        c.until(lambda: c.asks("canary"), "a token")
        assert any((m.progress or 0) > (first or 0) for m in c.meters("/slots"))
        assert {a.outcome for a in c.asks("scheduler")} == {"ok"}
        assert not c.troubles()


def test_metrics_are_read_only_where_nobody_else_reads_the_gauges():
    start = "17052235198"
    with llama(metrics=reply(200, TOTALS, Process_Start_Time_Unix=start)) as s:
        with climb(s.url) as c:
            c.until(lambda: len(c.asks("scheduler")) > 5)
        assert "/metrics" not in s.asked
        for word in ("scrape", "ours"):
            with climb(s.url, **{word: True}) as c:
                meter = c.until(lambda c=c: c.meters("/metrics"))[0]
                assert (meter.tokens, meter.progress, meter.running, meter.start) == (3214570, 12, None, start)
                assert c.until(lambda c=c: c.meters("/slots"), "both are asked in turn")


def test_a_question_that_hangs_stays_the_only_one_and_is_renewed(monkeypatch):
    monkeypatch.setattr(scheduler, "HANG_S", 1.0)
    with llama(slots=hang) as s, climb(s.url) as c:
        hanging = c.until(lambda: c.asks("scheduler", over=False), "a line about what hangs")[0]
        assert (hanging.ended_at, hanging.outcome, hanging.id) == (0, "", "scheduler-1")
        c.until(lambda: len(c.asks("scheduler")) >= 2, "two that were given up")
        assert s.most["/slots"] == 1
        assert {a.outcome for a in c.asks("scheduler")} == {"deadline"}
        assert s.count("/slots") <= 3


def test_nothing_new_is_asked_of_a_stopped_process_and_what_hangs_is_still_told():
    with llama(slots=hang) as s, climb(s.url) as c:
        c.until(lambda: s.count("/slots"))
        c.until(lambda: c.asks("scheduler", over=False), ask=False)
        assert s.count("/slots") == 1


def test_after_the_close_no_line_is_written():
    with llama(slots=then(hang, reply(200, IDLE))) as s, climb(s.url) as c:
        c.until(lambda: c.asks("scheduler", over=False))
        c.ladder.close()
        before = len(c.lines)
        c.tick()
        assert len(c.lines) == before


@pytest.mark.parametrize("status", [401, 404, 501])
def test_what_is_not_offered_is_said_once_and_asked_no_more(status):
    with llama(slots=reply(status)) as s, climb(s.url) as c:
        text = c.until(c.troubles)[0]
        assert text == f"llama.cpp /slots is not asked any more: status {status}"
        for _ in range(20):
            c.tick()
        assert (s.count("/slots"), len(c.troubles())) == (1, 1)
        c.life.incarnation = "another life, perhaps with other options"
        c.until(lambda: s.count("/slots") == 2)


@pytest.mark.parametrize("arguments", ["llama-server --sleep-idle-seconds 300", "x --sleep-idle-seconds=5 -m y"])
def test_a_server_that_may_sleep_is_not_kept_awake(arguments):
    chat = {"v1__chat__completions": events("hi")}
    with llama(**chat) as s, climb(s.url, arguments=arguments, canary_s=0.1) as c:
        c.until(lambda: len(c.meters("/props")) > 2)
        c.until(lambda: c.skipped("canary"))
        assert set(s.asked) == {"/props", "/v1/models"}, "which wake nobody"
        assert c.skipped("scheduler") == c.skipped("canary") == ["would keep it awake"]
        assert {m.asleep for m in c.meters()} == {False}
        assert len(c.troubles()) == 1


def test_a_server_found_asleep_is_left_asleep():
    props = reply(200, {**PROPS, "is_sleeping": True})
    with llama(props=props) as s, climb(s.url, canary_s=0.1) as c:
        c.until(lambda: c.skipped("canary") and c.meters())
        assert set(s.asked) == {"/props", "/v1/models"}, "which wake nobody"
        assert c.skipped("canary") == ["asleep"]
        assert c.meters()[0].asleep is True


def test_a_negative_time_is_no_sleep():
    assert not llama_cpp.may_sleep("llama-server --sleep-idle-seconds -1 -m x")
    assert llama_cpp.may_sleep("llama-server --sleep-idle-seconds")
    assert not llama_cpp.may_sleep("")


def test_the_kinds_own_health_page_is_asked_once_the_kind_is_known(monkeypatch):
    kind = msgspec.structs.replace(llama_cpp.KIND, health="/livez")
    monkeypatch.setattr(scheduler.detect, "signs", lambda: ((kind.sign, kind),))
    with llama(props=then(reply(200, PROPS), hang)) as s, climb(s.url) as c:
        c.tick()
        assert c.prober.path == "/health"
        c.until(lambda: c.meters() and c.prober.path == "/livez")
        c.life.incarnation = "another life, perhaps of another server"
        c.until(lambda: c.prober.path == "/health")


def test_two_kinds_known_by_one_page_ask_for_it_once(monkeypatch):
    sign = llama_cpp.KIND.sign
    other = msgspec.structs.replace(llama_cpp.KIND, sign=Clue(path=sign.path, turn=0, meet=lambda *_: None))
    monkeypatch.setattr(scheduler.detect, "signs", lambda: ((other.sign, other), (sign, llama_cpp.KIND)))
    with llama() as s, climb(s.url) as c:
        c.until(c.meters)
        assert s.count(sign.path) == 1


def test_vllm_is_known_by_its_models_and_its_metrics_are_read():
    models = reply(200, {"data": [{"id": "m", "owned_by": "vllm"}]})
    with site(v1__models=models, metrics=reply(200, ENGINE)) as s, climb(s.url) as c:
        meter = c.until(c.meters)[0]
        assert (meter.source, meter.running, meter.waiting, meter.tokens) == ("vllm /metrics", 2, 1, None)
        assert meter.start == "1760000000"
        assert "/slots" not in s.asked


@pytest.mark.parametrize(
    ("models", "skipped"),
    [
        ([], ["asleep"]),
        ([{"expires_at": "2025-10-17T16:47:07.93355-07:00"}], ["would keep it awake"]),
        ([{"expires_at": "2318-10-17T16:47:07.93355-07:00"}], []),
    ],
)
def test_ollamas_models_are_neither_loaded_nor_kept(models, skipped):
    paths = {"api__ps": reply(200, {"models": models}), "v1__chat__completions": events("hi")}
    with site(**paths) as s, climb(s.url, canary_s=0.1) as c:
        c.until(lambda: c.meters() and (c.skipped("canary") or c.asks("canary")))
        assert c.skipped("canary") == skipped
        assert bool(s.count("/v1/chat/completions")) != bool(skipped)
        assert c.meters()[0].asleep is (not models)


NONSENSE = {
    "words": b"hello",
    "an object": b"{}",
    "no slots": b"[]",
    "slots that say nothing": b'[{"id":0}]',
    "deep": b"[" * 100_000,
    "no text": bytes(range(256)),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_said_once_and_is_an_answer(body):
    with llama(slots=reply(200, body)) as s, climb(s.url) as c:
        c.until(lambda: len(c.asks("scheduler")) > 3)
        assert {(a.status, a.outcome) for a in c.asks("scheduler")} == {(200, "nonsense")}
        assert len(c.troubles()) == 1
        assert not c.meters()


def test_nonsense_that_is_another_each_time_is_said_once():
    bodies = [b" " * n + b"oops" for n in range(8)] + [b"{" * n for n in range(1, 5)]
    with llama(slots=then(*(reply(200, body) for body in bodies))) as s, climb(s.url) as c:
        c.until(lambda: len(c.asks("scheduler")) >= len(bodies))
        assert c.troubles() == ["llama.cpp /slots answers with no JSON"]


def test_a_body_without_end_is_not_asked_for_again(monkeypatch):
    monkeypatch.setattr(scheduler, "CAP", 100_000)
    with llama(slots=reply(200, b"[" + b" " * 200_000 + b"]")) as s, climb(s.url) as c:
        assert "is not asked any more" in c.until(c.troubles)[0]
        assert (c.asks("scheduler")[0].outcome, s.count("/slots")) == ("too-large", 1)


def test_a_server_that_offers_nothing_is_said_once():
    with site() as s, climb(s.url) as c:
        c.until(c.troubles)
        asked = len(s.asked)
        for _ in range(20):
            c.tick()
        assert (len(c.troubles()), len(s.asked)) == (1, asked)


def test_a_server_that_loads_or_is_gone_is_not_asked_and_one_without_health_is():
    with llama(slots=reply(200, BUSY)) as s, climb(s.url) as c:
        for heard in (
            None,
            probe.ProbeAnswer(status=503),
            probe.ProbeAnswer(error="refused"),
            probe.ProbeAnswer(error="deadline"),
        ):
            c.prober.heard = heard
            c.tick()
        assert not s.asked
        c.prober.heard = probe.ProbeAnswer(status=404)
        c.until(c.meters)
        c.prober.heard = probe.ProbeAnswer(error="deadline")  # it was there: that its front is silent is no reason
        before = s.count("/slots")
        c.until(lambda: s.count("/slots") > before)


def test_a_rung_that_fails_says_so_and_the_ladder_goes_on(monkeypatch):
    def broken(_):
        raise RuntimeError(f"no {KEY}")

    monkeypatch.setattr(scheduler.Scheduler, "_learn", broken)
    with llama() as s, climb(s.url, key=KEY) as c:
        text = c.until(c.troubles)[0]
        assert text.startswith("the scheduler rung failed: RuntimeError")
        assert KEY not in text


def test_the_key_goes_with_each_question_and_into_no_line():
    with llama(slots=reply(401)) as s, climb(s.url, key=f"{KEY}\n", headers={"X-Team": "a"}) as c:
        c.until(c.troubles)
        assert KEY not in str(c.lines), "http.client names what it cannot send"
        assert not s.asked
    with llama() as s, climb(s.url, key=KEY, headers={"X-Team": "a"}) as c:
        c.until(c.meters)
        assert all(h["authorization"] == f"Bearer {KEY}" and h["x-team"] == "a" for h in s.headers)


def test_wedged_behind_a_healthy_front():
    with Golden(["wedge"]) as golden, climb(golden.url, model="", canary_s=0.2) as c:
        c.until(lambda: c.asks("canary", over=False) and c.asks("scheduler", over=False), "both hang")
        assert call(golden, "GET", "/health")[0] == 200
        assert c.asks("canary", over=False)[0].first_at == 0
