"""Each fault of the golden server fires, changes what is sent, and is counted."""

from __future__ import annotations

import http.client
import json
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from seatrial.behaviour.probe import makers
from seatrial.checks.areas.soak.parts import LASTING
from seatrial.checks.catalogue import load_all
from seatrial.records import Endpoint
from seatrial.wire.transports.prepare import prepare
from tests import toolset
from tests.golden.chat import CONTEXT
from tests.golden.client import ask, call, chat, exchange, request, said, stream
from tests.golden.faults import FAULTS, Chosen, UnknownFaultError
from tests.golden.http1 import LIMIT
from tests.golden.server import Golden
from tests.golden.truth import Truth
from tests.golden.validation import MODEL
from tests.test_golden_together import TOGETHER

CHAT = "/v1/chat/completions"
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
TEXT = {"type": "text", "text": " degrees"}
STRICT = {**SCHEMA, "properties": {"city": {"type": "object", "properties": {}}}}
ODD = {
    "type": "object",
    "properties": {"text": {"pattern": "\\d", "maxLength": 9999}, "self": {"$ref": "#"}},
}
ORPHAN = {"role": "tool", "tool_call_id": "a", "content": "7 degrees"}
PING = {"type": "function", "function": {"name": "ping"}}
NAMED = {"type": "function", "function": {"name": "ping"}}
ASKS_TWICE = "What is the weather in Oslo and Rome?"
ECHO = {"city": {"type": "string", "enum": ["e\u0301 a\u200db"]}}
FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}


def _form(schema: object, **more: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "form", "schema": schema, **more}}


MANY = _form(
    {
        "type": "object",
        "properties": {
            "größe": {"enum": [7, 8]},
            "mark": {"$ref": "#/$defs/mark"},
            "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
            "items": {"type": "array", "items": {"const": "naïve"}, "minItems": 3, "maxItems": 3},
            "code": {"type": "string", "pattern": "^[QZ]{3}$"},
            "day": {"type": "string", "format": "date"},
            "count": {"type": "integer", "minimum": 7301, "maximum": 7399},
            "word": {"type": "string", "minLength": 31, "maxLength": 33},
            "deep": {"type": "object", "properties": {"in": SCHEMA}, "required": ["in"]},
        },
        "required": ["größe", "mark", "either", "items", "code", "day", "count", "word", "deep"],
        "$defs": {"mark": {"enum": ["zq"]}},
    }
)
KEY = {"Authorization": 'Bearer sk-a/b"c'}


def _post(body: object, **options: object) -> bytes:
    return request("POST", CHAT, body, **options)


def _tool(**function: object) -> dict[str, object]:
    return {"type": "function", "function": {**WEATHER["function"], **function}}


def _embed(given: object, **parameters: object) -> bytes:
    return request("POST", "/v1/embeddings", {"model": MODEL, "input": given, **parameters})


