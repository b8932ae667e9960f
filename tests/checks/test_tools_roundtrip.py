"""Rules on a tool's result, and on thought beside calls."""

import json

from seatrial.checks.causes import PARTS, PROMPTS, ROLES
from tests.checks.specimens import (
    ASKED,
    CHUNK,
    COUNTED,
    DONE,
    HEAD,
    breaks,
    choice,
    delta,
    ends,
    exchange,
    found,
    holds,
    plain,
    refused,
    stream,
)

LONG = "It is 7 degrees, says the station kestrel-7391, and the wind will turn north by noon, so take a coat along."
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}


def asked(result, base=ASKED):
    talk = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "call_1", "content": result}]
    return base | {"messages": talk, "tools": [TOOL]}


def usage(prompt):
    return {"prompt_tokens": prompt, "completion_tokens": 2, "total_tokens": prompt + 2}


def told(result, prompt, content="Hello."):
    return plain({"usage": usage(prompt), "choices": [choice(content)]}, asked=asked(result))


def pair(long, short=50, name="long", content="Hello.", result=LONG):
    return {name: told(result, long, content), "short": told("Cold.", short)}


def test_result_reaches_the_model():
    rule = "tools/result-reaches-the-model"
    holds(rule, [pair(80), pair(65), pair(50, content="Station kestrel-7391 says 7 degrees.")])
    finding = breaks(rule, pair(51), "long: usage.prompt_tokens", "51")
    assert "never told it" in finding.consequence
    breaks(rule, pair(20), "long: usage.prompt_tokens", "20")
    breaks(rule, pair(51, content="A coat is enough."), "long: usage.prompt_tokens")


def called(city, prompt, **changes):
    call = CALL | {"function": {"name": "get_weather", "arguments": json.dumps({"city": city})}}
    talk = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "Cold."}]
    return plain({"usage": usage(prompt), **changes}, asked=asked("") | {"messages": talk})


def test_earlier_call_reaches_the_model():
    rule = "tools/earlier-call-reaches-the-model"
    short = called("Oslo", 50)
    holds(rule, [{"called": called(LONG, n), "short": short, "long": told(LONG, 10)} for n in (72, 90, 60)])
    finding = breaks(rule, {"called": called(LONG, 51), "short": short}, "called: usage.prompt_tokens", "51")
    assert (finding.about, finding.causes[0]) == ("called", "tools/result-reaches-the-model[*]")
    assert finding.causes[1:] == (*PROMPTS, *ROLES)
    (finding,) = found(rule, {"called": called(LONG, 51, usage=None), "short": short})
    assert (finding.kind, finding.causes) == ("no-evidence", ("chat/usage-adds-up",))
    (finding,) = found(rule, {"called": refused(), "short": short})
    assert finding.causes == ("http/valid-request-is-answered",)
    (finding,) = found(rule, {"short": short})
    assert finding.kind == "no-evidence"


def test_a_long_call_says_nothing_of_results():
    rule = "tools/result-reaches-the-model"
    holds(rule, [pair(80) | {"called": called(LONG, 3)}])


def test_a_result_is_looked_for_in_a_stream_too():
    end = CHUNK | {"choices": [], "usage": usage(80)}
    long = stream(delta(content="Hello"), ends(), end, DONE, asked=asked(LONG, COUNTED))
    short = stream(
        delta(content="H"), ends(), CHUNK | {"choices": [], "usage": usage(50)}, DONE, asked=asked("Cold.", COUNTED)
    )
    holds("tools/result-reaches-the-model", [{"long": long, "short": short}])
    breaks(
        "tools/result-reaches-the-model",
        {"long": short, "short": short}
        | {
            "long": stream(
                delta(content="H"),
                ends(),
                CHUNK | {"choices": [], "usage": usage(50)},
                DONE,
                asked=asked(LONG, COUNTED),
            )
        },
        "long",
        "50",
    )


