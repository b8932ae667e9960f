"""A recorded answer holds the key nowhere a reader could put it together from."""

from __future__ import annotations

import gzip
import json
import time
import zlib

import pytest

from seatrial.wire.masking import joined, placed
from seatrial.wire.masking import redact as redaction
from seatrial.wire.masking.mask import Mask
from seatrial.wire.masking.redact import redact

from .exchanges import GZIP, JSON_TYPE, STREAM_TYPE, answer, assembled, chunked, delta, event

KEY = "sk-live-0123456789abcdef"
MASK = Mask(KEY)


def shown(raw: bytes) -> bytes:
    """The answer as it is recorded; its length and framing unharmed."""
    masked, _ = redact(MASK, raw, "POST")
    assert len(masked) == len(raw)
    assert KEY.encode() not in masked
    return masked


def content(raw: bytes, index: int = 0, field: str = "content") -> str:
    deltas = [c for chunk in assembled(raw).chunks for c in chunk.choices if c["index"] == index]
    return "".join(c["delta"].get(field, "") for c in deltas)


def test_in_head_and_body() -> None:
    raw = answer(json.dumps({"error": f"wrong key {KEY}"}).encode(), b"X-Key: " + KEY.encode() + b"\r\n" + JSON_TYPE)
    x = assembled(shown(raw))
    assert x.json == {"error": "wrong key " + "*" * len(KEY)}
    assert x.header("x-key") == "*" * len(KEY)


def test_across_the_borders_of_chunks() -> None:
    body = json.dumps({"error": KEY}).encode()
    for cut in range(1, len(body)):
        x = assembled(shown(chunked(body[:cut], body[cut:], headers=JSON_TYPE)))
        assert (x.json, x.fault) == ({"error": "*" * len(KEY)}, "")


def test_a_byte_a_chunk() -> None:
    body = json.dumps({"error": KEY}).encode()
    raw = chunked(*[body[i : i + 1] for i in range(len(body))], headers=JSON_TYPE)
    assert assembled(shown(raw)).json == {"error": "*" * len(KEY)}


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_split_over_deltas(size: int, field: str) -> None:
    text = f"Your key is {KEY}, is it not? \u65e5"
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    raw = shown(chunked(*[delta(piece, field=field) for piece in pieces], event(b"[DONE]")))
    assert content(raw, field=field) == text.replace(KEY, "*" * len(KEY))


def test_split_over_deltas_of_interleaved_choices() -> None:
    pieces = [KEY[i : i + 5] for i in range(0, len(KEY), 5)]
    raw = shown(chunked(*[delta(piece, index) for piece in pieces for index in (1, 0)]))
    assert content(raw, 0) == content(raw, 1) == "*" * len(KEY)


