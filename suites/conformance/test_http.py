"""Paths, methods, bodies and connections."""

import gzip
import json

import pytest
from msgspec.structs import replace

from seatrial.checks import traits
from seatrial.checks.areas.http import answers, bodies, coding, paths, sizes
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Request, Scenario, Words
from suites.conformance.scenarios import (
    COUNT,
    GOOD,
    HELLO,
    NEVER,
    Judge,
    Send,
    all_faulty,
    declinable,
    faulty,
    full,
    raw,
    request,
)

LIST = Request(method="GET", path="/models")
WHOLE = b'{"model": "any", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4'
OPEN = WHOLE.replace(b'"any"', b'"{model}"').removesuffix(b'"max_tokens": 4')
ONE_TOKEN = ("chat/one-token", GOOD)
ORIGIN: dict[str, str | None] = {"Origin": "https://nobody-knows.invalid"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
GZIP = {"Accept-Encoding": "gzip, deflate"}
DEEP = 10_000
BRACKETS = b"[" * DEEP + b"]" * DEEP


def sent(**headers: str | None) -> Request:
    """The good chat, with other headers: their names have dashes for underlines."""
    return replace(GOOD, headers={name.replace("_", "-"): value for name, value in headers.items()})


def hostile(bad: Request, *, of: traits.Traits) -> Scenario:
    """A request that is made to break."""
    return replace(faulty(bad, of=of, hazard=Hazard.HOSTILE), deadline_s=60.0)


def streamed(**headers: str) -> Request:
    return replace(request(COUNT, stream=True, max_tokens=12, stop=[NEVER]), headers=headers)


ODD = {
    "twice": raw(OPEN + b'"max_tokens": 1, "max_tokens": 2}'),
    "mark": raw(b"\xef\xbb\xbf" + OPEN + b'"max_tokens": 1}'),
    "surrogate": raw(OPEN.replace(b"hello.", b"hello \\ud800.") + b'"max_tokens": 1}'),
    "latin": raw(OPEN.replace(b"hello.", b"ol\xe9.") + b'"max_tokens": 1}'),
}

REQUESTS = {
    "base": Scenario(requests={"list": LIST, "chat": GOOD}, traits=paths.BASE, tokens=1),
    "unknown-path": faulty(
        Request(method="GET", path="/seatrial-no-such-path"), of=paths.UNKNOWN_PATH, hazard=Hazard.POLITE
    ),
    "wrong-method": all_faulty(
        {"get": Request(method="GET"), "put": replace(GOOD, method="PUT")}, of=paths.WRONG_METHOD, asked=ONE_TOKEN
    ),
    "head-and-options": Scenario(
        requests={"head": replace(LIST, method="HEAD"), "options": Request(method="OPTIONS")}, traits=paths.HEADS
    ),
    "preflight": Scenario(
        requests={"only": Request(method="OPTIONS", headers={**ORIGIN, **ASKS}, authorization="")},
        traits=paths.PREFLIGHT | paths.FOREIGN,
    ),
    "foreign-origin": Scenario(requests={"only": replace(LIST, headers=ORIGIN)}, traits=paths.FOREIGN),
    "reuse": Scenario(
        requests={
            "list": LIST,
            "again": LIST,
            "refused": raw(WHOLE),
            "after the refusal": LIST,
            "stream": request(HELLO, stream=True, max_tokens=2),
            "after the stream": LIST,
        },
        traits=answers.REUSE,
        hazard=Hazard.CARELESS,
        one_connection=True,
        tokens=2,
    ),
    "coded": declinable(
        {"plain": GOOD, "gzip": sent(**GZIP), "stream": streamed(), "gzip-stream": streamed(**GZIP)},
        of=traits.DECLINABLE | coding.CODED,
        asked=ONE_TOKEN,
    ),
    "body-chunked": declinable({"only": sent(Transfer_Encoding="chunked")}, of=bodies.CHUNKED, asked=ONE_TOKEN),
    "body-expectant": declinable({"only": sent(Expect="100-continue")}, of=bodies.EXPECTANT, asked=ONE_TOKEN),
    "body-slow": replace(
        declinable({"slow": replace(GOOD, held=True), "quick": GOOD}, of=sizes.SLOW, asked=ONE_TOKEN), at_once=True
    ),
    "label-text": faulty(sent(Content_Type="text/plain"), of=bodies.LABELLED),
    "label-form": faulty(sent(Content_Type="application/x-www-form-urlencoded"), of=bodies.LABELLED),
    "label-none": faulty(sent(Content_Type=None), of=bodies.LABELLED),
    "label-charset": declinable(
        {"only": sent(Content_Type="application/json; charset=utf-8")}, of=bodies.CHARSET, asked=ONE_TOKEN
    ),
    "label-spelt": declinable(
        {"only": sent(Content_Type='Application/JSON;Charset="UTF-8"')}, of=bodies.SPELT, asked=ONE_TOKEN
    ),
    "json-cut": faulty(raw(WHOLE), of=bodies.MALFORMED_JSON),
    "json-comma": faulty(raw(WHOLE + b",}"), of=bodies.MALFORMED_JSON),
    "json-quotes": faulty(raw(WHOLE.replace(b'"', b"'") + b"}"), of=bodies.MALFORMED_JSON),
    "json-odd": all_faulty(
        {name + end: each for name, each in ODD.items() for end in ("", bodies.AGAIN)},
        of=bodies.ODD_JSON,
        asked=ONE_TOKEN,
    ),
    "body-compressed": faulty(
        Request(raw=gzip.compress(json.dumps(GOOD.body).encode(), mtime=0), headers={"Content-Encoding": "gzip"}),
        of=bodies.COMPRESSED,
    ),
    "body-array": faulty(raw(b"[]"), of=bodies.NO_OBJECT),
    "body-text": faulty(raw(b'"hello"'), of=bodies.NO_OBJECT),
    "body-null": faulty(raw(b"null"), of=bodies.NO_OBJECT),
    "body-number": faulty(raw(b"42"), of=bodies.NO_OBJECT),
    "body-empty": faulty(raw(b""), of=bodies.EMPTY_BODY),
    "body-nested": hostile(raw(BRACKETS), of=sizes.BOMB),
    "value-nested": hostile(raw(OPEN + b'"max_tokens": 1, "metadata": {"a": ' + BRACKETS + b"}}"), of=sizes.NESTED),
    "body-large": hostile(request([{"role": "user", "content": Words(more=400_000)}]), of=sizes.OVERSIZED),
    "body-huge": full(hostile(request([{"role": "user", "content": Words(more=12_000_000)}]), of=sizes.OVERSIZED)),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(REQUESTS))
def test_http(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(REQUESTS[scenario]))
