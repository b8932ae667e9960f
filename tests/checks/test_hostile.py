"""No answer makes a rule fall over: a crash would turn a FAIL into INCONCLUSIVE."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.checks.catalogue import load_all
from seatrial.checks.running import run
from seatrial.kinds import profile
from tests.checks import specimens
from tests.checks.specimens import ASKED, CHUNK, COUNTED, EVENTS, HEAD, JSON, exchange, pair, stream

pytestmark = pytest.mark.early

STATES = profile.statuses()
CLAIMS = [[claim.of, claim.page, claim.at, claim.member] for claim in profile.claims()]
SETTINGS = {"claims": CLAIMS, "answers": STATES.answers, "others": STATES.others}
EXPECT = msgspec.structs.replace(specimens.EXPECT, settings=SETTINGS)

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
KEYS += ["top_logprobs", "audio", "annotations", "moderation"]
NAMES += ["greedy-1", "hot-1", "hot-2", "narrow-1", "narrow-2", "default-1", "same-1", "same-2", "same-3", "other"]
NAMES += [
    "free-1",
    "free-2",
    "more",
    "less",
    "one",
    "another",
    "four",
    "nulls",
    "labels",
    "with",
    "high",
    "none",
    "low",
]
NAMES += ["before-1.1", "leaver-2.1", "after-3.1", "plain-4.1", "after-5.1", "later-6.1", "cold-1.1", "cold-3.1"]
NAMES += ["good-1.1", "good-3.1", "open-2.1", "counters-1.1", "counters-3.1"]
NAMES += ["next", "next-stream", "called", "capped", "third", "fourth", "blank", "blank-stream", "calls", "only"]
KEYS += ["response_format", "json_schema", "schema", "refusal"]
KEYS += ["status", "value", "aliases", "owned_by", "timings", "draft_n", "draft_n_accepted"]
NAMES += ["list", "encoded", "none", "wrong", "bare", "lower", "dummy", "before", "ours", "chat", "tools", "image"]
NAMES += ["basic", "spaces", "thought", "parts", "health", "one", "one: vectors", *(page for _, page, _, _ in CLAIMS)]
KEYS += [step for _, _, at, member in CLAIMS for step in (*at.split("."), member) if len(step) > 1]
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
FEW = settings(max_examples=20)


def crashes(evidence):
    """Rules that fall over on an exchange, and on it as one of a scenario's."""
    for each in RULES:
        for given_ in (evidence, pair(evidence, evidence), dict.fromkeys(NAMES, evidence)):
            yield from falls(each, given_)


def falls(rule, evidence):
    """How a rule falls over on this evidence, or works out its figures."""
    _, crash = run(rule, evidence, EXPECT)
    if crash:
        yield f"{rule.id}: {crash}"
    if rule.figures is not None:
        rule.figures(evidence if isinstance(evidence, dict) else {"": evidence}, EXPECT)


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


OF_PAGES = [r for r in RULES if r.id.startswith(("models/", "auth/", "ops/", "claims/", "exposure/"))]
LISTS = st.fixed_dictionaries(
    {},
    optional={
        "object": VALUES,
        "data": VALUES | st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES)), max_size=3),
    },
)
SERIES = st.sampled_from(["tokens_predicted_total", "draft_tokens_total", "accepted_tokens_total"])
COUNTED_AS = st.floats().map(repr) | NUMBERS.map(str) | st.text(max_size=5)
LINES = st.tuples(SERIES, COUNTED_AS).map(" ".join) | SERIES.map("# TYPE {} counter".format) | st.text(max_size=9)
TEXTS = st.lists(LINES, max_size=6).map(lambda lines: "\n".join(lines).encode("utf-8", "replace"))
PAGES = st.builds(
    lambda body, status, headers, asked: exchange(body, status=status, headers=headers, asked=asked),
    (VALUES | LISTS).map(lambda value: json.dumps(value).encode()) | TEXTS | st.binary(max_size=30),
    st.sampled_from([200, 200, 200, None, 401, 404, 500, 503, 999]),
    st.sampled_from([JSON, EVENTS, {}]),
    st.sampled_from([ASKED, COUNTED]) | VALUES,
)


@WARNS
@FEW
@given(st.lists(PAGES, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_pages_of_anything(pages, drawn):
    """The list of models, the pages that claim and count, and what is said to strangers."""
    sent = {name: drawn.choice(pages) for name in NAMES if drawn.random() < 0.9}
    assert not [line for rule in OF_PAGES for given_ in (pages[0], sent) for line in falls(rule, given_)]


@WARNS
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"choices": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"choices": [{}], "data": [' + b"[" * 120 + b"]" * 120 + b"]}",
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
