"""The canary: what it asks, what it makes of each answer, and what it never does."""

from __future__ import annotations

import json
import time

import pytest

from seatrial.monitor.ladder import canary
from seatrial.monitor.ladder.canary import Answers
from seatrial.monitor.ladder.questions import Questions
from seatrial.records import Ask
from seatrial.servers import locks
from tests.golden.server import Golden
from tests.monitor.sites import KEY, Site, climb, events, hang, reply, site, then

SOON = 0.05
CHAT = "v1__chat__completions"
PATH = "/v1/chat/completions"


def asked(s: Site) -> int:
    return s.count(PATH)


def test_it_asks_for_one_token_as_a_client_does_and_knows_an_answer_by_its_second_time():
    speak = then(events("Hello"), events("Hello"), events("Hello"), events("Hullo"))
    with site(**{CHAT: speak}) as s, climb(s.url, canary_s=SOON, key=KEY) as c:
        c.until(lambda: len(c.asks("canary")) >= 4)
        first, second, third, fourth = c.asks("canary")[:4]
        assert [a.right for a in (first, second, third, fourth)] == [None, True, True, False]
        assert (first.outcome, first.status, first.deltas, first.detail) == ("ok", 200, 1, "")
        assert first.asked_at < first.first_at <= first.last_at <= first.ended_at
        assert [a.id for a in c.asks("canary")[:2]] == ["canary-1", "canary-2"]
        body = s.bodies[0]
        assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == ("m", 1, 0, True)
        assert s.headers[s.asked.index(PATH)]["authorization"] == f"Bearer {KEY}"
        assert s.headers[s.asked.index(PATH)]["connection"] == "close"


def test_answers_that_differ_each_time_are_never_known():
    answers = Answers()
    assert [answers.same(text) for text in ("a", "b", "a", "b", "b", "b", "a")] == [
        None, None, None, None, True, True, False]  # fmt: skip


def test_it_is_asked_every_so_often_and_one_at_a_time():
    with site(**{CHAT: hang}) as s, climb(s.url, canary_s=SOON, patience_s=1) as c:
        hanging = c.until(lambda: c.asks("canary", over=False))[0]
        assert (hanging.first_at, hanging.ended_at) == (0, 0)
        c.until(lambda: len(c.asks("canary")) >= 2)
        assert s.most[PATH] == 1
        assert {a.outcome for a in c.asks("canary")} <= {"stall", "deadline"}
        assert c.asks("canary")[0].ended_at - c.asks("canary")[0].asked_at >= 9 * 10**8
    with site(**{CHAT: events("Hello")}) as s, climb(s.url, canary_s=600) as c:
        c.until(lambda: c.asks("canary"))
        for _ in range(20):
            c.tick()
        assert asked(s) == 1


def test_a_hidden_thought_has_more_tokens_asked_for_and_that_is_remembered():
    speak = then(events(""), events("Hi"), events("Hi"))
    with site(**{CHAT: speak}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 2)
        assert [body["max_tokens"] for body in s.bodies[:3]] == [1, 4, 4]
        assert {a.outcome for a in c.asks("canary")} == {"ok"}


def test_thoughts_that_are_shown_are_an_answer():
    with Golden(thinking=True) as golden, climb(golden.url, model="", canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 2)
        assert [(a.outcome, a.right) for a in c.asks("canary")[:2]] == [("ok", None), ("ok", True)]


def test_an_answer_that_stays_empty_is_empty():
    with site(**{CHAT: events("")}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 2)
        assert [body["max_tokens"] for body in s.bodies[:4]] == [1, 4, 16, 16]
        assert {(a.outcome, a.right) for a in c.asks("canary")} == {("empty", None)}


def test_an_answer_that_comes_whole_is_one_though_a_stream_was_asked_for():
    def whole(text):
        message = {"role": "assistant", "content": text}
        return reply(200, {"choices": [{"index": 0, "message": message}]}, content_type="application/json")

    with site(**{CHAT: then(whole(""), whole("Hello"))}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 3)
        assert [body["max_tokens"] for body in s.bodies[:3]] == [1, 4, 4]
        assert [(a.outcome, a.right) for a in c.asks("canary")[:3]] == [("ok", None), ("ok", True), ("ok", True)]


