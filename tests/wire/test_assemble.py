"""Assembly: right on what is right, exact about what is broken, and never beside itself."""

from __future__ import annotations

import json
import time
import tracemalloc

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.records import Received
from seatrial.wire.decoding import assemble as assembly
from seatrial.wire.decoding import framing
from seatrial.wire.decoding.assemble import assemble

from .exchanges import JSON_TYPE, STREAM_TYPE, answer, assembled, chunk, chunked, event

STREAM = chunked(event({"id": 1}), b": ping\n\n", event({"finish_reason": "stop"}), event(b"[DONE]"))


def test_a_json_answer() -> None:
    x = assembled(answer(b'{"a":"\xc3\xa9"}', b"X-Two: 1\r\nx-two: 2\r\n" + JSON_TYPE, b"201 Well made"))
    assert (x.status, x.reason, x.http_version) == (201, "Well made", "HTTP/1.1")
    assert x.headers[:2] == (("x-two", "1"), ("x-two", "2"))
    assert (x.json, x.body, x.fault) == ({"a": "é"}, b'{"a":"\xc3\xa9"}', "")
    assert (x.chunked, x.chunks, x.tail) == (False, (), b"")


def test_the_request_is_read_back() -> None:
    x = assembled(answer(b"{}"))
    assert x.request_headers == (("host", "h"), ("x-a", "b: c"), ("content-length", "7"))
    assert (x.request_body, x.request_json) == (b'{"a":1}', {"a": 1})


def test_a_stream() -> None:
    x = assembled(STREAM)
    assert [c.json for c in x.chunks] == [{"id": 1}, {"finish_reason": "stop"}, None]
    assert [c.done for c in x.chunks] == [False, False, True]
    assert [c.index for c in x.chunks] == [0, 1, 2]
    assert (x.comments, x.tail, x.fault, x.chunked, x.last_chunk, x.json) == (1, b"", "", True, True, None)


