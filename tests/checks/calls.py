"""Answers with calls, whole and streamed, for the tests of the rules on them."""

from tests.checks.specimens import ASKED, DONE, choice, delta, ends, plain, stream

PLACE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": PLACE | {"additionalProperties": False}}},
    {"type": "function", "function": {"name": "ping"}},
]
OFFERED = ASKED | {"tools": TOOLS, "tool_choice": "auto"}
NONE = OFFERED | {"tool_choice": "none"}
REQUIRED = OFFERED | {"tool_choice": "required"}
NAMED = OFFERED | {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}}
PING = OFFERED | {"tool_choice": {"type": "function", "function": {"name": "ping"}}}
OSLO = '{"city": "Oslo"}'


def call(name="get_weather", arguments=OSLO, called="call_1", **changes):
    made = {"id": called, "type": "function", "function": {"name": name, "arguments": arguments}, **changes}
    return {key: value for key, value in made.items() if value is not ...}


def calling(*calls, asked=REQUIRED, finish="tool_calls", content=None, **changes):
    """A plain answer with calls."""
    said = {"role": "assistant", "content": content, "tool_calls": list(calls)}
    return plain({"choices": [choice(finish=finish, message=said)], **changes}, asked=asked)


def words(content="Hello.", asked=REQUIRED, finish="stop", **changes):
    return plain({"choices": [choice(content, finish=finish)], **changes}, asked=asked)


def begun(index=0, name="get_weather", called="call_1", arguments="", **changes):
    return {"index": index, **call(name, arguments, called), **changes}


def more(text, index=0, **changes):
    return {"index": index, "function": {"arguments": text}, **changes}


def streamed(*entries, asked=REQUIRED, finish="tool_calls", content=()):
    """A stream of these pieces of calls, each in a delta."""
    said = [delta(content=each) for each in content]
    pieces = [delta(tool_calls=[entry]) for entry in entries]
    start = delta(role="assistant", content=None)
    return stream(start, *said, *pieces, ends(finish), DONE, asked={**asked, "stream": True})


WHOLE = (begun(), more('{"city":'), more(' "Oslo"}'))
TWO = (*WHOLE, begun(1, called="call_2"), more('{"city": "Rome"}', 1))

GOOD = [
    calling(call()),
    calling(call(), content=""),
    calling(call(), content="Let me look."),
    calling(call(called="日本"), call(called="7", arguments='{ "city" : "Rome" }')),
    streamed(*WHOLE),
    streamed(*TWO),
    streamed(begun(arguments=OSLO)),
    streamed(begun(), more("", type="function"), more(OSLO, id=""), more("")),
    streamed(begun(name="get_"), more("") | {"function": {"name": "weather", "arguments": OSLO}}),
]
ON_GOOD = [
    "tools/required-calls",
    "tools/call-has-its-fields",
    "tools/forced-arguments-validate",
    "tools/finish-reason-tells-of-calls",
    "tools/no-markup-is-left-in-the-content",
    "tools/streamed-calls-carry-their-index",
    "tools/id-and-name-of-a-streamed-call-come-once",
    "tools/streamed-arguments-join-to-an-object",
    "tools/no-piece-of-arguments-is-null",
]
ON_CALLS = [*ON_GOOD, "tools/named-function-is-called", "tools/parallel-calls-are-apart"]
