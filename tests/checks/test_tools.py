"""Rules on calls, each with answers that are right and answers that are wrong."""

import json
import time
from functools import partial

import pytest

from seatrial.checks.areas.tools.asked import documents
from tests.checks.calls import (
    GOOD,
    NAMED,
    NONE,
    OFFERED,
    ON_CALLS,
    ON_GOOD,
    OSLO,
    PING,
    REQUIRED,
    TWO,
    WHOLE,
    begun,
    call,
    calling,
    more,
    streamed,
    words,
)
from tests.checks.specimens import breaks, choice, found, holds, plain, refused


@pytest.mark.parametrize("rule", ON_GOOD)
def test_what_is_right_is_left_alone(rule):
    plain_too = "streamed" not in rule and "piece" not in rule
    holds(rule, [x for x in GOOD if plain_too or x.is_stream])


@pytest.mark.parametrize("rule", [rule for rule in ON_CALLS if "finish" not in rule and "markup" not in rule])
@pytest.mark.parametrize("nothing", [words(""), words("", finish="length"), words("", asked=NAMED)])
def test_an_answer_without_a_call_passes_no_rule_on_calls(rule, nothing):
    assert found(rule, nothing)


@pytest.mark.parametrize("said", [words(), words(asked=NAMED)])
def test_what_no_call_keeps_from_being_judged_names_the_rule_that_asks_for_one(said):
    (one,) = found("tools/call-has-its-fields", said)
    forced = "required-calls" if said.request_json["tool_choice"] == "required" else "named-function-is-called"
    assert (one.kind, one.causes) == ("no-evidence", (f"tools/{forced}",))


def test_none_calls_nothing():
    rule = "tools/none-calls-nothing"
    holds(rule, [words(asked=NONE), streamed(asked=NONE, content=["Hello."], finish="stop")])
    assert breaks(rule, calling(call(), asked=NONE), "call 0", "get_weather").grave
    breaks(rule, streamed(*WHOLE, asked=NONE, content=["Hello."]), "call 0", "get_weather")
    assert [f.kind for f in found(rule, words("", asked=NONE))] == ["no-evidence"]
    dropped = words("", **capped(24, finish="length", asked=NONE))
    assert breaks(rule, dropped, "the answer", "24 tokens").grave
    thought = {"completion_tokens": 24, "completion_tokens_details": {"reasoning_tokens": 24}}
    for end, kinds in (("length", ["no-evidence"]), ("stop", ["violation"])):  # thought that is hidden took it all
        assert [f.kind for f in found(rule, words("", finish=end, usage=thought, asked=NONE))] == kinds


def test_required_calls():
    rule = "tools/required-calls"
    assert breaks(rule, words(), "tool_calls", "Hello.").grave
    breaks(rule, calling(), "tool_calls", "nothing")
    breaks(rule, streamed(content=["Hello."], finish="stop"), "tool_calls", "Hello.")
    breaks(rule, words("On and on", finish="length"), "tool_calls", "length")
    assert [f.kind for f in found(rule, words("", finish="length"))] == ["no-evidence"]


UNKNOWN = {"error": {"message": "tool_choice is not supported", "type": "invalid_request_error"}}


def test_a_choice_that_is_forced_may_be_declined_alone():
    for asked in (REQUIRED, NAMED, REQUIRED | {"parallel_tool_calls": False}):
        (one,) = found("tools/required-calls", refused(body=UNKNOWN, asked=asked))
        assert (one.kind, one.optional) == ("refusal", True)
    for other in (refused(body=UNKNOWN, asked=NONE), refused(body={"error": "the context is full"}, asked=REQUIRED)):
        (one,) = found("tools/required-calls", other)
        assert (one.kind, one.optional) == ("refusal", False)


def test_a_thought_in_the_content_that_the_cap_cuts_is_no_talk_in_place_of_a_call():
    for rule, asked in (("tools/required-calls", REQUIRED), ("tools/named-function-is-called", NAMED)):
        (one,) = found(rule, words("<think>The user wants", asked, "length"))
        assert (one.kind, one.causes) == ("no-evidence", ("reasoning/content-holds-no-marker[*]",))
        breaks(rule, words("<think>Hm.</think> It rains.", asked, "length"), "tool_calls", "It rains.")
        breaks(rule, words("<think>The user wants", asked), "tool_calls", "wants")


