"""The reader against the WHATWG specification: specimens whole, byte by byte, cut anywhere, with trailing bytes."""

from __future__ import annotations

import re
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatrial.wire.decoding.errors import WireError
from seatrial.wire.decoding.sse import EVENT_CAP, STRAYS_CAP, Reader

Told = list[tuple[bytes, str]]

SPECIMENS = [
    pytest.param(b"data: a\n\n", [(b"a", "")], b"", id="one-event"),
    pytest.param(b"data: a\r\n\r\n", [(b"a", "")], b"", id="crlf"),
    pytest.param(b"data: a\r\r", [(b"a", "")], b"", id="cr"),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [(b"a", ""), (b"b", "")], b"", id="mixed-line-ends"),
    pytest.param(b"data: a\rdata: b\r\rdata: c\n\n", [(b"a\nb", ""), (b"c", "")], b"", id="cr-then-lf"),
    pytest.param(b"data:a\n\n", [(b"a", "")], b"", id="no-space"),
    pytest.param(b"data:  a\n\n", [(b" a", "")], b"", id="one-space-is-taken-off"),
    pytest.param(b"data: a\ndata: b\n\n", [(b"a\nb", "")], b"", id="multi-line"),
    pytest.param(b"data\n\n", [(b"", "")], b"", id="data-without-colon"),
    pytest.param(b"data:\n\n", [(b"", "")], b"", id="empty-data-is-an-event"),
    pytest.param(b"data\ndata\n\n", [(b"\n", "")], b"", id="two-empty-lines"),
    pytest.param(b": ping\n\ndata: a\n\n", [(b"a", "")], b"", id="comment"),
    pytest.param(b"event: x\n\ndata: a\n\n", [(b"a", "")], b"", id="type-without-data-is-forgotten"),
    pytest.param(b"event: error\ndata: a\n\n", [(b"a", "error")], b"", id="type"),
    pytest.param(b"id: 1\nretry: 5\ndata: a\n\n", [(b"a", "")], b"", id="id-and-retry"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [(b"a", "")], b"", id="bom"),
    pytest.param(b"\xef\xbb\xbf\ndata: a\n\n", [(b"a", "")], b"", id="bom-alone-on-its-line"),
    pytest.param(b"data: \xef\xbb\xbf\n\n", [(b"\xef\xbb\xbf", "")], b"", id="bom-in-data-stays"),
    pytest.param(b"\n\n\ndata: a\n\n\n\n", [(b"a", "")], b"", id="blank-lines"),
    pytest.param(b"data: a\n\ndata: b\n", [(b"a", "")], b"data: b\n", id="no-blank-line-at-the-end"),
    pytest.param(b"data: a\n\ndata: b", [(b"a", "")], b"data: b", id="cut-in-a-line"),
    pytest.param(b"data: \xff\xe6\x97\n\n", [(b"\xff\xe6\x97", "")], b"", id="broken-utf8-is-kept"),
    pytest.param(b"data: a\0b\n\n", [(b"a\0b", "")], b"", id="nul"),
    pytest.param("data: 日本🎉\u2028\x85\n\n".encode(), [("日本🎉\u2028\x85".encode(), "")], b"", id="other-line-ends"),
    pytest.param(b"data: [DONE]\n\n", [(b"[DONE]", "")], b"", id="done"),
    pytest.param(b"", [], b"", id="nothing"),
]


def told(stream: bytes, *cuts: int) -> tuple[Told, list[int], bytes, Reader]:
    """What a reader makes of a stream cut at these offsets: events, their ends, the tail."""
    reader = Reader()
    edges = [0, *sorted(cuts), len(stream)]
    events = [e for a, b in pairwise(edges) for e in reader.feed(stream[a:b])]
    return [(e.data, e.type) for e in events], [e.end for e in events], reader.tail, reader


def by_the_letter(stream: bytes) -> Told:
    """The specification's algorithm as it is written, over the whole stream."""
    events: Told = []
    data, kind = b"", b""
    text = stream.removeprefix(b"\xef\xbb\xbf")
    lines = re.split(rb"\r\n|\r|\n", text)[:-1]
    for line in lines:
        if not line:
            if data:
                events.append((data[:-1], kind.decode("utf-8", "replace")))
            data, kind = b"", b""
            continue
        if line[0:1] == b":":
            continue
        field, colon, value = line.partition(b":")
        value = value[1:] if colon and value[:1] == b" " else value
        if field == b"data":
            data += value + b"\n"
        elif field == b"event":
            kind = value
    return events


