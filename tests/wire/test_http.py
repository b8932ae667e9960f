"""The transport against servers that do their worst: it comes back in time, with the bytes, and never raises."""

from __future__ import annotations

import base64
import contextlib
import gzip
import select
import socket
import time

import pytest

from seatrial.wire.decoding.errors import ERRORS
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.http import Client, Prepared, Recording

from .exchanges import GZIP, answer, assembled, chunk, chunked, delta, event
from .servers import Script, say, serving, take_request

CHAT = Prepared("POST", "/chat/completions", b'{"a":1}', (("Content-Type", "application/json"),))
KEY = "sk-live-0123456789"
STREAM = chunked(event({"id": 1}), event(b"[DONE]"))


def exchange(script: Script, request: Prepared = CHAT, **settings: object) -> Recording:
    with serving(script) as url, Client(url, **{"deadline_s": 60, "idle_s": 5} | settings) as client:  # type: ignore[arg-type]
        recording = client.exchange(request)
    assert recording.error in ERRORS | {""}
    assert sum(length for _, length in recording.frames) == len(recording.response)
    assert bool(recording.detail) >= bool(recording.error), "an error says what happened"
    return recording


def drip(head: bytes, byte: bytes) -> Script:
    """Answer with the head, then a byte every 20 ms, without end."""

    def script(peer: socket.socket) -> None:
        take_request(peer)
        peer.sendall(head)
        peer.settimeout(0.02)
        while True:
            peer.sendall(byte)
            with contextlib.suppress(TimeoutError):
                if not peer.recv(1):
                    return

    return script


def pour(head: bytes, block: bytes) -> Script:
    """Answer with the head, then the block over and over, as fast as it is taken."""

    def script(peer: socket.socket) -> None:
        take_request(peer)
        peer.sendall(head)
        while True:
            peer.sendall(block)

    return script


def hold(*pieces: bytes) -> Script:
    """Answer with the pieces, then keep the connection open and say nothing until the client leaves."""

    def script(peer: socket.socket) -> None:
        say(*pieces)(peer)
        peer.recv(1)

    return script


def break_off(peer: socket.socket) -> None:
    take_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_bytes_are_recorded_as_they_came() -> None:
    recording = exchange(say(STREAM))
    assert (recording.response, recording.error, recording.detail) == (STREAM, "", "")
    assert recording.sent_at <= recording.frames[0][0] <= recording.ended_at
    x = assembled(recording.response, recording.frames)
    assert (len(x.chunks), x.last_chunk, x.fault) == (2, True, "")


