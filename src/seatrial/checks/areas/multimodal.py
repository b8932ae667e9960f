"""Images beside text: seen, or refused, and never passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

IMAGE = traits.DECLINABLE | trait("image-beside-text")
"""A text in a part (``without``), and the same with an image beside it (``image``)."""

PARTS = "chat/text-parts-are-the-joined-text"


@rule(
    row="mm/1",
    level=Level.SHOULD,
    of=IMAGE,
    answer=False,
    source="OpenAPI document, ChatCompletionRequestMessageContentPartImage; text-generation-inference issue 2565: it "
    "should fail explicitly",
)
def image_is_seen_or_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An image beside a text is seen, so that usage counts tokens for it in the prompt or the answer tells what it
    shows, or the request is refused with a 4xx."""
    without, x = xs.get("without"), xs.get("image")
    judges = (causes.ANSWERED + causes.SOME, PARTS + causes.SOME)
    if without is None or x is None:
        yield no_evidence("the recording", expected="a text, and the same beside an image", got=", ".join(xs))
    elif wrong := answering.refused(without):
        where = f"without: {wrong.where}"
        yield no_evidence(where, expected=wrong.expected, got=wrong.got, about="without", causes=judges)
    elif not look.is_refusal(x):
        yield from _passed_over(x, without)


def _passed_over(x: Exchange, without: Exchange) -> Iterator[Finding]:
    """A finding on an image that was not refused, and for which the prompt has no tokens."""
    if wrong := answering.refused(x):
        so = "a client asks again for what can never be answered, and sends the image each time"
        where = f"image: {wrong.where}"
        yield violation(where, expected="200, or a 4xx", got=wrong.got, so=so, about="image")
        return
    known, tokens = chat.prompt_tokens(without), chat.prompt_tokens(x)
    where, said = "image: usage.prompt_tokens", _words(x)
    if known is None or tokens is None:
        got, judges = chat.usage(without if known is None else x), (causes.USAGE + causes.SOME,)
        yield no_evidence(where, expected="a whole number", got=got, about="image", causes=judges)
    elif tokens > known:  # some who see an image count one token for it, as its mark in the prompt
        return
    elif said and said == _words(without):
        so = "a user is told of an image that the model never saw"
        expected = f"more than the {known} without the image, or other words, or a 4xx"
        got, judges = f"{tokens}, and the same words", (PARTS + causes.SOME,)
        yield violation(where, expected=expected, got=got, so=so, grave=True, about="image", causes=judges)
    elif not COLOUR.search(said) or COLOUR.search(_words(without)):
        expected = f"more than the {known} without the image, or an answer that tells its colour"
        got, judges = f"{tokens}, and {shorten(said, 80)!r}", (PARTS + causes.SOME,)
        yield no_evidence(where, expected=expected, got=got, about="image", causes=judges)


COLOUR = re.compile(r"\bred\b", re.IGNORECASE)
"""What an answer says of the image: who counts no tokens for what he has seen is known by it."""


def _words(x: Exchange) -> str:
    """What the first choice of an answer says, thought included."""
    first = chat.answers(x).get(0)
    return "" if first is None else f"{first.reasoning}{first.content}".strip()
