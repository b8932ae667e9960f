"""What is asked of thought, and where it is told."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.checks import look, traits
from seatrial.checks.findings import no_evidence, refusal
from seatrial.checks.traits import trait
from seatrial.reading import chat, reasoning
from seatrial.records import Exchange, Finding

THINKS = traits.CHAT | trait("thinks")
"""A question that the model is told to think about."""

TOLD = THINKS | trait("thought-told")
"""The same question, ``plain`` and as a ``stream``; ``cut`` and ``cut-stream`` have a cap that thought uses up."""

BACK = trait("thought-back")
"""A question to think about (``asked``); then one ``without`` the thought of an earlier turn, and one with it in each
of the fields in use, which name the requests."""

OFF = trait("thought-off")
"""A question with thinking switched off, by each of the switches in use."""

BUDGET = trait("thought-budget")
"""A question under a ``budget`` of thought, and ``free`` of one."""

BUDGETS = ("thinking_budget", "thinking_token_budget", "thinking_budget_tokens", "reasoning_budget")
"""Names under which a request tells it; that of Anthropic's is ``thinking.budget_tokens``."""


def told_in(xs: Mapping[str, Exchange]) -> list[str]:
    """The fields in which some answer tells thought."""
    used = {name for x in xs.values() for name in reasoning.fields_used(x)}
    return [name for name in reasoning.FIELDS if name in used]


def untold(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why there is no thought in a field of its own to judge, or None."""
    if any(reasoning.fields_used(x) for x in xs.values()):
        return None
    for x in xs.values():
        if nothing := look.unanswered(x):
            return nothing
    if any(reasoning.is_shown(x) for x in xs.values()):
        marked = any(reasoning.mark(answer.content) for x in xs.values() for answer in chat.answers(x).values())
        got = "it stands in the content" if marked else "it is counted, and not shown"
        return refusal("thought", expected="a field of its own", got=got, optional=True)
    return no_evidence("thought", expected="some", got="none")