@pytest.mark.parametrize(("stream", "events", "tail"), SPECIMENS)
class TestSpecimen:
    def test_whole(self, stream: bytes, events: Told, tail: bytes) -> None:
        assert told(stream)[0] == events == by_the_letter(stream)
        assert told(stream)[2] == tail

    def test_byte_by_byte(self, stream: bytes, events: Told, tail: bytes) -> None:
        found, _, left, _ = told(stream, *range(len(stream)))
        assert (found, left) == (events, tail)

    def test_cut_in_two_anywhere(self, stream: bytes, events: Told, tail: bytes) -> None:
        for cut in range(len(stream) + 1):
            assert told(stream, cut)[0] == events, f"cut at {cut}"
            assert told(stream, cut)[2] == tail, f"cut at {cut}"

    def test_with_trailing_bytes(self, stream: bytes, events: Told, tail: bytes) -> None:
        found, _, left, _ = told(stream + b"data: mor", len(stream))
        assert found == events
        assert left == tail + b"data: mor"

    def test_after_another_event(self, stream: bytes, events: Told, tail: bytes) -> None:
        if not stream.startswith(b"\xef\xbb\xbf"):  # no byte order mark but at the start
            assert told(b"data: 0\n\n" + stream, 9)[0] == [(b"0", ""), *events]


TEXT = st.lists(
    st.sampled_from(
        [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"data: ", b"data", b":", b" ", b"event: e", b"id", b"x", b"{}",
         b"\xef\xbb\xbf", b"\xff", b"error: 1", b": c", b"retry: 1", b"data: a\n\n", b"data: b\r\n\r\n"]
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(TEXT, st.lists(st.integers(0, 200), max_size=12))
@example(b"data: a\r\n\r\ndata: b\r", [9, 10])
@example(b"data: a\n\n", [0, 0, 9])
@settings(max_examples=600)
def test_any_stream_cut_anyhow_reads_as_the_specification_says(stream: bytes, cuts: list[int]) -> None:
    cuts = [min(cut, len(stream)) for cut in cuts]
    events, ends, tail, reader = told(stream, *cuts)
    assert events == by_the_letter(stream)
    assert ends == sorted(ends)
    whole = Reader()
    whole.feed(stream)
    assert (reader.comments, reader.strays, reader.stray_count) == (whole.comments, whole.strays, whole.stray_count)
    assert stream.endswith(tail)
    for data, end in zip([data for data, _ in events], ends, strict=True):
        assert by_the_letter(stream[:end])[-1][0] == data, "an event's end is where its blank line ends"


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
@settings(max_examples=300)
def test_any_bytes_read_as_the_specification_says(stream: bytes, cuts: list[int]) -> None:
    assert told(stream, *[min(cut, len(stream)) for cut in cuts])[0] == by_the_letter(stream)


def test_an_unknown_field_is_not_swallowed() -> None:
    """llama.cpp once sent ``error: {...}``, which every client drops as the specification tells it to."""
    reader = Reader()
    assert reader.feed(b'error: {"code":500}\n\n{"error":1}\n\ndata: a\n\n')[0].data == b"a"
    assert reader.strays == [b'error: {"code":500}', b'{"error":1}']
    assert reader.stray_count == 2


def test_strays_are_counted_past_those_kept() -> None:
    reader = Reader()
    reader.feed(b"junk\n" * 1000)
    assert (len(reader.strays), reader.stray_count) == (STRAYS_CAP, 1000)


@pytest.mark.parametrize("read", [b"x" * 1000, b"data: x\n", b": x\r"], ids=["no-line-end", "no-blank-line", "cr"])
def test_an_endless_event_is_refused(read: bytes) -> None:
    reader = Reader(event_cap=100_000)
    reads = EVENT_CAP // len(read)
    with pytest.raises(WireError) as refused:
        deque((reader.feed(read) for _ in range(reads)), maxlen=0)
    assert refused.value.word == "too-large"
    assert len(reader.tail) <= 100_000 + len(read)
