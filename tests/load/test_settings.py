"""What a load is told: its headers are secrets, and what cannot be sent is said before anything is."""

from __future__ import annotations

import json

import pytest

from load import session
from load.settings import SettingsError, read
from seatrial.wire.transports.load import stream
from tests.load.scripted import CHUNKED, DONE, FINISH, LAST, chunk, delta, scripted

TOKEN = "gw-7f3a91c2"


def told(headers: dict[str, str], **more: str) -> dict[str, str]:
    return {"SEATRIAL_HEADERS": json.dumps(headers), **more}


def test_headers_are_starred_and_masked() -> None:
    settings = read(told({"X-Auth-Token": TOKEN, "X-Zone": "eu"}))
    with scripted(CHUNKED, chunk(delta(f"you are {TOKEN}")), chunk(FINISH), chunk(DONE), LAST) as server:
        seen = stream(settings.target(server.url), b"{}")
    assert b"X-Auth-Token: " + b"*" * len(TOKEN) in seen.request
    assert b"X-Zone: **" in seen.request
    assert TOKEN.encode() not in seen.request + seen.response
    assert b"you are ***" in seen.response


@pytest.mark.parametrize("value", ["日本", "a\nb"])
def test_what_cannot_be_sent_is_one_line_without_it(value: str) -> None:
    for env in (told({"X-A": value}), {"SEATRIAL_KEY_ENV": "MY_KEY", "MY_KEY": value}):
        with pytest.raises(SettingsError, match="cannot be sent") as caught:
            read(env)
        assert value not in str(caught.value)


@pytest.mark.parametrize("host", ["http://me:hunter2@h", "me:hunter2@h:80"])
def test_credentials_in_the_host_are_not_repeated(host: str) -> None:
    with pytest.raises(session.NoServerError, match="holds credentials") as caught:
        session.LoadSession(read({}), host)
    assert "hunter2" not in str(caught.value)


def test_names_of_models_are_harmless_on_a_terminal() -> None:
    body = json.dumps({"data": [{"id": "a\x1b[31m"}, {"id": "b" * 5000}]}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with scripted(head, body) as server, pytest.raises(session.NoServerError, match="name one with") as caught:
        session.LoadSession(read({}), server.url)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