def test_named_function_is_called():
    rule = "tools/named-function-is-called"
    holds(rule, [calling(call(), asked=NAMED, finish=end) for end in ("stop", "tool_calls")])
    holds(rule, [calling(call(), call(called="call_2"), asked=NAMED), streamed(*WHOLE, asked=NAMED)])
    assert breaks(rule, words(asked=NAMED), "tool_calls", "Hello.").grave
    breaks(rule, calling(call("ping", "{}"), asked=NAMED), "name", "ping")
    breaks(rule, calling(call(), call("ping", "{}"), asked=NAMED), "call 1, name", "ping")
    breaks(rule, streamed(begun(name="ping"), asked=NAMED), "name", "ping")


def test_call_has_its_fields():
    rule = "tools/call-has-its-fields"
    breaks(rule, calling(call(called=...)), "id", "none")
    breaks(rule, calling(call(called="")), "id")
    breaks(rule, calling(call(called=7)), "id", "7")
    breaks(rule, calling(call(type=...)), "type", "none")
    breaks(rule, calling(call(type="tool")), "type", "tool")
    breaks(rule, calling(call("functions.get_weather")), "name", "functions.get_weather")
    breaks(rule, calling(call(function=...)), "name", "none")
    breaks(rule, calling(call(arguments={"city": "Oslo"})), "arguments", "dict")
    breaks(rule, calling(call(arguments='{"city": ')), "arguments", '{"city": ')
    breaks(rule, calling(call(arguments=json.dumps(OSLO))), "arguments")
    breaks(rule, calling(call(arguments="")), "arguments", "empty")
    breaks(rule, calling({"id": "call_1", "type": "function", "function": {"name": "ping"}}), "arguments", "no such")
    breaks(rule, streamed(begun(called=None), more(OSLO)), "id", "none")
    breaks(rule, streamed(begun(type=None), more(OSLO)), "type", "none")
    breaks(rule, streamed(begun(), more(OSLO, type=None)), "type", "null, in a later piece")
    breaks(rule, streamed(begun(name="weather"), more(OSLO)), "name", "weather")
    breaks(rule, calling("a call"), "id", "none")


def test_what_only_some_decoders_take_is_no_json():
    for text in ('{"city": NaN}', '{"city": -Infinity}'):
        breaks("tools/call-has-its-fields", calling(call(arguments=text)), "arguments", text[9:-1])
        breaks("tools/streamed-arguments-join-to-an-object", streamed(begun(), more(text)), "arguments")


def test_many_calls_are_read_in_time_that_grows_with_their_number():
    pieces = [begun(n, called=f"call_{n}", arguments="{") for n in range(5_000)]
    many = streamed(*pieces)
    began = time.process_time()
    assert documents("{} " * 200_000) == 200_000
    breaks("tools/streamed-arguments-join-to-an-object", many, "arguments", "{")
    assert time.process_time() - began < 30


def test_a_finish_reason_that_nobody_knows_is_one_reason():
    (one,) = found("tools/finish-reason-tells-of-calls", calling(call(), finish="tool_use"))
    assert one.causes == ("chat/finish-reason-is-known",)
    (one,) = found("schema/answer-validates", calling(call(), finish="tool_use"))
    assert one.causes == ("chat/finish-reason-is-known",)


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("tools/call-has-its-fields", partial(calling, finish="length")),
        ("tools/streamed-arguments-join-to-an-object", lambda *calls: streamed(*calls, finish="length")),
    ],
)
def test_a_cap_cuts_the_last_call_which_shows_nothing_beside_a_whole_one(rule, answer):
    first, second = begun(0, arguments=OSLO), begun(1, called="call_2", arguments='{"city": "Ro')
    (one,) = found(rule, answer(second))
    assert (one.kind, one.where.rpartition(", ")[2]) == ("no-evidence", "arguments")
    assert found(rule, answer(first, second)) == found(rule, answer(first)) == []


