"""What becomes of an earlier turn that holds more than one call and its result: several of them, and words beside them.

As in ``roundtrip`` usage tells it. The same turn is sent with its long call and long result first, and with both last:
as long as all of it reaches the model, both prompts have the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, capabilities, causes, look, traits
from seatrial.checks.areas.tools.roundtrip import LOST, REACHES
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

TURN = traits.DECLINABLE | trait("several-results")
"""A turn of two calls with their results, of which one call and its result are long: those come ``first``, or ``last``;
and ``words`` is like ``last``, but for words beside the calls."""

WAYS = ("first", "last")
EACH = "tools/each-result-of-a-turn-reaches-the-model"


@rule(
    row="tools/31",
    level=Level.SHOULD,
    of=TURN,
    optional=True,
    answer=False,
    source="OpenAPI document, parallel_tool_calls, ChatCompletionRequestToolMessage: a result for each call; "
    "symfony/ai pull request 2289: the first alone",
)
def each_result_of_a_turn_reaches_the_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Each call and each result of a turn with several reaches the model, whichever stands first; or such a turn is
    refused with a 4xx."""
    if unanswered := [found for name in WAYS if name in xs and (found := _unanswered(xs[name], name))]:
        yield from unanswered
        return
    counts = {name: chat.prompt_tokens(xs[name]) for name in WAYS if name in xs}
    if None in counts.values() or len(counts) < len(WAYS):
        yield _uncounted(xs, WAYS)
        return
    told = {name: count for name, count in counts.items() if count is not None}
    most, least = max(told, key=told.__getitem__), min(told, key=told.__getitem__)
    if told[most] - told[least] > _spread(xs["first"]) / 2:
        where, expected = f"{least}: usage.prompt_tokens", f"about {told[most]}, as with the long result {most}"
        by = (REACHES + causes.SOME, *causes.PROMPTS, *causes.ROLES)
        got = f"{told[least]}: of two results the {least} one is left out, or its call"
        yield violation(where, expected=expected, got=got, so=LOST, grave=True, about=least, causes=by)


@rule(
    row="tools/32",
    level=Level.SHOULD,
    of=TURN,
    optional=True,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestAssistantMessage: content beside tool_calls; nanobot pull request "
    "5783, LiteLLM pull request 25208",
)
def words_beside_an_earlier_call_reach_the_model(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """What the assistant said in an earlier turn beside its calls reaches the model: usage counts its tokens."""
    if "last" in xs and (nothing := _unanswered(xs["last"], "last")):
        yield refusal(nothing.where, expected="a turn with several calls answered", got=nothing.got, optional=True)
        return
    if "words" in xs and (nothing := _unanswered(xs["words"], "words")):
        yield nothing
        return
    if not {"words", "last"} <= xs.keys() or None in (counts := [chat.prompt_tokens(xs[n]) for n in ("words", "last")]):
        yield _uncounted(xs, ("words", "last"))
        return
    tokens, base = (count or 0 for count in counts)
    said = len(_words(xs["words"]).split())
    if tokens - base < said / 2:
        so = "the model has lost what it told its user before it called: it says it again, or says something else"
        expected = f"about {said} more than the {base} without words"
        where, by = "words: usage.prompt_tokens", (REACHES + causes.SOME, *causes.PROMPTS, *causes.ROLES)
        yield violation(where, expected=expected, got=tokens, so=so, about="words", causes=by)


def _unanswered(x: Exchange, name: str) -> Finding | None:
    """Why a turn was not answered, or None: it may be declined, by a template that knows one call a turn."""
    found = answering.refused(x)
    if found is None:
        return None
    if found.kind == "refusal" or capabilities.declined_by_5xx(x):
        return refusal(f"{name}: the status", expected="an answer, or a 4xx", got=found.got, optional=True)
    judges = (causes.ANSWERED + causes.SOME,)
    expected = "an answer, or a 4xx"
    return violation(f"{name}: {found.where}", expected=expected, got=found.got, about=name, causes=judges)


def _uncounted(xs: Mapping[str, Exchange], names: tuple[str, ...]) -> Finding:
    """Why prompts cannot be held against each other."""
    lacking = next((name for name in names if name in xs and chat.prompt_tokens(xs[name]) is None), "")
    if lacking and (nothing := look.unreadable(xs[lacking])):
        return look.named(nothing, lacking, alone=False)
    got = chat.usage(xs[lacking]) if lacking else ", ".join(xs)
    judges = (causes.USAGE + causes.SOME,)
    expected = f"a count of {' and '.join(names)}"
    return no_evidence("usage.prompt_tokens", expected=expected, got=got, about=lacking, causes=judges)


def _spread(x: Exchange) -> int:
    """By how many words the two calls of a request differ, or its two results, whichever is less."""
    messages = [fields.mapping(each) for each in fields.listing(fields.mapping(x.request_json).get("messages"))]
    results = [fields.string(m.get("content")) or "" for m in messages if m.get("role") == "tool"]
    made = [fields.mapping(call) for m in messages for call in fields.listing(m.get("tool_calls"))]
    calls = [fields.string(fields.mapping(call.get("function")).get("arguments")) or "" for call in made]
    lengths = [[len(text.split()) for text in texts] for texts in (results, calls)]
    return min((max(each) - min(each) for each in lengths if each), default=0)


def _words(x: Exchange) -> str:
    """What the assistant says in a request beside its calls."""
    messages = map(fields.mapping, fields.listing(fields.mapping(x.request_json).get("messages")))
    return " ".join(fields.string(m.get("content")) or "" for m in messages if m.get("tool_calls"))