def _history(*turns: dict[str, object], result: object = "7 degrees") -> list[dict[str, object]]:
    """A call and its result for each turn; what the turn has beside the call is given."""
    told: list[dict[str, object]] = [{"role": "user", "content": "What is the weather?"}]
    for n, turn in enumerate(turns):
        call = {"id": f"é-{n}", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
        told += [{"role": "assistant", "tool_calls": [call], **turn}]
        told += [{"role": "tool", "tool_call_id": f"é-{n}", "content": result}]
    return told


ORIGIN = {"Origin": "https://nobody-knows.invalid"}
CHUNKED = request("POST", CHAT, b"2\r\n{}\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
CHUNKED = CHUNKED.replace(b"Content-Length: 12\r\n", b"")
TASK = {"type": "function", "function": {"name": "task_23"}}
ENDPOINT = Endpoint(name="golden", url="", kind="generic", model=MODEL, models=(MODEL,), context=CONTEXT)
ITEMS = {
    f"{maker.named(n)} of a probe": _post(prepare(maker.request(0, n), ENDPOINT, valid_chat=True).body)
    for maker in makers().values()
    for n in range(2)
}
"""The first items of each maker of probes."""

BATTERY = {
    "models": request("GET", "/v1/models"),
    "unknown id": request("GET", "/v1/models/nobody"),
    "an id, encoded": request("GET", "/v1/models/%67olden-1"),
    "no model": _post({key: value for key, value in chat().items() if key != "model"}),
    "unknown path": request("GET", "/v1/nowhere"),
    "props": request("GET", "/props"),
    "plain": _post(chat("Tell me of the sea."), headers=KEY),
    "cut": _post(chat("Count from 1 to 50.", max_tokens=6)),
    "cut by the other name": _post(chat("Count from 1 to 50.", max_completion_tokens=6)),
    "one token": _post(chat("Tell me of the sea.", max_tokens=1)),
    "stop": _post(chat("Count to 20.", stop="7")),
    "two": _post(chat("Tell me of the sea.", n=2)),
    "two, streamed": _post(chat("Tell me of the sea.", n=2, stream=True)),
    "two, greedy": _post(chat("Tell me of the sea.", n=2, temperature=0)),
    "logprobs": _post(chat("Count to 5.", logprobs=True)),
    "stream": _post(chat("Tell me of the sea.", stream=True)),
    "usage": _post(chat("Count to 10.", **USAGE)),
    "talk": _post(chat("Tell me of the sea.", seed=7, **USAGE)),
    "talk again": _post(chat("Tell me of the wind.", seed=8, **USAGE)),
    "kept": _post(chat(stream=True), keep=True) + request("GET", "/v1/models"),
    "unknown model": _post({**chat(), "model": "nobody"}),
    "malformed": _post(b'{"model": '),
    "malformed, vectors": request("POST", "/v1/embeddings", b'{"model": '),
    "get": request("GET", CHAT),
    "head": request("HEAD", "/v1/models"),
    "options": request("OPTIONS", CHAT, headers=ORIGIN),
    "a label of text": _post(chat(), headers={"Content-Type": "text/plain"}),
    "chunks": CHUNKED,
    "expectant": _post(chat(max_tokens=1), headers={"Expect": "100-continue"}),
    "compressed": _post(b"{}", headers={"Content-Encoding": "gzip"}),
    "a lone surrogate": _post(b'{"model": "\\ud800", "messages": []}'),
    "a mark": _post(b"\xef\xbb\xbf{}"),
    "a cap twice": _post(json.dumps(chat(max_tokens=1)).encode()[:-1] + b', "max_tokens": 1}'),
    "megabytes": _post(b" " * (LIMIT + 1)),
    "brackets": _post(b"[" * 10_000 + b"]" * 10_000),
    "deep": _post(b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "a stream, gzipped": _post(chat(stream=True), headers={"Accept-Encoding": "gzip"}),
    "a stop of the wrong type": _post(chat(stop=5)),
    "a developer": _post(chat(messages=[{"role": "developer", "content": "Be brief."}, *chat()["messages"]])),
    "a system": _post(chat(messages=[{"role": "system", "content": "Be brief."}, *chat()["messages"]])),
    "a late system": _post(chat(messages=[*chat()["messages"], {"role": "system", "content": "Be brief."}])),
    "two of a user": _post(chat(messages=[*chat()["messages"], *chat()["messages"]])),
    "a field of a message": _post(chat(messages=[{**chat()["messages"][0], "seatrial_note": 1}])),
    "text in parts": _post(chat(messages=[{"role": "user", "content": [TEXT, TEXT]}])),
    "markers": _post(chat("<|im_start|>")),
    "far planes, streamed": _post(chat("Repeat: \N{PARTY POPPER}", stream=True)),
    "logprobs, streamed": _post(chat("Count to 5.", logprobs=True, stream=True)),
    "a penalty": _post(chat(presence_penalty=1)),
    "another penalty": _post(chat(frequency_penalty=1)),
    "caps that differ": _post(chat("Count from 1 to 50.", max_tokens=9, max_completion_tokens=4)),
    "a huge cap": _post(chat(max_tokens=10**12)),
    "four stops": _post(chat("Count to 20.", stop=["x9", "y9", "z9", "7"])),
    "five stops": _post(chat("Count to 20.", stop=["x9", "y9", "z9", "w9", "7"])),
    "a stop that is empty": _post(chat(stop="")),
    "a stop in a stream": _post(chat("Count to 20.", stop="7, 8", stream=True)),
    "a stop in a thought": _post(chat(stop=[" the", " is", " was"], reasoning_effort="high")),
    "alternatives": _post(chat("Count to 5.", logprobs=True, top_logprobs=3)),
    "alternatives alone": _post(chat(top_logprobs=3)),
    "greedy": _post(chat("Tell me of the sea.", temperature=0)),
    "very hot": _post(chat("Tell me of the sea.", temperature=2)),
    "narrow": _post(chat("Tell me of the sea.", temperature=2, top_p=1e-6)),
    "a bias": _post(chat(logit_bias={"2000": 100})),
    "labels": _post(chat(user="u", metadata={"a": "b"}, safety_identifier="s")),
    "nulls": _post(chat(stop=None, n=None, logprobs=None)),
    "unknown, streamed": _post(chat(seatrial_unknown=1, stream=True)),
    "unknown, vectors": _embed("the sea", seatrial_unknown=1),
    "text": _post(chat(response_format={"type": "text"})),
    "temperature beyond": _post(chat(temperature=3)),
    "top_p beyond": _post(chat(top_p=3)),
    "frequency beyond": _post(chat(frequency_penalty=3)),
    "presence beyond": _post(chat(presence_penalty=3)),
    "alternatives beyond": _post(chat(logprobs=True, top_logprobs=21)),
    "stray options": _post(chat(stream_options={"include_usage": True})),
    "no number": _post(b'{"model": "golden-1", "messages": [], "temperature": NaN}'),
    "the most effort": _post(chat(reasoning_effort="max")),
    "no effort": _post(chat(reasoning_effort="none")),
    "few words": _post(chat("Tell me of the sea.", verbosity="low")),
    "spoken": _post(chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})),
    "searched": _post(chat(web_search_options={})),
    "moderated": _post(chat(moderation={"model": "m"})),
    "predicted": _post(chat(prediction={"type": "content", "content": "Hello!"})),
    "no object": _post([1]),
    "no body": _post(b""),
    "empty messages": _post({**chat(), "messages": []}),
    "bad messages": _post({**chat(), "messages": "hello"}),
    "bad cap": _post(chat(max_tokens=-5)),
    "after a refusal": _post(chat(max_tokens=2)),
    "wrong type": _post(chat(temperature="hot")),
    "refused and kept": _post(chat(n=0), keep=True) + request("GET", "/v1/models"),
    "refused stream": _post(chat(stream=True, n=0)),
    "metrics": request("GET", "/metrics"),
    "metrics again": request("GET", "/metrics"),
    "health": request("GET", "/health"),
    "slots": request("GET", "/slots"),
    "tools of the host": request("GET", "/tools"),
    "a proxy": request("GET", "/cors-proxy"),
    "streams": request("GET", "/v1/streams"),
    "calls": request("OPTIONS", "/collective_rpc"),
    "deletion": request("OPTIONS", "/api/delete"),
    "tools": _post(chat("What is the weather in Oslo?", tools=[WEATHER])),
    "tools, streamed": _post(chat("What is the weather in Oslo and Rome?", tools=[WEATHER], **USAGE)),
    "tool required": _post(chat(tools=[WEATHER], tool_choice="required")),
    "tool named": _post(chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_weather"}})),
    "letters in a streamed call": _post(
        chat('Use the tool get_weather with {"city": "Zürich"}.', tools=[WEATHER], tool_choice="required", stream=True)
    ),
    "tools, none": _post(chat("What is the weather in Oslo?", tools=[WEATHER], tool_choice="none")),
    "tools of one name": _post(chat(tools=[WEATHER, WEATHER])),
    "a tool with a bad name": _post(chat(tools=[_tool(name="two words")])),
    "a tool with bad parameters": _post(chat(tools=[_tool(parameters="city")])),
    "a tool of unknown type": _post(chat(tools=[{**WEATHER, "type": "gadget"}])),
    "an empty list of tools": _post(chat(tools=[])),
    "too many tools": _post(chat(tools=[_tool(name=f"f{n}") for n in range(129)])),
    "a result without its call": _post(chat(tools=[WEATHER], messages=[ORPHAN])),
    "results": _post(chat(tools=[WEATHER], messages=_history({"content": None}, {}, {"content": ""}))),
    "a result in parts": _post(chat(messages=_history({}, result=[{"type": "text", "text": "7"}, TEXT]))),
    "a thought and a call": _post(chat("Use the tool get_weather.", tools=[WEATHER], reasoning_effort="low")),
    "a strict tool": _post(
        chat('Use the tool get_weather with {"town": 5}.', tools=[_tool(strict=True, parameters=STRICT)])
    ),
    "odd schemas": _post(chat(tools=[_tool(parameters=ODD, description='Says "hello".')])),
    "many tools": _post(chat(tools=[_tool(name=f"f{n}") for n in range(64)])),
    "own tools": _post(chat(tools=toolset.forty())),
    "own tool, named": _post(
        chat('Use the tool task_23 with {"count": "x"}.', tools=[toolset.tool(23)], tool_choice=TASK)
    ),
    "required, no tools": _post(chat(tool_choice="required")),
    "none, no tools": _post(chat(tool_choice="none")),
    "functions": _post(chat(functions=[WEATHER["function"]], function_call={"name": "get_weather"})),
    "tools, one at a time": _post(chat(ASKS_TWICE, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)),
    "tool, cut": _post(chat(tools=[WEATHER], tool_choice="required", max_tokens=6)),
    "tool, cut in a stream": _post(chat(tools=[WEATHER], tool_choice="required", max_tokens=6, stream=True)),
    "tool, without arguments": _post(chat(tools=[PING], tool_choice="required")),
    "tool, another named": _post(chat("What is the weather in Oslo?", tools=[WEATHER, PING], tool_choice=NAMED)),
    "tool and words": _post(chat(f'Write "Look." first. {ASKS_TWICE}', tools=[WEATHER])),
    "tool and words, streamed": _post(chat(f'Write "Look." first. {ASKS_TWICE}', tools=[WEATHER], stream=True)),
    "object": _post(chat(response_format={"type": "json_object"})),
    "schema": _post(chat(response_format=FORM)),
    "schema, streamed": _post(chat(response_format=FORM, **USAGE)),
    "schema, cut": _post(chat(response_format=FORM, max_tokens=2)),
    "schema, against the prompt": _post(chat("Words only, no JSON, please.", response_format=FORM)),
    "schema of many keywords": _post(chat(response_format=MANY)),
    "schema beside tools": _post(chat(tools=[WEATHER], tool_choice="required", response_format=FORM)),
    "schema beside tools, none": _post(chat(tools=[WEATHER], tool_choice="none", response_format=FORM)),
    "beside the API": request("POST", "/nowhere", chat()),
    "schema beside thought": _post(chat(response_format=FORM, reasoning_effort="low")),
    "schema that nothing fits": _post(chat(response_format=_form({"enum": ["a"], "not": {"const": "a"}}))),
    "schema with a broken pattern": _post(chat(response_format=_form({"type": "string", "pattern": "^+("}))),
    "schema in words": _post(chat(response_format=_form("object"))),
    "form of no known type": _post(chat(response_format={"type": "json_shape"})),
    "form without a name": _post(chat(response_format={"type": "json_schema", "json_schema": {"schema": SCHEMA}})),
    "form strict in words": _post(chat(response_format=_form(SCHEMA, strict="yes"))),
    "thought": _post(chat(reasoning_effort="low")),
    "thought, streamed": _post(chat(reasoning_effort="low", **USAGE)),
    "thought, cut": _post(chat(reasoning_effort="low", max_tokens=12)),
    "thought, budget": _post(chat(reasoning_effort="high", thinking_budget=32)),
    "thought, none": _post(chat(reasoning_effort="none")),
    "thought, sent back": _post(
        {**chat(), "messages": [{"role": "assistant", "content": "Hi.", "reasoning_content": "a"}, *chat()["messages"]]}
    ),
    "beyond the context": _post(chat("a b c d " * 2100)),
    "endless": _post(chat("a b c d " * 4400)),
    "long": _post(chat("a b c d " * 40)),
    "long line": _post(chat("ab" * 300)),
    "hot": _post(chat("Count from 1 to 200.", max_tokens=5, temperature=1.5)),
    "cap beyond": _post(chat("Count from 1 to 200.", max_tokens=8190)),
    "filled": _post(chat("a b c d " * 2040 + "Count from 1 to 200.", max_tokens=200)),
    "nul": _post(chat("a\0b")),
    "blank": _post(chat(" ")),
    "echo": _post(
        chat(response_format={**FORM, "json_schema": {"name": "a", "schema": SCHEMA | {"properties": ECHO}}})
    ),
    "embeddings": request("POST", "/v1/embeddings", {"model": MODEL, "input": ["the sea", "a ship"]}),
    "embeddings in base64": request(
        "POST", "/v1/embeddings", {"model": MODEL, "input": "the sea", "encoding_format": "base64", "dimensions": 8}
    ),
    "embeddings as floats": _embed("the sea", encoding_format="float"),
    "embeddings in no known form": _embed("the sea", encoding_format="base63"),
    "embeddings of three": _embed(["the sea", "a ship", "rain"]),
    "embeddings of ids": _embed([5, 6, 7]),
    "embeddings of an empty text": _embed(""),
    "embeddings of no text": _embed([]),
    "embeddings of much": _embed("sea " * 5000),
    "embeddings of too much": _embed(["sea " * 9000, "sea " * 4500 + "stone " * 4500]),
    "embeddings of many": _embed(["sea"] * 40),
    "embeddings of too many": _embed(["sea"] * 2049),
    **ITEMS,
}


BYTES_ALIKE = frozenset({"split-anywhere", "created-an-hour-ago", "one-body-at-a-time"})
"""One sends the same bytes in other portions, one differs in a time alone, which two honest answers do too, one lets
others wait."""


def _normal(answer: bytes) -> bytes:
    """Without what differs between two honest answers: ids and times, each replaced by its place of first mention."""
    for pattern in (
        rb"chatcmpl-[0-9a-f]+",
        rb"X-Request-Id: [0-9a-f]{24}",
        rb"call_[0-9a-f]{24}",
        rb'(?<="created":)\d+',
        rb'(?<="expires_at":)\d+',
    ):
        seen: dict[bytes, int] = {}
        answer = re.sub(pattern, lambda m, seen=seen: b"#%d" % seen.setdefault(m[0], len(seen)), answer)
    return re.sub(rb"requests_processing \d+|Date: [^\r]+", b"", answer)


@pytest.fixture(scope="module")
def honest() -> dict[str, bytes]:
    with Golden() as golden:
        return {name: _normal(exchange(golden, sent)) for name, sent in BATTERY.items()}


IN_COMPANY = {
    "crowd-kills-all": "plain",
    "crowd-is-cut": "plain",
    "busy-without-a-word": "plain",
    "busy-until-some-time": "plain",
    "vectors-mixed-at-once": "embeddings",
}
"""These break under several requests at once, of this entry of the battery."""

BY_KEY = frozenset(
    {
        "nobody-needs-a-key",
        "missing-key-403",
        "missing-key-unshaped",
        "missing-key-to-a-login",
        "any-key-passes",
        "wrong-key-a-page",
        "wrong-key-to-a-login",
        "odd-scheme-500",
        "scheme-by-its-case",
        "wrong-key-repeated",
        "one-route-unguarded",
        "vectors-unguarded",
    }
)
"""These break at a server that asks for a key."""

APART = BYTES_ALIKE | IN_COMPANY.keys() | BY_KEY | TOGETHER

CALLERS = {
    "none": request("POST", CHAT, chat()),
    "wrong": _post(chat(), headers={"Authorization": "Bearer another"}),
    "bare": _post(chat(), headers={"Authorization": "Bearer"}),
    "lower": _post(chat(), headers={"Authorization": "bearer right"}),
    "right": _post(chat(), headers={"Authorization": "Bearer right"}),
    "beside": request("POST", "/invocations", chat()),
    "vectors": _embed("the sea"),
}


@pytest.mark.parametrize("name", sorted(BY_KEY))
def test_a_fault_of_keys_lets_in_whom_it_should_not_or_turns_away_in_another_way(name: str) -> None:
    with Golden(key="right") as golden:
        honest = {which: _normal(exchange(golden, sent)) for which, sent in CALLERS.items()}
    assert {which for which, answer in honest.items() if b" 401 " in answer} == CALLERS.keys() - {"lower", "right"}
    with Golden(faults=(name,), key="right") as golden:
        got = {which: _normal(exchange(golden, sent)) for which, sent in CALLERS.items()}
        assert got != honest
        assert b" 200 " in got["right"]
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in APART])
def test_a_fault_changes_an_answer_and_is_counted(name: str, honest: dict[str, bytes]) -> None:
    changed = False
    with Golden(faults=(name,)) as golden:
        for which, sent in BATTERY.items():
            changed |= _normal(exchange(golden, sent, patience_s=0.3)) != honest[which]
            if changed and golden.truth()["fired"]:
                break
        assert changed
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", sorted(BYTES_ALIKE))
def test_a_fault_that_changes_no_word_is_counted_all_the_same(name: str, honest: dict[str, bytes]) -> None:
    with Golden(faults=(name,)) as golden:
        for which, sent in BATTERY.items():
            assert _normal(exchange(golden, sent)) == honest[which]
        assert set(golden.truth()["fired"]) == {name}


