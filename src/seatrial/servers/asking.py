"""Small requests that find out who answers, and what to tell the user when nobody does."""

from __future__ import annotations

import json
import time
from typing import Any

from seatrial.given.address import place, root
from seatrial.given.errors import EndpointError, NotYet
from seatrial.records import Exchange
from seatrial.text import flat
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.bystanders import Bystanders
from seatrial.wire.transports.http import Client, Prepared

LOOK_S = 2.5
"""A list of models comes from memory: a server that takes longer would not be put on trial but waited for."""

SURVEY_S = 3.5
"""All looks at an endpoint together. With the start of pytest beside it, what is wrong is said within 5 s."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
BASE = "--endpoint wants the server's base URL"
_UNREACHED = {
    "refused": "nothing listens at {where} (connection refused); start the server or name another with --endpoint=URL",
    "unreachable": "{where} cannot be reached ({detail}); check the name, or name another with --endpoint=URL",
    "tls": "no TLS with {where} ({detail}); trust its certificates with --ca=FILE, or say http:// if it speaks none",
}


class FirstLook:
    """GETs that share one budget of time, which begins now. None is raised for anything the server does.

    Args:
        company: what becomes of others when it is asked; None: nobody looks.
    """

    def __init__(self, client: Client, company: Bystanders | None = None) -> None:
        self._client = client
        self.company = company or Bystanders(lambda: None)
        self._until = time.monotonic() + SURVEY_S
        self._models: Exchange | None = None

    def models(self) -> Exchange:
        """The list of models, asked for once."""
        self._models = self._models or self.get("/models")
        return self._models

    def get(self, path: str) -> Exchange:
        """The answer; once the budget is used up, none, with the error ``deadline``."""
        began = time.monotonic()
        self._client.turn()
        left = max(self._until - began, 0)
        with self.company.question(path):
            asked = time.monotonic()
            x = _exchange(self._client, Prepared("GET", path), min(LOOK_S, left))
            took = time.monotonic() - asked
        self._until += time.monotonic() - began - took  # what was waited for beside is none of the server's time
        return x


def expect_room(company: Bystanders, url: str) -> None:
    """Let a server pass that may be asked now: questions of ours do not end what others are being answered.

    Raises:
        NotYet: they do, and somebody is connected.
    """
    if company.held_back():
        raise NotYet(
            f"{root(url)} drops others when it is asked: {company.cuts} questions of ours were each followed at once "
            "by the end of somebody's connection; try again when nobody uses it, or wait for that: --wait=10m"
        )


def post(client: Client, path: str, body: dict[str, Any], deadline_s: float) -> Exchange:
    """A POST of JSON, not raised for anything the server does; a plain answer may be silent until its deadline."""
    headers = (("Content-Type", "application/json"),)
    return _exchange(client, Prepared("POST", path, json.dumps(body).encode(), headers), deadline_s, deadline_s)


def _exchange(client: Client, request: Prepared, deadline_s: float, idle_s: float | None = None) -> Exchange:
    recording = client.exchange(request, deadline_s=deadline_s, idle_s=idle_s)
    line = recording.line("", request, endpoint="", scenario="identity")
    return assemble(line, recording.request, recording.response)


def expect_api(x: Exchange, url: str) -> None:
    """Let an answer pass that an OpenAI-compatible API might give: a 200, an error of its own, one of the model's.

    Raises:
        NotYet: nobody answers now, or it says that it is not ready.
        EndpointError: not HTTP, or it wants something else of us; one line.
    """
    what = f"{x.method} {x.path}"
    if x.error in {"refused", "unreachable"} or (x.status is None and not x.raw and x.error != "tls"):
        raise NotYet(_unreached(x, url))
    if x.status is None or x.error in {"tls", "not-http"}:
        raise EndpointError(_unreached(x, url))
    if x.status in REDIRECTS:
        to = flat(x.header("location") or "nowhere")
        raise EndpointError(
            f"{root(url)} redirects to {to} ({x.status}), which is never followed; name the server itself"
        )
    if x.status in {401, 403}:
        sent = any(name.lower() == "authorization" for name, _ in x.request_headers)
        remedy = (
            "check the variable --api-key-env names" if sent else "name a variable that holds it: --api-key-env=VAR"
        )
        raise EndpointError(f"{root(url)} {'refuses the' if sent else 'wants an'} API key ({x.status}); {remedy}")
    if x.status in {429, 503}:
        why = f": {said(x)}" if said(x) else ""
        raise NotYet(f"{root(url)} is not ready ({x.status}{why}); try again when it is, or wait for it: --wait=10m")
    if x.error:
        raise EndpointError(f"{root(url)} breaks off its answer to {what} ({flat(x.detail or x.error)})")
    if x.status == 400 and b"HTTPS" in x.body[:2000]:
        raise EndpointError(f"{root(url)} wants TLS; say https://{place(url)}")


def _unreached(x: Exchange, url: str) -> str:
    where, detail = place(url), flat(x.detail)
    if x.error in _UNREACHED:
        return _UNREACHED[x.error].format(where=where, detail=detail)
    if x.raw[:1] in {b"\x15", b"\x16"} and x.raw[1:2] == b"\x03":
        return f"{where} speaks TLS; say https://{where}"
    if x.raw:
        return f'{where} answers, but not HTTP ("{flat(_first_line(x.raw), 60)}"); {BASE}'
    if x.error in {"deadline", "idle"}:
        seconds = (x.ended_at - x.sent_at) / 1e9
        if url.startswith("https://") and "TLS" in x.detail:
            return f"{where} does not answer the TLS handshake within {seconds:.1f} s; say http:// if it speaks no TLS"
        return f"{where} does not answer {x.method} {x.path} within {seconds:.1f} s; is it the right server, and alive?"
    return f"{where} closes the connection without an answer ({detail or x.error}); {BASE}"


def _first_line(raw: bytes) -> str:
    return raw[:200].splitlines()[0].decode("utf-8", "replace")


def said(x: Exchange) -> str:
    """The message of an error object, shortened; empty where there is none."""
    error = x.json.get("error") if isinstance(x.json, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return flat(message) if isinstance(message, str) else ""