@pytest.mark.parametrize("body", [{"error": {"message": "no"}}, {"choices": []}, {}, b"<html>log in</html>", b"[7]"])
def test_a_whole_body_without_an_answer_is_none(body):
    with (
        site(**{CHAT: reply(200, body, content_type="application/json")}) as s,
        climb(s.url, canary_s=SOON) as c,
    ):
        assert c.until(lambda: c.asks("canary"))[0].outcome == "not_a_stream"


def test_a_server_that_refuses_one_token_is_asked_for_more():
    refuse = reply(400, {"error": {"message": "max_tokens must be at least 2"}})
    with site(**{CHAT: then(refuse, events("Hello"), events("Hello"))}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 2)
        assert [body["max_tokens"] for body in s.bodies[:3]] == [1, 4, 4]
        assert {a.outcome for a in c.asks("canary")} == {"ok"}


def test_a_server_that_takes_another_word_for_it_is_asked_by_that():
    refuse = reply(422, {"error": {"message": "Unsupported parameter: max_tokens"}})
    with site(**{CHAT: then(refuse, refuse, refuse, events("Hello"))}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 1)
        assert [(b.get("max_tokens"), b.get("max_completion_tokens")) for b in s.bodies[:4]] == [
            (1, None), (4, None), (16, None), (None, 16)]  # fmt: skip
        assert {a.outcome for a in c.asks("canary")} == {"ok"}


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_server_that_refuses_every_question_is_told_of_once_and_asked_seldom(status):
    refuse = reply(status, {"error": {"message": "no"}})
    with site(**{CHAT: refuse}) as s, climb(s.url, canary_s=SOON) as c:
        ask = c.until(lambda: c.asks("canary"))[0]
        assert (ask.outcome, ask.status, ask.detail) == ("http_4xx", status, "no")
        end = time.monotonic() + 4 * SOON
        c.until(lambda: time.monotonic() > end)
        assert asked(s) == (4 if status in (400, 422) else 1)
        assert c.troubles().count(f"the canary cannot ask: HTTP {status}") == 1


def test_a_model_that_the_server_put_away_is_no_failure_and_one_that_it_lists_is():
    refuse = reply(404, {"error": {"message": "no such model"}})
    for left, skipped in ((("m",), ""), (("other",), "its model is not listed any more")):
        with site(**{CHAT: then(events("Hi"), refuse)}) as s, climb(s.url, canary_s=SOON) as c:
            s.paths["/v1/models"] = lambda handler, s=s, left=left: reply(
                200, {"data": [{"id": name} for name in (left if asked(s) > 1 else ("m",))]}
            )(handler)
            c.until(lambda: any(ask.status == 404 for ask in c.lines if isinstance(ask, Ask)))
            (last, *_) = [ask for ask in c.lines if isinstance(ask, Ask) and ask.status == 404]
            assert (last.outcome, last.skipped) == ("http_4xx", skipped)


def test_a_busy_server_is_asked_again_when_it_says():
    busy = reply(429, {"error": {"message": "later"}}, Retry_After="3600")
    with site(**{CHAT: then(busy, events("Hi"))}) as s, climb(s.url, canary_s=SOON) as c:
        ask = c.until(lambda: c.asks("canary"))[0]
        assert (ask.outcome, ask.status, ask.retry_s) == ("busy", 429, 3600)
        end = time.monotonic() + 4 * SOON
        c.until(lambda: time.monotonic() > end)
        assert asked(s) == 1


def test_it_is_not_sent_while_the_endpoint_is_held_alone():
    with site(**{CHAT: events("Hi")}) as s, climb(s.url, canary_s=SOON) as c:
        with locks.exclusive(s.url):
            c.until(lambda: c.skipped("canary"))
            for _ in range(20):
                c.tick()
            assert (asked(s), c.skipped("canary")) == (0, ["held alone"])
        c.until(lambda: c.asks("canary"))
        with locks.shared(s.url):
            before = asked(s)
            c.until(lambda: asked(s) > before)


def test_while_it_hangs_nobody_gets_the_endpoint_alone():
    with site(**{CHAT: hang}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: asked(s))
        with pytest.raises(locks.LockTimeout), locks.exclusive(s.url, timeout_s=0.05):
            pass


def test_the_key_handed_back_is_in_no_line():
    echo = reply(500, {"error": {"message": f"the key {KEY} is strange"}})
    with site(**{CHAT: echo}) as s, climb(s.url, canary_s=SOON, key=KEY) as c:
        ask = c.until(lambda: c.asks("canary"))[0]
        assert ask.outcome == "http_5xx"
        assert "is strange" in ask.detail
        assert KEY not in str(c.lines)