@pytest.mark.parametrize("name", sorted(IN_COMPANY))
def test_a_fault_of_crowds_leaves_a_single_request_alone(name: str, honest: dict[str, bytes]) -> None:
    with Golden(faults=(name,)) as golden, ThreadPoolExecutor(8) as pool:
        which = IN_COMPANY[name]
        assert _normal(exchange(golden, BATTERY[which])) == honest[which]
        while not golden.truth()["fired"]:  # they come within 50 ms of each other, sooner or later
            came = list(pool.map(lambda sent: exchange(golden, sent), [BATTERY[which]] * 8))
        assert any(_normal(each) != honest[which] for each in came)


def test_an_answer_of_an_hour_ago_says_so() -> None:
    with Golden(faults=("created-an-hour-ago",)) as odd, Golden() as plain:
        now = ask(plain, chat())[1]["created"]
        assert ask(odd, chat())[1]["created"] <= now - 3000
        assert all(chunk["created"] <= now - 3000 for chunk in stream(odd, chat()) if chunk != "[DONE]")


def test_each_fault_names_a_rule_and_each_rule_has_a_fault() -> None:
    caught = {fault.caught_by for fault in FAULTS.values()} - {""}
    assert caught == {name for name, rule in load_all().items() if not rule.of >= LASTING}  # these: tests.detectors


