"""What a finding says the official SDK does, tried: the SDK is given the recorded answer, and does it or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2
import openai
from openai.lib.streaming._deltas import accumulate_delta
from openai.lib.streaming.chat._completions import _is_valid_chat_completion_chunk_weak as is_taken

from seatrial.reading import chat
from seatrial.records import Exchange, Finding

SPEAKS_OF_IT = re.compile(r"SDK|\braises?\b")
"""A consequence that says what a program does, and can be tried."""

Try = Callable[[Exchange, Finding, "re.Match[str]"], bool]


def asked(x: Exchange, ask: Callable[[openai.OpenAI], Any], *, retries: int = 0) -> tuple[Any, int]:
    """What the SDK hands out or raises where it gets this answer, and how often it asked for it."""
    times = 0

    def answer(_: httpx2.Request) -> httpx2.Response:
        nonlocal times
        times += 1
        framing = {"content-length", "transfer-encoding", "content-encoding"}
        headers = [pair for pair in x.headers if pair[0] not in framing]
        return httpx2.Response(x.status or 200, headers=headers, content=x.body)

    transport = httpx2.Client(trust_env=False, transport=httpx2.MockTransport(answer))
    base = "http://claims.invalid/v1"
    with openai.OpenAI(base_url=base, api_key="none", max_retries=retries, http_client=transport) as client:
        try:
            return ask(client), times
        except Exception as error:  # noqa: BLE001 - what it raises is what is asked for
            return error, times


def plain(client: openai.OpenAI) -> Any:
    return client.chat.completions.create(model="m", messages=[])


def _raises(ask: Callable[[openai.OpenAI], Any]) -> Try:
    return lambda x, _finding, _said: isinstance(asked(x, ask)[0], Exception)


def helped(x: Exchange) -> Any:
    """What the SDK's stream helper has joined at the end of this answer, by index of choice, or what it raises."""

    def ask(client: openai.OpenAI) -> Any:
        with client.chat.completions.stream(model="m", messages=[]) as helper:
            helper.until_done()
            return {choice.index: choice.message for choice in helper.current_completion_snapshot.choices}

    return asked(x, ask)[0]


def _stream_raises(x: Exchange, _finding: Finding, _said: re.Match[str]) -> bool:
    return isinstance(helped(x), Exception)


def _reads_on(x: Exchange, _finding: Finding, _said: re.Match[str]) -> bool:
    read = asked(x, lambda client: list(client.chat.completions.create(model="m", messages=[], stream=True)))
    return not isinstance(read[0], Exception)


def _never_sees(x: Exchange, finding: Finding, _said: re.Match[str]) -> bool:
    joined = helped(x)
    return not isinstance(joined, Exception) and int(finding.where.removeprefix("choice ")) not in joined


def _refuses(x: Exchange) -> openai.APIStatusError | None:
    error = asked(x, plain)[0]
    return error if isinstance(error, openai.APIStatusError) else None


def _says_no_more(x: Exchange, _finding: Finding, said: re.Match[str]) -> bool:
    error = _refuses(x)
    return error is not None and error.message == said[1]


def _finds_no_error(x: Exchange, _finding: Finding, _said: re.Match[str]) -> bool:
    error = _refuses(x)
    return error is not None and error.code is None and error.type is None


def _skips(x: Exchange, _finding: Finding, _said: re.Match[str]) -> bool:
    chunks, _ = asked(x, lambda c: next(iter(c.chat.completions.create(model="m", messages=[], stream=True))))
    return not isinstance(chunks, Exception) and not is_taken(chunks)


def _of_role(x: Exchange, _finding: Finding, said: re.Match[str]) -> bool:
    """The SDK's own joiner is given each role, for its helper may fall over something else of the same stream."""
    joined: dict[int, dict[object, object]] = {}
    for _chunk, index, _choice, delta in chat.deltas(x):
        role = {"role": delta["role"]} if "role" in delta else {}
        joined[index] = accumulate_delta(joined.get(index, {}), role)
    return any(str(message.get("role")).startswith(said[1]) for message in joined.values())


def _three_times(x: Exchange, _finding: Finding, _said: re.Match[str]) -> bool:
    return asked(x, plain, retries=2)[1] == 3


CLAIMS: dict[str, Try] = {
    r"the SDK(?:'s stream helper raises| decodes it as JSON and raises)": _stream_raises,
    r"the SDK decodes each event by itself, and raises": _stream_raises,
    r"the SDK reads on: whoever waits for the answer never learns": _reads_on,
    r"models\.list\(\) raises": _raises(lambda client: list(client.models.list())),
    r"choices\[0\]\.message raises": _raises(lambda client: plain(client).choices[0].message),
    r"message\.content raises": _raises(lambda client: [c.message.content for c in plain(client).choices]),
    r'the SDK says "(Error code: \d+)" and no more': _says_no_more,
    r"the SDK finds no error object in it": _finds_no_error,
    r"the SDK's stream helper skips the chunk": _skips,
    r'as the SDK does, have the role "(.*?)(?:\.\.\.)?": the turn': _of_role,
    r"SDKs retry a 5xx: the same bad request is sent three times": _three_times,
    r"a client on the official SDK loses the answer": _stream_raises,
    r"a client on the official SDK never sees it": _never_sees,
}


def claimed(finding: Finding) -> tuple[str, re.Match[str]] | None:
    """Which of the claims a finding makes."""
    found = ((claim, re.search(claim, finding.consequence)) for claim in CLAIMS)
    return next(((claim, said) for claim, said in found if said), None)


def untrue(x: Exchange, finding: Finding) -> str:
    """What a finding says the SDK does and it does not; empty where all is true."""
    if not SPEAKS_OF_IT.search(finding.consequence):
        return ""
    if (made := claimed(finding)) is None:
        return f"{finding.consequence!r} is tried by nobody"
    claim, said = made
    if CLAIMS[claim](x, finding, said):
        return ""
    return f"{finding.consequence!r} is not what the SDK does; {finding.where}: {finding.got}"
