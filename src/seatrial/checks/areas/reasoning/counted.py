"""How much is thought: what usage says of it, and a budget that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look
from seatrial.checks.areas.reasoning.parts import BUDGET, BUDGETS, THINKS, untold
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields, reasoning
from seatrial.records import Exchange, Expect, Finding, Level

UNCOUNTED = (causes.CAPPED + causes.SOME,)
"""The rule whose finding it is that thought that a cap has cut is no part of completion_tokens."""

CLOSING = 48
"""Tokens that a server may add to a thought to bring it to an end: it tells the model that time is up."""


@rule(row="rsn/5", level=Level.MAY, of=THINKS, source="OpenAPI document, CompletionUsage: reasoning_tokens")
def reasoning_tokens_are_completion_tokens(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """usage counts thought, where it does, as a part of completion_tokens: not as all of them where more was said."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    told, all_of_them = reasoning.tokens(x), chat.completion_tokens(x)
    where = "usage.completion_tokens_details.reasoning_tokens"
    count = fields.integer(told)
    if told is None:
        yield refusal(where, expected="a count of thought", got="none", optional=True)
    elif all_of_them is None:
        yield look.uncounted(x) or no_evidence(where, expected="a count of all tokens", got=None)
    elif count is None or not 0 <= count <= all_of_them:
        so = "accounts that take thought off the whole come out wrong"
        expected = f"0 to {all_of_them}, a part of completion_tokens"
        yield violation(where, expected=expected, got=told, so=so, causes=UNCOUNTED)
    elif 0 < count == all_of_them and any(answer.content.strip() for answer in chat.answers(x).values()):
        so, expected = "what was said beside the thought looks free of cost", f"fewer than all of {all_of_them}"
        yield violation(where, expected=expected, got=count, so=so, causes=UNCOUNTED)
    elif count == 0 and reasoning.fields_used(x):
        expected, so = "a count of the thought that is told", "thought looks free of cost"
        yield violation(where, expected=expected, got=0, so=so, causes=UNCOUNTED)


@rule(
    row="rsn/8",
    level=Level.SHOULD,
    of=BUDGET,
    optional=True,
    source="vLLM thinking_token_budget, llama.cpp thinking_budget_tokens, Qwen thinking_budget; ds4 898",
    figures=lambda xs, _expect: {f"thought, {name}": f"{reasoning.spent(x)} tokens" for name, x in xs.items()},
)
def thinking_budget_is_kept(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A budget of thought ends a thought that would go on, but for some closing words; or it is refused."""
    if nothing := next(filter(None, map(look.unanswered, xs.values())), None):
        yield nothing
        return
    if not {"budget", "free"} <= xs.keys():
        yield no_evidence("the recording", expected="an answer under a budget and one free of it", got=", ".join(xs))
        return
    allowed = _allowed(xs["budget"])
    spent, would = (reasoning.spent(xs[name]) for name in ("budget", "free"))
    if spent > allowed + CLOSING:
        so = "thought eats the cap, and the answer comes late or never"
        got = f"{spent} tokens of thought; {would} without a budget"
        expected = f"{allowed} and at most {CLOSING} to close it, or a 400"
        yield violation("thought", expected=expected, got=got, so=so, about="budget")
    elif not would and not spent:
        yield untold(xs) or no_evidence("thought", expected="some", got="none")
    elif would <= allowed + CLOSING:
        expected = f"a thought of more than {allowed + CLOSING} tokens without a budget"
        yield refusal("thought", expected=expected, got=f"{would} tokens", optional=True)


def _allowed(x: Exchange) -> int:
    """The budget that a request names."""
    asked = fields.mapping(x.request_json)
    return next((n for name in BUDGETS if (n := fields.integer(asked.get(name))) is not None), 0)