def test_only_what_is_right_or_watched_for_and_what_the_client_bears_is_caught_by_no_rule() -> None:
    right = {name for name, fault in FAULTS.items() if fault.family in {"legal", "honest", "watch"}}
    borne = {"echo-key", "echo-key-in-thoughts", "attacks-its-reader"}
    assert {name for name, fault in FAULTS.items() if not fault.caught_by} == right | borne


def test_a_rate_fires_on_the_same_requests_each_time() -> None:
    counts = []
    for _ in range(2):
        with Golden(faults=("no_terminator:0.3",)) as golden:
            ended = [stream(golden, chat(max_tokens=1))[-1] == "[DONE]" for _ in range(40)]
            assert golden.truth()["fired"] == {"no-terminator": ended.count(False)}
            counts.append(ended)
    assert counts[0] == counts[1]
    assert 0 < counts[0].count(False) < 40


@pytest.mark.parametrize("rate", ["0", "0.0"])
def test_a_rate_of_zero_never_fires(rate: str) -> None:
    with Golden(faults=(f"empty:{rate}",)) as golden:
        assert ask(golden, chat())[1]["choices"][0]["message"]["content"]
        assert golden.truth()["fired"] == {}


@pytest.mark.parametrize("spec", ["loop:", "loop:2", "loop:-0.1", "loop:nan", "loop:x", "loops", "", ":"])
def test_an_unknown_fault_or_rate_is_one_line(spec: str) -> None:
    with pytest.raises(UnknownFaultError) as raised:
        Chosen((spec,), Truth())
    assert "\n" not in str(raised.value)


