"""Parameters of a chat request: honoured where they are right, refused where they are wrong."""

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks import traits
from seatrial.checks.areas.params import parts
from seatrial.checks.areas.params.accepted import NOBODYS
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Leaving, Request, Scenario
from suites.conformance.scenarios import (
    COUNT,
    GOOD,
    HELLO,
    NEVER,
    OPEN,
    THINKING,
    USAGE,
    FirstAsk,
    Judge,
    Send,
    all_faulty,
    alone,
    chat,
    chats,
    declinable,
    faulty,
    full,
    lengths,
    raw,
    request,
)

STREAMED = {"stream": True}
STREAM = STREAMED | {"stream_options": USAGE}
SOON = ["e", "a", "o", " "]  # a huge cap would let a small model run on to the end of its context
ASKED = ("chat/one-token", GOOD)
PRIME = "Is 2027 a prime number?"

HOT = {"temperature": 2, "top_p": 1}
LIVELY = HOT | {"temperature": 1.5}
ONE_TOKEN = {"temperature": 2, "top_p": 1e-6}

RAW = (
    b'{"model": "{model}", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4, "temperature": %s}'
)

LABELS = {
    "user": "u-1",
    "metadata": {"ticket": "17"},
    "store": False,
    "service_tier": "auto",
    "safety_identifier": "s-1",
    "prompt_cache_key": "k-1",
    "prompt_cache_retention": "in_memory",
    "prompt_cache_options": {"mode": "implicit"},
}
NULLABLE = (
    *("metadata", "temperature", "top_p", "top_logprobs", "safety_identifier", "prompt_cache_key", "service_tier"),
    *("prompt_cache_retention", "modalities", "verbosity", "reasoning_effort", "max_completion_tokens", "audio"),
    *("frequency_penalty", "presence_penalty", "store", "moderation", "stream", "stop", "logit_bias", "logprobs", "n"),
    *("prediction", "seed", "stream_options"),
)
"""What the OpenAPI document lets be null, but for max_tokens, which keeps the answer short."""

AS_USUAL: dict[str, object] = {"chat_template_kwargs": {}}
"""It takes the place of the profile's off-switch, and says nothing."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def apart(name: str, body: dict[str, object], *, of: traits.Traits) -> Scenario:
    """A request with all of these parameters; where it is refused, one with each."""
    each = {f"{name}:{key}": request(HELLO, **{key: value}) for key, value in body.items()}
    whole = declinable({name: request(HELLO, **body)}, of=of)
    return replace(whole, apart=each)


def vectors(**body: object) -> Request:
    """A request for the vector of a text."""
    return Request(path="/embeddings", body={"model": None, "input": "the sea", **body})


def drawn(prompt: str, cap: int, **body: object) -> Request:
    """A request that says of sampling what it is given, and else nothing."""
    asked = request(prompt, max_tokens=cap, **body)
    if "temperature" not in body:
        del asked.body["temperature"]
    return asked


def choosing(**body: Any) -> Scenario:
    """Two choices of a few tokens, drawn four times."""
    names = ("first", "second", "third", "fourth")
    return declinable({name: drawn(OPEN, 6, n=2, **HOT, **body) for name in names}, of=parts.APART)


def sampled(cap: int = 16, greedy: int = 3, **body: object) -> Scenario:
    """One prompt drawn again and again, alone on the endpoint, for what stands in the same batch may sway an answer."""
    asked = {f"greedy-{n}": drawn(OPEN, cap, temperature=0, **body) for n in range(1, greedy + 1)}
    asked |= {f"hot-{n}": drawn(OPEN, cap, **HOT, **body) for n in (1, 2)}
    asked |= {f"narrow-{n}": drawn(OPEN, cap, **ONE_TOKEN, **body) for n in (1, 2)}
    asked |= {f"default-{n}": drawn(OPEN, cap, **body) for n in range(1, 5)}
    return replace(chats(of=parts.SAMPLED, **asked), alone=True)


def seeded(**body: object) -> Scenario:
    """One prompt drawn with the same seed, with another, and without."""
    seeds = {"same-1": 7, "same-2": 7, "same-3": 7, "other": 8, "free-1": None, "free-2": None}
    seeds |= {"zero-1": 0, "zero-2": 0}
    asked = {
        name: drawn(OPEN, 16, **LIVELY, **body, **({} if seed is None else {"seed": seed}))
        for name, seed in seeds.items()
    }
    return alone(asked, parts.SEEDED)


def penalised(key: str, of: traits.Traits, **body: object) -> Scenario:
    """One greedy answer under the highest penalty and under the lowest."""
    return alone(
        {
            "more": drawn(OPEN, 24, temperature=0, **{key: 2}, **body),
            "less": drawn(OPEN, 24, temperature=0, **{key: -2}, **body),
        },
        of,
    )


def biased(**body: object) -> Scenario:
    """One greedy answer, and with one token that is all it may say; ids of this size are in every vocabulary."""
    asked = {"free": {}, "one": {"logit_bias": {"1000": 100}}, "another": {"logit_bias": {"2000": 100}}}
    return alone({name: request(OPEN, max_tokens=4, **said, **body) for name, said in asked.items()}, parts.BIASED)


def nothing_left() -> Scenario:
    """One prompt drawn twice, with as little to draw from as can be asked for: each answer is one of a parameter alone,
    and their texts are compared."""
    asked = drawn(OPEN, 12, temperature=2, top_p=0)
    return alone({"first": asked, "second": asked}, parts.ONE | parts.TOP_P_ZERO)


TEXT = {"type": "text"}
NULL_CAP = request(HELLO, max_tokens=None, max_completion_tokens=16)
NULL_CAP.body["max_tokens"] = None

ONE = {
    "stop": NEVER,
    "top_p": 1,
    "seed": 7,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "logit_bias": {"1000": 1},
    "logprobs": True,
    "n": 2,
    "user": "u-1",
    "max_completion_tokens": 1,
}
"""Parameters, each with a value that is usual: what a request with one of them is answered names it."""


def one(name: str, **body: Any) -> tuple[str, Scenario]:
    """A chat of one token with one parameter beside the usual ones, and the scenario's name."""
    cap = None if name == "max_completion_tokens" else 1
    return f"with-{name.replace('_', '-')}", declinable({"only": request(HELLO, max_tokens=cap, **body)}, of=parts.ONE)


