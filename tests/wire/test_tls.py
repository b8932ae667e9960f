"""The same transport over TLS. Certificate and key in ``tls/`` are made for these tests and trusted nowhere."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from seatrial.wire.transports.http import Client, Prepared

from .exchanges import answer, assembled
from .servers import Script, say, serving

TLS = Path(__file__).parent / "tls"
CERTIFICATE = TLS / "cert.pem"
MODELS = Prepared("GET", "/models")


def over_tls(script: Script) -> Script:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, TLS / "key.pem")

    def wrapped(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            script(secure)
            with contextlib.suppress(OSError):
                secure.unwrap()

    return wrapped


def https(url: str) -> str:
    return url.replace("http://", "https://")


def test_an_answer_over_tls() -> None:
    with serving(over_tls(say(answer(b"[1]")))) as url, Client(https(url), ca=CERTIFICATE) as client:
        recording = client.exchange(MODELS)
    assert (recording.error, recording.detail) == ("", "")
    assert assembled(recording.response).json == [1]


def test_an_answer_cut_by_the_end_of_tls() -> None:
    with serving(over_tls(say(answer(b"[1]")[:-1]))) as url, Client(https(url), ca=CERTIFICATE) as client:
        assert client.exchange(MODELS).error == "cut"


def test_a_certificate_nobody_vouches_for() -> None:
    with serving(over_tls(say(answer(b"[1]")))) as url, Client(https(url)) as client:
        recording = client.exchange(MODELS)
    assert recording.error == "tls"
    assert "certificate is not trusted" in recording.detail


def test_a_server_that_does_not_speak_tls() -> None:
    with serving(say(answer(b"[1]"))) as url, Client(https(url), ca=CERTIFICATE, deadline_s=5) as client:
        assert client.exchange(MODELS).error in {"tls", "deadline", "idle"}


def test_a_handshake_that_never_comes_ends_at_the_deadline() -> None:
    def silent(peer: socket.socket) -> None:
        while peer.recv(65536):
            pass

    with serving(silent) as url, Client(https(url), ca=CERTIFICATE, deadline_s=0.4) as client:
        assert client.exchange(MODELS).error == "deadline"


def test_a_ca_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Client("https://h", ca=tmp_path / "none.pem")
