"""What the rules on the context share: the scenarios' traits, and the counts of a prompt.

How many tokens a text has is not known before a server counts them; that each of its words takes at least one is.
"""

from __future__ import annotations

from seatrial.checks import traits
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange

BEYOND = traits.FAULTY | trait("beyond-context")
"""More words than the context that the endpoint announces has tokens."""

READ = trait("read-whole")
"""Long texts, which have to be read to their end, or refused."""

EDGE = trait("edge-of-context")
"""``short`` or ``full`` tells how long its prompt is; with the same prompt ``one-less`` and ``fits`` ask for what the
context has left, to a token, and ``over`` for more."""

ODD = trait("odd-text")
"""Texts that are legal, and that nobody thinks of."""

ECHO = traits.CHAT | trait("echo")
"""The answer's form allows one text alone."""

TURNS = traits.CHAT | trait("second-turn")
"""``first``, then ``second``, whose prompt begins with all of the first one's."""

CROWD = trait("all-slots")
"""More requests at the same time than there are slots."""

TRUNCATED = "context/nothing-is-cut-in-silence"
"""The rule whose finding it is that a prompt was cut."""


def prompt_tokens(x: Exchange) -> int | None:
    return fields.integer(fields.mapping(chat.usage(x)).get("prompt_tokens"))


def words(x: Exchange) -> int:
    """The words of a request's messages, between white space."""
    messages = fields.listing(fields.mapping(x.request_json).get("messages"))
    contents = (fields.string(fields.mapping(message).get("content")) for message in messages)
    return sum(len(text.split()) for text in contents if text)


def is_read_whole(x: Exchange) -> bool:
    """Whether usage counts at least a token for each word of the prompt."""
    tokens = prompt_tokens(x)
    return x.status == 200 and tokens is not None and tokens >= words(x) > 0


def told_reused(x: Exchange) -> int | None:
    """Tokens of the prompt that were known, as usage tells it, or timings; None: neither does."""
    told = fields.mapping(fields.mapping(chat.usage(x)).get("prompt_tokens_details")).get("cached_tokens")
    timings = fields.mapping(fields.mapping(x.json).get("timings")).get("cache_n")
    return next((n for n in map(fields.integer, (told, timings)) if n is not None), None)