def test_an_unknown_fault_is_told_its_neighbours() -> None:
    with pytest.raises(UnknownFaultError, match="nearest: no-terminator"):
        Chosen(("no_terminater",), Truth())


BEYOND = frozenset({"early-hints"})
"""http.client takes no informational answer but 100."""

LEGAL = [name for name, fault in FAULTS.items() if fault.family == "legal" and name not in BEYOND]


@pytest.mark.parametrize("name", LEGAL)
def test_what_is_legal_says_the_same(name: str) -> None:
    """Read with http.client, what is legal says the same, and perhaps more beside it."""
    with Golden(faults=(name,)) as odd, Golden() as plain:
        message, usual = (ask(golden, chat())[1]["choices"][0]["message"] for golden in (odd, plain))
        assert message | usual == message


def test_early_hints_come_before_the_whole_answer() -> None:
    with Golden(faults=("early-hints",)) as odd, Golden() as plain:
        hints, _, answer = exchange(odd, _post(chat())).partition(b"\r\n\r\n")
        assert hints.startswith(b"HTTP/1.1 103 ")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert _normal(answer) == _normal(exchange(plain, _post(chat())))


def test_a_whole_answer_is_gzipped() -> None:
    with Golden(faults=("whole-gzipped",)) as odd:
        head, _, body = exchange(odd, _post(chat())).partition(b"\r\n\r\n")
        assert b"content-encoding: gzip" in head.lower()
        assert body.startswith(b"\x1f\x8b")


