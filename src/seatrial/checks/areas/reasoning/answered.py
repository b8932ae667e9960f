"""What comes of a thought: an answer, and the same one however it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes
from seatrial.checks.areas.reasoning.parts import TOLD, untold
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, reasoning, tools
from seatrial.records import Exchange, Expect, Finding, Level

WAYS = ("plain", "stream")


@rule(
    row="rsn/9",
    level=Level.SHOULD,
    of=TOLD,
    source="LM Studio bug tracker 1602, SGLang issue 37645, mlx-lm issue 1352: all of it is thought; SGLang issue 8569",
)
def answer_follows_the_thought(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An answer that ends by itself says something after its thought; and where plain and stream have thought the same,
    in as many tokens, neither lacks a part of what the other says."""
    if nothing := untold(xs):
        yield nothing
        return
    silent = False
    for name in (way for way in WAYS if way in xs):
        x = xs[name]
        for answer in chat.answers(x).values():
            thought = reasoning.joined(x).get(answer.index, "").strip()
            if thought and not answer.content.strip() and answer.reasons == ["stop"] and not tools.calls(x):
                silent = True
                so = "a client that reads the content has an empty answer, and takes it for a whole one"
                where, got = f"{name}: content", f"none, after {len(thought)} characters of thought and a stop"
                yield violation(where, expected="an answer after the thought", got=got, so=so, about=name)
    if not silent and {*WAYS} <= xs.keys():
        yield from _parted(xs)


def _parted(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """Where one of two answers that took the same tokens shows a part of what the other shows."""
    (plain, counted), (streamed, tokens) = ((xs[way], chat.completion_tokens(xs[way])) for way in WAYS)
    thoughts = [{k: text.strip() for k, text in reasoning.joined(x).items()} for x in (plain, streamed)]
    if counted is None or counted != tokens or thoughts[0] != thoughts[1]:
        return
    said = {way: "".join(a.content for a in chat.answers(xs[way]).values()).strip() for way in WAYS}
    for name, other in (WAYS, WAYS[::-1]):
        shown, whole = said[name], said[other]
        if shown != whole and shown in whole:
            so = "a reader misses what the parser held back where the thought ended"
            judges = (causes.BOTH_WAYS + causes.SOME,) if xs[name].is_stream else ()
            yield violation(f"{name}: content", expected=whole, got=shown, so=so, about=name, causes=judges)
