"""What a server claims of itself, beside what it was seen to do: clients set themselves up by it.

Which pages claim what is told by ``expect.settings["claims"]``: ``[claim, page, dotted path, member of a list or ""]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import answering, causes
from seatrial.checks.areas.tools.asked import REQUIRED_CALLS
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields, reasoning, tools
from seatrial.records import Exchange, Expect, Finding, Level

CLAIMED = trait("claimed", own=True)
"""The pages on which a server claims something; chats by name for ``tools``, ``image``, ``thought`` and ``parts``."""

OK = 200
FIRST = "0"
"""A step of a path that means the first of a list."""


@rule(
    row="ops/6",
    part="tools",
    level=Level.SHOULD,
    of=CLAIMED,
    answer=False,
    sampled=True,
    source="OpenClaw, external-server discovery: tools are offered where /props says that they are supported",
)
def tools_are_as_claimed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that claims tools calls one that is required, and one that claims none calls none."""
    did = None if (x := xs.get("tools")) is None else bool(tools.calls(x))
    yield from _held(
        xs,
        expect,
        "tools",
        did=did,
        less="agents are set up without tools that work",
        more="agents are set up with tools that are never called",
        judges=(REQUIRED_CALLS + causes.SOME,),
    )


@rule(
    row="ops/6",
    part="images",
    level=Level.SHOULD,
    of=CLAIMED,
    answer=False,
    sampled=True,
    source="llama.cpp README, /props: modalities; Ollama docs/api.md, /api/show: capabilities",
)
def images_are_as_claimed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that claims to see images takes one, and one that claims not to refuses it."""
    did = None if (x := xs.get("image")) is None else x.status == OK
    yield from _held(
        xs,
        expect,
        "images",
        did=did,
        less="clients send it no images, or lose those that they send",
        more="clients send images that are refused",
    )


@rule(
    row="ops/6",
    part="thought",
    level=Level.SHOULD,
    of=CLAIMED,
    answer=False,
    sampled=True,
    source="OpenClaw, external-server discovery: reasoning where /props says so; Ollama docs/api.md, /api/show",
)
def thought_is_as_claimed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that claims thought shows some where it is asked for, and one that claims none shows none."""
    did = None if (x := xs.get("thought")) is None else reasoning.is_shown(x)
    yield from _held(
        xs,
        expect,
        "thought",
        did=did,
        less="clients offer no effort, and are surprised by thought",
        more="clients offer efforts that change nothing",
    )


@rule(
    row="ops/6",
    part="parts",
    level=Level.SHOULD,
    of=CLAIMED,
    answer=False,
    sampled=True,
    source="OpenClaw, external-server discovery: content in parts where /props says that it is supported",
)
def parts_are_as_claimed(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that claims to read content in parts answers a message of two; one that joins them need not claim it."""
    did = None if (x := xs.get("parts")) is None else x.status == OK
    yield from _held(xs, expect, "parts", did=did, less="", more="clients send content in a form that is refused")


@rule(
    row="ops/6",
    part="the context",
    level=Level.SHOULD,
    of=CLAIMED,
    answer=False,
    sampled=True,
    source="OpenClaw, external-server discovery: contextWindow is what /props says; LiteLLM reads the list of models",
)
def context_is_claimed_alike(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """All pages that say how long the context is say the same."""
    told = {where: value for where, value in _claims(xs, expect, "context") if (fields.integer(value) or 0) > 0}
    if not told:
        yield refusal("the context", expected="a page that tells it", got="none", optional=True)
    elif len(set(told.values())) > 1:
        so = "a client that reads the longer one sends what does not fit"
        got = ", ".join(f"{where}: {value}" for where, value in told.items())
        yield violation("the context", expected="one length", got=got, so=so)


def _held(
    xs: Mapping[str, Exchange],
    expect: Expect,
    claim: str,
    *,
    did: bool | None,
    less: str,
    more: str,
    judges: tuple[str, ...] = (),
) -> Iterator[Finding]:
    """A finding where a page claims what was not seen, or, where ``less`` says what that does, not what was seen."""
    name = {"images": "image"}.get(claim, claim)
    x = xs.get(name)
    told = {where: value for where, value in _claims(xs, expect, claim) if isinstance(value, bool)}
    if x is None:
        yield no_evidence(name, expected="an answer", got="none")
    elif heard := answering.unheard(x) or answering.silent(x):
        yield no_evidence(name, expected="an answer", got=heard.got, about=name)
    elif not told:
        yield refusal(claim, expected="a page that claims it or not", got="none", optional=True)
    else:
        for where, claimed in told.items():
            if claimed is not did and (claimed or less):
                seen = "seen" if did else f"not seen: {x.status} {x.body[:80].decode('utf-8', 'replace')}"
                so, once = (more, judges) if claimed else (less, ())
                expected = f"{claim}, as it claims" if claimed else f"no {claim}, as it claims"
                yield violation(where, expected=expected, got=seen, so=so, about=name, causes=once)


def _claims(xs: Mapping[str, Exchange], expect: Expect, wanted: str) -> Iterator[tuple[str, Any]]:
    """Where something is claimed, and what."""
    for claim, page, path, member in expect.settings.get("claims", ()):
        x = xs.get(page)
        if claim != wanted or x is None or x.status != OK:
            continue
        value: Any = x.json
        for step in path.split("."):
            first = next(iter(fields.listing(value)), None)
            value = first if step == FIRST else fields.mapping(value).get(step)
        if member:
            value = member in value if isinstance(value, list) else None
        yield f"{page}: {path}", value
