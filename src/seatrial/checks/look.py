"""What many rules say first: why an answer cannot be judged, and that a faulty request was not refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from seatrial.checks import causes
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.reading import spelt
from seatrial.reading.chat import answers, asks_for_stream, completion_tokens, usage
from seatrial.reading.fields import listing, mapping
from seatrial.reading.tools import pieces
from seatrial.records import Exchange, Expect, Finding
from seatrial.text import shorten

OTHER_MODEL = "another model answers a client than the one it was told of: what was tested is not what it gets"

UNNAMED = tuple(rule + causes.SOME for rule in (causes.SCHEMA, causes.IDENTITY))
SWAPPED = (causes.ONE_MODEL + causes.SOME,)

GOOD = "good"
"""The name of the request that follows a faulty one, in each scenario of faults and in no other."""

SOUND = frozenset({"before", GOOD, "known"})
"""Names of requests beside the faulty one. ``before`` is a good one, kept from earlier in the run, that ``good`` asks
again after the fault; ``known`` shows that the route is there, where a chat does not show it."""

NO_ROUTE = frozenset({404, 405, 501})
"""Statuses of a route that is not there."""


def by_calls(x: Exchange) -> tuple[str, ...]:
    """The rule by whose finding a stream ends wrongly, where it ends with calls and has none; empty: it does not."""
    ends = asks_for_stream(x) and any("tool_calls" in answer.reasons for answer in answers(x).values())
    return (causes.ENDS_WITH_CALLS + causes.SOME,) if ends and not list(pieces(x)) else ()


USUAL = frozenset({"model", "messages", "max_tokens", "temperature", "stream"})
"""Parameters that most requests of the suite have: what is answered to them is for the rules on answers."""

ASKED = {"tools": "tools-asked", "tool_choice": "tools-asked", "response_format": "structured-asked"}
"""Parameters that an optional area asks for first, and the scenario that does."""


def parameters(x: Exchange) -> list[str]:
    """The parameters of a request beside the usual ones, in its order; without those that are null."""
    return [name for name, value in mapping(x.request_json).items() if name not in USUAL and value is not None]


def alone(parameter: str) -> str:
    """The case that judges whether a request with this parameter is answered."""
    if parameter in ASKED:
        return f"{causes.ANSWERED}[{ASKED[parameter]}]"
    return f"{causes.PARAMETER}[with-{parameter.replace('_', '-')}]"


def by_parameters(x: Exchange) -> tuple[str, ...]:
    """The cases that judge the parameters of a request each by itself, where it was not answered; else none."""
    return () if x.status == 200 and not x.error else tuple(map(alone, parameters(x)))


def by_spelling(text: str) -> tuple[str, ...]:
    """The rule whose finding it is that a text is spelt otherwise than it was written; none where it may not be."""
    return causes.WRITTEN if spelt.may_be_rewritten(text) else ()


def bad(xs: Mapping[str, Exchange]) -> dict[str, Exchange]:
    """The faulty requests of a scenario: all but those that only show the server answered before and answers still."""
    return {name: x for name, x in xs.items() if name not in SOUND}


def named(finding: Finding, name: str, *, alone: bool) -> Finding:
    """A finding on one answer, with the name of its request; in its text too, where others were judged beside it."""
    return replace(finding, about=name, where=finding.where if alone else f"{name}: {finding.where}")


def unrouted(x: Exchange, xs: Mapping[str, Exchange]) -> Finding | None:
    """Why it shows nothing that a faulty request was refused, or None: what is sound is refused on its route as well.

    Either the route is not there, or all that comes in is turned away in the same words.
    """
    known = [xs["known"]] if "known" in xs else []
    beside = known or [s for name, s in xs.items() if name in SOUND and (s.method, s.path) == (x.method, x.path)]
    if not beside or not is_refusal(x):
        return None
    if all(s.status in NO_ROUTE for s in beside) or all((s.status, s.body) == (x.status, x.body) for s in beside):
        got = f"{beside[0].status} for a request without fault: {beside[0].body[:120].decode('utf-8', 'replace')}"
        if known:
            return refusal("the route", expected="one that is there", got=got, optional=True)
        return no_evidence(
            "the route",
            expected="one that answers a request without fault",
            got=got,
            causes=(causes.ANSWERED + causes.SOME,),
        )
    return None


def is_refusal(x: Exchange) -> bool:
    """Whether the answer says that the client is wrong, or that the route is not there."""
    return x.status is not None and (400 <= x.status < 500 or x.status in NO_ROUTE)


def unreadable(x: Exchange) -> Finding | None:
    """Why a 200 cannot be judged by its fields, or None; the rules that judge that are named as its causes."""
    return no_chunk(x) if asks_for_stream(x) else no_object(x)


def unanswered(x: Exchange) -> Finding | None:
    """Why there is no choice to judge, or None; that there has to be one is judged by chat/choices-are-indexed."""
    if nothing := unreadable(x):
        return nothing
    if answers(x):
        return None
    return no_evidence("choices", expected="a choice to judge", got="none", causes=(causes.CHOICES,))


def holds_something(x: Exchange) -> bool:
    """Whether an answer holds what was asked for: choices, or the vectors of another route."""
    told = mapping(x.json)
    return bool(listing(told.get("choices")) or listing(told.get("data")))


def by_label(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that the answer to a request for a stream is none; none where it is one."""
    return () if x.is_stream else (causes.LABELLED,)


