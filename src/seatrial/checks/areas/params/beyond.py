"""What a model or a server may not have at all: effort, verbosity, speech, a search, moderation, predictions.

Each is honoured, or refused; a 200 that shows nothing of it leaves its caller in the belief that it was heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.params.parts import (
    AUDIO,
    EFFORT,
    EFFORTS,
    MODERATION,
    PREDICTION,
    SEARCH,
    VERBOSITY,
    text,
)
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields, reasoning
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten


@rule(
    row="p/24",
    part="each word is taken, or refused",
    level=Level.SHOULD,
    of=EFFORTS,
    answer=False,
    source="OpenAPI document, ReasoningEffort: none to max",
)
def each_effort_is_taken_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Each word of reasoning_effort is answered, or refused with a 4xx."""
    if x.status != 200 and not look.is_refusal(x):
        yield violation("the status", expected="200, or a 400", got=x.status, so="a client takes the server for broken")


@rule(
    row="p/24",
    part="none thinks less",
    level=Level.SHOULD,
    of=EFFORT,
    optional=True,
    source="OpenAPI document, ReasoningEffort; OVMS 4495 ignores it",
)
def effort_none_thinks_less(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """With reasoning_effort none a model thinks less than with high; or the request is refused."""
    thought = {name: _thought(x) for name, x in xs.items()}
    if not {"high", "none", "able"} <= thought.keys():
        yield no_evidence("the thought", expected="that of high and of none", got=", ".join(thought) or "none")
    elif not thought["high"] and not thought["able"]:
        yield no_evidence("the thought", expected="some, with any switch", got="none")
    elif not thought["high"]:
        so = "a client that wants hard questions thought about gets quick answers"
        got = "no thought with high, though the model thinks where a switch of its template says so"
        yield violation("high: the thought", expected="some", got=got, so=so, about="high", ignores="reasoning_effort")
    elif thought["none"] >= thought["high"]:
        so = "a client that wants no thought waits and pays for it"
        got = f"{thought['none']} characters or tokens, with high {thought['high']}"
        yield violation("none: the thought", expected="less", got=got, so=so, about="none", ignores="reasoning_effort")


@rule(
    row="p/29", part="verbosity", level=Level.SHOULD, of=VERBOSITY, optional=True, source="OpenAPI document, Verbosity"
)
def verbosity_shows(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """verbosity is told to the model, so that low and high differ in the prompt or in the answer; or it is refused."""
    low, high = xs.get("low"), xs.get("high")
    if low is None or high is None or not text(low) or not text(high):
        yield no_evidence("content", expected="two answers with text", got=", ".join(xs))
    elif text(low) == text(high) and chat.prompt_tokens(low) == chat.prompt_tokens(high):
        so = "a client that asks for short answers gets long ones"
        got = f"one answer for low and high: {shorten(text(low), 80)}"
        yield violation("content", expected="two answers", got=got, so=so, about="low", ignores="verbosity")


@rule(
    row="p/29", part="audio", level=Level.SHOULD, of=AUDIO, optional=True, source="OpenAPI document, modalities, audio"
)
def audio_is_given_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer that is to be spoken is spoken (message.audio), or the request is refused."""
    if nothing := look.unanswered(x) or _no_message(x, "message.audio"):
        yield nothing
    elif not any(message.get("audio") for _where, message in chat.messages(x)):
        so = "a client that plays the answer has nothing to play, without a word"
        yield violation("message.audio", expected="sound, or a 400", got="none", so=so, ignores="audio")


@rule(
    row="p/29",
    part="search",
    level=Level.SHOULD,
    of=SEARCH,
    optional=True,
    source="OpenAPI document, web_search_options",
)
def search_is_made_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where the web is to be searched the answer says its sources (message.annotations), or the request is refused."""
    if nothing := look.unanswered(x) or _no_message(x, "message.annotations"):
        yield nothing
    elif not any(message.get("annotations") for _where, message in chat.messages(x)):
        so = "a reader takes what the model makes up for what was found"
        where = "message.annotations"
        yield violation(where, expected="a source, or a 400", got="none", so=so, ignores="web_search_options")


@rule(
    row="p/29",
    part="moderation",
    level=Level.SHOULD,
    of=MODERATION,
    optional=True,
    source="OpenAPI document, moderation: results for input and output",
)
def moderation_is_told_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Where the answer is to be moderated its results are told (moderation), or the request is refused."""
    if nothing := look.unanswered(x):
        yield nothing
    elif not fields.mapping(x.json).get("moderation"):
        so = "what was to be held back is shown"
        yield violation("moderation", expected="results, or a 400", got="none", so=so, ignores="moderation")


@rule(
    row="p/29", part="prediction", level=Level.MAY, of=PREDICTION, answer=False, source="OpenAPI document, prediction"
)
def prediction_does_no_harm(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A prediction is accepted, for it changes only how long an answer takes; or it is refused with a 4xx."""
    if look.is_refusal(x):
        return
    if x.status == 200 and not text(x) and reasoning.took_all(x):
        yield no_evidence("the answer", expected="one with text, or a 400", got="thought up to the cap")
    elif x.status != 200 or not text(x):
        got = "no text" if x.status == 200 else x.status
        so = "a client that tells what it expects, to have it sooner, has nothing"
        judges = (*look.by_content(x), *causes.WORDS) if x.status == 200 else ()
        yield violation("the answer", expected="one with text, or a 400", got=got, so=so, causes=judges)


def _no_message(x: Exchange, what: str) -> Finding | None:
    """That no choice has a message to look at, which is another rule's finding; or None."""
    if any(chat.messages(x)):
        return None
    return no_evidence(what, expected="a message to look at", got="none", causes=(causes.SCHEMA,))


def _thought(x: Exchange) -> int:
    """How much was thought: characters, in a field of its own or left in the content; tokens where none is shown."""
    told = sum(len(part) for texts in reasoning.told(x).values() for part in texts.values())
    left = len(text(x)) if any(mark in text(x) for mark in reasoning.OPENS) else 0
    return told or left or fields.integer(reasoning.tokens(x)) or 0
