"""What is asked of thought: that it can be sent back, and switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes
from seatrial.checks.answering import refused
from seatrial.checks.areas.reasoning.parts import BACK, OFF, told_in, untold
from seatrial.checks.findings import about, no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, reasoning
from seatrial.records import Exchange, Expect, Finding, Level


@rule(
    row="rsn/6",
    level=Level.SHOULD,
    of=BACK,
    answer=False,
    source="vLLM 38488, opencode PR 30477: agents send thought back under the name they got it by",
    figures=lambda xs, _expect: _read_again(xs),
)
def thought_can_be_sent_back(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An assistant's earlier turn may hold its thought, in the field in which the server tells it."""
    beside = [refused(x) for name, x in xs.items() if name in ("asked", "without")]
    if declined := next(filter(None, beside), None):
        expected, judges = "an answer without any thought sent back", (causes.ANSWERED + causes.SOME,)
        yield no_evidence("the answers", expected=expected, got=declined.got, causes=judges)
        return
    if nothing := untold(xs):
        yield nothing
        return
    used = told_in(xs)
    for name, x in xs.items():
        if name in reasoning.FIELDS and (found := refused(x)) and (name in used or (x.status or 0) >= 500):
            so = "an agent that keeps its conversation as it was answered gets no further turn"
            where = f"{name} in an assistant's turn"
            yield violation(where, expected="an answer", got=found.got, so=so, about=name)


@rule(
    row="rsn/7",
    level=Level.MAY,
    of=OFF,
    optional=True,
    answer=False,
    source="OpenAPI document, ReasoningEffort: none; chat_template_kwargs of llama.cpp, vLLM and SGLang",
    figures=lambda xs, _expect: {"switched off by": ", ".join(_effective(xs)) or "nothing"},
)
def thinking_can_be_switched_off(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """reasoning_effort none, or the template's switch, keeps the model from thinking; or they are refused."""
    if _effective(xs):
        return
    thinking = [name for name, x in xs.items() if not refused(x) and reasoning.is_shown(x)]
    if thinking:
        blank = all(_is_blank(xs[name]) for name in thinking)
        costs = "short answers cost a thought each, and small caps leave nothing of them"
        so = "a reader is shown the markers before each answer" if blank else costs
        got = f"{'its markers in the content' if blank else 'some'}, for all of {', '.join(thinking)}"
        yield violation("thought", expected="none", got=got, so=so, about=thinking[0], causes=causes.WORDS)
        return
    for name, x in xs.items():
        if found := refused(x):
            yield about(name, found)
        else:
            yield no_evidence(f"{name}: content", expected="an answer with text", got="an empty one", about=name)


def _is_blank(x: Exchange) -> bool:
    """Whether nothing is thought, and the markers stand there."""
    return not reasoning.fields_used(x) and all(reasoning.is_blank(a.content) for a in chat.answers(x).values())


def _effective(xs: Mapping[str, Exchange]) -> list[str]:
    """The switches after which there is an answer, and no thought."""
    answered = {name: x for name, x in xs.items() if not refused(x) and not reasoning.is_shown(x)}
    return [name for name, x in answered.items() if any(a.content.strip() for a in chat.answers(x).values())]


def _read_again(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """By how many tokens a prompt grows with the thought sent back: 0 where the server drops it."""
    base = _prompt(xs.get("without"))
    grown = {name: _prompt(xs.get(name)) for name in reasoning.FIELDS}
    return {
        f"{name} sent back": f"{n - base:+} tokens" for name, n in grown.items() if n is not None and base is not None
    }


def _prompt(x: Exchange | None) -> int | None:
    return None if x is None else chat.prompt_tokens(x)
