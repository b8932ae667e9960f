"""Faults in what becomes of an earlier turn with several calls, and of words beside them."""

from __future__ import annotations

from tests.golden.edits import Json
from tests.golden.faults.tools.roundtrip import with_result
from tests.golden.registry import Call, Shot, fault, freedom
from tests.golden.validation import RefusedError

EACH = "tools/each-result-of-a-turn-reaches-the-model"
WORDS = "tools/words-beside-an-earlier-call-reach-the-model"


def with_several(call: Call) -> bool:
    """A chat with a turn of several calls."""
    return with_result(call) and any(len(_made(m)) > 1 for m in call.says("messages"))


def _made(message: Json) -> list[Json]:
    return message.get("tool_calls") or []


def _one_of_each_turn(body: Json, place: int) -> Json:
    """With the call at one place of each turn, and its result, and no other."""
    kept = {made[place]["id"] for message in body["messages"] if (made := _made(message))}
    told = [
        {**m, "tool_calls": [_made(m)[place]]} if _made(m) else m
        for m in body["messages"]
        if m["role"] != "tool" or m["tool_call_id"] in kept
    ]
    return body if told == body["messages"] else {**body, "messages": told}


@fault("first-call-of-a-turn-alone", caught_by=EACH, stage="body", when=with_several)
def first_call_of_a_turn_alone(body: Json, shot: Shot) -> Json:
    """Of an earlier turn's calls the first is kept, with its result (symfony/ai pull request 2289)."""
    return _one_of_each_turn(body, 0)


@fault("last-result-of-a-turn-alone", caught_by=EACH, stage="body", when=with_several)
def last_result_of_a_turn_alone(body: Json, shot: Shot) -> Json:
    """Of results that stand one behind the other the last is kept (swisnl/agents-sdk pull request 34)."""
    after = [*(m["role"] for m in body["messages"][1:]), ""]
    pairs = zip(body["messages"], after, strict=True)
    told = [{**m, "content": ""} if m["role"] == role == "tool" else m for m, role in pairs]
    return body if told == body["messages"] else {**body, "messages": told}


@fault("words-beside-earlier-calls-dropped", caught_by=WORDS, stage="body", when=with_result)
def words_beside_earlier_calls_dropped(body: Json, shot: Shot) -> Json:
    """What the assistant said beside an earlier call is left out of the prompt (nanobot pull request 5783, LiteLLM pull
    request 25208; templates that know content or calls)."""
    told = [{**m, "content": ""} if _made(m) and m.get("content") else m for m in body["messages"]]
    return body if told == body["messages"] else {**body, "messages": told}


@fault("one-call-a-turn", stage="body", when=with_several, family="honest")
def one_call_a_turn(body: Json, shot: Shot) -> Json:
    """A turn with several calls is refused, as Llama 3.1's template does."""
    shot.fire()
    raise RefusedError("This model only supports single tool-calls at once!", param="messages")


@freedom(
    "results-bear-their-function",
    of="results in a prompt",
    source="OpenAPI document, ChatCompletionRequestToolMessage: how a result is told to the model is nowhere said",
    stage="body",
    when=with_result,
)
def results_bear_their_function(body: Json, shot: Shot) -> Json:
    """The template tells the function's name before each result, whatever the order."""
    told = [
        {**m, "content": f"get_weather says: {m['content']}"} if isinstance(m.get("content"), str) and _is(m) else m
        for m in body["messages"]
    ]
    return body if told == body["messages"] else {**body, "messages": told}


def _is(message: Json) -> bool:
    return message.get("role") == "tool"