def test_forced_arguments_validate():
    rule = "tools/forced-arguments-validate"
    breaks(rule, calling(call(arguments='{"place": "Oslo"}')), "arguments")
    breaks(rule, calling(call(arguments='{"city": 7}')), "arguments.city", "7")
    breaks(rule, streamed(begun(), more('{"city": "Oslo", "unit": "C"}')), "arguments", "unit")
    holds(rule, [calling(call("ping", '{"any": 1}'), asked=PING)])
    (one,) = found(rule, calling(call(arguments="Oslo")))
    assert one.kind == "no-evidence"
    assert "tools/call-has-its-fields" in one.causes


def test_finish_reason_tells_of_calls():
    rule = "tools/finish-reason-tells-of-calls"
    holds(rule, [words(asked=OFFERED), words(asked=NONE), calling(call(), asked=OFFERED)])
    holds(rule, [calling(call(), asked=NAMED, finish=end) for end in ("stop", "tool_calls")])
    breaks(rule, calling(call(), finish="stop"), "finish_reason", "stop")
    breaks(rule, calling(call(), asked=OFFERED, finish="stop"), "finish_reason", "stop")
    breaks(rule, calling(call(), asked=NAMED, finish="function_call"), "finish_reason", "function_call")
    breaks(rule, streamed(*WHOLE, finish="stop"), "finish_reason", "stop")
    breaks(rule, words(asked=NONE, finish="tool_calls"), "finish_reason", "no call")
    assert breaks(rule, calling(), "finish_reason").causes == ("tools/required-calls",)
    holds(rule, [calling(call(arguments="{"), finish="length")])


def capped(tokens, **settings):
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    return {"usage": usage, "asked": NAMED | {"max_tokens": 4}, **settings}


def test_cut_call_says_length():
    rule, torn = "tools/cut-call-says-length", call(arguments='{"city": "Os')
    holds(rule, [calling(torn, **capped(4, finish="length")), words("", **capped(4, finish="length"))])
    breaks(rule, calling(torn, **capped(4)), "finish_reason", "tool_calls")
    breaks(rule, calling(torn, **capped(2, finish="stop")), "finish_reason", "stop")
    breaks(rule, calling(call(arguments="{}"), **capped(4)), "finish_reason", "4 tokens")
    breaks(rule, words("", **capped(4)), "finish_reason", "4 tokens")
    breaks(rule, streamed(begun(), more('{"ci'), asked=NAMED), "finish_reason", "tool_calls")
    assert [f.kind for f in found(rule, calling(call(), **capped(3)))] == ["no-evidence"]
    (one,) = found(rule, words("Hello", **capped(4, finish="length")))
    assert one.causes == ("tools/named-function-is-called[*]",)


def test_a_call_that_is_no_json_at_all_is_none_that_was_cut():
    rule = "tools/cut-call-says-length"
    (one,) = found(rule, calling(call(arguments="{'city': 'Oslo'}"), asked=NAMED))
    assert (one.kind, one.causes[0]) == ("no-evidence", "tools/call-has-its-fields")


def test_no_parameters_are_an_empty_object():
    rule = "tools/no-parameters-are-an-empty-object"
    pinged = streamed(begun(name="ping"), more("{}"), asked=PING)
    holds(rule, [calling(call("ping", "{}"), asked=PING), calling(call("ping", " {} "), asked=PING), pinged])
    breaks(rule, calling(call("ping", ""), asked=PING), "arguments", "empty")
    breaks(rule, calling(call("ping", "null"), asked=PING), "arguments", "null")
    breaks(rule, streamed(begun(name="ping"), asked=PING), "arguments", "empty")
    (one,) = found("tools/call-has-its-fields", calling(call("ping", ""), asked=PING))
    assert one.causes == (rule,)


@pytest.mark.parametrize("rule", ["no-parameters-are-an-empty-object", "forced-arguments-validate"])
def test_a_call_that_the_cap_cuts_shows_nothing_beside_a_whole_one(rule):
    whole, torn = call("ping", "{}"), call("ping", "{", "call_2")
    holds(f"tools/{rule}", [calling(whole, torn, asked=PING, finish="length")])
    (one,) = found(f"tools/{rule}", calling(torn, asked=PING, finish="length"))
    assert one.kind == "no-evidence"
    assert found(f"tools/{rule}", calling(whole, torn, asked=PING)), "no cap cut it"


