"""What requests of this area ask for, and why an answer to one shows no call.

A call is forced by ``tool_choice``, never hoped for: whether a model calls of its own accord is a rate, and for the
suite of behaviour to tell (row tools/4, and of row tools/6 the rate).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from seatrial.checks import causes, look, schemas, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, tools
from seatrial.reading.tools import MadeCall
from seatrial.records import Exchange, Finding
from seatrial.text import shorten

OFFERED = traits.CHAT | trait("tools-offered")
"""Tools are offered, whatever the choice among them."""

FORBIDDEN = OFFERED | trait("calls-forbidden")
"""tool_choice is "none", and the prompt asks for a call."""

FORCED = OFFERED | trait("call-forced")
"""tool_choice asks for a call, by "required" or by a function's name."""

REQUIRED = FORCED | trait("call-required")
NAMED = FORCED | trait("call-named")
STREAMED = FORCED | traits.STREAM

CUT_SHORT = trait("call-cut")
CUT = OFFERED | CUT_SHORT
"""A call is forced that the cap cuts: its arguments are longer than that, as the schema has them."""

SPACE = re.compile(r"\s+")

REQUIRED_CALLS = "tools/required-calls"
NAMED_CALLED = "tools/named-function-is-called"
SHAPED = "tools/call-has-its-fields"
INDEXED = "tools/streamed-calls-carry-their-index"
ONCE = "tools/id-and-name-of-a-streamed-call-come-once"
JOINED = "tools/streamed-arguments-join-to-an-object"
EMPTY_OBJECT = "tools/no-parameters-are-an-empty-object"
NONE_CALLED = "tools/none-calls-nothing"
STRICT_KEPT = "tools/strict-schemas-are-enforced"

WHOLE = (SHAPED, JOINED, INDEXED, ONCE)
"""The rules whose finding it is that a call cannot be read as one."""


def judges(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that an answer has no call, or nothing at all; none where a call was free."""
    choice = chosen(x)
    if isinstance(choice, dict):
        return (NAMED_CALLED,)
    return {"required": (REQUIRED_CALLS,), "none": (NONE_CALLED,)}.get(choice if isinstance(choice, str) else "", ())


def chosen(x: Exchange) -> Any:
    """The tool_choice of a request; of any type."""
    return fields.mapping(x.request_json).get("tool_choice")


def name_chosen(x: Exchange) -> str:
    """The function that a request names; empty where it names none."""
    return fields.string(fields.mapping(fields.mapping(chosen(x)).get("function")).get("name")) or ""


def uncalled(x: Exchange) -> Finding | None:
    """Why there is no call to judge, or None."""
    if nothing := look.unanswered(x):
        return nothing
    if tools.calls(x):
        return None
    return no_evidence("tool_calls", expected="a call to judge", got=instead(x), causes=judges(x))


def instead(x: Exchange) -> str:
    """What an answer without a call says."""
    told = chat.answers(x).values()
    words = "".join(answer.content for answer in told)
    thought = sum(len(answer.reasoning) for answer in told)
    return words or (f"{thought} characters of thought" if thought else "nothing")


def strange(x: Exchange, index: int) -> str:
    """What stands in the place of a list of calls, or where calls stood of old; empty where nothing does."""
    for _where, choice, _sent, message in chat.choices(x):
        for key in ("tool_calls", "function_call"):
            given = message.get(key)
            if choice == index and given and not (key == "tool_calls" and isinstance(given, list)):
                return f"{key}: {shorten(given, 80)}"
    return ""


def cut(x: Exchange) -> frozenset[int]:
    """The choices that say that their cap cut them."""
    return frozenset(index for index, answer in chat.answers(x).items() if answer.reasons[-1:] == ["length"])


def telling(x: Exchange) -> list[MadeCall]:
    """The calls of an answer that show anything: not one that the cap cut, but where no other is whole."""
    made, ended = [call for calls in tools.calls(x).values() for call in calls], cut(x)
    return [call for call in made if call.choice not in ended or call.value is not None] or made


def names(call: MadeCall, x: Exchange) -> list[str]:
    """The functions that a call names: one, but where a stream tells whole names of tools more than once."""
    known, parts = tools.offered(x), [name for name in call.names if isinstance(name, str) and name]
    if call.name not in known and len(parts) > 1 and all(part in known for part in parts):
        return list(dict.fromkeys(parts))
    return [call.name]


def by_place(x: Exchange, name: str = "") -> tuple[str, ...]:
    """The rule whose finding it is that of several tools the model is told of one, the first or the last: where that is
    called, or none."""
    known = list(tools.offered(x))
    return causes.TOLD_OF if len(known) > 1 and (not name or name in (known[0], known[-1])) else ()


def documents(text: str) -> int:
    """How many JSON objects stand in a text one behind the other; 0 where it is not made of such."""
    decoder, at, count = json.JSONDecoder(), 0, 0
    text = text.strip()
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return 0
        if not isinstance(value, dict):
            return 0
        count += 1
        if (gap := SPACE.match(text, at)) is not None:
            at = gap.end()
    return count


def merged(call: MadeCall) -> bool:
    """Whether several calls were sent as one: their arguments stand one behind the other, and of a stream their ids or
    names as well."""
    if documents(call.arguments) < 2:
        return False
    ids, parts = set(map(str, call.told("id"))) - {""}, [name for name in call.names if name]
    return len(call.pieces) == 1 or len(ids) > 1 or len(parts) > 1


def strays(made: Sequence[MadeCall]) -> frozenset[int]:
    """The indexes of what looks like a call of a stream and belongs to another: it is not begun, or its id was told
    before."""
    torn = any(not isinstance(each.value, dict) for each in made)
    found, told = set(), set()
    for n, call in enumerate(made):
        if (n and not call.id and not call.name) or (torn and (call.id or call.name) and call.id in told):
            found.add(call.index)
        told.add(call.id)
    return frozenset(found)


def unfit(
    schema: Any, call: MadeCall, where: str, *, so: str, grave: bool = False, judges: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """The first thing in the arguments of a call that the schema of its function rules out."""
    if not isinstance(schema, dict):
        yield no_evidence(where, expected="a schema of its function", got="none")
        return
    try:
        wrong = schemas.misfits(schema, call.value)
    except schemas.UnreadableError as error:
        yield no_evidence(where, expected="a schema that can be read", got=f"{error}: {call.arguments}")
        return
    for each in wrong[:1]:
        got = f"{each.message}: {call.arguments}"
        yield violation(f"{where}{each.where}", expected=each.keyword, got=got, so=so, grave=grave, causes=judges)


def has_parameters(call: MadeCall, x: Exchange) -> bool:
    """Whether the function that is called takes any; where it is not known, it is taken to."""
    function = tools.offered(x).get(call.name)
    return function is None or bool(fields.mapping(fields.mapping(function.get("parameters")).get("properties")))
