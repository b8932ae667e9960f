"""No answer makes a rule fall over: a crash would turn a FAIL into INCONCLUSIVE."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.checks.catalogue import load_all
from seatrial.checks.running import run
from tests.checks.specimens import ASKED, CHUNK, COUNTED, EVENTS, EXPECT, HEAD, exchange, pair, stream

RULES = [
    r
    for r in load_all().values()
    if r.shape != "soak" and r.function.__module__.startswith(("seatrial.checks", "seatrial.oracles"))
]
KEYS = ["choices", "usage", "index", "delta", "message", "role", "content", "finish_reason", "logprobs", "token"]
KEYS += ["logprob", "bytes", "error", "data", "object", "model", "created", "completion_tokens", "type", "code"]
KEYS += [
    "id",
    "tool_calls",
    "function_call",
    "function",
    "name",
    "arguments",
    "embedding",
    "reasoning",
    "reasoning_content",
    "thinking",
]
KEYS += ["completion_tokens_details", "reasoning_tokens", "prompt_tokens_details", "cached_tokens", "prompt_tokens"]
NAMES = ["short", "long", "plain", "stream", "cut", "asked", "without", "reasoning", "budget", "free", "full", "over"]
NAMES += ["first", "second", "fits", "bound"]
KEYS += ["response_format", "json_schema", "schema", "refusal"]
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "choices": VALUES | st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES)), max_size=3),
        "usage": VALUES,
        "id": VALUES,
        "error": VALUES,
    },
)
BODIES = VALUES | PARTS.map(lambda part: HEAD | part)
WARNS = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
FEW = settings(max_examples=100)


def crashes(evidence):
    """Rules that fall over on an exchange, and on it as one of a scenario's."""
    for each in RULES:
        for given_ in (evidence, pair(evidence, evidence), dict.fromkeys(NAMES, evidence)):
            _, crash = run(each, given_, EXPECT)
            if crash:
                yield f"{each.id}: {crash}"


@WARNS
@FEW
@given(BODIES)
def test_a_body_of_anything(body):
    asked = ASKED | {"n": 2, "logprobs": True, "stop": "e"}
    assert not list(crashes(exchange(json.dumps(body).encode(), asked=asked)))


@WARNS
@FEW
@given(st.lists(BODIES.map(lambda b: CHUNK | b if isinstance(b, dict) else b), max_size=4))
def test_a_stream_of_anything(events):
    asked = COUNTED | {"n": 2, "logprobs": True, "stop": "e"}
    assert not list(crashes(stream(*events, asked=asked)))


@WARNS
@FEW
@given(st.binary(max_size=60), BODIES)
def test_bytes_of_anything_asked_by_anything(body, asked):
    assert not list(crashes(exchange(body, asked=asked)))
    assert not list(crashes(exchange(body, asked=asked, headers=EVENTS)))


@WARNS
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"choices": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"created": 1' + b"0" * 5000 + b"}",
        b'{"choices": [{"index": 1' + b"0" * 400 + b"}]}",
        b'{"error": {"message": "\\ud800"}}',
        b"",
        b"\x00" * 100,
    ],
)
def test_bodies_made_to_break(body):
    assert not list(crashes(exchange(body)))
    assert not list(crashes(exchange(body, status=400)))
    assert not list(crashes(exchange(b"data: " + body + b"\n\n", asked=COUNTED, headers=EVENTS)))