def test_of_streamed_calls_one_that_the_cap_cuts_shows_nothing_beside_a_whole_one():
    rule = "tools/streamed-arguments-join-to-an-object"
    both = (begun(name="ping"), more("{}"), begun(1, "ping", "call_2"), more("{", 1))
    holds(rule, [streamed(*both, asked=PING, finish="length")])
    breaks(rule, streamed(*both, asked=PING), "arguments", "{")


def test_where_a_call_has_no_key_for_arguments_that_is_the_reason():
    rule, whole = "tools/no-parameters-are-an-empty-object", call("ping", "{}")
    bare = {**whole, "function": {"name": "ping"}}
    assert "tools/call-has-its-fields" in breaks(rule, calling(bare, asked=PING), "arguments").causes
    assert "tools/call-has-its-fields" not in breaks(rule, calling(call("ping", ""), asked=PING), "arguments").causes
    breaks("tools/call-has-its-fields", calling(bare, asked=PING), "arguments", "no such key")


@pytest.mark.parametrize(
    "markup",
    [
        '<tool_call>\n{"name": "get_weather"}',
        "</tool_call>",
        '[TOOL_CALLS][{"name"',
        "<|python_tag|>get_weather",
        "<function=get_weather>{}</function>",
        "<|tool_call_begin|>",
        "<|tool_calls_section_begin|>",
        "<｜tool▁calls▁begin｜>",
        "<|channel|>commentary to=functions.get_weather",
        "commentary to=functions.get_weather json",
        "<|tool_call_start|>[get_weather(",
        "<|tool_calls_section_end|>",
        "<minimax:tool_call>",
        "<longcat_tool_call>",
        "<TOOLCALL>[",
        "<function_calls>",
        "<parameter=city>",
        "<arg_key>city",
        "<|START_ACTION|>",
        "<start_function_call>",
        "]<]minimax[>[",
    ],
)
def test_no_markup_is_left_in_the_content(markup):
    rule = "tools/no-markup-is-left-in-the-content"
    breaks(rule, words(f"Well: {markup}", asked=NONE), "content", markup[:10])
    breaks(rule, calling(call(), content=markup), "content", markup[:10])
    breaks(rule, streamed(asked=OFFERED, content=[markup[:4], markup[4:]], finish="stop"), "content", markup[:10])


@pytest.mark.parametrize("key", ["arguments", "parameters"])
def test_a_call_told_in_the_content_too_is_markup(key):
    rule = "tools/no-markup-is-left-in-the-content"
    told = {"name": "get_weather", key: {"city": "Oslo"}}
    for text in (json.dumps(told), json.dumps([{"type": "function", "function": told}], indent=1)):
        breaks(rule, calling(call(), content=text), "content", "get_weather")
    holds(rule, [calling(call(), content='{"name": "Oslo"}'), calling(call(), content="{")])
    holds(rule, [calling(call(), content=text) for text in ('[7, {"name": ["a"]}]', '{"name": {}, "arguments": 1}')])


@pytest.mark.parametrize(
    "told",
    [
        '{"name": "get_weather", "parameters": {"city": "Oslo"}}',
        '```json\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n```',
        '{"type": "function", "function": {"name": "get_weather", "arguments": {"city"',
        '{"arguments": {"city": "Oslo"}, "name": "get_weather"}',
        'get_weather(city="Oslo")',
        '```python\n[get_weather(city="Oslo")]\n```',
        "[ping()]",
    ],
)
def test_a_call_told_in_the_place_of_one_is_markup(told):
    rule = "tools/no-markup-is-left-in-the-content"
    assert breaks(rule, words(told, asked=OFFERED), "content", told[:4]).causes == ()
    assert breaks(rule, words(told), "content").causes == ("tools/required-calls",)
    breaks(rule, streamed(asked=NONE, content=[told[:4], told[4:]], finish="stop"), "content")


def test_words_on_tools_are_no_markup():
    rule = "tools/no-markup-is-left-in-the-content"
    said = ["A tool call <of> [tools] {json} is a function = a call", 'I would ask get_weather(city="Oslo").', "ping"]
    said += ['{"name": "Oslo", "parameters": {}}', "get_weather(city)", "sum(a=1)", "program [args]", "get_weather"]
    holds(rule, [words(each, asked=NONE) for each in said])
    assert [f.kind for f in found(rule, words("", asked=OFFERED))] == ["no-evidence"]


