"""Exchanges made of bytes in memory, by the same assembler that makes them of a recording."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Evidence
from seatrial.checks.running import run
from seatrial.records import SECOND, Exchange, Expect, Finding, Received
from seatrial.wire.decoding.assemble import assemble

EXPECT = Expect(model="m", models=("m",))
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}
STREAMED = ASKED | {"stream": True}
COUNTED = STREAMED | {"stream_options": {"include_usage": True}}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_760_000_000, "model": "m"}
CHUNK = HEAD | {"object": "chat.completion.chunk"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
ERROR = {"error": {"message": "messages: at least one", "type": "invalid_request_error", "param": None, "code": None}}
DONE = "[DONE]"
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


def exchange(
    body: bytes,
    *,
    asked: Any = ASKED,
    status: int | None = 200,
    headers: Mapping[str, str] = JSON,
    chunked: bool = False,
    cut: bool = False,
    **line: Any,
) -> Exchange:
    """An answer of these bytes; ``cut`` leaves out the terminating chunk. Further names are fields of the line."""
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\r\n"
    request += asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    response = b""
    if status is not None:
        framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(len(body))}
        named = "".join(f"{name}: {value}\r\n" for name, value in {**framing, **headers}.items())
        response = f"HTTP/1.1 {status} Said\r\n{named}\r\n".encode()
        response += b"%x\r\n%s\r\n" % (len(body), body) + (b"" if cut else b"0\r\n\r\n") if chunked else body
    return _assembled(request, response, line)


def raw(response: bytes, *, asked: Any = ASKED, **line: Any) -> Exchange:
    """An exchange whose answer is these very bytes, head and all."""
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n" + json.dumps(asked).encode()
    return _assembled(request, response, line)


def _assembled(request: bytes, response: bytes, line: Mapping[str, Any]) -> Exchange:
    fields = {
        "id": "test-1",
        "endpoint": "e",
        "scenario": "s",
        "method": "POST",
        "path": "/chat/completions",
        "request": (0, len(request)),
        "response": (0, len(response)),
        "frames": ((SECOND, len(response)),),
        "sent_at": SECOND,
        "ended_at": 2 * SECOND,
    }
    return assemble(Received(**{**fields, **line}), request, response)


def plain(changes: Mapping[str, Any] | None = None, **settings: Any) -> Exchange:
    """A whole chat answer with some of its top-level keys changed; Ellipsis takes a key away."""
    return exchange(json.dumps(changed(answer(), changes or {})).encode(), **settings)


def answer(*choices: dict[str, Any]) -> dict[str, Any]:
    return HEAD | {"choices": list(choices) or [choice()], "usage": USAGE}


def choice(content: Any = "Hello.", index: Any = 0, finish: Any = "stop", **changes: Any) -> dict[str, Any]:
    made = {"index": index, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return changed(made, changes)


def stream(*chunks: Any, asked: Any = STREAMED, **settings: Any) -> Exchange:
    """A stream of these events: objects as JSON, text as it is; without any, a good one."""
    events = chunks or good()
    body = b"".join(b"data: " + (e if isinstance(e, str) else json.dumps(e)).encode() + b"\n\n" for e in events)
    return exchange(body, asked=asked, **{"headers": EVENTS, "chunked": True, **settings})


def good(usage: bool = False) -> list[Any]:
    """The events of a good stream of two tokens."""
    end = [CHUNK | {"choices": [], "usage": USAGE}] if usage else []
    return [delta(role="assistant", content=""), delta(content="Hello"), delta(content="."), ends(), *end, DONE]


def delta(index: Any = 0, **values: Any) -> dict[str, Any]:
    return CHUNK | {"choices": [{"index": index, "delta": values, "finish_reason": None}]}


def ends(reason: Any = "stop", index: int = 0) -> dict[str, Any]:
    return CHUNK | {"choices": [{"index": index, "delta": {}, "finish_reason": reason}]}


def refused(status: int = 400, body: Any = ERROR, **settings: Any) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return exchange(raw, status=status, **settings)


def pair(bad: Exchange, after: Exchange | None = None) -> dict[str, Exchange]:
    """A faulty request and the good one after it."""
    return {"bad": bad, "good": after or plain()}


def changed(value: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**value, **changes}.items() if v is not ...}


def found(rule: str, evidence: Evidence, **expect: Any) -> list[Finding]:
    """What a rule finds.

    Raises:
        AssertionError: the rule crashed.
    """
    findings, crash = run(load_all()[rule], evidence, msgspec.structs.replace(EXPECT, **expect))
    assert not crash, f"{rule} crashed: {crash}"
    return list(findings)


def holds(rule: str, specimens: Iterable[Evidence], **expect: Any) -> None:
    """Expect a rule to find nothing in any of these."""
    for number, evidence in enumerate(specimens):
        assert found(rule, evidence, **expect) == [], f"specimen {number} is good"


def breaks(rule: str, evidence: Evidence, where: str, got: str = "", **expect: Any) -> Finding:
    """Expect a rule to find one violation at a place; what it got holds ``got``."""
    findings = [f for f in found(rule, evidence, **expect) if f.kind == "violation"]
    assert findings, f"{rule} found nothing"
    assert where in findings[0].where, findings[0]
    assert got in findings[0].got, findings[0]
    return findings[0]


MODEL = {"id": "m", "object": "model", "created": 5, "owned_by": "us"}


def models(*listed, **changes):
    line = {name: changes.pop(name) for name in ("path",) if name in changes}
    return exchange(
        json.dumps({"object": "list", "data": list(listed), **changes}).encode(), **{"method": "GET"} | line
    )


HTML = {"content-type": "text/html"}
