"""The golden server is right: its answers, its refusals, its connections, and above all its truth."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden.answers import draft, tokens
from tests.golden.client import ask, call, chat, exchange, request, said, stream
from tests.golden.server import Golden
from tests.golden.validation import MODEL

CHAT = "/v1/chat/completions"
COUNT = "Count from 1 to 100."


@pytest.fixture(scope="module")
def golden() -> Iterator[Golden]:
    with Golden() as running:
        yield running


@pytest.fixture(scope="module")
def thinker() -> Iterator[Golden]:
    with Golden(thinking=True) as running:
        yield running


# answers


def test_a_whole_answer_and_a_stream_say_the_same(golden: Golden) -> None:
    _, whole = ask(golden, chat("Tell me of the sea.", seed=3))
    chunks = stream(golden, chat("Tell me of the sea.", seed=3, stream_options={"include_usage": True}))
    assert said(chunks) == whole["choices"][0]["message"]["content"]
    assert chunks[-1] == "[DONE]"
    assert chunks[-2]["choices"] == []
    assert _uncached(chunks[-2]["usage"]) == _uncached(whole["usage"])
    finishes = [choice["finish_reason"] for chunk in chunks[:-1] for choice in chunk["choices"]]
    assert finishes.count("stop") == 1
    assert finishes[-1] == "stop"
    assert [name for name in ("id", "created", "model", "object") if len({c[name] for c in chunks[:-1]}) > 1] == []
    assert [n for n, chunk in enumerate(chunks[:-2]) if "role" in chunk["choices"][0]["delta"]] == [0]


def _uncached(usage: dict[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in usage.items() if name != "prompt_tokens_details"}


def test_usage_counts_what_was_sent(golden: Golden) -> None:
    chunks = stream(golden, chat(COUNT, max_tokens=17, stream_options={"include_usage": True}))
    sent = [c for chunk in chunks[:-1] for c in chunk["choices"] if c["delta"].get("content")]
    usage = chunks[-2]["usage"]
    assert len(sent) == usage["completion_tokens"] == 17
    assert usage["total_tokens"] == usage["prompt_tokens"] + 17
    assert [chunk["usage"] for chunk in chunks[:-2]] == [None] * (len(chunks) - 2)


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
def test_a_cap_cuts(golden: Golden, cap: str) -> None:
    _, body = ask(golden, chat(COUNT, **{cap: 5}))
    assert body["choices"][0]["message"]["content"] == "1, 2, 3"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 5


def test_the_smaller_cap_counts(golden: Golden) -> None:
    assert ask(golden, chat(COUNT, max_tokens=9, max_completion_tokens=4))[1]["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("stop", ["7", ["xyz", "7"], "6, 7"])
def test_a_stop_string_ends_the_text_before_it(golden: Golden, stop: Any) -> None:
    chunks = stream(golden, chat(COUNT, stop=stop))
    assert said(chunks) == ("1, 2, 3, 4, 5, " if stop == "6, 7" else "1, 2, 3, 4, 5, 6, ")
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_n_gives_choices_that_differ(golden: Golden) -> None:
    _, body = ask(golden, chat("Tell me of the sea.", n=3))
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    texts = [choice["message"]["content"] for choice in body["choices"]]
    assert len(set(texts)) == 3
    assert body["usage"]["completion_tokens"] == sum(len(tokens(text)) for text in texts)
    chunks = stream(golden, chat("Tell me of the sea.", n=3))
    assert [said(chunks, index) for index in range(3)] == texts


def test_logprobs_spell_the_content(golden: Golden) -> None:
    _, body = ask(golden, chat("Repeat: naïve 日本 🎉", logprobs=True, top_logprobs=4))
    given = body["choices"][0]["logprobs"]["content"]
    assert "".join(each["token"] for each in given) == body["choices"][0]["message"]["content"] == "naïve 日本 🎉"
    for each in given:
        assert bytes(each["bytes"]).decode() == each["token"]
        top = [candidate["logprob"] for candidate in each["top_logprobs"]]
        assert len(top) == 4
        assert top == sorted(top, reverse=True)
        assert each["logprob"] == top[0] <= 0


def test_a_seed_decides(golden: Golden) -> None:
    texts = [ask(golden, chat("Tell me of the sea.", seed=s))[1]["choices"][0]["message"]["content"] for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Count from 3 to 6.", "3, 4, 5, 6."),
        ("Please count to five", "1, 2, 3, 4, 5."),
        ("Repeat: 日本語 🎉 naïve", "日本語 🎉 naïve"),
        ('Reply with exactly: "yes"', "yes"),
    ],
)
def test_a_request_to_count_or_repeat_is_honoured(golden: Golden, prompt: str, answer: str) -> None:
    assert ask(golden, chat(prompt))[1]["choices"][0]["message"]["content"] == answer


@pytest.mark.parametrize("prompt", ["Привет, как дела?", "元気ですか", "كيف حالك؟", "🎉", "Wie heißt du?"])
def test_unicode_is_answered_in_kind(golden: Golden, prompt: str) -> None:
    assert not said(stream(golden, chat(prompt))).isascii()


@pytest.mark.parametrize("index", range(3))
def test_an_honest_answer_has_no_loop(index: int) -> None:
    """Of the runs of four tokens in a long answer, three quarters are new; loop detectors ask below a quarter."""
    for seed in range(100):
        told = draft("Write a long essay.", seed=seed, index=index, thinking=False).content
        runs = [told[n : n + 4] for n in range(len(told) - 3)]
        assert len(told) > 150
        assert len(set(runs)) > 0.75 * len(runs), seed


# thinking


def test_thought_comes_first_and_counts(thinker: Golden) -> None:
    chunks = stream(thinker, chat("Say hello.", stream_options={"include_usage": True}))
    thought, content = said(chunks, name="reasoning_content"), said(chunks)
    kinds = [next(iter(c["delta"])) for chunk in chunks[1:-2] for c in chunk["choices"] if c["delta"]]
    assert kinds == sorted(kinds, reverse=True)
    assert chunks[-2]["usage"]["completion_tokens"] == len(tokens(thought)) + len(tokens(content))
    assert chunks[-2]["usage"]["completion_tokens_details"]["reasoning_tokens"] == len(tokens(thought)) > 0
    message = ask(thinker, chat("Say hello."))[1]["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == (thought, content)


def test_a_small_cap_is_spent_on_thought(thinker: Golden) -> None:
    _, body = ask(thinker, chat(max_tokens=4))
    assert body["choices"][0]["message"]["content"] == ""
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("off", [{"chat_template_kwargs": {"enable_thinking": False}}, {"reasoning_effort": "none"}])
def test_thought_can_be_turned_off(thinker: Golden, off: dict[str, Any]) -> None:
    _, body = ask(thinker, chat(**off))
    assert "reasoning_content" not in body["choices"][0]["message"]
    assert body["choices"][0]["message"]["content"]


# refusals

ROLE = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 400, None),
        (b'{"a": ', 400, None),
        (b"\xff\xfe", 400, None),
        (b"[" * 100_000, 400, None),
        (chat(temperature=float("nan")), 400, None),
        ([], 400, None),
        ("x", 400, None),
        (None, 400, None),
        ({"messages": [ROLE]}, 400, "model"),
        ({"model": MODEL}, 400, "messages"),
        ({"model": MODEL, "messages": []}, 400, "messages"),
        ({"model": MODEL, "messages": "hello"}, 400, "messages"),
        ({"model": MODEL, "messages": [5]}, 400, "messages[0]"),
        ({"model": MODEL, "messages": [{**ROLE, "role": "king"}]}, 400, "messages[0].role"),
        ({"model": MODEL, "messages": [{"role": "user"}]}, 400, "messages[0].content"),
        ({"model": MODEL, "messages": [ROLE, {**ROLE, "content": [{"type": "text"}]}]}, 400, "messages[1].content"),
        ({**chat(), "model": "nobody"}, 404, "model"),
        (chat(max_tokens=0), 400, "max_tokens"),
        (chat(max_tokens=-5), 400, "max_tokens"),
        (chat(max_tokens="ten"), 400, "max_tokens"),
        (chat(max_tokens=True), 400, "max_tokens"),
        (chat(max_completion_tokens=1.5), 400, "max_completion_tokens"),
        (chat(n=0), 400, "n"),
        (chat(n=129), 400, "n"),
        (chat(temperature=2.1), 400, "temperature"),
        (chat(temperature="0"), 400, "temperature"),
        (chat(top_p=-1), 400, "top_p"),
        (chat(stop=5), 400, "stop"),
        (chat(stop=["a"] * 5), 400, "stop"),
        (chat(stream="yes"), 400, "stream"),
        ({**chat(stream_options={"include_usage": 1}), "stream": True}, 400, "stream_options"),
        (chat(top_logprobs=2), 400, "top_logprobs"),
        (chat(logprobs=True, top_logprobs=21), 400, "top_logprobs"),
        (chat(seed="x"), 400, "seed"),
        (chat(tools=[{"type": "function"}]), 400, "tools"),
        (chat(response_format={"type": "json"}), 400, "response_format"),
        (chat("word " * 9000), 400, "messages"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_wrong_is_refused(golden: Golden, body: Any, status: int, param: str | None, streamed: bool) -> None:
    if streamed and isinstance(body, dict):
        body = {"stream": True, **body}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answered, said_so = call(golden, "POST", CHAT, sent)
    assert answered == status
    assert set(said_so["error"]) == {"message", "type", "param", "code"}
    assert said_so["error"]["message"]
    assert said_so["error"]["param"] == param
    assert said_so["error"]["code"] == {404: "model_not_found"}.get(status, said_so["error"]["code"])


def test_stream_options_need_a_stream(golden: Golden) -> None:
    assert ask(golden, chat(stream_options={}))[1]["error"]["param"] == "stream_options"


@pytest.mark.parametrize("name", ["max_tokens", "n", "stop", "stream", "logprobs", "temperature", "seed", "tools"])
def test_null_is_as_good_as_nothing(golden: Golden, name: str) -> None:
    assert ask(golden, chat(**{name: None}))[0] == 200


@pytest.mark.parametrize("cap", [1, 2**31, 10**30])
def test_any_positive_cap_is_served(golden: Golden, cap: int) -> None:
    assert ask(golden, chat(max_tokens=cap))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("GET", "/", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/v1/models/nobody", 404),
        ("GET", f"/v1/models/{MODEL}", 200),
        ("GET", "/health", 200),
        ("GET", "/props", 200),
    ],
)
def test_paths_and_methods(golden: Golden, method: str, path: str, status: int) -> None:
    answered, body = call(golden, method, path)
    assert answered == status
    assert (set(body["error"]) == {"message", "type", "param", "code"}) if status > 200 else body


def test_a_key_is_asked_for() -> None:
    with Golden(key="sk-1") as golden:
        assert call(golden, "GET", "/v1/models")[0] == 401
        assert ask(golden, chat(), Authorization="Bearer sk-2")[1]["error"]["code"] == "invalid_api_key"
        assert ask(golden, chat(), Authorization="bearer sk-1")[0] == 200
        assert call(golden, "GET", "/health")[0] == 200


# connections


def test_a_connection_is_kept_after_a_refusal_and_a_stream(golden: Golden) -> None:
    asked = [chat(n=0), chat(stream=True), chat()]
    sent = b"".join(request("POST", CHAT, body, keep=True) for body in asked) + request("GET", "/v1/models")
    answers = exchange(golden, sent)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"HTTP/1.1 400 Bad Request") == 1
    assert b"[DONE]\n\n\r\n0\r\n\r\nHTTP/1.1 200" in answers


def test_a_chunked_request_is_read(golden: Golden) -> None:
    body = json.dumps(chat("Count to 3.")).encode()
    framed = b"%x;x=1\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    assert b"1, 2, 3." in exchange(golden, head + framed)


def test_expect_is_answered(golden: Golden) -> None:
    sent = request("POST", CHAT, chat(), headers={"Expect": "100-continue"})
    assert exchange(golden, sent).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_http_1_0_gets_no_chunks(golden: Golden) -> None:
    sent = request("POST", CHAT, chat(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = exchange(golden, sent)
    assert b"Transfer-Encoding" not in answer
    assert answer.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a" * 70_000,
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_http_is_refused_and_the_connection_ends(golden: Golden, sent: bytes) -> None:
    status = int(exchange(golden, sent).split(b" ")[1])
    assert 400 <= status < 500


def test_a_client_that_leaves_disturbs_nobody() -> None:
    with Golden(token_ms=2) as golden:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", golden.port)) as leaving:
                leaving.sendall(request("POST", CHAT, chat(COUNT, stream=True)))
                assert leaving.recv(10)
        assert stream(golden, chat("Count to 5."))[-1] == "[DONE]"


def test_eight_streams_at_once() -> None:
    texts: list[str] = []
    with Golden(token_ms=1) as golden:
        threads = [threading.Thread(target=lambda: texts.append(said(stream(golden, chat(COUNT))))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        truth = golden.truth()
    assert len(texts) == 8
    assert len(set(texts)) == 1
    assert max(told["first_at"] for told in truth["told"]) < min(told["last_at"] for told in truth["told"])


# truth


def test_the_truth_counts_what_was_answered() -> None:
    with Golden() as golden:
        before = time.monotonic_ns()
        whole = ask(golden, chat(n=2))[1]
        chunks = stream(golden, chat(COUNT, max_tokens=7, stream_options={"include_usage": True}))
        ask(golden, chat(n=0))
        truth = call(golden, "GET", "/_truth")[1]
        metrics = exchange(golden, request("GET", "/metrics")).decode()
        after = time.monotonic_ns()
    usages = [whole["usage"], chunks[-2]["usage"]]
    made, prompted = (sum(usage[name] for usage in usages) for name in ("completion_tokens", "prompt_tokens"))
    assert (truth["tokens"], truth["prompt_tokens"]) == (made, prompted)
    counts = {name: truth[name] for name in ("requests", "chats", "refused", "answers", "completed", "fired")}
    assert counts == {"requests": 4, "chats": 3, "refused": 1, "answers": 2, "completed": 2, "fired": {}}
    assert [told["id"] for told in truth["told"]] == [whole["id"], chunks[0]["id"]]
    assert [told["completion_tokens"] for told in truth["told"]] == [u["completion_tokens"] for u in usages]
    assert all(before < told["first_at"] <= told["last_at"] < after for told in truth["told"])
    assert f"\nllamacpp:tokens_predicted_total {made}\n" in metrics
    assert f"\nllamacpp:prompt_tokens_total {prompted}\n" in metrics


def test_tokens_of_a_stream_that_was_left_are_those_sent() -> None:
    with Golden(token_ms=5) as golden:
        with socket.create_connection(("127.0.0.1", golden.port)) as leaving:
            leaving.sendall(request("POST", CHAT, chat(COUNT, stream=True)))
            assert leaving.recv(10)
        deadline = time.monotonic() + 5
        while golden.truth()["in_flight"] and time.monotonic() < deadline:
            pass
        truth = golden.truth()
    assert truth["in_flight"] == truth["completed"] == 0
    assert truth["tokens"] < 50


def test_the_time_between_tokens_is_as_asked() -> None:
    with Golden(token_ms=4) as golden:
        stream(golden, chat("Count to 10."))
        told = golden.truth()["told"][0]
    assert (told["last_at"] - told["first_at"]) / 1e6 >= 4 * (told["completion_tokens"] - 1)
