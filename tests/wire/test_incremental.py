"""An answer read as it comes: however it is cut, it is what a reader of the whole recording finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.wire.decoding.framing import HEAD_CAP, lay_out
from seatrial.wire.decoding.incremental import LINE_CAP, TRAILERS_CAP, Incoming

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "chunks": CHUNKED + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
    "chunks that hold line ends": CHUNKED + b"9\r\n5\r\nab\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n",
    "a length": HEAD + b"Content-Length: 11\r\n\r\nhello world",
    "a length of nothing": HEAD + b"Content-Length: 0\r\n\r\n",
    "the end of the connection": HEAD + b"\r\nhello world",
    "no body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "1xx before it": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
    + CHUNKED
    + b"1\r\na\r\n0\r\n\r\n",
    "a cut chunk": CHUNKED + b"ff\r\nhello",
    "a cut size": CHUNKED + b"5\r\nhello\r\n1",
    "a missing last chunk": CHUNKED + b"5\r\nhello\r\n",
    "a cut last chunk": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "a length cut short": HEAD + b"Content-Length: 11\r\n\r\nhello",
    "no size": CHUNKED + b"5\r\nhello\r\nzz\r\nworld",
    "no line end after a chunk": CHUNKED + b"5\r\nhelloworld\r\n0\r\n\r\n",
    "a size that no number holds": CHUNKED + b"f" * 16 + b"\r\nhello",
    "a sign before a size": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
}


def read(raw: bytes, *cuts: int) -> tuple[Incoming, bytes]:
    answer, body, at = Incoming(), b"", 0
    for cut in (*sorted(cuts), len(raw)):
        body += answer.feed(raw[at:cut])
        at = cut
    return answer, body


@pytest.mark.parametrize("name", ANSWERS)
def test_every_cut_gives_what_the_whole_recording_holds(name: str) -> None:
    raw = ANSWERS[name]
    whole = lay_out(raw, "POST")
    broken = bool(whole.fault)
    for cuts in ([], *[[n] for n in range(len(raw))], range(len(raw))):
        answer, body = read(raw, *cuts)
        assert (answer.status, body) == (whole.status, whole.pieces.join()), cuts
        assert (bool(answer.fault) or not answer.ended()) == broken, (cuts, answer.fault)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=100, deadline=None)
def test_chunks_of_anything_however_they_arrive(pieces: list[bytes], cuts: list[int]) -> None:
    raw = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    answer, body = read(raw, *[cut for cut in cuts if cut <= len(raw)])
    assert (body, answer.complete, answer.fault) == (b"".join(pieces), True, "")


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=100, deadline=None)
def test_nothing_raises(noise: bytes, after_head: bool) -> None:
    raw = CHUNKED + noise if after_head else noise
    once, body = read(raw)
    again, same = read(raw, *range(len(raw)))
    assert (body, once.status, bool(once.fault)) == (same, again.status, bool(again.fault))


def test_what_came_before_a_fault_is_handed_out() -> None:
    answer, body = read(CHUNKED + b"5\r\nhello\r\nzz\r\nworld")
    assert body == b"hello"
    assert answer.fault == "no chunk size: b'zz\\r\\nworld'"
    assert answer.feed(b"5\r\nagain\r\n") == b"", "nothing is read behind it"


def test_what_follows_the_end_is_not_read() -> None:
    answer, body = read(HEAD + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n")
    assert (body, answer.status, answer.feed(b"more")) == (b"ok", 200, b"")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no status line"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "speaks HTTPS"),
        (b'{"error":1}', "a JSON text"),
        (b"HTTP/2 200\r\n\r\n", "no status line"),
        (b"HTTP/1.1 OK\r\n\r\n", "no status line"),
        (HEAD + b"X: aaaaaaaaaa\r\n" * (HEAD_CAP // 10), "the head of the answer is longer"),
        (HEAD + b"X: " + b"a" * LINE_CAP, "a line of the head is longer"),
        (HEAD + b"X: " + b"a" * LINE_CAP + b"\r\n\r\n", "a line of the head is longer"),
        (CHUNKED + b"0\r\nX: " + b"a" * TRAILERS_CAP, "the trailers are longer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, ""),
    ],
)
def test_what_is_no_answer_is_called_so(raw: bytes, said: str) -> None:
    answer, body = read(raw)
    assert said in answer.fault
    assert (bool(answer.fault), answer.ended(), body) == (bool(said), False, b"")


def test_headers_are_read_as_clients_read_them() -> None:
    answer, body = read(b"HTTP/1.0  200\nCONTENT-TYPE : a\nContent-Type: b\n folded: c\nContent-Length: 2\n\nok")
    assert (answer.status, answer.reason, body, answer.complete) == (200, "", b"ok", True)
    assert answer.headers["content-type"] == "a"
    answer, body = read(HEAD + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
    assert (body, answer.complete) == (b"a", True)
    answer, _ = read(HEAD + b"Content-Length: many\r\n\r\na")
    assert answer.ended(), "a length that is none leaves the end of the connection"
