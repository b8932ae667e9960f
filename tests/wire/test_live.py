"""An exchange that is read while it goes on: its pieces come as they are sent, and its recording is whole."""

import socket
import threading
from contextlib import contextmanager

import pytest

from seatrial.wire.decoding.errors import WireError
from seatrial.wire.masking.mask import Mask
from seatrial.wire.transports.http import Prepared
from seatrial.wire.transports.live import LiveClient
from tests.wire.servers import say, serving, take_request

ASK = Prepared("POST", "/chat/completions", b"{}")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


WORD, DONE, END = chunk(b"data: 1\n\n"), chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n"


@contextmanager
def begun(script, *secrets: str, deadline_s: float = 5, idle_s: float = 5):
    with serving(script) as url, LiveClient(url, mask=Mask(*secrets)) as client:
        yield client.begin(ASK, deadline_s=deadline_s, idle_s=idle_s)


def test_a_piece_is_there_before_the_next_is_sent():
    heard = threading.Event()

    def script(peer: socket.socket) -> None:
        take_request(peer)
        peer.sendall(HEAD + WORD)
        if heard.wait(10):  # who reads has to have the first word by then
            peer.sendall(DONE + END)

    with begun(script) as live:
        pieces = live.pieces()
        assert next(pieces) == b"data: 1\n\n"
        heard.set()
        assert b"".join(pieces) == b"data: [DONE]\n\n"
        recording = live.end()
    assert (live.status, recording.error) == (200, "")
    assert recording.response == HEAD + WORD + DONE + END
    assert sum(length for _, length in recording.frames) == len(recording.response)
    assert live.end() is recording


def test_what_follows_the_end_of_a_stream_is_recorded_though_nobody_reads_it():
    with begun(say(HEAD + WORD + DONE, END)) as live:
        pieces = live.pieces()
        assert (next(pieces), next(pieces)) == (b"data: 1\n\n", b"data: [DONE]\n\n")
        recording = live.end()
    assert (recording.error, recording.response[-5:]) == ("", END)


def test_who_closes_it_has_left():
    with begun(say(HEAD + WORD + WORD)) as live:
        next(live.pieces())
        recording = live.end()
    assert recording.error == "left"
    assert recording.response.startswith(HEAD + WORD)


@pytest.mark.parametrize(
    ("answer", "word"),
    [(HEAD + WORD, "cut"), (b"SSH-2.0\r\n", "not-http"), (b"", "cut")],
    ids=["cut", "not-http", "nothing"],
)
def test_an_end_that_is_none_is_told_in_the_words_of_the_record(answer, word):
    with begun(say(answer)) as live:
        if live.failure is None:
            with pytest.raises(WireError):
                list(live.pieces())
        assert live.end().error == word


def test_an_exchange_is_no_longer_than_its_deadline():
    def silent(peer: socket.socket) -> None:
        take_request(peer)
        peer.recv(1)  # until the client leaves

    with begun(silent, deadline_s=0.05) as live:
        assert live.end().error == "deadline"


def test_the_recording_is_masked_and_what_the_caller_reads_is_not():
    with begun(say(HEAD + chunk(b"data: sk-secret-key\n\n") + END), "sk-secret-key") as live:
        assert b"".join(live.pieces()) == b"data: sk-secret-key\n\n"
        assert b"sk-secret-key" not in live.end().response
