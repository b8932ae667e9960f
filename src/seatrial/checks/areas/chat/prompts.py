"""What usage says of prompts: their length, and that a user's text stays a text in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, markers
from seatrial.reading.fields import listing, mapping, string
from seatrial.records import Exchange, Expect, Finding, Level

LENGTHS = traits.COUNTED | trait("prompt-lengths")
"""A prompt (``short``), the same once more (``again``), and with many words more (``long``)."""

MARKED = traits.COUNTED | trait("marked-prompts")
"""A prompt (``none``), and the same with markers of templates, each many times, named by their template."""

AS_ONE = 1.5
"""Tokens of a marker up to which it has been read as one: as a text none in use has fewer than three."""

KNOWN = 0.75
"""Below this share of its tokens a prompt that comes once more is counted without those that are kept of it: a count of
the rest, by which nobody can tell what was read."""

FEWEST = 4
"""Markers in a prompt that tell what one of them costs."""


@rule(
    row="chat/basic/7",
    part=("grows with the prompt", "the same for the same prompt"),
    level=Level.SHOULD,
    of=LENGTHS,
    source="OpenAPI document, CompletionUsage: tokens in the prompt; Kimi-Vendor-Verifier tests/prompt_tokens",
)
def prompt_tokens_are_those_of_the_prompt(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """prompt_tokens is the same for the same prompt, known or not, and grows by the words that a longer one has."""
    told = {name: chat.prompt_tokens(x) for name, x in xs.items()}
    if wrong := next((name for name, tokens in told.items() if tokens is None), ""):
        got = chat.usage(xs[wrong])
        where = f"{wrong}: usage.prompt_tokens"
        yield no_evidence(where, expected="a whole number", got=got, about=wrong, causes=(causes.USAGE,))
        return
    short, again, long = (told.get(name) for name in ("short", "again", "long"))
    if short != again:
        so = "whoever counts what requests cost counts another sum each time"
        left_out = short is not None and again is not None and again < KNOWN * short
        where, expected = "again: usage.prompt_tokens", f"{short}"
        yield violation(where, expected=expected, got=again, so=so, about="again", grave=left_out)
    if short is not None and long is not None:
        more = len(_text(xs["long"]).split()) - len(_text(xs["short"]).split())
        if long - short < more / 2:
            so = "a client that watches how full the context is runs over its end"
            expected = f"about {more} more than {short}"
            yield violation("long: usage.prompt_tokens", expected=expected, got=long, so=so, about="long")


@rule(
    row="chat/basic/17",
    level=Level.SHOULD,
    of=MARKED,
    source="OWASP LLM01, prompt injection; llama.cpp tokenizes a rendered template with its markers",
)
def markers_in_a_text_change_no_roles(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A marker of a template in a user's text is text: it is not read as the one token that begins or ends a turn."""
    base = xs.get("none")
    known = None if base is None else chat.prompt_tokens(base)
    for name, x in xs.items():
        count, tokens = len(markers.ANY.findall(_text(x))), chat.prompt_tokens(x)
        if name == "none" or count < FEWEST:
            continue
        if known is None or tokens is None:
            judges = (causes.USAGE,)
            yield no_evidence(
                f"{name}: usage.prompt_tokens", expected="a number", got=tokens, about=name, causes=judges
            )
        elif 0.5 < (each := (tokens - known) / count) <= AS_ONE:
            marker = markers.ANY.findall(_text(x))[0]
            got = f"{each:.2f} tokens for each of {count} {marker}"
            so = "a user, or a page that a model reads, can end its turn and speak as the system"
            yield violation(f"{name}: usage.prompt_tokens", expected="those of a text", got=got, so=so, about=name)


@rule(
    row="chat/basic/16",
    level=Level.SHOULD,
    of=traits.CHAT,
    source="what clients show to their users; llama.cpp issue 27733",
)
def content_holds_no_marker(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The content of an answer holds no marker of a chat template, unless its prompt does."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    for answer in chat.answers(x).values():
        found = next((m for m in markers.leaked(answer.content) if m.strip().encode() not in x.request_body), "")
        if found:
            so = "users read it, and a client that sends the turn back has a broken prompt"
            yield violation(f"choice {answer.index}, content", expected="no marker", got=found, so=so)


def _text(x: Exchange) -> str:
    """The texts of the messages of a request."""
    messages = map(mapping, listing(mapping(x.request_json).get("messages")))
    return " ".join(filter(None, (string(message.get("content")) for message in messages)))
