"""Rules on tools as a request offers them."""

import json

from tests.checks.specimens import (
    ASKED,
    DONE,
    STREAMED,
    answer,
    breaks,
    choice,
    delta,
    ends,
    exchange,
    found,
    holds,
    pair,
    plain,
    refused,
    stream,
)

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
OLD = {"functions": [{"name": "get_weather"}], "function_call": {"name": "get_weather"}}


def said(*choices, asked=ASKED):
    return exchange(json.dumps(answer(*choices)).encode(), asked=asked)


def of_old(arguments='{"city": "Oslo"}', finish="function_call", **message):
    made = {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": arguments}}
    return said(choice(finish=finish, message={**made, **message}), asked=ASKED | OLD)


def test_bad_definitions_are_refused():
    rule = "tools/bad-definitions-are-refused"
    holds(rule, [pair(refused()), pair(refused(422))])
    assert "slip" in breaks(rule, pair(plain()), "the status", "200").consequence
    finding = breaks(rule, pair(refused(500)), "the status", "500")
    assert finding.causes == ("errors/client-fault-is-never-5xx",)


def test_of_several_bad_ones_the_accepted_one_is_named():
    xs = {"bad-name": plain(), "empty-list": refused(), "good": plain()}
    (finding,) = found("tools/bad-definitions-are-refused", xs)
    assert (finding.about, finding.where) == ("bad-name", "bad-name: the status")


def test_orphaned_results_are_refused_or_answered():
    rule = "tools/orphaned-results-are-refused-or-answered"
    holds(rule, [pair(refused()), pair(plain())])
    breaks(rule, pair(refused(500)), "the status", "500")
    breaks(rule, pair(plain({"choices": []})), "choices", "[]")
    breaks(rule, pair(exchange(b'{"error": {"message": "no"}}')), "the answer", "200 with an error")


def test_required_without_tools_is_refused():
    rule = "tools/required-without-tools-is-refused"
    holds(rule, [pair(refused())])
    assert breaks(rule, pair(plain()), "the status", "200").grave
    assert not breaks(rule, pair(refused(500)), "the status", "500").grave


def test_idle_choice_without_tools_is_accepted():
    rule = "tools/idle-choice-without-tools-is-accepted"
    holds(rule, [plain()])
    assert [f.kind for f in found(rule, refused())] == ["refusal"]
    assert breaks(rule, refused(500), "the status", "500").grave
    called = said(choice(message={"role": "assistant", "content": None, "tool_calls": [CALL]}))
    breaks(rule, called, "choice 0, call 0", "get_weather")
    assert [f.kind for f in found(rule, plain({"choices": []}))] == ["no-evidence"]


def test_functions_of_old_work_or_are_refused():
    rule = "tools/functions-of-old-work-or-are-refused"
    holds(rule, [of_old(), of_old(finish="stop"), refused(asked=ASKED | OLD)])
    breaks(rule, refused(500, asked=ASKED | OLD), "the status", "500")
    breaks(rule, plain(asked=ASKED | OLD), "choice 0, function_call", "Hello.")
    as_tool = said(choice(message={"role": "assistant", "content": None, "tool_calls": [CALL]}), asked=ASKED | OLD)
    breaks(rule, as_tool, "choice 0, function_call", "tool_calls ['get_weather']")
    breaks(rule, of_old(arguments={}), "function_call.arguments")
    breaks(rule, of_old(function_call={"name": "other", "arguments": "{}"}), "function_call.name", "other")
    thought = said(choice(finish="length", content="", message={"content": "", "reasoning": "Hm"}), asked=ASKED | OLD)
    assert [f.kind for f in found(rule, thought)] == ["no-evidence"]
    assert [f.kind for f in found(rule, of_old(arguments='{"ci', finish="length"))] == ["no-evidence"]


def test_a_streamed_function_call_is_joined():
    rule = "tools/functions-of-old-work-or-are-refused"
    asked = STREAMED | OLD
    pieces = [{"name": "get_weather", "arguments": ""}, {"arguments": '{"city":'}, {"arguments": ' "Oslo"}'}]
    events = [delta(function_call=piece) for piece in pieces]
    holds(rule, [stream(*events, ends("function_call"), DONE, asked=asked)])
    breaks(rule, stream(*events[:2], ends("function_call"), DONE, asked=asked), "arguments", '{"city":')
