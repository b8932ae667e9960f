"""What many rules say first: why an answer cannot be judged, and that a faulty request was not refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from seatrial.checks import causes
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.reading import spelt
from seatrial.reading.chat import (
    FINISH_REASONS,
    answers,
    asks_for_stream,
    completion_tokens,
    messages,
    usage,
    wanted,
)
from seatrial.reading.fields import listing, mapping
from seatrial.reading.tools import pieces
from seatrial.records import Exchange, Expect, Finding
from seatrial.text import shorten

OTHER_MODEL = "another model answers a client than the one it was told of: what was tested is not what it gets"

UNNAMED = tuple(rule + causes.SOME for rule in (causes.SCHEMA, causes.IDENTITY, causes.ONE_MODEL))
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

TINY = 0.01
"""A ``top_p`` below this leaves one token, but where many are as likely."""

NEXT_TO_NOTHING = f"{causes.PARAMETER}[with-top-p-zero]"
"""The case that judges whether a request with such a ``top_p`` is answered."""

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
    if x.status == 200 and not x.error:
        return ()
    return (*map(alone, parameters(x)), *((NEXT_TO_NOTHING,) if is_next_to_nothing(x) else ()))


def by_heat(x: Exchange) -> tuple[str, ...]:
    """The case that judges whether a high temperature is answered; none where the refusal of one does not speak of it.
    Who bridges to an API of other bounds may refuse one above 1."""
    heat = mapping(x.request_json).get("temperature")
    hot = isinstance(heat, int | float) and not isinstance(heat, bool) and heat > 1
    return (f"{causes.ANSWERED}[sampling]",) if hot and b"temperature" in x.body[:4000] else ()


def is_next_to_nothing(x: Exchange) -> bool:
    """Whether a request asks for a ``top_p`` that leaves one token: who refuses that may well take a larger one."""
    share = mapping(x.request_json).get("top_p")
    return isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share < TINY


def by_spelling(text: str, x: Exchange | None = None) -> tuple[str, ...]:
    """The rule whose finding it is that a text is spelt otherwise than it was written; none where it may not be.

    Args:
        x: its exchange, where the text may have lost what its request has.
    """
    lost = x is not None and any(spelt.rewritten(spelt.wanted(x), spelt.strings(text)))
    torn = () if x is None else by_pieces(text, x)
    return (*torn, *causes.WRITTEN) if lost or spelt.may_be_rewritten(text) else torn


def by_pieces(text: str, x: Exchange) -> tuple[str, ...]:
    """The rules whose finding it is that a stream tears characters apart; none where neither a text shows it nor an
    event that a strict parser refuses."""
    if not asks_for_stream(x):
        return ()
    refused = (chunk for chunk in x.chunks if not chunk.done and not isinstance(chunk.json, dict))
    torn = spelt.LOSS[0] in text or any("\\ud" in chunk.data.lower() for chunk in refused)
    return (causes.REPLACED + causes.SOME, causes.UTF_8 + causes.SOME) if torn else ()


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
    if not answers(x):
        return no_evidence("choices", expected="a choice to judge", got="none", causes=(causes.CHOICES,))
    if not any(messages(x)):
        judges = (causes.SCHEMA, causes.SCHEMA + causes.SOME)
        return no_evidence("message, or delta", expected="one in a choice", got="none", causes=judges)
    return None


def holds_something(x: Exchange) -> bool:
    """Whether an answer holds what was asked for: choices, or the vectors of another route."""
    told = mapping(x.json)
    return bool(listing(told.get("choices")) or listing(told.get("data")))


def by_label(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that the answer to a request for a stream is none; none where it is one."""
    return () if x.is_stream else (causes.LABELLED,)


def by_count(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that choices were asked for that are not told apart; none where each is there."""
    return (causes.COPIES,) if len(answers(x)) < wanted(x) else ()


def by_end(x: Exchange, reasons: Sequence[Any]) -> tuple[str, ...]:
    """The rules whose finding it is how an answer ends: not once, with a reason that nobody knows, by a cap that it has
    not reached, as a whole one that a cap cut, or with calls that are not there."""
    if len(reasons) != 1:
        return (causes.FINISHED, causes.FINISHED + causes.SOME)
    if any(reason not in FINISH_REASONS for reason in reasons):
        return (causes.FINISH_KNOWN, causes.FINISH_KNOWN + causes.SOME)
    capped = {"length": causes.CAPPED + causes.SOME, "stop": causes.MAX_TOKENS + causes.SOME}
    return (*(capped[reason] for reason in reasons if reason in capped), *by_calls(x))


def by_events(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that the events of a stream cannot be read; none where one of them can be."""
    lost = x.is_stream and x.body.strip() and not any(isinstance(chunk.json, dict) for chunk in x.chunks)
    return (causes.EVENTS, causes.EVENTS + causes.SOME) if lost else ()


def by_unread(x: Exchange) -> tuple[str, ...]:
    """The rules whose finding it is that an event of a stream cannot be read; none where each can be."""
    lost = any(not chunk.done and not isinstance(chunk.json, dict) for chunk in x.chunks)
    return (causes.UTF_8, causes.EVENTS, causes.EVENTS + causes.SOME) if lost else ()


def by_content(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that a content is missing, or no text; none where each is one, or null."""
    told = [message for _where, message in messages(x)]
    lacking = not asks_for_stream(x) and any("content" not in message for message in told)
    strange = any(not isinstance(message.get("content"), str | None) for message in told)
    return (causes.CONTENT, causes.CONTENT + causes.SOME) if lacking or strange else ()


def by_choices(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that an answer has no choice; none where it has one."""
    return () if answers(x) else (causes.CHOICES,)


def no_chunk(x: Exchange) -> Finding | None:
    """Why there is no chunk to judge, or None."""
    if any(isinstance(chunk.json, dict) for chunk in x.chunks):
        return None
    got = x.content_type or "no content type"
    judges = (
        causes.LABELLED,
        causes.EVENTS,
        causes.CHOICES,
        *by_framing(x),
        causes.LABELLED + causes.SOME,
        *by_events(x),
    )
    return no_evidence("the stream", expected="an event with a JSON object", got=got, causes=judges)


def no_object(x: Exchange) -> Finding | None:
    """Why there is no JSON object to judge, or None."""
    if isinstance(x.json, dict):
        return None
    got = x.fault or x.body[:200].decode("utf-8", "replace")
    elsewhere = (causes.DECODES + causes.SOME, causes.SCHEMA + causes.SOME)
    judges = (causes.DECODES, causes.LIST, causes.SCHEMA, *by_framing(x), *elsewhere)
    return no_evidence("the body", expected="a JSON object", got=got, causes=judges)


def uncounted(x: Exchange) -> Finding | None:
    """Why tokens cannot be held against a cap, or None."""
    if completion_tokens(x) is not None:
        return None
    judges = (causes.USAGE, causes.USAGE + causes.SOME)
    return no_evidence("usage.completion_tokens", expected="a whole number", got=usage(x), causes=judges)


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