def test_an_event_has_the_time_of_the_read_that_ended_it() -> None:
    first, second = event({"a": 1}), event({"b": 2})
    raw = chunked(first[:5], first[5:] + second[:1], second[1:])
    cuts = [raw.index(first[:5]) + 2, raw.index(first[5:]), raw.index(second[1:]) + len(second) - 2, len(raw)]
    frames = [((i + 1) * 100, b - a) for i, (a, b) in enumerate(zip([0, *cuts], cuts, strict=False))]
    assert [c.at for c in assembled(raw, frames).chunks] == [300, 400]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(chunked(event(b"1"), last=b""), "the last chunk is missing", id="no-last-chunk"),
        pytest.param(chunked(event(b"1"))[:-2], "the last chunk has no end", id="last-chunk-cut"),
        pytest.param(chunked(event(b"1"), last=b"0"), "the last chunk is missing", id="cut-in-a-size"),
        pytest.param(chunked(event(b"1"))[:-11], "cut 4 bytes short", id="chunk-cut"),
        pytest.param(chunked(event(b"1")) + b"HTTP/1.1 200", "12 bytes after the end", id="bytes-after-it"),
        pytest.param(chunked(event(b"1"), last=b"x\r\n"), "no chunk size at byte 94: b'x", id="bad-size"),
        pytest.param(chunked(event(b"1"), last=b"-1\r\n"), "no chunk size", id="negative-size"),
        pytest.param(chunked(event(b"1"), last=b"0x1\r\na\r\n"), "no chunk size", id="0x-size"),
        pytest.param(chunked(event(b"1"), last=b"5\r\nabcdefg"), "no line end after the chunk", id="chunk-too-long"),
        pytest.param(answer(b"{}")[:-1], "content-length says 2 bytes, 1 came", id="length-short"),
        pytest.param(answer(b"{}") + b"{}", "2 bytes after the end of the answer: b'{}'", id="length-long"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\r\n", "head of the answer is cut: 23 bytes", id="head-cut"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", "not HTTP: the first line is no status line", id="not-http"),
        pytest.param(b"SSH-2.0-x\r\n", "not HTTP: the answer begins with 'SSH-2.0-x'", id="not-http-cut"),
        pytest.param(b"ICY 200 OK\r\n\r\n", "not HTTP: the first line is no status line", id="icy"),
        pytest.param(b"\x15\x03\x01\0\x02\x02F", "not HTTP: a TLS record (bytes 15 03 01): the port sp", id="tls"),
        pytest.param(b"\0\0\x12\x04" + b"\0" * 23, "not HTTP: an HTTP/2 frame", id="http2"),
        pytest.param(b'{"a": 1}', 'not HTTP: a JSON text without status line and headers: \'{"a"', id="no-head"),
        pytest.param(b"data: [DONE]\n\n", "not HTTP: an event stream without status line", id="no-head-sse"),
        pytest.param(b"\r\nHTTP/1.1 200 OK\r\n\r\n", "not HTTP: an empty line stands before the s", id="blank"),
        pytest.param(
            answer(b"{}", b"Bad : 1\r\n"), "not HTTP: a header line is not NAME: VALUE: 'Bad : 1'", id="header"
        ),
        pytest.param(answer(b"{}", b"Content-Length: 7\r\n"), "different lengths: '7', '2'", id="two-lengths"),
        pytest.param(
            answer(b"", b"Content-Length: x\r\n"), "Content-Length is no number of bytes: 'x'", id="no-length"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "other than chunked, which no request", id="coding"
        ),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", "not HTTP: 101 Switching Protocols, which", id="switch"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000, "head is longer than 102400", id="giant-header"),
        pytest.param(answer(b"{"), "not JSON", id="cut-json"),
        pytest.param(answer(b'{"a":NaN}'), "not JSON", id="nan"),
        pytest.param(answer(b'{"a":"\xff"}'), "not UTF-8: byte 6", id="not-utf8"),
        pytest.param(answer(b"<html>"), "not JSON", id="html"),
        pytest.param(answer(b"[" * 100_000), "not JSON", id="deep"),
        pytest.param(answer(b""), "empty", id="empty"),
        pytest.param(answer(b"error: no\n\ndata: 1\n\n", STREAM_TYPE), "1 lines are no part of an event", id="stray"),
    ],
)
def test_what_is_broken_is_named(raw: bytes, fault: str) -> None:
    assert fault in assembled(raw).fault


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b'"\xff"', "not UTF-8"),
        (b'"\\ud800"', "not JSON"),
        (b"[DONE] ", "not JSON"),
    ],
    ids=["empty", "cut", "not-utf8", "lone-surrogate", "almost-done"],
)
def test_an_event_that_does_not_decode_says_why(data: bytes, fault: str) -> None:
    [chunk] = assembled(chunked(event(data))).chunks
    assert (chunk.json, chunk.done) == (None, False)
    assert fault in chunk.fault


def test_a_body_that_may_be_absent_is_not_missed() -> None:
    assert assembled(b"HTTP/1.1 204 No Content\r\n\r\n").fault == ""
    assert assembled(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method="HEAD").fault == ""
    assert assembled(b"").fault == ""
    assert assembled(b"").status is None


def test_interim_answers_are_passed_over() -> None:
    x = assembled(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"{}"))
    assert (x.status, x.json, x.fault) == (200, {}, "")


def test_a_body_that_ends_with_the_connection() -> None:
    assert assembled(b"HTTP/1.0 200 OK\r\n" + JSON_TYPE + b"\r\n[1]").json == [1]


def test_chunk_extensions_and_trailers() -> None:
    raw = chunked(headers=JSON_TYPE, last=b'2;a="b"\r\n{}\r\n000\r\nDigest: x\r\n\r\n')
    x = assembled(raw)
    assert (x.json, x.fault, x.last_chunk) == ({}, "", True)


def test_bytes_edited_since_are_read_as_they_are() -> None:
    x = assembled(STREAM.replace(b"stop", b"stpp"))
    assert (x.chunks[1].json, x.fault) == ({"finish_reason": "stpp"}, "")
    assert "no line end after the chunk" in assembled(STREAM.replace(b"stop", b"stopp")).fault


def test_a_dropped_answer() -> None:
    line = Received(
        id="a-1", endpoint="e", scenario="s", method="GET", path="/", request=(0, 0), response=(0, 0), dropped=True
    )
    assert assemble(line, b"", b"").dropped


