"""A client that is to leave does, and its recording says so."""

import json

import pytest

from seatrial.records import LEFT, Leaving
from seatrial.wire.decoding.errors import ERRORS
from seatrial.wire.transports.http import Client
from seatrial.wire.transports.prepare import Prepared
from tests.golden.client import chat
from tests.golden.server import Golden

COUNT = chat(stream=True, messages=[{"role": "user", "content": "Count from 1 to 200."}], max_tokens=300)
STREAM = Prepared("POST", "/chat/completions", json.dumps(COUNT).encode())
PLAIN = Prepared("POST", "/chat/completions", json.dumps(COUNT | {"stream": False}).encode())


@pytest.mark.parametrize(
    ("asked", "leaves", "fewest"),
    [
        (STREAM, Leaving.WORDS, 3),
        (STREAM, Leaving.PAST, 40),
        (STREAM, Leaving.SOON, 1),
        (PLAIN, Leaving.SOON, 0),
        (PLAIN, Leaving.SENT, 0),
        (PLAIN, Leaving.OPEN, 0),
    ],
)
def test_a_client_leaves_before_the_end(asked: Prepared, leaves: Leaving, fewest: int) -> None:
    with Golden(token_ms=10) as golden, Client(golden.url) as client:
        said = client.exchange(asked, leaves=leaves)
        after = client.exchange(Prepared("GET", "/models"))
    assert said.error == LEFT in ERRORS
    assert said.response.count(b"data:") >= fewest
    assert b"[DONE]" not in said.response
    assert str(leaves) in said.detail
    assert (after.error, after.response[9:12]) == ("", b"200")


def test_who_was_answered_before_has_not_left() -> None:
    with Golden() as golden, Client(golden.url) as client:
        assert client.exchange(PLAIN, leaves=Leaving.SOON).error == ""
