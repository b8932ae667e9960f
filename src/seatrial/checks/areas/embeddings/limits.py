"""What a server must refuse to embed, and what it must not."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import answering, causes, look
from seatrial.checks.areas.embeddings import parts
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import embeddings
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

INPUT = "OpenAPI document, CreateEmbeddingRequest, input"
ROOM = 1.5
"""Tokens that a common English word may take at most, and what a template adds."""

CUT = 0.9
"""A usage below this share of the words shows that words were left out: a common word is a token at least."""

SHORTENED = ("embeddings/text-too-long-is-refused" + causes.SOME,)
UNCOUNTED = (parts.USAGE + causes.SOME,)
MISSHAPEN = (parts.SHAPE + causes.SOME, causes.DECODES + causes.SOME)
TOO_LARGE = (causes.ANSWERED + causes.SOME, causes.NEVER_5XX + "[embeddings-too-long]")
"""Who is told of a text that is too large for the server: of a 5xx for it that is one reason, however long it was."""

CUT_SO = "what stands behind the cut is in no index, and nobody is told"


@rule(
    row="emb/8", part="an empty text", level=Level.SHOULD, of=parts.EMPTY_TEXT, answer=False,
    source=f"{INPUT}: cannot be an empty string",
)  # fmt: skip
def empty_text_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An empty text is refused with a 4xx."""
    yield from look.not_refused(x, so="an empty page has a vector, and is found by questions it does not answer")


@rule(
    row="emb/8", part="an empty list", level=Level.SHOULD, of=parts.EMPTY_LIST, answer=False,
    source=f"{INPUT}: minItems 1",
)  # fmt: skip
def empty_list_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An empty list of inputs is refused with a 4xx."""
    yield from look.not_refused(x, so="a client that has lost its texts takes none for done")


@rule(
    row="emb/8", part="a text too long", level=Level.SHOULD, of=parts.TOO_LONG, answer=False,
    source=f"{INPUT}: must not exceed the max input tokens; llama.cpp #25293",
)  # fmt: skip
def text_too_long_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A text that is longer than the model reads is refused with a 4xx; it is never cut in silence."""
    if x.status != 200:
        yield from look.not_refused(x)
        return
    found, nothing = parts.vectors(x)
    if nothing:
        yield nothing
        return
    read, words = parts.prompt_tokens(x), sum(len(str(each).split()) for each in parts.inputs(x))
    if len(found) > 1 and embeddings.same(found[0], found[1]):
        got = "200, and one vector for texts that differ in their second half"
        yield violation("data", expected="a 4xx, or vectors of all of the text", got=got, so=CUT_SO, grave=True)
    elif read is None:
        yield no_evidence("usage.prompt_tokens", expected="a count", got="none", causes=UNCOUNTED)
    elif read < CUT * words:
        got = f"200, {read} tokens of {words} words"
        where, expected = "usage.prompt_tokens", "a 4xx, or all of the text"
        yield violation(where, expected=expected, got=got, so=CUT_SO, grave=True, causes=UNCOUNTED)


@rule(
    row="emb/8", part="too many inputs", level=Level.SHOULD, of=parts.MANY, answer=False, optional=True,
    source=f"{INPUT}: up to 2048; gbrain PR 1281: servers that take 32",
)  # fmt: skip
def many_inputs_are_answered_or_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A request of many inputs gets a vector for each, or is refused with a 4xx."""
    if look.is_refusal(x):
        yield refusal("the status", expected="200", got=f"{x.status} for {embeddings.wanted(x)} inputs", optional=True)
    elif wrong := answering.refused(x):
        yield wrong
    elif isinstance(x.json, dict):
        given, wanted = len(embeddings.vectors(x)), embeddings.wanted(x)
        if given != wanted:
            so = "the texts behind the limit are in no index"
            expected = f"{wanted} entries, or a 4xx"
            yield violation("data", expected=expected, got=f"{given}", so=so, grave=True, causes=MISSHAPEN)
    else:
        yield violation("the body", expected="vectors, or a 4xx", got=x.fault or x.json, causes=MISSHAPEN)


@rule(
    row="emb/8", part="too many inputs", level=Level.SHOULD, of=parts.TOO_MANY, answer=False,
    source=f"{INPUT}: maxItems 2048",
)  # fmt: skip
def too_many_inputs_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """More than 2048 inputs are refused with a 4xx, or each has its vector."""
    if x.status == 200 and len(embeddings.vectors(x)) == embeddings.wanted(x):
        return
    yield from look.not_refused(x, so="the texts behind the limit are in no index")


@rule(row="emb/10", level=Level.SHOULD, of=parts.UNDECIDED, answer=False, source="OpenAI's API: 4xx; llama.cpp: 501")
def model_without_vectors_says_so(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A model that gives no vectors refuses with a 4xx, or a 501, and not as a server that failed."""
    if x.status == 200 and not embeddings.vectors(x):
        so = "a client stores nothing, or fails where it looks for data"
        got = f"200 {shorten(x.body[:160].decode('utf-8', 'replace'))}"
        yield violation("the answer", expected="vectors, or a 4xx", got=got, so=so, grave=True, causes=MISSHAPEN)
    elif x.status != 200 and not look.is_refusal(x):
        so = "a client takes it for a failure that passes, and asks again"
        got = f"{x.status} {shorten(x.body[:160].decode('utf-8', 'replace'))}"
        yield violation(
            "the status", expected="a 4xx, or a 501", got=got, so=so, causes=(causes.ANSWERED + causes.SOME,)
        )


@rule(
    row="emb/12", level=Level.SHOULD, of=parts.ANNOUNCED, answer=False, optional=True,
    source="llama.cpp #25293, lemonade #3591: a 500 above the physical batch, whatever is announced",
)  # fmt: skip
def text_of_the_announced_length_is_taken(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A text no longer than the context that is announced is taken, and taken whole; a longer one never gets a 5xx."""
    announced, words = expect.context, parts.words(x)
    if x.status != 200:
        yield from _not_taken(x, announced, words)
        return
    found, nothing = parts.vectors(x)
    read = parts.prompt_tokens(x)
    if nothing or not found:
        yield nothing or no_evidence("data", expected="a vector", got="none", causes=(parts.SHAPE,))
    elif read is not None and read < CUT * words:
        expected, got = f"all of the text: {announced or 'no limit'} announced", f"200, {read} tokens of {words} words"
        where = "usage.prompt_tokens"
        yield violation(where, expected=expected, got=got, so=CUT_SO, grave=True, causes=SHORTENED + UNCOUNTED)


def _not_taken(x: Exchange, announced: int | None, words: int) -> Iterator[Finding]:
    """What the refusal of a long text means: nothing, where it may be longer than what is announced."""
    got = f"{x.status} {shorten(x.body[:200].decode('utf-8', 'replace'))}"
    if x.status is None or not 400 <= x.status < 500:
        so = "a client that fills an index by night asks again and again, or leaves the text out"
        yield violation("the status", expected="200, or a 4xx", got=got, so=so, grave=True, causes=TOO_LARGE)
    elif announced is not None and ROOM * words <= announced:
        so = "a client that cuts its texts to what is announced is refused"
        expected = f"200: {words} words, {announced} tokens announced"
        yield violation("the status", expected=expected, got=got, so=so)
    else:
        expected = f"a length announced for {words} words" if announced is None else f"fewer than {announced} tokens"
        yield refusal("the length of the text", expected=expected, got=got, optional=True)
