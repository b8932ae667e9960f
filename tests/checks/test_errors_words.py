"""Rules on what refusals say, and on their status."""

import json

from seatrial.checks import fuzzing
from tests.checks.specimens import ASKED, ERROR, breaks, exchange, found, holds, pair, plain, refused

BAD = ASKED | {"max_tokens": 16, "temperature": "0"}


def says(message, param=None, **settings):
    """A refusal of a request whose temperature is a text."""
    error = ERROR["error"] | {"message": message, "param": param}
    return refused(body={"error": error}, **{"asked": BAD} | settings)


def test_message_names_what_is_wrong():
    rule = "errors/message-names-what-is-wrong"
    holds(rule, [pair(says("temperature must be a number")), pair(says("Temperature: a float")), pair(refused())])
    holds(rule, [pair(says("the request exceeds the context")), pair(says("", asked=b"{")), pair(plain(asked=BAD))])
    breaks(rule, pair(says("Bad Request")), "error.message", "Bad Request")
    tool = ASKED | {"tools": [{"type": "function", "function": {"name": "two words"}}]}
    holds(rule, [pair(says("function.name does not fit", asked=tool)), pair(says("'two words' is none", asked=tool))])
    breaks(rule, pair(says("cannot parse", asked=tool)), "error.message", "cannot parse")
    form = ASKED | {"response_format": {"type": "poem"}}
    holds(rule, [pair(says("the format can be text or an object", asked=form))])
    breaks(rule, pair(says("invalid", asked=form)), "error.message", "invalid")


def test_refusal_shows_no_insides():
    rule = "errors/refusal-shows-no-insides"
    holds(
        rule, [pair(refused()), pair(says("/v1/chat/completions takes POST")), pair(says("see https://x.org/a/b.py"))]
    )
    for shown in (
        'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f',
        "error in /usr/lib/serve/chat.py",
        "<serve.Chat object at 0x7f3a91c2d0>",
        "expected <class 'str'>",
        "TypeError: x\n    at chat (/app/server.js:7:12)",
        "thread 'main' panicked at src/main.rs:5",
    ):
        breaks(rule, pair(says(shown)), "the body")


def test_param_names_what_is_wrong():
    rule = "errors/param-names-what-is-wrong"
    holds(rule, [pair(says("no", "temperature")), pair(refused()), pair(plain(asked=BAD))])
    breaks(rule, pair(says("no", "seed")), "error.param", "seed")
    breaks(rule, pair(says("no", 5)), "error.param", "5")
    assert [f.kind for f in found(rule, pair(says("no")))] == ["refusal"]


def test_same_fault_has_the_same_status():
    rule = "errors/same-fault-has-the-same-status"
    holds(rule, [{"plain": refused(), "stream": refused(), "good": plain()}, {"a": refused(400), "b": refused(422)}])
    breaks(rule, {"plain": refused(), "stream": refused(403)}, "stream: the status", "403")
    assert [f.kind for f in found(rule, {"chats": refused(), "vectors": refused(404)})] == ["refusal"]


def test_busy_server_says_when_to_come_back():
    rule = "errors/busy-server-says-when-to-come-back"
    asks = {"retry-after": "2", "content-type": "application/json"}
    dated = asks | {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}
    holds(rule, [{"a": plain(), "b": refused(429, headers=asks)}, {"a": refused(503, headers=dated)}])
    breaks(rule, {"a": plain(), "b": refused(503)}, "b: Retry-After", "none")
    breaks(rule, {"a": refused(429, headers=asks | {"retry-after": "soon"})}, "Retry-After", "soon")
    gone = exchange(b"", status=None, error="refused")
    assert [f.kind for f in found(rule, {"a": gone})] == ["no-evidence"]


def test_odd_requests_give_no_5xx():
    rule = "errors/odd-requests-give-no-5xx"
    holds(rule, [{"000": refused(), "001": plain(), "good": plain(), "before": plain()}])
    breaks(rule, {"000": refused(500), "good": plain()}, "000: the status", "500")
    breaks(rule, {"000": exchange(b"", status=None, error="reset"), "good": plain()}, "000: the answer", "reset")
    breaks(rule, {"000": refused(), "good": refused(500)}, "the request after", "500")
    ill = {"000": refused(500), "good": refused(500), "before": refused(500)}
    assert [f.kind for f in found(rule, ill)] == ["no-evidence"]


def test_seeded_faults_are_the_same_each_time_and_small():
    bodies = list(fuzzing.chats(1, 200))
    assert json.dumps(bodies) == json.dumps(list(fuzzing.chats(1, 200))) != json.dumps(list(fuzzing.chats(2, 200)))
    assert all(body["max_completion_tokens"] == fuzzing.CAP for body in bodies)
    spoiled = {name for body in bodies for name in body}
    assert spoiled >= set(fuzzing.FIELDS)
