"""The golden server without sockets answers as it does behind one, and is given up where that one would be."""

from __future__ import annotations

import json
import re

import pytest

from seatrial.wire.transports.http import Client, Recording
from seatrial.wire.transports.prepare import Prepared
from tests.golden.client import chat
from tests.golden.memory import Memory
from tests.golden.server import Golden

CHAT = Prepared("POST", "/chat/completions", json.dumps(chat()).encode())
STREAM = Prepared("POST", "/chat/completions", json.dumps(chat(stream=True)).encode())
MODELS = Prepared("GET", "/models")
ODD = Prepared("POST", "/chat/completions", json.dumps(chat(temperature="hot")).encode())
BROKEN = Prepared("POST", "/chat/completions", b"{")


def _normal(recording: Recording) -> bytes:
    return re.sub(rb'(?i:Date|x-request-id): [^\r]+|chatcmpl-\w+|"created":\d+', b"", recording.response)


@pytest.mark.parametrize("asked", [CHAT, STREAM, MODELS, BROKEN])
@pytest.mark.parametrize("faults", [(), ("chunks-with-extensions", "crlf-events"), ("until-the-end", "early-hints")])
def test_it_answers_as_behind_a_socket(asked: Prepared, faults: tuple[str, ...]) -> None:
    with Memory(faults).client() as client:
        mine = client.exchange(asked)
    with Golden(faults) as golden, Client(golden.url) as client:
        theirs = client.exchange(asked)
    assert _normal(mine) == _normal(theirs)
    assert (mine.error, mine.connection) == (theirs.error, theirs.connection) == ("", 0)


def test_one_connection_serves_several_requests() -> None:
    memory = Memory()
    with memory.client(keep_alive=True) as client:
        said = [client.exchange(asked) for asked in (CHAT, STREAM, MODELS)]
    assert [(each.error, each.connection) for each in said] == [("", 0), ("", 1), ("", 2)]
    assert memory.service.truth.snapshot()["connections"] == 1


@pytest.mark.parametrize(
    ("fault", "asked", "errors"),
    [
        ("never-answered", CHAT, ("deadline", "deadline")),
        ("reset", STREAM, ("reset", "reset")),
        ("cut", STREAM, ("cut", "cut")),
        ("dies-on-wrong-type", ODD, ("cut", "refused")),
        ("deaf-on-wrong-type", ODD, ("deadline", "refused")),
    ],
)
def test_what_becomes_of_a_connection_is_told_at_once(fault: str, asked: Prepared, errors: tuple[str, str]) -> None:
    with Memory((fault,)).client(deadline_s=3600, idle_s=3600) as client:
        assert (client.exchange(asked).error, client.exchange(asked).error) == errors
