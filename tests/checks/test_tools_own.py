"""The rules on an operator's own tools, over conversations with servers that take and refuse this and that."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from seatrial.checks.autopsy import asking
from seatrial.checks.catalogue import load_all
from seatrial.checks.running import run
from seatrial.records import Exchange, Expect, Finding, Request
from tests import toolset
from tests.checks.specimens import answer, breaks, choice, exchange, holds, plain, refused
from tests.checks.test_autopsy import uses
from tests.toolset import LONG, PATTERN

ACCEPTED = "tools/own-tools-are-accepted"
ENFORCED = "tools/own-tools-are-enforced"
SAYS = {"error": {"message": "failed to parse grammar", "type": "invalid_request_error"}}


def offered(tools: list[Any], refuses: Callable[[list[Any]], bool], **settings: Any) -> dict[str, Exchange]:
    """The conversation with a server that refuses so."""

    def ask(_name: str, request: Request) -> Exchange:
        body = request.body
        return refused(asked=body, body=SAYS, **settings) if refuses(body["tools"]) else plain(asked=body)

    return asking.hold(tools, ask)


def judged(rule: str, xs: dict[str, Exchange]) -> tuple[Finding, ...]:
    findings, crash = run(load_all()[rule], xs, Expect())
    assert not crash
    return findings


def test_a_set_that_is_taken_is_left_alone():
    holds(ACCEPTED, [offered(toolset.forty(), lambda _tools: False)])


def test_tool_path_and_keyword_are_named_and_the_smallest_is_shown():
    found = breaks(
        ACCEPTED, offered(toolset.forty(task_17=PATTERN), uses("pattern")), "task_17", "failed to parse grammar"
    )
    assert found.where == "tool 17 of 40, task_17: parameters.properties.places.items.properties.at, pattern"
    assert '"at":{"type":"string","pattern":' in found.got
    assert "/16/function/parameters/properties/places/items/properties/at/pattern" in found.consequence
    assert "the whole set is taken" in found.consequence
    assert found.about.endswith("pattern alone")


def test_two_are_both_named_on_the_first_line():
    tools = toolset.forty(task_17=PATTERN, task_31=LONG)
    first, second = judged(ACCEPTED, offered(tools, lambda told: uses("pattern")(told) or uses("maxLength")(told)))
    assert "task_17" in first.where
    assert "also task_31: parameters" in first.where
    assert second.where.startswith("tool 31 of 40, task_31")


def test_a_size_is_told_as_that():
    found = breaks(
        ACCEPTED, offered(toolset.forty(), lambda told: len(told) > 32), "the size of the set", "the first 32 of 40"
    )
    assert "number" in found.where
    found = breaks(
        ACCEPTED, offered(toolset.forty(), lambda told: len(json.dumps(told)) > 12_000), "the size of the set"
    )
    assert "length" in found.where


def test_a_5xx_is_as_bad_as_a_refusal():
    found = breaks(ACCEPTED, offered(toolset.forty(task_2=PATTERN), uses("pattern"), status=500), "task_2")
    assert found.grave


def test_more_than_three_are_told_to_be_more():
    names = {f"task_{n}" for n in (3, 9, 27, 33)}
    found = judged(ACCEPTED, offered(toolset.forty(), lambda told: any(t["function"]["name"] in names for t in told)))
    assert [each.where.partition(",")[0] for each in found] == [
        "tool 3 of 40",
        "tool 9 of 40",
        "tool 27 of 40",
        "the set",
    ]


def test_no_answer_is_no_evidence():
    xs = asking.hold(toolset.forty(), lambda _name, r: refused(429, asked=r.body))
    assert [each.kind for each in judged(ACCEPTED, xs)] == ["no-evidence"]
    xs = {"1: all 40 tools": exchange(b"", asked={"tools": "none"})}
    assert [each.kind for each in judged(ACCEPTED, xs)] == ["no-evidence"]


def test_a_record_of_other_questions_is_no_evidence():
    xs = offered(toolset.forty(task_17=PATTERN), uses("pattern"))
    del xs[list(xs)[3]]
    assert [each.kind for each in judged(ACCEPTED, xs)] == ["no-evidence"]


def called(arguments: str, request: Request, finish: str = "tool_calls", content: Any = None) -> Exchange:
    made = {"id": "call_1", "type": "function"}
    function = {"name": request.body["tool_choice"]["function"]["name"], "arguments": arguments}
    message = {"role": "assistant", "content": content, "tool_calls": [{**made, "function": function}]}
    return exchange(json.dumps(answer(choice(finish=finish, message=message))).encode(), asked=request.body)


GOOD, OPEN = '{"count": 1}', '{"count": "many"}'


def forced(make: Callable[[str, Request], Exchange], tools: list[Any] | None = None) -> dict[str, Exchange]:
    return {name: make(name, request) for name, request in asking.calls(tools or toolset.forty()).items()}


def test_calls_that_fit_are_left_alone():
    holds(ENFORCED, [forced(lambda _name, r: called(GOOD, r))])


def test_a_schema_that_is_not_kept_is_told():
    xs = forced(lambda name, r: called(OPEN if name == "task_23" else GOOD, r))
    found = breaks(ENFORCED, xs, "task_23: arguments.count", "many")
    assert (found.about, found.grave) == ("task_23", False)


def test_a_strict_schema_that_is_not_kept_is_grave():
    tools = toolset.forty()
    tools[0]["function"]["strict"] = True
    assert breaks(ENFORCED, forced(lambda _name, r: called(OPEN, r), tools[:1]), "task_1").grave


def test_calls_that_were_cut_say_nothing_of_their_tools():
    cut = '{"count": 1, "note": "on and on'
    holds(ENFORCED, [forced(lambda name, r: called(cut, r, "length") if name == "task_9" else called(GOOD, r))])
    assert [f.kind for f in judged(ENFORCED, forced(lambda _name, r: called(cut, r, "length")))] == ["no-evidence"]


def test_words_in_place_of_all_calls_are_no_evidence():
    (found,) = judged(ENFORCED, forced(lambda _name, r: plain(asked=r.body)))
    assert (found.kind, found.causes[0]) == ("no-evidence", "tools/named-function-is-called[*]")


def test_a_forced_call_that_is_declined_of_all_is_a_refusal_and_of_one_a_fault():
    (found,) = judged(ENFORCED, forced(lambda _name, r: refused(asked=r.body, body=SAYS)))
    assert (found.kind, found.optional) == ("refusal", True)
    xs = forced(lambda name, r: refused(asked=r.body, body=SAYS) if name == "task_4" else called(GOOD, r))
    assert breaks(ENFORCED, xs, "task_4", "failed to parse grammar").causes == (f"{ACCEPTED}[*]",)


def test_a_tool_without_a_schema_shows_nothing_and_harms_no_other():
    tools = toolset.forty()[:2]
    for each in tools:
        del each["function"]["parameters"]
    (found,) = judged(ENFORCED, forced(lambda _name, r: called(GOOD, r), tools))
    assert (found.kind, found.got) == ("no-evidence", "none")
    holds(ENFORCED, [forced(lambda _name, r: called(GOOD, r), [*tools[:1], *toolset.forty()[1:]])])


def test_nothing_sent_is_no_evidence():
    assert [f.kind for f in judged(ENFORCED, {})] == ["no-evidence"]