def test_split_over_tool_arguments_and_tokens() -> None:
    call = [
        event({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": part}}]}}]})
        for part in (KEY[:9], KEY[9:])
    ]
    tokens = answer(
        json.dumps({"choices": [{"index": 0, "logprobs": {"content": [{"token": t} for t in KEY]}}]}).encode()
    )
    assert shown(chunked(*call)).count(b"*") == len(KEY)
    assert shown(tokens).count(b"*") == len(KEY)


def test_split_over_deltas_where_a_chunk_is_broken() -> None:
    raw = chunked(delta(KEY[:9]), b'data: {"choices":[{"index":0,"delta":{"content":"x\n\n', delta(KEY[9:]))
    assert shown(raw).count(b"*") == len(KEY), "who passes over the broken one joins the halves"
    raw = chunked(delta(KEY[:9]), b"data: {{{{\n\n", delta(KEY[9:]))
    assert shown(raw).count(b"*") == len(KEY)


def test_split_over_deltas_whose_index_is_absurd() -> None:
    index = b"9" * 5000
    halves = (b"sk-live-0123", b"456789abcdef")
    parts = [b'data: {"choices":[{"index":%s,"delta":{"content":"%s"}}]}\n\n' % (index, half) for half in halves]
    assert shown(chunked(*parts)).count(b"*") == len(KEY)


def test_escaped_in_deltas() -> None:
    parts = [f'{{"choices":[{{"index":0,"delta":{{"content":"\\u{ord(c):04x}"}}}}]}}'.encode() for c in KEY]
    assert content(shown(chunked(*map(event, parts)))) == "*" * (6 * len(KEY))


def test_other_pieces_are_left_alone() -> None:
    raw = chunked(delta(KEY[:9]), delta("-"), delta(KEY[9:]))
    assert redact(MASK, raw, "POST") == (raw, "")


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_compressed(coding: bytes) -> None:
    pack = gzip.compress if coding == b"gzip" else zlib.compress
    clean = answer(pack(b'{"a":1}'), JSON_TYPE + b"Content-Encoding: %s\r\n" % coding)
    assert redact(MASK, clean, "POST") == (clean, "")
    raw = answer(pack(json.dumps({"a": KEY}).encode()), JSON_TYPE + b"Content-Encoding: %s\r\n" % coding)
    masked, why = redact(MASK, raw, "POST")
    assert "holds the key" in why
    assert set(masked.partition(b"\r\n\r\n")[2]) == {ord("*")}
    assert assembled(masked).json is None


def test_split_over_compressed_deltas() -> None:
    body = gzip.compress(delta(KEY[:9]) + delta(KEY[9:]))
    masked, why = redact(MASK, chunked(body, headers=STREAM_TYPE + GZIP), "POST")
    assert "holds the key" in why
    assert body not in masked


def test_what_cannot_be_searched_is_withheld() -> None:
    bomb = gzip.compress(b"\0" * 40_000_000 + KEY.encode())
    masked, why = redact(MASK, answer(bomb, GZIP), "POST")
    assert "inflates to more than" in why
    assert masked.endswith(b"*" * 1000)
    assert "inflates to more than" in assembled(masked).fault, "what could be searched is still there"
    unknown, why = redact(MASK, answer(b"\x1b\0", b"Content-Encoding: br\r\n"), "POST")
    assert "br" in why
    assert unknown.endswith(b"**")


def test_what_lies_behind_the_cap_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "SEARCHED_CAP", 100)
    masked, why = redact(MASK, answer(b"x" * 150), "POST")
    assert masked.endswith(b"x" * 100 + b"*" * 50)
    assert "from byte 100" in why


def test_without_a_key_nothing_is_touched() -> None:
    raw = answer(KEY.encode())
    assert redact(Mask(None), raw, "POST") == (raw, "")


@pytest.mark.parametrize(
    "body",
    [b"[" * 500_000, b'{"a":' * 100_000, b'"' + b'\\"' * 500_000, b'["' * 200_000, b"1," * 300_000],
    ids=lambda b: b[:5],
)
def test_hostile_bodies_cost_no_more_than_their_length(body: bytes) -> None:
    begin = time.process_time()
    redact(MASK, answer(body), "POST")
    assert time.process_time() - begin < 10


def test_an_event_of_very_many_lines_ends() -> None:
    body = b"data:\n" * 200_000
    assert [len(document) for document in redaction._documents(body, "text/event-stream")] == [200_000]
    raw = answer(body, STREAM_TYPE)
    assert shown(raw) == raw


def halves(count: int) -> bytes:
    """One document that hands out the key so often, each time in two pieces."""
    pieces = [f"<{KEY[:9]}", f"{KEY[9:]}>"] * count
    return answer(json.dumps({"choices": [{"delta": {"content": piece}} for piece in pieces]}).encode())


def test_many_keys_in_pieces_of_one_document_are_blotted_out_and_no_more() -> None:
    raw = halves(300)
    masked = shown(raw)
    assert masked.count(b"*") == 300 * len(KEY)
    assert masked.count(b"<*********") == masked.count(b"*>") == 300


def test_a_document_with_more_keys_than_any_error_shows_is_withheld() -> None:
    masked = shown(halves(joined.HITS + 1))
    assert b"choices" not in masked
    assert masked.startswith(b"HTTP/1.1 200 OK")


def test_parts_of_a_text_are_found_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    text = placed.read(json.dumps("plain\u00e9\n\U0001f600\\" * 200).encode())
    wanted = [(at, at + 3) for at in range(0, len(text.encode()) - 3, 4)]
    decoded = placed._decoded
    calls: list[bytes] = []
    monkeypatch.setattr(placed, "_decoded", lambda raw: (calls.append(raw), decoded(raw))[1])
    first = text.parts(wanted[:1])
    once = len(calls)
    assert once > 0
    assert text.parts(wanted) == [*first, *(part for each in wanted[1:] for part in text.parts([each]))]
    assert len(calls) == once * (len(wanted) + 1)


def test_a_part_of_a_text_is_where_its_bytes_stand() -> None:
    text = placed.read(b'"ab\\u00e9cd\\ne"')
    places = {(0, 2): b"ab", (1, 5): b"b\\u00e9c", (3, 4): b"\\u00e9", (5, 7): b"d\\n", (7, 8): b"e"}
    for part, there in places.items():
        ((start, end),) = text.parts([part])
        assert b'"ab\\u00e9cd\\ne"'[start:end] == there
    assert text.parts([(0, 1), (3, 6)]) == [(1, 2), (3, 11)]


def test_a_text_whose_pieces_do_not_come_to_it_is_covered_whole() -> None:
    text = placed.read(b'"ab\\n\\q"')
    assert text.parts([(0, 1)]) == [text.span]


def test_a_span_of_many_lines_is_found_by_line() -> None:
    lines = joined._Lines(((10, 13), (20, 20), (30, 34)))
    assert list(lines.of((0, 9))) == [(10, 13), (30, 34)]
    assert list(lines.of((2, 6))) == [(12, 13), (30, 31)]
    assert list(lines.of((3, 5))) == []
    assert list(lines.of((6, 7))) == [(31, 32)]
