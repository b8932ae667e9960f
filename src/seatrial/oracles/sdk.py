"""What the official SDK makes of a recorded stream: it is given the very bytes, behind a transport that opens no
socket."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.reading import chat, fields, tools
from seatrial.records import Exchange, Expect, Finding, Level

LOST = "a client on the official SDK loses the answer"
CHUNK = "chat.completion.chunk"
NO_CHUNKS = (causes.WHOLE_EVENTS, causes.EVENTS, causes.SCHEMA)
"""The rules whose finding it is that an event is no chunk at all, over which the SDK falls."""


@rule(
    area="sdk",
    row="sse/26",
    level=Level.MUST,
    of=traits.STREAM,
    unless=traits.SEVERAL,  # the SDK falls over a first chunk of index 1, which servers of several slots send at times
    source="openai-python ChatCompletionStreamState",
)
def accumulator_accepts_the_stream(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The official SDK's accumulator joins the stream without an exception, to the message that was sent.

    Streams of several choices are left to row sse/20: whether the SDK takes them hangs on which choice happens to speak
    first.
    """
    if nothing := look.no_chunk(x):
        yield nothing
        return
    try:
        snapshot = replay(x.body)
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the finding
        got = f"{type(error).__name__}: {str(error) or _at(error)}"
        judges = (*NO_CHUNKS, *(causes.CALLS if any(tools.pieces(x)) else ()))
        skipped = any(chunk.json.get("object") != CHUNK for chunk in chat.chunks(x))  # by its stream helper, in silence
        so = "a client that goes over the choices of each chunk falls over" if skipped else LOST
        yield violation("the stream", expected="a message", got=got, so=so, causes=judges)
        return
    if snapshot is None:
        yield violation("the stream", expected="a message", got="the SDK reads no chunk")
        return
    if nothing := look.unanswered(x):  # only now: the SDK may fall over a stream without a choice
        yield nothing
    joined = snapshot.get("choices") or []
    messages = {fields.integer(choice.get("index")): fields.mapping(choice.get("message")) for choice in joined}
    for index, answer in chat.answers(x).items():
        where, message = f"choice {index}", messages.get(index)
        if message is None:
            so = "a client on the official SDK never sees it"
            yield violation(where, expected="the choice that was sent", got="none of this index", so=so)
            continue
        if message.get("role") != "assistant":
            so = "the next turn is refused or misread"
            sent = message.get("role")
            yield violation(f"{where}, role", expected='"assistant"', got=sent, so=so, causes=(causes.ROLE,))
        if (message.get("content") or "") != answer.content:
            text = message.get("content")
            yield violation(f"{where}, content", expected=answer.content, got=text, causes=(causes.UTF_8,))


def _at(error: Exception) -> str:
    """The line of the SDK that raised an error without words."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].line or "" if frames else ""


def replay(body: bytes) -> dict[str, Any] | None:
    """The message the SDK accumulates from the body of a stream; None where it reads no chunk.

    Raises:
        Exception: whatever the SDK raises on these bytes.
    """
    import httpx2  # both here: they cost half a second, and most of what imports the rules never replays
    import openai
    from openai.lib.streaming.chat import ChatCompletionStreamState

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    transport = httpx2.Client(trust_env=False, transport=httpx2.MockTransport(answer))
    base = "http://oracle.invalid/v1"
    with openai.OpenAI(base_url=base, api_key="none", max_retries=0, http_client=transport) as client:
        state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
        chunks = 0
        for chunk in client.chat.completions.create(model="recorded", messages=[], stream=True):
            list(state.handle_chunk(chunk))
            chunks += 1
        return state.current_completion_snapshot.to_dict(warnings=False) if chunks else None
