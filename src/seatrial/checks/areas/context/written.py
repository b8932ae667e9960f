"""What an answer is made to hold comes as it was written: nobody rewrites it between the model and the client."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import causes, look
from seatrial.checks.areas.context.parts import WRITTEN
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, spelt, tools
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

LACKING = (*causes.BOUND, *causes.BOUND_STREAM, *causes.NAMED_CALLED, *causes.CALLS)
"""The rules whose finding it is that an answer is no JSON, or no call."""


@rule(
    row="ctx/10",
    part=("no entities of HTML", "no other characters"),
    level=Level.MUST,
    of=WRITTEN,
    optional=True,
    source="OpenAPI document, content and arguments: JSON where it is asked for; discourse-ai pull request 889",
)
def text_comes_as_it_was_written(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """JSON that is asked for, in the content or in a call, is not escaped for HTML, and its characters are those of the
    request: of the same form of Unicode, of the same coding, none of them replaced or taken out."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    wanted = list(spelt.wanted(x))
    for where, text in _texts(x):
        held = spelt.strings(text)
        if spelt.is_escaped_json(text):
            so = "a program that decodes it has an exception in place of its object"
            yield violation("what was to be JSON", expected="marks as they are", got=f"{where}: {text}", so=so)
        elif found := next(spelt.rewritten(wanted, held), None):
            how, word = found
            so = "names are not found again: a program compares other characters than it sent"
            got = f"{where}: {how}, {shorten(held, 80)}"
            expected, judges = f"{word!r}, as in the request", look.by_pieces(text, x)
            yield violation("characters", expected=expected, got=got, so=so, causes=judges)
        elif text.lstrip()[:1] not in ("{", "["):
            yield no_evidence(where, expected="JSON", got=text, causes=LACKING)


def _texts(x: Exchange) -> Iterator[tuple[str, str]]:
    """(where, text) of what each choice was made to hold: the arguments of its calls, else its content."""
    made = tools.calls(x)
    for index, answer in chat.answers(x).items():
        if made.get(index):
            yield from ((f"{call.where}, arguments", call.arguments) for call in made[index])
        else:
            yield f"choice {index}, content", answer.content