def test_what_grows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "EVENTS_CAP", 10)
    monkeypatch.setattr(assembly, "JSON_CAP", 10)
    monkeypatch.setattr(framing, "CHUNKS_CAP", 10)
    x = assembled(answer(event(b"1") * 20, STREAM_TYPE))
    assert (len(x.chunks), x.fault) == (10, "more than 10 events: the 90 bytes after them are not read")
    assert [c.data for c in x.chunks] == ["1"] * 10
    assert "more than 10 are not decoded" in assembled(answer(json.dumps("x" * 20).encode())).fault
    assert "more than 10 chunks" in assembled(chunked(*[b"x"] * 20)).fault


@pytest.mark.parametrize(
    ("unit", "kept", "fault"),
    [
        (b"data\n\n", assembly.EVENTS_CAP, f"more than {assembly.EVENTS_CAP} events"),
        (b":\n", 0, f"more than {assembly.LINES_CAP} lines"),
        (b"data\n", 0, f"more than {assembly.LINES_CAP} lines"),
        (b"x\r", 0, f"more than {assembly.LINES_CAP} lines"),
        (b"x", 0, "an event is longer than 16777216 bytes"),
    ],
    ids=["events", "comments", "lines of one event", "strays", "one line"],
)
def test_an_endless_stream_of_tiny_parts_is_read_to_a_cap(unit: bytes, kept: int, fault: str) -> None:
    body = unit * (20 * 1024 * 1024 // len(unit))
    began = time.process_time()
    x = assembled(answer(body, STREAM_TYPE))
    assert time.process_time() - began < 10
    assert (len(x.chunks), x.tail) == (kept, b"")
    assert fault in x.fault
    assert "not read" in x.fault


def test_the_reader_holds_no_more_than_its_cap_of_events() -> None:
    short, long = (_peak(b"data: 1\n\n" * count) for count in (40_000, 400_000))
    assert long < 2 * short + 20 * 1024 * 1024  # the body itself, joined


def _peak(body: bytes) -> int:
    """Bytes that reading the events of a body takes at most, with a cap that both bodies pass."""
    tracemalloc.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(assembly, "EVENTS_CAP", 20_000)
            assembled(answer(body, STREAM_TYPE))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_cut_between_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = answer(b"data: 1\r\n\r\ndata: 2\r\n\r\n: c\r\n\r\ndata: 3\r\n\r\ndata", STREAM_TYPE)
    frames = [(i, 1) for i in range(len(raw))]
    whole = assembled(raw, frames)
    for size in range(1, 12):
        monkeypatch.setattr(assembly, "SLICE", size)
        assert assembled(raw, frames) == whole


ANY_ANSWER = st.one_of(
    st.binary(max_size=400),
    st.builds(
        b"".join,
        st.lists(
            st.sampled_from(
                [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"Transfer-Encoding: chunked\r\n", STREAM_TYPE,
                 b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"Content-Length: 5\r\n", JSON_TYPE,
                 b"\r\n", chunk(event(b"{}")), b"0\r\n\r\n", b"data: 1\n\n", b"fffffffff\r\n", b"{}", b"\x1f\x8b\x08"]
            ),
            max_size=12,
        ),
    ),
)  # fmt: skip


@given(ANY_ANSWER, st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 500)), max_size=5), st.binary(max_size=60))
@example(b"HTTP/1.1 101 S\r\n\r\nabc", [], b"")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\n", [], b"")
@settings(max_examples=500)
def test_no_bytes_raise_and_all_can_be_written_down(raw: bytes, frames: list[tuple[int, int]], request: bytes) -> None:
    for method in ("POST", "HEAD", "CONNECT", "ß!"):
        x = assembled(raw, frames, method=method, request=request)
        assert x.raw == raw
        msgspec.json.encode(x)


@given(st.binary(max_size=200), st.integers(0, 220), st.integers(0, 255))
@settings(max_examples=200)
def test_one_changed_byte_of_a_stream_never_raises(junk: bytes, at: int, byte: int) -> None:
    raw = bytearray(STREAM + junk)
    raw[at % len(raw)] = byte
    assert assembled(bytes(raw)).raw == bytes(raw)