PARAMS = {
    **dict(one(name, **{name: value}) for name, value in ONE.items()),
    **dict([one("top_logprobs", logprobs=True, top_logprobs=2), one("stream_options", **STREAM)]),
    "with-top-p-zero": nothing_left(),
    # Seeds are of 64 bits in the document, and here of as many as each client can write.
    "with-seed-wide": declinable({"only": request(HELLO, max_tokens=1, seed=2**53 - 1)}, of=parts.ONE),
    "max-tokens": lengths("max_tokens", of=parts.MAX_TOKENS),
    "max-tokens-stream": lengths("max_tokens", of=parts.MAX_TOKENS, **STREAM),
    "max-completion-tokens": lengths("max_completion_tokens", of=parts.MAX_COMPLETION_TOKENS),
    "max-completion-tokens-stream": lengths("max_completion_tokens", of=parts.MAX_COMPLETION_TOKENS, **STREAM),
    # How far an answer goes that nothing bounds: our client leaves it, and one that counts well ends it.
    "no-cap": replace(
        alone(
            {
                "capped": request(COUNT, max_tokens=24, stop=["50"], **STREAMED),
                "free": replace(request(COUNT, max_tokens=None, stop=["50"], **STREAMED), leaves=Leaving.PAST),
            },
            parts.NO_CAP,
        ),
        hazard=Hazard.CARELESS,
        tokens=24 + 40,
    ),
    # No choice may end before its cap: whether usage counts them all can be told of full ones alone.
    "n": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of=parts.CHOICES),
    "n-stream": chat(COUNT, n=2, max_tokens=6, stop=[NEVER], of=parts.CHOICES, **STREAM),
    "n-apart": choosing(),
    "n-apart-stream": full(choosing(**STREAM)),
    "logprobs": chat(COUNT, logprobs=True, max_tokens=6, of=parts.LOGPROBS),
    "logprobs-stream": chat(COUNT, logprobs=True, max_tokens=6, of=parts.LOGPROBS, **STREAM),
    "logprobs-n": chat(COUNT, logprobs=True, n=2, max_tokens=6, of=parts.LOGPROBS | traits.SEVERAL),
    "top-logprobs": chat(COUNT, logprobs=True, top_logprobs=3, max_tokens=6, of=parts.ALTERNATIVES),
    "top-logprobs-stream": chat(COUNT, logprobs=True, top_logprobs=3, max_tokens=6, of=parts.ALTERNATIVES, **STREAM),
    "top-logprobs-most": chat(COUNT, logprobs=True, top_logprobs=20, max_tokens=6, of=parts.ALTERNATIVES),
    "sampling": sampled(),
    "sampling-stream": full(sampled(cap=32, greedy=5, **STREAM)),
    "seed": seeded(),
    "seed-stream": full(seeded(**STREAM)),
    "frequency": penalised("frequency_penalty", parts.FREQUENCY),
    "frequency-stream": full(penalised("frequency_penalty", parts.FREQUENCY, **STREAM)),
    "presence": penalised("presence_penalty", parts.PRESENCE),
    "presence-stream": full(penalised("presence_penalty", parts.PRESENCE, **STREAM)),
    "bias": biased(),
    "bias-stream": full(biased(**STREAM)),
    "labels": apart("labels", LABELS, of=parts.LABELS),
    "labels-vectors": declinable({"labels": vectors(user="u-1")}, of=parts.LABELS, asked=FirstAsk.EMBEDDINGS),
    "nulls": apart("nulls", dict.fromkeys(NULLABLE), of=parts.NULLS),
    "null-cap": declinable({"nulls": NULL_CAP}, of=parts.NULLS),
    "unknown": declinable(
        {
            "plain": request(HELLO, max_tokens=1, **{NOBODYS: True}),
            "stream": request(HELLO, max_tokens=1, **STREAM, **{NOBODYS: True}),
            "vectors": vectors(**{NOBODYS: True}),
        },
        of=parts.UNKNOWN,
    ),
    "text-format": declinable(
        {"without": request(OPEN), "with": request(OPEN, response_format=TEXT)}, of=parts.TEXT_FORMAT
    ),
    "text-format-stream": full(
        declinable(
            {"without": request(OPEN, **STREAM), "with": request(OPEN, response_format=TEXT, **STREAM)},
            of=parts.TEXT_FORMAT,
        )
    ),
    "efforts": declinable(
        {effort: request(HELLO, max_tokens=1, reasoning_effort=effort) for effort in EFFORTS}, of=parts.EFFORTS
    ),
    "effort": declinable(
        {
            **{e: request(PRIME, max_tokens=64, reasoning_effort=e, **AS_USUAL) for e in ("high", "none")},
            "able": request(PRIME, max_tokens=64, **THINKING),
        },
        of=parts.EFFORT,
        asked=FirstAsk.REASONING,
    ),
    "verbosity": alone(
        {each: request(OPEN, max_tokens=24, verbosity=each) for each in ("low", "high")}, parts.VERBOSITY
    ),
    "audio": declinable(
        {"only": request(HELLO, modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})},
        of=parts.AUDIO,
    ),
    "web-search": declinable(
        {"only": request("Search the web: what is today's weather in Oslo?", web_search_options={})}, of=parts.SEARCH
    ),
    "moderation": declinable(
        {"only": request(HELLO, moderation={"model": "omni-moderation-latest"})}, of=parts.MODERATION
    ),
    "prediction": declinable(
        {"only": request(HELLO, prediction={"type": "content", "content": "Hello!"})}, of=parts.PREDICTION
    ),
    "stray-options": declinable(
        {"only": request(HELLO, max_tokens=1, stream=False, stream_options=USAGE)}, of=parts.STRAY
    ),
    "caps-differ": faulty(request(COUNT, max_tokens=16, max_completion_tokens=4), of=parts.BAD_CAP),
    "cap-huge": faulty(request(HELLO, max_tokens=10**12, stop=SOON), of=parts.BAD_CAP),
    "temperature-text": faulty(request(HELLO, temperature="0"), of=parts.WRONG_TYPE),
    "n-fraction": faulty(request(HELLO, n=1.5), of=parts.WRONG_TYPE),
    "stop-number": faulty(request(HELLO, stop=5), of=parts.WRONG_TYPE),
    "stream-text": faulty(request(HELLO, stream="yes"), of=parts.WRONG_TYPE),
    "out-of-range": all_faulty(
        {
            "temperature-low": request(HELLO, max_tokens=1, temperature=-1),
            "temperature-high": request(HELLO, max_tokens=1, temperature=2.1),
            "top-p": request(HELLO, max_tokens=1, top_p=2),
            "frequency": request(HELLO, max_tokens=1, frequency_penalty=3),
            "presence": request(HELLO, max_tokens=1, presence_penalty=-3),
            "n-zero": request(HELLO, max_tokens=1, n=0),
            "n-many": request(HELLO, max_tokens=1, n=129),
            "top-logprobs": request(HELLO, max_tokens=1, logprobs=True, top_logprobs=21),
        },
        of=parts.OUT_OF_RANGE,
        asked=ASKED,
    ),
    "top-logprobs-alone": faulty(request(HELLO, max_tokens=1, top_logprobs=3), of=parts.ALONE),
    "cap-zero": faulty(request(HELLO, max_tokens=0), of=parts.BAD_CAP | traits.KILLER),
    "cap-negative": faulty(request(HELLO, max_tokens=-5), of=parts.BAD_CAP | traits.KILLER),
    "cap-text": faulty(request(HELLO, max_tokens="ten"), of=parts.WRONG_TYPE | traits.KILLER),
    "no-number": all_faulty(
        {name: raw(RAW % said) for name, said in (("nan", b"NaN"), ("infinity", b"Infinity"), ("huge", b"1e309"))},
        of=parts.NO_NUMBER | traits.KILLER,
        asked=ASKED,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(PARAMS))
def test_params(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(PARAMS[scenario]))
