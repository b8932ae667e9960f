"""One request of each sort: together they meet each fault of the golden server that a single request can meet."""

from __future__ import annotations

import json

from seatrial.behaviour.probe import makers
from seatrial.checks.areas.tools.definitions import CUT_CALL
from seatrial.records import Endpoint
from seatrial.wire.transports.prepare import prepare
from tests import toolset
from tests.golden.chat import CONTEXT
from tests.golden.client import chat, request
from tests.golden.http1 import LIMIT
from tests.golden.validation import MODEL

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
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
ARGUMENTS = '{"city": "Oslo"}'
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
FAR = 'Use the tool get_weather with {"city": "Zürich 🚀"}.'
NOTHING = {"tool_calls": [], "refusal": None}
KEY = {"Authorization": 'Bearer sk-a/b"c'}


def post(body: object, **options: object) -> bytes:
    return request("POST", CHAT, body, **options)


def _tool(**function: object) -> dict[str, object]:
    return {"type": "function", "function": {**WEATHER["function"], **function}}


def embed(given: object, **parameters: object) -> bytes:
    return request("POST", "/v1/embeddings", {"model": MODEL, "input": given, **parameters})


def _history(*turns: dict[str, object], result: object = "7 degrees") -> list[dict[str, object]]:
    """A call and its result for each turn; what the turn has beside the call is given."""
    told: list[dict[str, object]] = [{"role": "user", "content": "What is the weather?"}]
    for n, turn in enumerate(turns):
        call = {"id": f"é-{n}", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}}
        told += [{"role": "assistant", "tool_calls": [call], **turn}]
        told += [{"role": "tool", "tool_call_id": f"é-{n}", "content": result}]
    return told


def _turn(content: str, *results: str) -> list[dict[str, object]]:
    """A turn with words and as many calls as there are results, and these."""
    function = {"name": "get_weather", "arguments": ARGUMENTS}
    made = [{"id": f"call_{n}", "type": "function", "function": function} for n in range(len(results))]
    told: list[dict[str, object]] = [{"role": "user", "content": "What is the weather?"}]
    told += [{"role": "assistant", "content": content, "tool_calls": made}]
    return told + [{"role": "tool", "tool_call_id": f"call_{n}", "content": text} for n, text in enumerate(results)]