def test_a_result_without_a_count_is_looked_for_in_the_answer_alone():
    rule = "tools/result-reaches-the-model"
    blind = {"usage": None}
    silent = {"long": plain(blind, asked=asked(LONG)), "short": plain(blind, asked=asked("Cold."))}
    (finding,) = found(rule, silent)
    assert (finding.kind, finding.causes) == ("no-evidence", ("chat/usage-adds-up",))
    said = {"choices": [choice("kestrel-7391")], "usage": None}
    holds(rule, [silent | {"long": plain(said, asked=asked(LONG))}])


def test_what_was_refused_hangs_on_the_rule_on_answers():
    for rule in ("tools/result-reaches-the-model", "tools/result-reaches-the-model-in-every-form"):
        (finding,) = found(rule, pair(80) | {"long": refused(asked=asked(LONG))})
        assert (finding.kind, finding.causes) == ("refusal", ("http/valid-request-is-answered",))
        (finding,) = found(rule, pair(80) | {"short": refused(500, asked=asked("Cold."))})
        assert (finding.about, finding.causes) == ("short", ("http/valid-request-is-answered",))


def test_result_reaches_the_model_in_every_form():
    rule = "tools/result-reaches-the-model-in-every-form"
    parts = [{"type": "text", "text": LONG[:30]}, {"type": "text", "text": LONG[30:]}]
    holds(rule, [pair(80, name="parts", result=parts)])
    finding = breaks(rule, pair(80) | pair(52, name="parts", result=parts), "parts: usage.prompt_tokens", "52")
    assert (finding.about, finding.causes[0]) == ("parts", "tools/result-reaches-the-model[*]")
    assert finding.causes[1:] == (*PROMPTS, *PARTS)


THINKS = ASKED | {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}}


def thought(call=CALL, content=None, **message):
    made = {"role": "assistant", "content": content, "tool_calls": [call] if call else None, **message}
    body = HEAD | {"choices": [{"index": 0, "message": made, "finish_reason": "tool_calls"}]}
    return exchange(json.dumps(body).encode(), asked=THINKS)


def test_thought_stays_apart_from_calls():
    rule = "tools/thought-stays-apart-from-calls"
    holds(
        rule, [thought(reasoning_content="Hm."), thought(reasoning="I may call get_weather."), thought(thinking="Hm.")]
    )
    holds(rule, [thought(reasoning="Hm.", content="Let me look.")])
    breaks(rule, thought(content="<think>Hm.</think>"), "choice 0, content", "<think>")
    breaks(rule, thought(content="Hm.</think>", reasoning="Hm."), "choice 0, content", "</think>")
    mixed = {**CALL, "function": {"name": "get_weather", "arguments": "<think>Hm.</think>{}"}}
    breaks(rule, thought(mixed, reasoning="Hm."), "call 0, arguments", "<think>")
    left = thought(None, reasoning_content='Hm. <tool_call>{"name": "get_weather", "arguments": {}}</tool_call>')
    assert "waits" in breaks(rule, left, "choice 0, thought", "<tool_call>").consequence
    breaks(rule, refused(500, asked=THINKS), "the status", "500")


def test_where_there_is_no_thought_or_no_call_nothing_is_told():
    rule = "tools/thought-stays-apart-from-calls"
    assert [f.kind for f in found(rule, refused(asked=THINKS))] == ["refusal"]
    assert [f.kind for f in found(rule, thought())] == ["refusal"]
    assert [f.kind for f in found(rule, thought(None, reasoning="I might call get_weather."))] == ["no-evidence"]
    assert [f.kind for f in found(rule, plain({"choices": []}, asked=THINKS))] == ["no-evidence"]


def test_thought_in_a_streamed_call():
    rule = "tools/thought-stays-apart-from-calls"
    call = delta(tool_calls=[{"index": 0, **CALL}])
    asks = THINKS | {"stream": True}
    holds(rule, [stream(delta(reasoning_content="Hm."), call, ends("tool_calls"), DONE, asked=asks)])
    breaks(rule, stream(delta(content="<thi"), delta(content="nk>Hm."), call, ends(), DONE, asked=asks), "content")
