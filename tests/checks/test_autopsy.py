"""The search for what is refused of a set of tools: what it names, how many requests it takes, how it cuts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from seatrial.checks.autopsy.asking import calls, misfit
from seatrial.checks.autopsy.cuts import cut, shown
from seatrial.checks.autopsy.search import FIRST, FURTHER, MOST_OFFENDERS, Autopsy, Likeness, Reception, search
from seatrial.checks.schemas import fits
from seatrial.clients.sets import sets
from tests import toolset
from tests.toolset import LONG, PATTERN, RARE, parts

Tools = list[dict[str, Any]]


def uses(keyword: str, value: Any = ...) -> Callable[[Tools], bool]:
    """Whether a set uses a keyword, with this value where one is given."""
    return lambda tools: any(keyword in part and value in (..., part[keyword]) for part in parts(tools))


def drive(tools: Tools, refuses: Callable[[Tools], bool], silent: int = 0) -> tuple[Autopsy, list[str]]:
    """What a search finds at a server that refuses so, and its questions; ``silent`` is the one that gets no answer."""
    names: list[str] = []
    searching, report = search(tools), None
    answer: Reception | None = None
    while report is None:
        try:
            question = next(searching) if answer is None else searching.send(answer)
        except StopIteration as end:
            report = end.value
        else:
            names.append(question.name)
            refused = refuses([copy.deepcopy(each) for each in question.tools])
            answer = Reception.REFUSED if refused else Reception.TAKEN
            answer = Reception.SILENT if len(names) == silent else answer
    assert len(set(names)) == len(names) == report.asked
    return report, names


def test_a_set_that_is_taken_costs_one_request():
    report, names = drive(toolset.forty(), lambda _tools: False)
    assert (report.taken, names) == (True, ["1: all 40 tools"])


def test_one_offender_of_forty_is_named_to_its_keyword():
    report, names = drive(toolset.forty(task_17=PATTERN), uses("pattern"))
    (found,) = report.offenders
    assert (found.number, found.tool, found.piece.keyword, found.least) == (17, "task_17", "pattern", True)
    assert shown(found.piece.path) == "parameters.properties.places.items.properties.at"
    at = {"type": "object", "properties": {"at": PATTERN}}
    places = {"type": "object", "properties": {"places": {"type": "array", "items": at}}}
    assert found.smallest["function"] == {"name": "task_17", "parameters": places}
    assert report.helps == names[-1]
    assert len(names) <= FIRST


@pytest.mark.parametrize("number", [1, 2, 20, 39, 40])
def test_it_is_found_wherever_it_stands(number):
    report, names = drive(toolset.forty(**{f"task_{number}": LONG}), uses("maxLength", 65536))
    assert [(each.number, each.piece.keyword) for each in report.offenders] == [(number, "maxLength")]
    assert len(names) <= FIRST


@pytest.mark.parametrize("second", ["task_17", "task_40"])
def test_two_offenders_are_both_named(second):
    schema = PATTERN | LONG if second == "task_17" else LONG
    tools = toolset.forty(**{"task_17": PATTERN, second: schema})
    report, names = drive(tools, lambda told: uses("pattern")(told) or uses("maxLength")(told))
    assert {(each.tool, each.piece.keyword) for each in report.offenders} == {
        ("task_17", "pattern"),
        (second, "maxLength"),
    }
    assert report.helps
    assert len(names) <= FIRST + FURTHER


def test_after_three_it_stops_and_says_so():
    tools = toolset.forty(task_3=PATTERN, task_9=LONG, task_30=RARE, task_33=RARE)
    odd = (uses("pattern"), uses("maxLength"), uses("format"))
    report, names = drive(tools, lambda told: any(each(told) for each in odd))
    assert [each.tool for each in report.offenders] == ["task_3", "task_9", "task_30"]
    assert (report.more, report.helps) == (True, "")
    assert len(names) <= FIRST + FURTHER * (MOST_OFFENDERS - 1)


@pytest.mark.parametrize(
    ("refuses", "why", "most"),
    [
        (lambda tools: len(tools) > 32, Likeness.NUMBER, 32),
        (lambda tools: len(json.dumps(tools)) > 12_000, Likeness.LENGTH, 39),
    ],
)
def test_a_size_that_is_refused_is_told_as_that(refuses, why, most):
    report, names = drive(toolset.forty(), refuses)
    assert (report.offenders, report.together.why) == ([], why)
    assert not refuses(toolset.forty()[: report.together.taken])
    assert refuses(toolset.forty()[: report.together.taken + 1])
    assert report.together.taken <= most
    assert len(names) <= FIRST


def test_tools_that_do_not_go_together_are_named():
    both = {"task_5", "task_30"}
    report, names = drive(toolset.forty(), lambda told: both <= {each["function"]["name"] for each in told})
    assert (report.together.why, set(report.together.names)) == (Likeness.COMPANY, both)
    assert len(names) <= FIRST


def test_a_keyword_beside_another_is_told_with_it():
    tools = toolset.forty(task_17=PATTERN | LONG, task_30=PATTERN, task_31=LONG)
    report, names = drive(tools, lambda told: any({"pattern", "maxLength"} <= part.keys() for part in parts(told)))
    (found,) = report.offenders
    assert {found.piece.keyword, found.beside.keyword} == {"pattern", "maxLength"}
    assert found.least
    assert len(names) <= FIRST


def test_what_is_wrong_with_a_name_leaves_the_whole_tool_out():
    report, _ = drive(toolset.forty(), lambda told: any(each["function"]["name"] == "task_8" for each in told))
    assert [str(each.piece) for each in report.offenders] == ["name"]
    assert report.helps


def test_no_answer_ends_it():
    report, names = drive(toolset.forty(task_17=PATTERN), uses("pattern"), silent=4)
    assert (report.unfinished, report.offenders, len(names)) == (names[3], [], 4)


def test_a_tool_larger_than_the_requests_reach_is_named_as_far_as_they_do():
    tools = toolset.forty()
    tools += [toolset.tool(number) for number in range(41, 129)]
    properties = tools[100]["function"]["parameters"]["properties"]
    properties |= {f"p{n}": {"type": "string", "description": "x", "pattern": "a", "minLength": n} for n in range(700)}
    report, names = drive(tools, uses("minLength", 555))
    (found,) = report.offenders
    assert (found.tool, found.least) == ("task_101", False)
    assert uses("minLength", 555)([found.smallest])
    assert len(names) <= FIRST


STRICT = {
    "type": "function",
    "function": {
        "name": "pay",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": ["string", "null"], "minLength": 2}, "sum": {"anyOf": [{"type": "number"}]}},
            "required": ["to", "sum"],
            "additionalProperties": False,
        },
    },
}


def shipped() -> Tools:
    return [tool for held in sets().values() for tool in json.loads(held)["tools"]]


@pytest.mark.parametrize("tool", [toolset.tool(1), STRICT, *shipped()], ids=lambda tool: tool["function"]["name"])
def test_all_pieces_are_the_tool_and_fewer_are_a_valid_one(tool):
    held = cut(tool)
    assert held.of(held.pieces) == tool
    for n in range(1, len(held.pieces) + 1, 1 + len(held.pieces) // 40):
        for made in (held.of(held.pieces[:n]), held.of([held.pieces[n - 1]]), held.without(held.pieces[n - 1])):
            parameters = {} if made is None else made["function"].get("parameters", {})
            fits(parameters, {})  # it can be read, whatever it says
            for part in parts(parameters):
                if isinstance(named := part.get("required"), list) and isinstance(part.get("properties"), dict):
                    assert set(named) <= set(part["properties"])
            if "$ref" in json.dumps(parameters):
                assert "unit" in parameters["$defs"]


def test_a_strict_tool_stays_strict_in_pieces():
    for piece in cut(STRICT).pieces[2:]:
        made = cut(STRICT).of([piece])["function"]
        assert (made["strict"], made["parameters"]["additionalProperties"]) == (True, False)
        assert made["parameters"]["required"] == list(made["parameters"]["properties"])


def test_a_list_of_types_is_a_piece():
    report, _ = drive([STRICT], lambda told: any(isinstance(part.get("type"), list) for part in parts(told)))
    assert [str(each.piece) for each in report.offenders] == ["parameters.properties.to, type"]


@pytest.mark.parametrize("tool", [toolset.tool(1), STRICT, *shipped()], ids=lambda tool: tool["function"]["name"])
def test_a_call_asks_for_what_does_not_fit(tool):
    schema = tool["function"]["parameters"]
    assert not fits(schema, misfit(schema)) or not schema["properties"]
    (request,) = calls([tool]).values()
    assert request.body["tool_choice"]["function"]["name"] == tool["function"]["name"]
    assert len(request.body["messages"][0]["content"]) < 300


def test_a_path_is_told_as_people_write_it():
    assert shown(("parameters", "properties", "the place", "anyOf", 1)) == 'parameters.properties["the place"].anyOf[1]'