def test_parallel_calls_are_apart():
    rule = "tools/parallel-calls-are-apart"
    apart = [call(), call(arguments='{"city": "Rome"}', called="call_2")]
    holds(rule, [calling(*apart), streamed(*TWO)])
    breaks(rule, calling(call(), call()), "id", "call_1")
    breaks(rule, calling(call(arguments=OSLO + '{"city": "Rome"}')), "arguments", "Rome")
    merged = streamed(*WHOLE, begun(called="call_2"), more('{"city": "Rome"}'))
    assert breaks(rule, merged, "arguments").causes == ("tools/streamed-calls-carry-their-index",)
    (one,) = found(rule, calling(call()))
    assert (one.kind, one.optional) == ("refusal", True)


def ping(called, *before, stream=False, **changes):
    talk = [{"role": "tool", "tool_call_id": each, "content": "I am here."} for each in before]
    sent = PING | {"messages": talk or PING["messages"]}
    if stream:
        return streamed(begun(name="ping", called=called), more("{}"), asked=sent)
    return calling(call("ping", "{}", called), asked=sent, **changes)


def test_new_call_has_a_new_id():
    rule = "tools/new-call-has-a-new-id"
    first = {"plain": ping("a"), "stream": ping("b", stream=True)}
    good = {"next": ping("c", "a"), "next-stream": ping("d", "b", stream=True)}
    holds(rule, [first | good, first | good | {"next": ping("b", "a")}])
    finding = breaks(rule, first | good | {"next": ping("a", "a")}, "next: choice 0, call 0, id", "a")
    assert finding.about == "next"
    breaks(rule, first | good | {"next-stream": ping("b", "b", stream=True)}, "next-stream: choice 0, call 0, id", "b")
    for lacking in ({"plain": words(asked=PING)}, {"next": words(asked=PING)}):
        (finding,) = found(rule, first | good | lacking)
        assert (finding.kind, finding.causes) == ("no-evidence", ("tools/named-function-is-called",))
    for nameless in ({"plain": ping(...)}, {"next": ping(...)}):
        (finding,) = found(rule, first | good | nameless)
        assert (finding.kind, finding.causes[0]) == ("no-evidence", "tools/call-has-its-fields")
    assert [f.kind for f in found(rule, first)] == ["no-evidence"] * 2


def test_parallel_calls_can_be_turned_off():
    rule = "tools/parallel-calls-can-be-turned-off"
    holds(rule, [calling(call()), streamed(*WHOLE)])
    assert breaks(rule, calling(call(), call(called="call_2")), "tool_calls", "2").grave
    breaks(rule, streamed(*TWO), "tool_calls", "2")


def test_words_beside_a_call_are_kept():
    rule = "tools/words-beside-a-call-are-kept"
    both, silent = calling(call(), content="Let me look."), calling(call())
    spoken = streamed(*WHOLE, content=["Let me", " look."])
    holds(rule, [{"plain": both, "stream": spoken}])
    breaks(rule, {"plain": silent, "stream": spoken}, "plain: content", "none")
    breaks(rule, {"plain": both, "stream": streamed(*WHOLE)}, "stream: content", "none")
    for xs in ({"plain": silent, "stream": streamed(*WHOLE)}, {"plain": words(), "stream": spoken}):
        (one,) = found(rule, xs)
        assert (one.kind, one.optional) == ("refusal", True)
    (one,) = found(rule, {"plain": silent, "stream": streamed(*WHOLE)})
    assert one.got == "plain: a call alone; stream: a call alone"


def test_what_stands_in_the_place_of_calls_is_told():
    one = {"role": "assistant", "content": None, "tool_calls": call()}
    old = {"role": "assistant", "content": None, "function_call": call()["function"]}
    for said, told in (
        (one, "tool_calls: {"),
        (one | {"tool_calls": "[]"}, "tool_calls: []"),
        (old, "function_call: {"),
    ):
        x = plain({"choices": [choice(message=said, finish="stop")]}, asked=REQUIRED)
        breaks("tools/required-calls", x, "tool_calls", told)