def test_a_redirect_is_not_followed():
    with site(**{CHAT: events("Hi")}) as other:
        there = reply(307, location=f"{other.url}/chat/completions")
        with site(**{CHAT: there}) as s, climb(s.url, canary_s=SOON) as c:
            assert c.until(lambda: c.asks("canary"))[0].outcome == "http_other"
            assert not other.asked


def raw(data: bytes, *, again: bool = False):
    """Bytes as they are, once or without end."""

    def speak(handler):
        handler.wfile.write(data)
        while again:
            handler.wfile.write(data)

    return speak


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
DELTA = b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x"}}]}).encode() + b"\n\n"
BAD = {
    "an endless stream": (raw(STREAM + DELTA * 100, again=True), "too_large"),
    "endless headers": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000, again=True), "too_large"),
    "a huge header": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"), "not_http"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "not_http"),
    "a compressed stream": (raw(STREAM.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n") + b"\x1f\x8b\0"),
                            "no_terminator"),
    "no stream": (reply(200, {"choices": []}), "not_a_stream"),
    "no JSON": (raw(STREAM + b"data: x\n\n"), "malformed"),
    "half an answer": (raw(STREAM + DELTA), "no_terminator"),
    "an error in it": (raw(STREAM + b'data: {"error": {"message": "no"}}\n\n'), "sse_error"),
    "nothing": (raw(b""), "reset"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_whatever_comes_is_an_outcome_in_time(name, monkeypatch):
    monkeypatch.setattr(canary, "CAP", 200_000)
    speak, outcome = BAD[name]
    with site(**{CHAT: speak}) as s, climb(s.url, canary_s=SOON, patience_s=2) as c:
        ask = c.until(lambda: c.asks("canary"))[0]
        assert (ask.outcome, ask.right) == (outcome, None)
        assert len(ask.detail) <= 200
        assert not c.troubles()[1:], "the scheduler that nobody offers is all that is said"


def test_comments_that_keep_a_stream_open_are_no_tokens():
    def speak(handler):
        events(": wait", ": wait", done=False)(handler)
        hang(handler)

    with site(**{CHAT: speak}) as s, climb(s.url, canary_s=SOON, patience_s=1) as c:
        hanging = c.until(lambda: [a for a in c.asks("canary", over=False) if a.comments])[0]
        assert (hanging.comments, hanging.deltas, hanging.first_at, hanging.status) == (2, 0, 0, 200)
        assert c.until(lambda: c.asks("canary"))[0].comments == 2


def test_the_model_is_the_only_one_of_the_list_where_none_is_named():
    models = reply(200, {"data": [{"id": "only"}]})
    with site(v1__models=models, **{CHAT: events("Hi")}) as s, climb(s.url, model="", canary_s=SOON) as c:
        c.until(lambda: c.asks("canary"))
        assert s.bodies[0]["model"] == "only"


def test_of_several_models_none_is_asked_for_a_question_could_load_it():
    models = reply(200, {"data": [{"id": "first"}, {"id": "second"}]})
    with site(v1__models=models, **{CHAT: events("Hi")}) as s, climb(s.url, model="", canary_s=SOON) as c:
        c.until(lambda: s.count("/v1/models") > 3)
        assert not asked(s)
        assert [text for text in c.troubles() if "2: name one with --model" in text]


def test_without_a_model_none_is_sent_and_that_is_said_once():
    with site(**{CHAT: events("Hi")}) as s, climb(s.url, model="", canary_s=SOON) as c:
        c.until(lambda: s.count("/v1/models") > 3)
        assert not asked(s)
        assert len([text for text in c.troubles() if "no canary" in text]) == 1


ROUTER = {"role": "router", "max_instances": 4, "models_autoload": True, "model_path": "none",
          "default_generation_settings": {"params": {}, "n_ctx": 0}}  # fmt: skip


def listed(value: str, *arguments: str, name: str = "m"):
    """The models of a router: ours, and another that is loaded."""
    other = {"id": "other", "status": {"value": "loaded"}}
    return reply(200, {"data": [other, {"id": name, "aliases": ["m"], "status": {"value": value, "args": arguments}}]})


@pytest.mark.parametrize(("models", "why"), [
    (listed("unloaded"), "would load the model"),
    (listed("loading"), "would load the model"),
    (listed("sleeping"), "would load the model"),
    (reply(200, {"data": [{"id": "other", "status": {"value": "loaded"}}]}), "would load the model"),
    (reply(200, {"data": [{"id": "m"}, {"id": "m2", "status": "loaded"}]}), "would load the model"),
    (reply(200, b"[" * 5000), "would load the model"),
    (reply(500), "not known whether it would load the model"),
    (listed("loaded", "llama-server", "--sleep-idle-seconds", "9"), "would keep it awake"),
    (reply(200, {"data": [{"id": "m", "status": {"value": "unloaded", "failed": "true"}}]}), "would load the model"),
])  # fmt: skip
def test_a_router_is_not_asked_for_a_model_that_is_not_loaded(models, why):
    with (
        site(props=reply(200, ROUTER), v1__models=models, **{CHAT: events("Hi")}) as s,
        climb(s.url, canary_s=SOON) as c,
    ):
        c.until(lambda: s.count("/v1/models") > 3)
        assert (asked(s), c.skipped("canary")) == (0, [why])
        assert "/slots" not in s.asked
        (text,) = c.troubles()
        assert text.startswith("the scheduler is not asked: a router")


@pytest.mark.parametrize("name", ["m", "org/m-GGUF"])
def test_a_router_is_asked_while_the_model_is_loaded_and_no_longer(name):
    loaded = listed("loaded", name=name)  # once for who serves, and for three canaries
    models = then(*[loaded] * 4, listed("unloaded", name=name))
    with (
        site(props=reply(200, ROUTER), v1__models=models, **{CHAT: events("Hi")}) as s,
        climb(s.url, canary_s=SOON) as c,
    ):
        c.until(lambda: c.skipped("canary"))
        c.until(lambda: s.count("/v1/models") > 6)
        assert (asked(s), len(c.asks("canary")), c.skipped("canary")) == (3, 3, ["would load the model"])


def test_a_router_is_asked_for_a_model_whose_server_has_failed():
    """Nobody unloaded it: whoever asks next has it loaded again, or is told that it is gone."""
    status = {"value": "unloaded", "failed": True, "exit_code": 1, "args": []}
    models = reply(200, {"data": [{"id": "m", "aliases": [], "status": status}]})
    with (
        site(props=reply(200, ROUTER), v1__models=models, **{CHAT: events("Hi")}) as s,
        climb(s.url, canary_s=SOON) as c,
    ):
        c.until(lambda: asked(s) > 1)
        assert c.skipped("canary") == []


def test_a_router_is_asked_no_more_often_for_its_models_than_for_a_token():
    with (
        site(props=reply(200, ROUTER), v1__models=listed("unloaded"), **{CHAT: events("Hi")}) as s,
        climb(s.url, canary_s=600) as c,
    ):
        c.until(lambda: c.skipped("canary"))
        for _ in range(20):
            c.tick()
        assert s.count("/v1/models") == 2, "once for who serves, once for the canary"


def test_the_key_does_not_go_to_a_host_whose_certificate_is_not_trusted():
    with site() as s:
        questions = Questions(f"https://127.0.0.1:{s.server.server_port}", key=KEY)
        assert questions.get("/slots", deadline_s=2).error == "tls"
        url = s.url.replace("http:", "https:")
        with climb(url, canary_s=SOON, key=KEY) as c:
            assert c.until(lambda: c.asks("canary"))[0].outcome == "tls"
        assert not s.asked


def test_an_answer_of_more_tokens_than_are_asked_for_is_asked_for_more_seldom():
    with site(**{CHAT: events(*"a" * 200)}) as s, climb(s.url, canary_s=0.5) as c:
        first, second = c.until(lambda: len(c.asks("canary")) >= 2 and c.asks("canary"))[:2]
        assert second.asked_at - first.asked_at >= 2.9e9
        (said,) = [text for text in c.troubles() if "costs" in text]
        assert said == "a canary costs 200 tokens, though it asks for few: one is sent every 3 s"


def test_an_answer_of_a_few_tokens_more_is_asked_for_as_often():
    with site(**{CHAT: events(*"a" * 20)}) as s, climb(s.url, canary_s=SOON) as c:
        c.until(lambda: len(c.asks("canary")) >= 3)
        assert not [text for text in c.troubles() if "costs" in text]
