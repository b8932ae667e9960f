"""What the official SDK's helper for typed answers makes of a recorded one: it is given the very bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seatrial.checks import causes, look
from seatrial.checks.areas.structured import asked, told
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import bound, chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

if TYPE_CHECKING:
    import pydantic

PLAIN: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


@rule(
    area="structured",
    row="so/15",
    level=Level.SHOULD,
    of=asked.PARSED,
    source="openai-python chat.completions.parse: pydantic reads the content, unless the message holds a refusal",
)
def parse_helper_gives_the_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The official SDK's chat.completions.parse() gives the object of the model that was asked for."""
    if nothing := look.unanswered(x):
        yield nothing
        return
    reasons = [reason for answer in chat.answers(x).values() for reason in answer.reasons]
    if "length" in reasons or "content_filter" in reasons or (list(told.refusing(x)) and not _says(x)):
        yield no_evidence("choice 0", expected="an object to its end", got=reasons or "a refusal")
        return
    try:
        parsed = replay(x.body, bound.schema(x))
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the finding
        got = f"{type(error).__name__}: {str(error).partition(' [type=')[0]}"
        so = "a typed client has an exception in place of its object"
        judges = (*causes.BOUND, told.EVERYDAY[0], told.KEYS[0], told.FINE[0])
        yield violation("choices[0].message.parsed", expected="an object", got=got, so=so, causes=judges)
        return
    if parsed is None:
        so = "a typed client has nothing in place of its object"
        got = "none; the message holds a refusal" if list(told.refusing(x)) else "none"
        unsaid = () if _says(x) else (*causes.BOUND, *causes.WORDS)
        yield violation("choices[0].message.parsed", expected="an object", got=got, so=so, causes=unsaid)


def _says(x: Exchange) -> bool:
    return any(answer.content for answer in chat.answers(x).values())


def replay(body: bytes, schema: Any) -> Any:
    """The first choice's parsed object, as the SDK's helper gives it for an answer of this body.

    Raises:
        Exception: whatever the SDK raises on these bytes.
    """
    import httpx2  # both here: they cost half a second, and most of what imports the rules never replays
    import openai

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    transport = httpx2.Client(trust_env=False, transport=httpx2.MockTransport(answer))
    base = "http://oracle.invalid/v1"
    with openai.OpenAI(base_url=base, api_key="none", max_retries=0, http_client=transport) as client:
        made = client.chat.completions.parse(model="recorded", messages=[], response_format=model_of(schema))
        return made.choices[0].message.parsed


def model_of(schema: Any) -> type[pydantic.BaseModel]:
    """The model that a client would have written for an object's schema: its keys, and the types of their values.

    A key whose type is not plain may hold anything.
    """
    import pydantic

    keys = fields.mapping(fields.mapping(schema).get("properties"))
    typed: dict[str, Any] = {name: (_type(each), ...) for name, each in keys.items()}
    return pydantic.create_model("Answer", __config__=pydantic.ConfigDict(extra="forbid"), **typed)


def _type(schema: Any) -> Any:
    given = fields.mapping(schema)
    kind = given.get("type")
    if kind == "array":
        return list[_type(given.get("items"))]  # type: ignore[misc]
    if isinstance(given.get("enum"), list) and all(isinstance(each, str) for each in given["enum"]):
        return str
    return PLAIN.get(kind if isinstance(kind, str) else "", Any)
