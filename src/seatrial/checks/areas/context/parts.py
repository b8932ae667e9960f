"""What the rules on the context share: the scenarios' traits, and the counts of a prompt.

How many tokens a text has is not known before a server counts them. Each of its words takes at least one, but for the
few vocabularies that have tokens of two words: what is counted below three quarters of a token a word was not read.
"""

from __future__ import annotations

from seatrial.checks import traits
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields
from seatrial.records import Exchange

BEYOND = traits.FAULTY | trait("beyond-context")
"""Twice as many words as the context that the endpoint announces has tokens."""

READ = trait("read-whole")
"""Long texts, which have to be read to their end, or refused."""

LENGTHS = READ | trait("all-lengths")
"""Texts of ever more words, up to more than most contexts hold: for servers that do not tell how long theirs is."""

EDGE = traits.DECLINABLE | trait("edge-of-context")
"""``short`` or ``full`` tells how long its prompt is; with the same prompt ``one-less`` and ``fits`` ask for what the
context has left, to a token, and ``over`` for more."""

ODD = traits.DECLINABLE | trait("odd-text")
"""Texts that are legal, and that nobody thinks of."""

ECHO = traits.CHAT | trait("echo")
"""The answer's form allows one text alone."""

WRITTEN = trait("written")
"""The answer is made to hold JSON: as its content, or as the arguments of a call."""

TURNS = traits.CHAT | trait("second-turn")
"""``first``, then ``second``, whose prompt begins with all of the first one's."""

CROWD = traits.DECLINABLE | trait("all-slots")
"""More requests at the same time than there are slots."""

FEWEST = 0.75
"""Tokens a word, at the least."""

TRUNCATED = "context/nothing-is-cut-in-silence"
"""The rule whose finding it is that a prompt was cut."""


def words(x: Exchange) -> int:
    """The words of a request's messages, between white space."""
    messages = fields.listing(fields.mapping(x.request_json).get("messages"))
    contents = (fields.string(fields.mapping(message).get("content")) for message in messages)
    return sum(len(text.split()) for text in contents if text)


def is_read_whole(x: Exchange) -> bool:
    """Whether usage counts tokens for all words of the prompt."""
    tokens = chat.prompt_tokens(x)
    return x.status == 200 and tokens is not None and tokens >= FEWEST * words(x) > 0


def told_reused(x: Exchange) -> int | None:
    """Tokens of the prompt that were known, as usage tells it, or timings; None: neither does."""
    told = fields.mapping(fields.mapping(chat.usage(x)).get("prompt_tokens_details")).get("cached_tokens")
    timings = fields.mapping(fields.mapping(x.json).get("timings")).get("cache_n")
    return next((n for n in map(fields.integer, (told, timings)) if n is not None), None)