def test_the_key_is_echoed_in_all_its_forms() -> None:
    with Golden(faults=("echo_key",), key="sk-topsecret") as golden:
        bearer = {"Authorization": "Bearer sk-topsecret"}
        text = exchange(golden, _post(chat(), headers=bearer))
        assert text.count(b"sk-topsecret") >= 3
        assert b"c2stdG9wc2VjcmV0" in text
        streamed = exchange(golden, _post(chat(stream=True), headers=bearer))
        assert b"sk-topsecret" not in streamed.partition(b"\r\n\r\n")[2]
        assert call(golden, "GET", "/v1/nowhere", **bearer)[1]["error"]["message"].count("sk-topsecret") >= 2


def test_a_bomb_is_small_and_inflates_to_a_gigabyte() -> None:
    """Its first 16 MiB are inflated; its end is held against the checksum and the size of all."""
    with Golden(faults=("gzip-bomb",)) as golden:
        connection = http.client.HTTPConnection("127.0.0.1", golden.port, timeout=10)
        connection.request("POST", CHAT, json.dumps(chat()))
        bomb = connection.getresponse().read()
        connection.close()
    spaces = b" " * 2**20
    checksum = 0
    for _ in range(1024):
        checksum = zlib.crc32(spaces, checksum)
    assert len(bomb) < 2**21
    assert zlib.decompressobj(31).decompress(bomb, 2**24) == spaces * 16
    assert struct.unpack("<II", bomb[-8:]) == (zlib.crc32(b"{}", checksum), 2**30 + 2)


def test_two_faults_at_once() -> None:
    with Golden(faults=("role-in-every-chunk", "done-missing")) as golden:
        chunks = stream(golden, chat())
        assert chunks[-1] != "[DONE]"
        assert all(choice["delta"]["role"] for chunk in chunks for choice in chunk["choices"])
        assert golden.truth()["fired"] == {"role-in-every-chunk": 1, "done-missing": 1}
        assert said(chunks)
