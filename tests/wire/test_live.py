"""An exchange that is read while it goes on: its pieces come as they are sent, and its recording is whole."""

import contextlib
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


AT_DONE = {
    "in one piece": [DONE],
    "in pieces of a chunk": [DONE[:9], DONE[9:]],
    "with words behind it": [DONE + chunk(b": " + b"kept alive " * 20 + b"\n\n")],
    "without its blank line": [chunk(b"data: [DONE]\n")],
}


@pytest.mark.parametrize("pieces", AT_DONE.values(), ids=AT_DONE)
def test_who_reads_lines_to_done_and_stops_has_the_whole_answer(pieces):
    """A loop that is left closes the generators that it stands on, as httpx's iter_lines are."""
    left = threading.Event()

    def script(peer: socket.socket) -> None:
        say(HEAD + WORD, *pieces)(peer)
        if left.wait(10):  # the end comes when nobody reads any more
            peer.sendall(END)

    with begun(script) as live:
        got = b""
        for piece in live.pieces():
            got += piece
            if b"[DONE]" in got:
                break
        left.set()
        recording = live.end()
    assert (recording.error, recording.detail) == ("", "")
    assert recording.response == HEAD + WORD + b"".join(pieces) + END


def silence(peer: socket.socket) -> None:
    peer.recv(1)  # until the client leaves


def drip(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:  # until the client leaves
            peer.sendall(chunk(b": kept alive\n\n"))
            peer.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                if not peer.recv(1):
                    return


@pytest.mark.parametrize("behind", [lambda peer: None, lambda peer: peer.sendall(b"no chunk\r\n"), silence, drip],
                         ids=["cut", "no chunk", "nothing", "for ever"])  # fmt: skip
def test_what_comes_behind_done_is_nothing_that_who_left_there_has_met(behind):
    def script(peer: socket.socket) -> None:
        take_request(peer)
        peer.sendall(HEAD + WORD + DONE)
        behind(peer)

    with begun(script, deadline_s=60, idle_s=60) as live:
        pieces = live.pieces()
        assert b"[DONE]" in next(pieces) + next(pieces)
        pieces.close()
        recording = live.end()
    assert recording.error == "left"
    assert recording.response.startswith(HEAD + WORD + DONE)


def test_who_reads_on_behind_done_meets_what_comes_there():
    with begun(say(HEAD + WORD + DONE)) as live:
        with pytest.raises(WireError):
            list(live.pieces())
        assert live.end().error == "cut"


def test_a_text_that_says_done_is_no_end():
    said = chunk(b'data: {"content": "data: [DONE]"}\n\n')
    with begun(lambda peer: (say(HEAD + said)(peer), silence(peer))) as live:
        next(live.pieces())
        assert live.end().error == "left"


def test_what_ends_a_reader_by_force_is_no_end_of_the_answer(monkeypatch):
    class Alarm(BaseException):
        pass

    def ring(_watch, _doing):
        raise Alarm

    with begun(lambda peer: (say(HEAD + WORD + DONE)(peer), silence(peer))) as live:
        pieces = live.pieces()
        next(pieces), next(pieces)
        monkeypatch.setattr("seatrial.wire.transports.bounded.Bounds.patience", ring)
        with pytest.raises(Alarm):
            next(pieces)
        assert live.end().error == "left"


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
