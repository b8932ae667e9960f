"""By what an answer is known: an id of its own in the whole run, and the name of its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading.fields import mapping
from seatrial.records import Exchange, Expect, Finding, Level

PLAIN = traits.CHAT | traits.JSON
KIND = "chat.completion"


@rule(
    row="chat/basic/2",
    part="ids are unique",
    level=Level.MUST,
    of=traits.WHOLE_RUN,
    answer=False,
    sampled=True,
    source="OpenAPI document, id: a unique identifier for the chat completion",
)
def ids_are_unique(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No two answers of a run have one id, whether plain or streamed."""
    told = {name: value for name, x in xs.items() if (value := _id(x)) is not None}
    if len(told) < 2:
        got = f"{len(told)} in {len(xs)} answers"
        judges = (causes.SCHEMA + causes.SOME, causes.ANSWERED + causes.SOME)
        yield no_evidence("id", expected="ids of two answers", got=got, causes=judges)
        return
    (value, times), *_ = Counter(told.values()).most_common(1)
    if times > 1:
        shared = [name for name, said in told.items() if said == value]
        shown = ", ".join(shared[:3]) + (" ..." if len(shared) > 3 else "")
        so = "logs, caches and clients that go by the id take one answer for the other"
        got = f"{value or 'an empty text'} {times} times: {shown}"
        where = f"id in {len(told)} answers"
        yield violation(where, expected="one for each", got=got, so=so, about=shared[-1])


@rule(
    row="chat/basic/2",
    part="object",
    level=Level.MUST,
    of=PLAIN,
    source="OpenAPI document, CreateChatCompletionResponse.object: chat.completion",
)
def object_names_a_completion(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """object of a plain answer is "chat.completion"; what it is in a stream sse/7 asks."""
    if nothing := look.unreadable(x):
        yield nothing
        return
    told = mapping(x.json).get("object")
    if told != KIND:
        so = "a client that tells answers apart by it takes this one for another kind"
        yield violation("object", expected=f'"{KIND}"', got=told, so=so, causes=(causes.SCHEMA,))


def _id(x: Exchange) -> str | None:
    """The id of an answer to a chat; of a stream, the first that a chunk has. None where it has none."""
    if not x.path.endswith("/chat/completions") or x.status != 200:
        return None
    bodies = map(mapping, (x.json, *(chunk.json for chunk in x.chunks)))
    told = [body["id"] for body in bodies if isinstance(body.get("id"), str) and not body.get("error")]
    return next(filter(None, told), told[0] if told else "")[:200] if told else None
