"""Masks a recorded answer wherever its key could be read: in its bytes, across the borders of reads and chunks, in
what a compressed body inflates to, and where a stream hands it out in pieces.

Each is a view: bytes joined from pieces of a base. What is found in a view is blotted out in the answer's raw bytes,
which keep their length, so that the times of reads and the framing still fit. Compressed bytes cannot be blotted out
in part: where they hold the key, or cannot be inspected, the body is withheld whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from seatrial.wire.decoding.framing import Layout, Pieces, lay_out
from seatrial.wire.decoding.inflate import inflate, is_encoded
from seatrial.wire.masking.mask import Mask, Span, blot

SEARCHED_CAP = 4 * 1024 * 1024
"""Bytes of a body that are searched for a key in pieces (broken JSON costs seconds); what lies behind is withheld."""

DEPTH_CAP = 64
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_DATA_LINE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))data: ?([^\r\n]*)")
_NO_KEY = b""


def redact(mask: Mask, raw: bytes, method: str) -> tuple[bytes, str]:
    """The answer with every secret blotted out, same length; and, where a body was withheld, why."""
    if not mask or not raw:
        return raw, ""
    layout = lay_out(raw, method)
    body = layout.pieces.join()
    if is_encoded(layout.header("content-encoding")) and body:
        return _redact_encoded(mask, raw, layout)
    found = mask.find(raw)
    for start, end in _in_body(mask, body[:SEARCHED_CAP], layout.header("content-type")):
        found += layout.pieces.spans(start, end)
    if len(body) <= SEARCHED_CAP:
        return blot(raw, found), ""
    found += layout.pieces.spans(SEARCHED_CAP, len(body))
    return blot(raw, found), f"the body is withheld from byte {SEARCHED_CAP}: no more is searched for the key"


def _redact_encoded(mask: Mask, raw: bytes, layout: Layout) -> tuple[bytes, str]:
    coding = layout.header("content-encoding")
    inflated = inflate(coding, (piece for _, piece in layout.pieces.items()))
    found = mask.find(raw)
    why = ""
    if any(True for _ in _in_body(mask, inflated.body, layout.header("content-type"))):
        why, clear = f"it holds the key and is encoded ({coding})", 0
    elif inflated.inspected < layout.pieces.length:
        why, clear = f"not all of it could be searched for the key ({inflated.fault or coding})", inflated.inspected
    if why:
        found += layout.pieces.spans(clear, layout.pieces.length)
        why = f"the body is withheld from byte {clear}: {why}"
    return blot(raw, found), why


def _in_body(mask: Mask, body: bytes, content_type: str) -> Iterator[Span]:
    """Spans of secrets in a decoded body: as it stands, and in the strings of its JSON joined by where they stand."""
    yield from mask.find(body)
    media = content_type.partition(";")[0].strip().lower()
    if media == "text/event-stream":
        documents = [match.span(1) for match in _DATA_LINE.finditer(body)]
    else:
        documents = [(0, len(body))]
    if not _any_joined(mask, body, documents):
        return
    channels: dict[tuple[bytes, ...], Pieces] = {}
    for low, high in documents:
        for channel, start, end in _strings(body, low, high):
            channels.setdefault(channel, Pieces()).add(body, start, end)
    for pieces in channels.values():
        for start, end in mask.find(pieces.join()):
            yield from pieces.spans(start, end)


def _any_joined(mask: Mask, body: bytes, documents: list[Span]) -> bool:
    """Whether joined strings hold a secret: what :func:`_strings` tells exactly, decoded and so ten times faster."""
    joined: dict[tuple[str, ...], list[str]] = {}
    for low, high in documents:
        if body[low:high] == b"[DONE]":
            continue
        try:
            _collect(msgspec.json.decode(body[low:high]), (), joined)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            for channel, start, end in _strings(body, low, high):
                steps = tuple(step.strip(b'"').decode("utf-8", "replace") for step in channel)
                joined.setdefault(steps, []).append(body[start:end].decode("utf-8", "replace"))
    return any(mask.find("".join(texts).encode("utf-8", "surrogatepass")) for texts in joined.values())


def _collect(value: Any, channel: tuple[str, ...], joined: dict[tuple[str, ...], list[str]]) -> None:
    """Sort the strings of decoded JSON by channel, as :func:`_strings` does."""
    if isinstance(value, str):
        joined.setdefault(channel, []).append(value)
    elif isinstance(value, dict):
        for key, each in value.items():
            _collect(each, (*channel, key), joined)
    elif isinstance(value, list):
        for each in value:
            index = each.get("index") if isinstance(each, dict) else None
            _collect(each, (*channel, str(index)) if isinstance(index, int) else channel, joined)


def _strings(body: bytes, low: int, high: int) -> list[tuple[tuple[bytes, ...], int, int]]:
    """(channel, start, end) of each string value of a JSON text, quotes left out.

    A channel is the string's path without array positions, but with the ``index`` of objects that have one: the
    deltas of one choice, the tokens of one list of logprobs. Tolerant: broken JSON gives what can be read of it.
    """
    found: list[tuple[tuple[bytes, ...], int, int]] = []
    index_of: dict[tuple[bytes, ...], bytes] = {}
    path: list[bytes] = []  # the key, or the position, in each open object or array
    arrays: list[bool] = []
    at_key = False
    for match in _TOKEN.finditer(body, low, high):
        token = match[0]
        if token in b"{[":
            path.append(b"0" if token == b"[" else _NO_KEY)
            arrays.append(token == b"[")
            at_key = token == b"{"
        elif token in b"}]":
            if path:
                path.pop()
                arrays.pop()
            at_key = False
        elif token == b",":
            at_key = bool(arrays) and not arrays[-1]
            if arrays and arrays[-1]:
                path[-1] = b"%d" % (int(path[-1]) + 1)
        elif token == b":":
            at_key = False
        elif at_key:
            path[-1] = token
        elif token.startswith(b'"'):
            found.append((tuple(path[:DEPTH_CAP]), *match.span(1)))
        elif path and path[-1] == b'"index"':
            index_of[tuple(path[:-1][:DEPTH_CAP])] = token
    channels = {path: _channel(path, index_of) for path in {path for path, _, _ in found}}
    return [(channels[path], start, end) for path, start, end in found]


def _channel(path: tuple[bytes, ...], index_of: dict[tuple[bytes, ...], bytes]) -> tuple[bytes, ...]:
    steps = (index_of.get(path[: i + 1], _NO_KEY) if step.isdigit() else step for i, step in enumerate(path))
    return tuple(step for step in steps if step)