def test_the_request_is_recorded_as_the_server_got_it() -> None:
    got = []

    def script(peer: socket.socket) -> None:
        got.append(take_request(peer))
        peer.sendall(answer(b"{}"))

    recording = exchange(script, headers={"X-Mine": "1", "accept": "*/*"})
    assert [recording.request] == [raw.replace(b"X-Mine: 1", b"X-Mine: *") for raw in got]
    head = got[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"POST /v1/chat/completions HTTP/1.1"
    assert {b"Connection: close", b"X-Mine: 1", b"accept: */*", b"Accept-Encoding: identity"} <= set(head)
    assert b"Content-Length: 7" in head


def test_paths_below_the_base_and_from_the_root() -> None:
    for path, target in {"/models": b"GET /v1/models ", "//health": b"GET /health "}.items():
        assert exchange(say(answer(b"{}")), Prepared("GET", path)).request.startswith(target)


@pytest.mark.parametrize(
    ("script", "word"),
    [
        pytest.param(lambda peer: None, "reset or cut", id="closed-unread"),
        pytest.param(say(), "cut", id="nothing"),
        pytest.param(say(answer(b"{}")[:-1]), "cut", id="length-short"),
        pytest.param(say(STREAM[:-5]), "cut", id="no-last-chunk"),
        pytest.param(say(b"HTTP/1.1 200"), "cut", id="head-cut"),
        pytest.param(say(b"SSH-2.0-OpenSSH\r\n"), "not-http", id="another-protocol"),
        pytest.param(hold(b"220 mail ready\r\n"), "not-http", id="another-protocol-that-waits"),
        pytest.param(say(STREAM[:-5] + b"zz\r\n"), "not-http", id="bad-chunk-size"),
        pytest.param(break_off, "reset", id="reset"),
    ],
)
def test_how_it_went_wrong_is_one_word(script: Script, word: str) -> None:
    recording = exchange(script)
    assert recording.error in word.split(" or "), recording.detail


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", STREAM[:-5] + b"5000\r\n"], ids=["header", "body"])
def test_a_drip_ends_at_the_total_deadline(head: bytes) -> None:
    begin = time.monotonic()
    recording = exchange(drip(head, b"x"), deadline_s=0.5, idle_s=60)
    assert recording.error == "deadline", "the drip has no end"
    assert time.monotonic() - begin >= 0.5
    assert recording.response.startswith(head + b"x")


@pytest.mark.parametrize("said", [b"", STREAM[:-5]], ids=["nothing", "half"])
def test_silence_ends_at_the_idle_deadline(said: bytes) -> None:
    recording = exchange(hold(said), idle_s=0.3)
    assert (recording.error, recording.response) == ("idle", said)


def test_a_server_that_takes_no_request_ends_at_a_deadline() -> None:
    def script(peer: socket.socket) -> None:
        gone = select.poll()
        gone.register(peer, select.POLLRDHUP)
        gone.poll(10_000)

    large = Prepared("POST", "/chat/completions", b"x" * 50_000_000)
    assert exchange(script, large, idle_s=0.3, deadline_s=1).error in {"idle", "deadline"}


def test_an_endless_stream_ends_at_the_byte_cap() -> None:
    recording = exchange(pour(STREAM[:-5], chunk(delta("sea")) * 100), cap_bytes=1_000_000)
    assert (recording.error, len(recording.response)) == ("too-large", 1_000_000)


def test_a_giant_header_ends_long_before_its_end() -> None:
    recording = exchange(pour(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 100_000))
    assert recording.error == "too-large"
    assert len(recording.response) < 1_000_000


def test_endless_interim_answers_end_at_the_byte_cap() -> None:
    recording = exchange(pour(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), cap_bytes=1_000_000)
    assert recording.error == "too-large"
    assert assembled(recording.response).status is None


def test_a_gzip_bomb_is_recorded_as_it_is_and_inflated_within_bounds() -> None:
    bomb = answer(gzip.compress(b"\0" * 30_000_000), GZIP)
    recording = exchange(say(bomb))
    assert (recording.error, recording.response) == ("", bomb)
    assert "inflates to more than" in assembled(recording.response).fault


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with serving(say(answer(b"{}"))) as elsewhere:
        raw = answer(b"", b"Location: %s/models\r\n" % elsewhere.encode(), b"307 Temporary Redirect")
        recording = exchange(say(raw))
    assert (recording.response, recording.error) == (raw, "")


def test_neither_proxy_nor_netrc_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert exchange(say(answer(b"{}"))).error == ""


def test_an_early_answer_to_a_large_request_is_read() -> None:
    def script(peer: socket.socket) -> None:
        peer.recv(1000)
        peer.sendall(answer(b"{}", status=b"413 Content Too Large"))
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(1_000_000):
            pass

    recording = exchange(script, Prepared("POST", "/chat/completions", b"x" * 5_000_000))
    assert assembled(recording.response).status == 413


def test_bytes_after_the_answer_are_seen() -> None:
    assert "4 bytes after the end" in assembled(exchange(say(STREAM, b"junk")).response).fault


def test_nobody_there() -> None:
    with serving(say()) as url:
        pass
    with Client(url) as client:
        assert client.exchange(CHAT).error == "refused"
    with Client("http://no-such-host.invalid") as client:
        assert client.exchange(CHAT).error == "unreachable"


def talk(*answers: bytes) -> Script:
    """An answer per request on the same connection."""

    def script(peer: socket.socket) -> None:
        for each in answers:
            if take_request(peer):
                peer.sendall(each)

    return script


def test_one_connection_is_kept() -> None:
    with serving(talk(answer(b"1"), STREAM, answer(b"3"))) as url, Client(url, keep_alive=True, idle_s=5) as client:
        recordings = [client.exchange(CHAT) for _ in range(3)]
    assert [r.connection for r in recordings] == [0, 1, 2]
    assert [assembled(r.response).body[:4] for r in recordings] == [b"1", b"data", b"3"]
    assert b"Connection: keep-alive" in recordings[0].request


def test_without_keep_alive_each_request_has_its_own_connection() -> None:
    with serving(talk(answer(b"1"))) as url, Client(url) as client:
        assert [client.exchange(CHAT).connection for _ in range(2)] == [0, 0]


def test_left_over_bytes_are_not_taken_for_the_next_answer() -> None:
    smuggled = answer(b'"smuggled"')
    with serving(talk(answer(b"1") + smuggled)) as url, Client(url, keep_alive=True, idle_s=5) as client:
        first, second = client.exchange(CHAT), client.exchange(CHAT)
    assert "bytes after the end" in assembled(first.response).fault
    assert second.connection == 0
    assert assembled(second.response).json == 1


def test_a_connection_the_server_has_closed_is_opened_anew() -> None:
    with serving(talk(answer(b"1"))) as url, Client(url, keep_alive=True, idle_s=5) as client:
        client.exchange(CHAT)
        second = client.exchange(CHAT)  # the end of file may still be on its way to us
    assert (second.connection, second.error) == (0, "")


def test_a_kept_connection_that_ends_under_a_request_costs_one_more_and_a_new_one_none() -> None:
    asked = []

    def ends(peer: socket.socket) -> None:
        """Answers the first request of all, and takes every other without an answer."""
        while take_request(peer):
            asked.append(1)
            if len(asked) > 1:
                return
            peer.sendall(answer(b"1"))

    with serving(ends) as url, Client(url, keep_alive=True, idle_s=5) as client:
        client.exchange(CHAT)
        second = client.exchange(CHAT)
        assert (second.connection, second.error, len(asked)) == (0, "cut", 3)
        assert client.exchange(CHAT).error == "cut"
        assert len(asked) == 4


def test_the_key_is_masked_wherever_it_comes_back() -> None:
    encoded = base64.b64encode(b"user:" + KEY.encode())
    pieces = [delta(KEY[:5]), delta(KEY[5:]), event({"error": f"bad key {KEY}", "basic": encoded.decode()})]
    recording = exchange(say(chunked(*pieces)), mask=Mask(KEY), authorization=f"Bearer {KEY}")
    assert b"Authorization: Bearer " + b"*" * len(KEY) in recording.request
    x = assembled(recording.response, recording.frames)
    assert "".join(c["delta"]["content"] for chunk in x.chunks for c in chunk.choices) == "*" * len(KEY)
    assert x.chunks[2].json["error"] == "bad key " + "*" * len(KEY)
    for held in (recording.request, recording.response, recording.detail.encode()):
        assert KEY.encode() not in held
        assert encoded not in held


def test_a_secret_header_is_masked_even_without_a_mask() -> None:
    raw = answer(b'{"you sent": "tok-secret"}')
    recording = exchange(say(raw), headers={"X-Api-Key": "tok-secret", "Authorization": "Bearer abc"})
    assert b"X-Api-Key: **********\r\n" in recording.request
    assert b"Authorization: Bearer ***\r\n" in recording.request
    assert assembled(recording.response).json == {"you sent": "*" * 10}


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        (None, b"Authorization: Bearer ***\r\n"),
        ("bearer {key}", b"Authorization: bearer ***\r\n"),
        ("Bearer {key-}", b"Authorization: ******\r\n"),  # too short to be looked for without its last character
        ("Bearer {key+}", b"Authorization: Bearer ***+\r\n"),
        ("Bearer nobody's", b"Authorization: Bearer nobody's\r\n"),
        ("", b""),
    ],
)
def test_a_request_may_have_another_authorization_than_the_operators_or_none(own: str | None, sent: bytes) -> None:
    """What is nobody's secret stays readable, and with it goes none of the operator's headers that may be one."""
    given = {"X-Auth-Token": "tok-secret", "Accept": "text/plain"}
    with Client("http://h", authorization="Bearer abc", headers=given) as client:
        head = client.request_bytes(Prepared("GET", "/", authorization=own))
    assert head.count(b"uthorization") == (1 if sent else 0)
    assert sent in head
    assert (b"X-Auth-Token" in head) is (own is None)
    assert b"Accept: text/plain" in head
    assert b"abc" not in head


def test_a_key_that_is_sent_cut_or_with_more_is_in_no_record() -> None:
    key = "sk-0123456789abcdef"
    echo = answer(b'{"you sent": "' + key[:-1].encode() + b'", "more": "' + key.encode() + b'x"}')
    with serving(say(echo)) as url, Client(url, mask=Mask(key), authorization=f"Bearer {key}") as client:
        for form, shown in (("{key-}", "*" * (len(key) - 2) + "-"), ("{key+}", "*" * len(key) + "+")):
            recording = client.exchange(Prepared("GET", "/", authorization=f"Bearer {form}"))
            assert f"Authorization: Bearer {shown}\r\n".encode() in recording.request
            assert b"sk-0" not in recording.request + recording.response
            told = {"you sent": "*" * (len(key) - 1), "more": "*" * len(key) + "x"}
            assert assembled(recording.response).json == told


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://h", "http://", "http://u:p@h", "http://h?q", "http://h:x"])
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url)


def test_a_header_that_cannot_be_sent() -> None:
    with pytest.raises(ValueError):
        Client("http://h", headers={"X": "a\r\nB: c"})