ORIGIN = {"Origin": "https://nobody-knows.invalid"}
CHUNKED = request("POST", CHAT, b"2\r\n{}\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
CHUNKED = CHUNKED.replace(b"Content-Length: 12\r\n", b"")
TASK = {"type": "function", "function": {"name": "task_23"}}
ENDPOINT = Endpoint(name="golden", url="", kind="generic", model=MODEL, models=(MODEL,), context=CONTEXT)
ITEMS = {
    f"{maker.named(n)} of a probe": post(prepare(maker.request(0, n), ENDPOINT, valid_chat=True).body)
    for maker in makers().values()
    for n in range(2)
}
"""The first items of each maker of probes."""

BATTERY = {
    "models": request("GET", "/v1/models"),
    "unknown id": request("GET", "/v1/models/nobody"),
    "an id, encoded": request("GET", "/v1/models/%67olden-1"),
    "no model": post({key: value for key, value in chat().items() if key != "model"}),
    "unknown path": request("GET", "/v1/nowhere"),
    "props": request("GET", "/props"),
    "plain": post(chat("Tell me of the sea."), headers=KEY),
    "cut": post(chat("Count from 1 to 50.", max_tokens=6)),
    "cut by the other name": post(chat("Count from 1 to 50.", max_completion_tokens=6)),
    "one token": post(chat("Tell me of the sea.", max_tokens=1)),
    "stop": post(chat("Count to 20.", stop="7")),
    "stop, another script": post(chat("Repeat: 日本語", stop=["語", "é"])),
    "two": post(chat("Tell me of the sea.", n=2)),
    "two, streamed": post(chat("Tell me of the sea.", n=2, stream=True)),
    "two, greedy": post(chat("Tell me of the sea.", n=2, temperature=0)),
    "logprobs": post(chat("Count to 5.", logprobs=True)),
    "logprobs, two": post(chat("Count to 5.", logprobs=True, n=2)),
    "stream": post(chat("Tell me of the sea.", stream=True)),
    "usage": post(chat("Count to 10.", **USAGE)),
    "talk": post(chat("Tell me of the sea.", seed=7, **USAGE)),
    "talk again": post(chat("Tell me of the wind.", seed=8, **USAGE)),
    "kept": post(chat(stream=True), keep=True) + request("GET", "/v1/models"),
    "unknown model": post({**chat(), "model": "nobody"}),
    "malformed": post(b'{"model": '),
    "malformed, vectors": request("POST", "/v1/embeddings", b'{"model": '),
    "get": request("GET", CHAT),
    "head": request("HEAD", "/v1/models"),
    "options": request("OPTIONS", CHAT, headers=ORIGIN),
    "a charset": post(chat(), headers={"Content-Type": "Application/JSON; charset=utf-8"}),
    "a label of text": post(chat(), headers={"Content-Type": "text/plain"}),
    "chunks": CHUNKED,
    "expectant": post(chat(max_tokens=1), headers={"Expect": "100-continue"}),
    "compressed": post(b"{}", headers={"Content-Encoding": "gzip"}),
    "a lone surrogate": post(b'{"model": "\\ud800", "messages": []}'),
    "a mark": post(b"\xef\xbb\xbf{}"),
    "a cap twice": post(json.dumps(chat(max_tokens=1)).encode()[:-1] + b', "max_tokens": 1}'),
    "megabytes": post(b" " * (LIMIT + 1)),
    "brackets": post(b"[" * 10_000 + b"]" * 10_000),
    "deep": post(b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "a stream, gzipped": post(chat(stream=True), headers={"Accept-Encoding": "gzip"}),
    "a stop of the wrong type": post(chat(stop=5)),
    "a developer": post(chat(messages=[{"role": "developer", "content": "Be brief."}, *chat()["messages"]])),
    "a system": post(chat(messages=[{"role": "system", "content": "Be brief."}, *chat()["messages"]])),
    "a system beside tools": post(
        chat(messages=[{"role": "system", "content": "Be brief."}, *chat()["messages"]], tools=[WEATHER])
    ),
    "two systems": post(chat(messages=[{"role": "system", "content": "Be brief."}] * 2 + chat()["messages"])),
    "an answer twice": post(
        chat(messages=[*chat()["messages"], *[{"role": "assistant", "content": "Hello."}] * 2, *chat()["messages"]])
    ),
    "a turn as given": post(chat(messages=[{"role": "assistant", "content": "Hi.", **NOTHING}, *chat()["messages"]])),
    "an answer begun": post(chat(messages=[*chat()["messages"], {"role": "assistant", "content": "Hello,"}])),
    "a late system": post(chat(messages=[*chat()["messages"], {"role": "system", "content": "Be brief."}])),
    "two of a user": post(chat(messages=[*chat()["messages"], *chat()["messages"]])),
    "a field of a message": post(chat(messages=[{**chat()["messages"][0], "seatrial_note": 1}])),
    "text in parts": post(chat(messages=[{"role": "user", "content": [TEXT, TEXT]}])),
    "an image": post(chat(messages=[{"role": "user", "content": [TEXT, IMAGE]}])),
    "markers": post(chat("<|im_start|>")),
    "far planes, streamed": post(chat("Repeat: \N{PARTY POPPER}", stream=True)),
    "seeded": post(chat("Tell me of the sea.", seed=7)),
    "seeded widely": post(chat("Tell me of the sea.", seed=2**53 - 1)),
    "marks of a page": post(chat("Repeat: <b>R&D</b>")),
    "logprobs, streamed": post(chat("Count to 5.", logprobs=True, stream=True)),
    "a penalty": post(chat(presence_penalty=1)),
    "another penalty": post(chat(frequency_penalty=1)),
    "caps that differ": post(chat("Count from 1 to 50.", max_tokens=9, max_completion_tokens=4)),
    "a huge cap": post(chat(max_tokens=10**12)),
    "four stops": post(chat("Count to 20.", stop=["x9", "y9", "z9", "7"])),
    "five stops": post(chat("Count to 20.", stop=["x9", "y9", "z9", "w9", "7"])),
    "a stop that is empty": post(chat(stop="")),
    "a stop in a stream": post(chat("Count to 20.", stop="7, 8", stream=True)),
    "a stop in a thought": post(chat(stop=[" the", " is", " was"], reasoning_effort="high")),
    "alternatives": post(chat("Count to 5.", logprobs=True, top_logprobs=3)),
    "alternatives alone": post(chat(top_logprobs=3)),
    "greedy": post(chat("Tell me of the sea.", temperature=0)),
    "greedy, with chances": post(
        chat("Tell me of the sea.", temperature=0, logprobs=True, top_logprobs=2, stream=True)
    ),
    "very hot": post(chat("Tell me of the sea.", temperature=2)),
    "nothing to draw from": post(chat(top_p=0)),
    "narrow": post(chat("Tell me of the sea.", temperature=2, top_p=1e-6)),
    "a bias": post(chat(logit_bias={"2000": 100})),
    "labels": post(chat(user="u", metadata={"a": "b"}, safety_identifier="s")),
    "nulls": post(chat(stop=None, n=None, logprobs=None)),
    "unknown, streamed": post(chat(seatrial_unknown=1, stream=True)),
    "unknown, vectors": embed("the sea", seatrial_unknown=1),
    "text": post(chat(response_format={"type": "text"})),
    "temperature beyond": post(chat(temperature=3)),
    "top_p beyond": post(chat(top_p=3)),
    "frequency beyond": post(chat(frequency_penalty=3)),
    "presence beyond": post(chat(presence_penalty=3)),
    "alternatives beyond": post(chat(logprobs=True, top_logprobs=21)),
    "stray options": post(chat(stream_options={"include_usage": True})),
    "no number": post(b'{"model": "golden-1", "messages": [], "temperature": NaN}'),
    "the most effort": post(chat(reasoning_effort="max")),
    "no effort": post(chat(reasoning_effort="none")),
    "few words": post(chat("Tell me of the sea.", verbosity="low")),
    "spoken": post(chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})),
    "searched": post(chat(web_search_options={})),
    "moderated": post(chat(moderation={"model": "m"})),
    "predicted": post(chat(prediction={"type": "content", "content": "Hello!"})),
    "no object": post([1]),
    "no body": post(b""),
    "empty messages": post({**chat(), "messages": []}),
    "bad messages": post({**chat(), "messages": "hello"}),
    "bad cap": post(chat(max_tokens=-5)),
    "after a refusal": post(chat(max_tokens=2)),
    "wrong type": post(chat(temperature="hot")),
    "refused and kept": post(chat(n=0), keep=True) + request("GET", "/v1/models"),
    "refused stream": post(chat(stream=True, n=0)),
    "metrics": request("GET", "/metrics"),
    "metrics again": request("GET", "/metrics"),
    "health": request("GET", "/health"),
    "slots": request("GET", "/slots"),
    "tools of the host": request("GET", "/tools"),
    "a proxy": request("GET", "/cors-proxy"),
    "streams": request("GET", "/v1/streams"),
    "calls": request("OPTIONS", "/collective_rpc"),
    "deletion": request("OPTIONS", "/api/delete"),
    "tools": post(chat("What is the weather in Oslo?", tools=[WEATHER])),
    "tools, streamed": post(chat("What is the weather in Oslo and Rome?", tools=[WEATHER], **USAGE)),
    "tool required": post(chat(tools=[WEATHER], tool_choice="required")),
    "tool named": post(chat(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_weather"}})),
    "letters in a streamed call": post(chat(FAR, tools=[WEATHER], tool_choice="required", stream=True)),
    "tools, none": post(chat("What is the weather in Oslo?", tools=[WEATHER], tool_choice="none")),
    "tools of one name": post(chat(tools=[WEATHER, WEATHER])),
    "a tool with a bad name": post(chat(tools=[_tool(name="two words")])),
    "a tool with bad parameters": post(chat(tools=[_tool(parameters="city")])),
    "a tool of unknown type": post(chat(tools=[{**WEATHER, "type": "gadget"}])),
    "an empty list of tools": post(chat(tools=[])),
    "too many tools": post(chat(tools=[_tool(name=f"f{n}") for n in range(129)])),
    "a result without its call": post(chat(tools=[WEATHER], messages=[ORPHAN])),
    "results": post(chat(tools=[WEATHER], messages=_history({"content": None}, {}, {"content": ""}))),
    "results of one turn": post(chat(tools=[WEATHER], messages=_turn("Let me look.", "7 degrees", "Cold."))),
    "a result in parts": post(chat(messages=_history({}, result=[{"type": "text", "text": "7"}, TEXT]))),
    "a thought and a call": post(chat("Use the tool get_weather.", tools=[WEATHER], reasoning_effort="low")),
    "a strict tool": post(
        chat('Use the tool get_weather with {"town": 5}.', tools=[_tool(strict=True, parameters=STRICT)])
    ),
    "odd schemas": post(chat(tools=[_tool(parameters=ODD, description='Says "hello".')])),
    "many tools": post(chat(tools=[_tool(name=f"f{n}") for n in range(64)])),
    "own tools": post(chat(tools=toolset.forty())),
    "own tool, named": post(
        chat('Use the tool task_23 with {"count": "x"}.', tools=[toolset.tool(23)], tool_choice=TASK)
    ),
    "required, no tools": post(chat(tool_choice="required")),
    "none, no tools": post(chat(tool_choice="none")),
    "functions": post(chat(functions=[WEATHER["function"]], function_call={"name": "get_weather"})),
    "tools, a call that was cut": post(
        chat(messages=[{"role": "user", "content": ASKS_TWICE}, *CUT_CALL], tools=[WEATHER])
    ),
    "tools, one at a time": post(chat(ASKS_TWICE, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)),
    "tool, cut": post(chat(tools=[WEATHER], tool_choice="required", max_tokens=6)),
    "tool, cut in a stream": post(chat(tools=[WEATHER], tool_choice="required", max_tokens=6, stream=True)),
    "tool, without arguments": post(chat(tools=[PING], tool_choice="required")),
    "tool, another named": post(chat("What is the weather in Oslo?", tools=[WEATHER, PING], tool_choice=NAMED)),
    "another named, streamed": post(chat("What is it?", tools=[WEATHER, PING], tool_choice=NAMED, stream=True)),
    "tool and words": post(chat(f'Write "Look." first. {ASKS_TWICE}', tools=[WEATHER])),
    "tool and words, streamed": post(chat(f'Write "Look." first. {ASKS_TWICE}', tools=[WEATHER], stream=True)),
    "object": post(chat(response_format={"type": "json_object"})),
    "schema": post(chat(response_format=FORM)),
    "schema, streamed": post(chat(response_format=FORM, **USAGE)),
    "not UTF-8": post(json.dumps(chat("Repeat: olé"), ensure_ascii=False).encode("latin-1")),
    "schema, two": post(chat(response_format=FORM, n=2)),
    "schema, cut": post(chat(response_format=FORM, max_tokens=2)),
    "schema, against the prompt": post(chat("Words only, no JSON, please.", response_format=FORM)),
    "schema of many keywords": post(chat(response_format=MANY)),
    "schema beside tools": post(chat(tools=[WEATHER], tool_choice="required", response_format=FORM)),
    "schema beside tools, none": post(chat(tools=[WEATHER], tool_choice="none", response_format=FORM)),
    "beside the API": request("POST", "/nowhere", chat()),
    "schema beside thought": post(chat(response_format=FORM, reasoning_effort="low")),
    "schema that nothing fits": post(chat(response_format=_form({"enum": ["a"], "not": {"const": "a"}}))),
    "schema with a broken pattern": post(chat(response_format=_form({"type": "string", "pattern": "^+("}))),
    "schema in words": post(chat(response_format=_form("object"))),
    "form of no known type": post(chat(response_format={"type": "json_shape"})),
    "form without a name": post(chat(response_format={"type": "json_schema", "json_schema": {"schema": SCHEMA}})),
    "form strict in words": post(chat(response_format=_form(SCHEMA, strict="yes"))),
    "thought": post(chat(reasoning_effort="low")),
    "thought, streamed": post(chat(reasoning_effort="low", **USAGE)),
    "thought, cut": post(chat(reasoning_effort="low", max_tokens=12)),
    "thought, budget": post(chat(reasoning_effort="high", thinking_budget=32)),
    "thought, none": post(chat(reasoning_effort="none")),
    "thought, sent back": post(
        {**chat(), "messages": [{"role": "assistant", "content": "Hi.", "reasoning_content": "a"}, *chat()["messages"]]}
    ),
    "beyond the context": post(chat("a b c d " * 2100)),
    "endless": post(chat("a b c d " * 4400)),
    "long": post(chat("a b c d " * 40)),
    "long line": post(chat("ab" * 300)),
    "hot": post(chat("Count from 1 to 200.", max_tokens=5, temperature=1.5)),
    "cap beyond": post(chat("Count from 1 to 200.", max_tokens=8190)),
    "filled": post(chat("a b c d " * 2040 + "Count from 1 to 200.", max_tokens=200)),
    "nul": post(chat("a\0b")),
    "blank": post(chat(" ")),
    "echo": post(chat(response_format={**FORM, "json_schema": {"name": "a", "schema": SCHEMA | {"properties": ECHO}}})),
    "embeddings": request("POST", "/v1/embeddings", {"model": MODEL, "input": ["the sea", "a ship"]}),
    "embeddings in base64": request(
        "POST", "/v1/embeddings", {"model": MODEL, "input": "the sea", "encoding_format": "base64", "dimensions": 8}
    ),
    "embeddings as floats": embed("the sea", encoding_format="float"),
    "embeddings in no known form": embed("the sea", encoding_format="base63"),
    "embeddings of three": embed(["the sea", "a ship", "rain"]),
    "embeddings of ids": embed([5, 6, 7]),
    "embeddings of an empty text": embed(""),
    "embeddings of no text": embed([]),
    "embeddings of much": embed("sea " * 5000),
    "embeddings of too much": embed(["sea " * 9000, "sea " * 4500 + "stone " * 4500]),
    "embeddings of many": embed(["sea"] * 40),
    "embeddings of too many": embed(["sea"] * 2049),
    **ITEMS,
}
