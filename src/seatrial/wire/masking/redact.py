"""Masks a recorded answer wherever its key could be read: in its bytes, across the borders of reads and chunks, in
what a compressed body inflates to, and where a stream hands it out in pieces.

Each is a view: bytes joined from pieces of a base. What is found in a view is blotted out in the answer's raw bytes,
which keep their length, so that the times of reads and the framing still fit. Compressed bytes cannot be blotted out
in part: where they hold the key, or cannot be inspected, the body is withheld whole. So is a body that still holds the
key after all.
"""

from __future__ import annotations

import re

from seatrial.wire.decoding.framing import Layout, lay_out
from seatrial.wire.decoding.inflate import inflate, is_encoded
from seatrial.wire.masking import joined
from seatrial.wire.masking.joined import Document
from seatrial.wire.masking.mask import Blots, Mask, Span

SEARCHED_CAP = 4 * 1024 * 1024
"""Bytes of a body that are searched for a key in pieces (broken JSON costs seconds); what lies behind is withheld."""

PACKED_CAP = 4
"""Packings within each other that are undone; what is packed more often is withheld."""

_DATA_LINE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n]))data(?:: ?([^\r\n]*)|(?=[\r\n]|\Z)())")
_BLANK_LINE = re.compile(rb"(?:\r\n|\r|\n)(?:\r\n|\r|\n)")
_APART = (b"\n\n", b"\r\n\r\n")
_GZIP = b"\x1f\x8b\x08"
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\x78\x01", "deflate"),
    (b"\x78\x9c", "deflate"),
    (b"\x78\xda", "deflate"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
)
"""How packed bytes begin; of those that nobody here can unpack none is shown."""


def redact(mask: Mask, raw: bytes, method: str) -> tuple[bytes, str]:
    """The answer with every secret blotted out, same length; and, where a body was withheld, why."""
    if not mask or not raw:
        return raw, ""
    layout = lay_out(raw, method)
    body = layout.pieces.join()
    blots = _in_raw(mask, raw, layout)
    if not body:
        sealed = raw.find(_GZIP) if layout.status is None else -1
        if sealed < 0:
            return blots.over(raw), ""
        blots.spans.append((sealed, len(raw)))
        return blots.over(raw), f"the answer is withheld from byte {sealed}: it is packed (gzip), and no HTTP"
    if coding := _coding(layout):
        clear, why = _clear_of_packed(mask, coding, layout)
    else:
        inside, clear, why = _in_body(mask, body, layout.header("content-type"))
        _lay_over(inside, layout, blots)
    if clear < len(body):
        blots.spans.extend(layout.pieces.spans(clear, len(body)))
        why = f"the body is withheld from byte {clear}: {why}"
    return blots.over(raw), why


def _in_raw(mask: Mask, raw: bytes, layout: Layout) -> Blots:
    """What stands in the bytes as they came. Line ends of a body's framing are left alone: the body is searched too."""
    first = next((start for start, _ in layout.pieces.items()), len(raw))
    found = mask.find(raw)
    if layout.chunked:
        found.spans[:] = [(s, e) for s, e in found.spans if e <= first or b"\n" not in raw[s:e]]
        found.numbers[:] = [(at, digits) for at, digits in found.numbers if at < first]
    return found


def _lay_over(inside: Blots, layout: Layout, blots: Blots) -> None:
    """Add what is to be blotted out of the body to what is of the raw bytes."""
    for start, end in inside.spans:
        blots.spans.extend(layout.pieces.spans(start, end))
    for at, digits in inside.numbers:
        done = 0
        for start, end in layout.pieces.spans(at, at + len(digits)):
            blots.numbers.append((start, digits[done : done + end - start]))
            done += end - start


def _in_body(mask: Mask, body: bytes, media: str) -> tuple[Blots, int, str]:
    """What to blot out of a body, up to which byte it may then be shown, and why not farther."""
    kept = body[:SEARCHED_CAP]
    if packed := _packing(kept):
        clear = len(body) if _is_clean(mask, body, media) else 0
        return Blots.none(), clear, "" if clear else f"it is packed ({packed}), and holds the key or cannot be searched"
    blots = mask.find(kept)
    shown = blots.over(kept)
    pieces = joined.find(mask, shown, _documents(shown, media))
    if pieces:
        blots.add(pieces)
        shown = blots.over(kept)
        if mask.find(shown) or joined.holds(mask, shown, _documents(shown, media)):
            return Blots.none(), 0, "it holds the key, in a way that cannot be blotted out"
    return blots, len(kept), "no more is searched for the key" if len(kept) < len(body) else ""


def _documents(body: bytes, content_type: str) -> list[Document]:
    """Where the JSON of a body stands: its events' data as the reader of events joins them, or the whole."""
    if content_type.partition(";")[0].strip().lower() != "text/event-stream":
        return [((0, len(body)),)]
    documents: list[list[Span]] = []
    at = -1  # the end of the data line before
    for match in _DATA_LINE.finditer(body):
        line = match.span(1) if match[1] is not None else match.span(2)
        between = body[at : match.start()]
        if at < 0 or between in _APART or _BLANK_LINE.search(between):
            documents.append([line])
        else:
            documents[-1].append(line)
        at = line[1]
    return [tuple(lines) for lines in documents]


def _coding(layout: Layout) -> str:
    """How the body is encoded, by whichever header says so; empty where it is not."""
    said = [value for key, value in layout.headers if key in ("content-encoding", "transfer-encoding")]
    codings = [coding.strip().lower() for value in said for coding in value.split(",")]
    return ", ".join(coding for coding in codings if is_encoded(coding) and coding != "chunked")


def _clear_of_packed(mask: Mask, coding: str, layout: Layout) -> tuple[int, str]:
    """Up to which byte a packed body may be shown, and why not farther."""
    inflated = inflate(coding, (piece for _, piece in layout.pieces.items()))
    plain = layout.pieces.join()
    if mask.find(plain) or not _is_clean(mask, inflated.body, layout.header("content-type")):
        return 0, f"it holds the key and is encoded ({coding})"
    if inflated.inspected < layout.pieces.length:
        return inflated.inspected, f"not all of it could be searched for the key ({inflated.fault or coding})"
    return layout.pieces.length, ""


def _is_clean(mask: Mask, body: bytes, media: str, depth: int = 0) -> bool:
    """Whether a body that cannot be blotted out is known to hold no secret, however often it is packed."""
    if mask.find(body) or joined.holds(mask, body, _documents(body, media)):
        return False
    packed = _packing(body)
    if not packed:
        return True
    inner = inflate(packed, [body])
    whole = inner.inspected == len(body) or not inner.fault
    return depth < PACKED_CAP and whole and _is_clean(mask, inner.body, media, depth + 1)


def _packing(body: bytes) -> str:
    """How a body is packed, by its first bytes; empty where it is not."""
    return next((name for magic, name in _MAGIC if body.startswith(magic)), "")
