"""What the operator's headers hold is starred where it is recorded, and nothing else is."""

from __future__ import annotations

import base64
import socket

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.wire.masking.headers import secret_names, secret_values, star, unsendable
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports import probe
from seatrial.wire.transports.http import Client, Prepared
from seatrial.wire.transports.load import LoadTarget, stream

from .exchanges import answer, assembled
from .servers import say, serving, take_request

TOKEN = "gw-7f3a91c2"
HEADERS = {
    "X-Auth-Token": TOKEN,
    "X-Tenant": "eu",
    "User-Agent": "my-client/1.0",
    "Cookie": "a=one-secret; b=two-secret",
}
ECHO = answer(b'{"token": "%s", "tenant": "eu", "agent": "my-client/1.0", "cookie": "two-secret"}' % TOKEN.encode())


def test_every_header_of_the_operators_is_starred_and_masked_in_answers() -> None:
    with serving(say(ECHO)) as url, Client(url, headers=HEADERS) as client:
        recording = client.exchange(Prepared("GET", "/models"))
    assert b"X-Auth-Token: " + b"*" * len(TOKEN) + b"\r\n" in recording.request
    assert b"X-Tenant: **\r\n" in recording.request
    assert b"User-Agent: my-client/1.0\r\n" in recording.request
    assert b"secret" not in recording.request
    told = assembled(recording.response).json
    assert told == {"token": "*" * len(TOKEN), "tenant": "eu", "agent": "my-client/1.0", "cookie": "*" * 10}


def test_the_measuring_transport_stars_them_too() -> None:
    with serving(say(ECHO)) as url:
        target = LoadTarget(url, Mask().also(secret_values(HEADERS)), headers=HEADERS)
        seen = stream(target, b"{}")
    for secret in (TOKEN.encode(), b"one-secret", b"two-secret"):
        assert secret not in seen.request + seen.response + seen.fault.encode()
    assert b"my-client/1.0" in seen.request


@pytest.mark.parametrize("name", ["Host", "host", "HOST", ""])
def test_exactly_one_host_arrives_by_every_transport(name: str) -> None:
    heard: list[bytes] = []

    def script(peer: socket.socket) -> None:
        heard.append(take_request(peer))
        peer.sendall(ECHO)

    headers = {name: "gateway.example"} if name else {}
    with serving(script) as url:
        with Client(url, headers=headers) as client:
            client.exchange(Prepared("GET", "/models"))
        stream(LoadTarget(url, Mask(), headers=headers), b"{}")
        probe.get(f"{url}/models", deadline_s=5, headers=headers)
    own = url.removeprefix("http://").removesuffix("/v1")
    one = f"{name}: gateway.example" if name else f"Host: {own}"
    heads = [request.partition(b"\r\n\r\n")[0].decode().split("\r\n") for request in heard]
    assert [[line for line in head if line.lower().startswith("host:")] for head in heads] == [[one]] * 3


def test_a_scheme_stays_readable_and_lengths_stay() -> None:
    raw = b"GET / HTTP/1.1\r\nauthorization: Bearer abc def\r\nX-T:  v w\r\nX-U: v\r\n\r\nX-T: body"
    starred = star(raw, secret_names(["x-t"]))
    assert starred == b"GET / HTTP/1.1\r\nauthorization: Bearer *******\r\nX-T:  ***\r\nX-U: v\r\n\r\nX-T: body"


def test_short_words_are_not_looked_for_in_answers() -> None:
    assert secret_values({"X-Env": "test", "Content-Type": "application/json"}) == []
    assert secret_values({"X-Api-Key": "k123", "Authorization": "Basic dXNlcjpw"}) == [
        "k123", "dXNlcjpw", "dXNlcjpw", "user:p",
    ]  # fmt: skip


def test_what_a_server_decodes_of_a_basic_credential_is_secret_too() -> None:
    values = secret_values({"Authorization": "Basic " + base64.b64encode(b"user:long password").decode()})
    assert {"user:long password", "long password"} <= {*values}
    assert secret_values({"Authorization": "Basic no/base64!"}) == ["no/base64!", "no/base64!"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("X-A", "日本", "its value"),
        ("X-A", "a\r\nB: c", "its value"),
        ("X-A", "a\x00", "its value"),
        ("X-A", "a ", "its value"),
        ("X A", "q1w2", "its name"),
        ("", "q1w2", "its name"),
        ("X-A", "a b\té", ""),
        ("X-A", "", ""),
    ],
)
def test_what_cannot_be_sent(name: str, value: str, why: str) -> None:
    assert unsendable(name, value).startswith(why)
    assert bool(unsendable(name, value)) == bool(why)
    if why:
        with pytest.raises(ValueError, match="cannot be sent") as caught:
            Client("http://h", headers={name: value})
        assert not value or value not in str(caught.value)


@given(st.text(st.characters(max_codepoint=0x10FF), max_size=8))
def test_what_is_called_sendable_is_taken_by_h11(value: str) -> None:
    try:
        encoded = value.encode("latin-1")
        h11.Request(method="GET", target="/", headers=[("Host", "h"), (b"X-A", encoded)])
        taken = True
    except (UnicodeError, h11.LocalProtocolError):
        taken = False
    if not unsendable("X-A", value):
        assert taken
