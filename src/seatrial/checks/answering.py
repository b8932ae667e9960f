"""Whether an exchange holds an answer at all: what every rule asks before it reads one."""

from __future__ import annotations

import json

from seatrial.checks import causes
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.reading import fields
from seatrial.reading.chat import answers
from seatrial.records import BUSY, Exchange, Finding
from seatrial.text import shorten

GONE = frozenset({"refused", "unreachable"})
"""Errors of an exchange that say nothing about the answer: nobody was there to give one."""

LATE = frozenset({"deadline", "idle"})


def unheard(x: Exchange) -> Finding | None:
    """Why an exchange is no evidence of what the server would have answered, or None."""
    if x.error in GONE:
        return no_evidence("the connection", expected="a server", got=x.detail or x.error)
    if x.dropped and x.error not in LATE:
        return no_evidence("the recording", expected="bytes", got="not stored: the byte budget of the run was used up")
    if x.status in BUSY and x.error not in LATE:
        return no_evidence("the status", expected="an answer", got=f"{x.status} {x.reason}, {x.retries} retries")
    return None


def silent(x: Exchange) -> Finding | None:
    """What is wrong where no answer began, or none ended in time; None for any other."""
    if x.error in LATE:
        return violation(
            "the answer",
            expected="an answer within the deadline",
            got=f"{x.detail or x.error} after {(x.ended_at - x.sent_at) / 1e9:.1f} s, {len(x.raw)} bytes"
            + (f"; {x.framing}" if x.framing else ""),
            so="a client waits as long as its own time-out lets it",
            grave=True,
        )
    if x.status is None:
        return violation(
            "the answer",
            expected="a status line and headers",
            got=x.detail or x.error or "nothing",
            so="a client reports a broken connection and retries",
        )
    return None


def as_before(x: Exchange, before: Exchange | None) -> Finding | None:
    """Why a faulty request shows nothing: the good one before it was served no better; or None.

    Both got no answer, both a 5xx, or both an error under a 200: the server does not come to look at what is wrong with
    the request.
    """
    if before is None or unheard(before) or (before.method, before.path) != (x.method, x.path):
        return None
    failed = (x.status or 0) >= 500 and (before.status or 0) >= 500
    failed = failed or bool(x.status == before.status == 200 and _error(x) and _error(before))
    if not failed and not (silent(x) and silent(before)):
        return None
    judge = f"{causes.ANSWERED}[{before.scenario.rpartition('/')[2]}]"
    got = f"as little as a good request before it: {x.status or x.detail or x.error or 'nothing'}"
    return no_evidence("the answer", expected="what a good request does not get", got=got, causes=(judge,))


def refused(x: Exchange) -> Finding | None:
    """What is wrong with the answer to a valid request, or None.

    It has another status than 200, it ends before its end, or an error stands in its place or in its midst.
    """
    if x.status is not None and 400 <= x.status < 500:
        got = f"{x.status} {_body(x)}"
        return refusal("the status", expected="200: the request is valid", got=got, optional=_asks_for_an_option(x))
    if x.status != 200:
        return violation("the status", expected="200: the request is valid", got=f"{x.status} {_body(x)}")
    if x.error and not any(chunk.done for chunk in x.chunks):  # of a stream that said [DONE] all can be judged
        return violation(
            "the answer",
            expected="an answer to its end",
            got=f"{x.framing or f'{len(x.body)} bytes'}; {x.detail or x.error}",
            so="a client has half an answer, and an error or none",
        )
    if said := _error(x):
        return violation(
            "the answer",
            expected="what was asked for",
            got=f"200 with an error in its place: {said}",
            so="a client that goes by the status takes an error for an answer without content",
        )
    if said := _failure(x):
        return violation(
            "the answer",
            expected="an answer to its end",
            got=f"200, and an error in mid-stream: {said}",
            so="a client has half an answer, and an error or none",
        )
    return None


def _failure(x: Exchange) -> str:
    """The error that a stream tells before its end, whatever came before it; empty where it tells none."""
    end = next((at for at, chunk in enumerate(x.chunks) if chunk.done), len(x.chunks))
    told = (fields.mapping(chunk.json).get("error") for chunk in x.chunks[:end])
    return next((_in_json(each) for each in told if each), "")


def _error(x: Exchange) -> str:
    """The error that an answer of status 200 holds in place of all else; empty where it holds none, or more."""
    bodies = [fields.mapping(body) for body in (x.json, *(chunk.json for chunk in x.chunks))]
    errors = [body["error"] for body in bodies if body.get("error")]
    if not errors or answers(x) or any("data" in body for body in bodies):
        return ""
    return _in_json(errors[0])


def _in_json(error: object) -> str:
    return shorten(json.dumps(error, ensure_ascii=False, default=str)[:400])


def _asks_for_an_option(x: Exchange) -> bool:
    """Whether the request asks for what a server may honestly decline: several choices, log probabilities; or a call
    that is forced, or one call at a time, where the answer speaks of tools."""
    asked = fields.mapping(x.request_json)
    if asked.get("n", 1) not in (None, 1) or asked.get("logprobs") is True:
        return True
    plain = asked.get("tool_choice") in (None, "none", "auto") and asked.get("parallel_tool_calls") is None
    return not plain and b"tool" in x.body[:4000].lower()


def _body(x: Exchange) -> str:
    return shorten(x.body[:400].decode("utf-8", "replace"))
