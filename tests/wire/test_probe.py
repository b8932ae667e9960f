"""The monitor's transport against servers that do what they should not: always an answer, always in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from seatrial.wire.decoding.errors import ERRORS
from seatrial.wire.transports import probe
from tests.faults.pace import pace
from tests.wire.servers import serving, take_request


@contextmanager
def talker(talk: Callable[[socket.socket], None]):
    """A server of raw bytes: one connection, one ``talk``."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                peer, _ = server.accept()
                with peer:
                    peer.settimeout(10)
                    peer.recv(4096)
                    talk(peer)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/health"
    thread.join(10)


def saying(data: bytes, *, shut: bool = True) -> Callable[[socket.socket], None]:
    def talk(peer: socket.socket) -> None:
        peer.sendall(data)
        if not shut:
            peer.recv(1)

    return talk


def dripping(peer: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000:
        peer.sendall(bytes([byte]))
        pace(0.02)


def endless(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        peer.sendall(b"x" * 4096)


ANSWERS = {
    "whole": (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", shut=False), 200, b"ok", ""),
    "until the end": (saying(b"HTTP/1.0 503 Loading\r\n\r\nwait"), 503, b"wait", ""),
    "chunked": (saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), 200, b"ok", ""),
    "keep-alive held open": (
        saying(b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n", shut=False), 200, b"", ""),
    "a redirect": (saying(b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\n\r\n"), 302, b"", ""),
    "nothing": (saying(b""), None, b"", "cut"),
    "silence": (saying(b"", shut=False), None, b"", "deadline"),
    "a drip": (dripping, None, b"", "deadline"),
    "an endless body": (endless, 200, None, "too-large"),
    "ssh": (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), None, b"", "not-http"),
    "a huge header": (saying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n"), None, b"", "not-http"),
    "a thousand headers": (saying(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000 + b"\r\n"), None, b"", "not-http"),
    "a lying length": (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort"), 200, b"short", "cut"),
    "bad chunks": (saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), 200, b"", "cut"),
    "zeros": (saying(b"\0" * 1000), None, b"", "not-http"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_a_server_says_is_an_answer_in_time(name):
    talk, status, body, error = ANSWERS[name]
    with talker(talk) as url:
        answer = probe.get(url, deadline_s=0.5 if error == "deadline" else 20)
    assert (answer.status, answer.error) == (status, error), answer.detail
    assert body is None or answer.body == body
    assert answer.error in {"", *ERRORS}
    assert len(answer.body) <= probe.CAP
    assert answer.error != "deadline" or answer.took_ns >= 10**9 // 2


def test_its_headers_are_told():
    with talker(saying(b"HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nX-A: 1\r\nx-a: 2\r\n\r\n")) as url:
        assert probe.get(url, deadline_s=20).headers == {"server": "llama.cpp", "x-a": "2"}


def wide(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"x: " + b"y" * 60_000 + b"\r\n")


def test_headers_are_bounded_together():
    with talker(wide) as url:
        answer = probe.get(url, deadline_s=20, cap=1000)
    assert (answer.status, answer.error) == (None, "too-large")


def test_the_operators_headers_are_sent():
    heard: list[bytes] = []

    def script(peer: socket.socket) -> None:
        heard.append(take_request(peer))
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with serving(script) as url:
        probe.get(url, deadline_s=20, headers={"Authorization": "Bearer k"})
    assert b"Authorization: Bearer k\r\n" in heard[0]


def test_a_header_that_cannot_be_sent_is_no_exception():
    with talker(saying(b"")) as url:
        assert probe.get(url, deadline_s=20, headers={"X-A": "a\nb"}).error == "not-http"


def test_where_nobody_listens_it_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert probe.get(f"http://127.0.0.1:{port}/", deadline_s=20).error == "refused"


def test_a_plain_server_under_https_is_a_tls_error():
    with talker(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as url:
        assert probe.get(url.replace("http:", "https:"), deadline_s=20).error == "tls"


def test_a_name_that_does_not_resolve_is_unreachable():
    assert probe.get("http://nobody.invalid/", deadline_s=20).error == "unreachable"


@pytest.mark.parametrize("url", ["ftp://h/", "http:///x", "nonsense"])
def test_a_url_that_is_none_is_the_callers_fault(url):
    with pytest.raises(ValueError, match="no http or https URL"):
        probe.get(url, deadline_s=20)