def by_choices(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that an answer has no choice; none where it has one."""
    return () if answers(x) else (causes.CHOICES,)


def no_chunk(x: Exchange) -> Finding | None:
    """Why there is no chunk to judge, or None."""
    if any(isinstance(chunk.json, dict) for chunk in x.chunks):
        return None
    got = x.content_type or "no content type"
    judges = (causes.LABELLED, causes.EVENTS, causes.CHOICES, *by_framing(x), causes.LABELLED + causes.SOME)
    return no_evidence("the stream", expected="an event with a JSON object", got=got, causes=judges)


def no_object(x: Exchange) -> Finding | None:
    """Why there is no JSON object to judge, or None."""
    if isinstance(x.json, dict):
        return None
    got = x.fault or x.body[:200].decode("utf-8", "replace")
    judges = (causes.DECODES, causes.LIST, causes.SCHEMA, *by_framing(x), causes.DECODES + causes.SOME)
    return no_evidence("the body", expected="a JSON object", got=got, causes=judges)


def uncounted(x: Exchange) -> Finding | None:
    """Why tokens cannot be held against a cap, or None."""
    if completion_tokens(x) is not None:
        return None
    return no_evidence("usage.completion_tokens", expected="a whole number", got=usage(x), causes=(causes.USAGE,))


def other_names(told: Mapping[str, Sequence[str]], expect: Expect) -> Iterator[Finding]:
    """A finding where answers call the model by another name than the run's first answer, or than most of them.

    Args:
        told: what each answer calls it, by a name of the answer.
    """
    named = {name: said for name, said in told.items() if said}
    if not named:
        yield no_evidence("model", expected="a name", got=f"none in {len(told)} answers", causes=UNNAMED)
        return
    usual, _ = Counter(said[0] for said in named.values()).most_common(1)[0]
    known = expect.named or usual
    others = {name: next(n for n in said if n != known) for name, said in named.items() if set(said) != {known}}
    if others:
        shown = ", ".join(list(others)[:3]) + (" ..." if len(others) > 3 else "")
        got = f"{shorten(next(iter(others.values())), 80)}: {shown}"
        where = f"model in {len(others)} of {len(named)} answers"
        yield violation(where, expected=shorten(known, 80), got=got, so=OTHER_MODEL, causes=SWAPPED)


def error(x: Exchange) -> dict[str, Any]:
    """The error object of an answer; empty where it has none."""
    return mapping(mapping(x.json).get("error"))


def sdk_says(x: Exchange) -> str:
    """What a refusal without an error object does to a client on the official SDK, or on none."""
    told = mapping(x.json)
    error = told.get("error", told)
    message = mapping(error).get("message")
    if isinstance(message, str) and message:
        return 'a client that reads error["message"] finds none'
    return f'the SDK says "Error code: {x.status}" and no more'


def not_refused(x: Exchange, so: str = "") -> Iterator[Finding]:
    """A finding where a faulty request was not answered with a 4xx."""
    if x.status is None or not 400 <= x.status < 500:
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        judges = (*by_status(x), *by_5xx(x), *by_parameters(x))
        yield violation("the status", expected="a 4xx", got=got, so=so if x.status == 200 else "", causes=judges)


def erring(x: Exchange) -> bool:
    """Whether a 200 holds an error object in place of an answer."""
    return x.status == 200 and bool(error(x)) and not holds_something(x)


def by_status(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that an error comes under a 200; none where none does."""
    return (causes.ERROR_SHAPED + causes.SOME,) if erring(x) else ()


def by_framing(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that a body is not what its head announces; none where it is."""
    return (causes.FRAMED,) if x.framing or x.error else ()


def by_5xx(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that a faulty request got a 5xx; none where it got something else."""
    return (causes.NEVER_5XX,) if x.status is not None and x.status >= 500 else ()
