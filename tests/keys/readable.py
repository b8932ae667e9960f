"""Whether a key can be read in some bytes: as it is, or after one decoding that anybody may think of.

Independent of the masks, and slower: what may hold the key is decoded, and the key is looked for in that.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import html
import json
import quopri
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_BASED = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :]?){8,}")
_NUMBERS = re.compile(rb"[0-9]{1,3}(?:[\s,]+[0-9]{1,3}){7,}")
_DATA = re.compile(rb"^data: ?(.*?)\r?$", re.MULTILINE)


def readings(data: bytes, key: str) -> set[str]:
    """The names of the decodings after which the key stands in the data."""
    low = key.lower()
    return {name for name, text in _decoded(data) if low in text.lower()}


def _decoded(data: bytes) -> Iterator[tuple[str, str]]:
    text = data.decode("utf-8", "replace")
    yield "none", text
    yield "NULs left out", text.replace("\0", "").replace("\\u0000", "").replace("\\x00", "")
    yield "folds undone", re.sub(r"\r\n[ \t]+", "", text)
    yield "percent", unquote(text)
    yield "percent twice", unquote(unquote(text))
    yield "HTML", html.unescape(text)
    yield "quoted-printable", quopri.decodestring(data).decode("utf-8", "replace")
    escapes = re.sub(r"\\+u([0-9A-Fa-f]{4})", lambda hit: chr(int(hit[1], 16)), text)
    yield "JSON escapes", escapes
    yield "C escapes", re.sub(r"\\+x([0-9A-Fa-f]{2})", lambda hit: chr(int(hit[1], 16)), escapes)
    yield "octal", re.sub(r"\\([0-3][0-7]{2})", lambda hit: chr(int(hit[1], 8)), text)
    yield "backwards", text[::-1]
    yield "rot13", codecs.encode(text, "rot13")
    for separator in " -":
        yield f"without {separator!r}", text.replace(separator, "") if separator == " " else ""
    yield "hex", " ".join(_unhexed(hit[0]) for hit in _HEX.finditer(data))
    yield "numbers", " ".join(_numbered(hit[0]) for hit in _NUMBERS.finditer(data))
    yield "base64", " ".join(_unbased(data))
    yield "joined", "\n".join(_joined(data))


def _unhexed(found: bytes) -> str:
    digits = re.sub(rb"[ :]", b"", found)
    return binascii.unhexlify(digits[: len(digits) // 2 * 2]).decode("latin-1")


def _numbered(found: bytes) -> str:
    return bytes(n for n in map(int, re.findall(rb"[0-9]+", found)) if n < 256).decode("latin-1")


def _unbased(data: bytes) -> Iterator[str]:
    for hit in _BASED.finditer(re.sub(rb"\r?\n|\\n", b"", data)):
        for shift in range(4):
            run = hit[0][shift:].replace(b"-", b"+").replace(b"_", b"/")
            yield base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"===").decode("latin-1")
    for hit in re.finditer(rb"[A-Z2-7]{16,}", data):
        for shift in range(8):
            run = hit[0][shift:]
            run += b"A" * (-len(run) % 8)
            yield base64.b32decode(run).decode("latin-1")


def _joined(data: bytes) -> Iterator[str]:
    """The strings and numbers of JSON in the data, by path and by the last key, in order."""
    yield from joined([hit[1] for hit in _DATA.finditer(data)] or [data.partition(b"\r\n\r\n")[2] or data])


def joined(documents: list[bytes]) -> Iterator[str]:
    """The strings and numbers of JSON documents, by path and by the last key, in order."""
    channels: dict[Any, list[str]] = defaultdict(list)
    for document in documents:
        try:
            _collect(json.loads(document), (), channels)
        except (ValueError, RecursionError):
            continue
    for pieces in channels.values():
        yield "".join(pieces)


def _collect(value: Any, path: tuple[Any, ...], channels: dict[Any, list[str]]) -> None:
    if isinstance(value, str):
        for name in {path, path[-1:], tuple(step for step in path if isinstance(step, str)), "all"}:
            channels[name].append(value)
        if "reasoning" in str(path[-1:]):
            channels["thought"].append(value)
        if "delta" in path:
            channels["as it came"].append(value)
    elif isinstance(value, int) and not isinstance(value, bool) and 0 < value < 256 and path[-1:] != ("index",):
        channels["numbers", *path].append(chr(value))
    elif isinstance(value, dict):
        for key, each in value.items():
            _collect(each, (*path, key), channels)
    elif isinstance(value, list):
        for each in value:
            index = each.get("index") if isinstance(each, dict) else None
            _collect(each, path if index is None else (*path, index), channels)


def unpacked(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The data, and what it is once unpacked: gzip, zlib; a body behind a head too."""
    yield data
    body = data.partition(b"\r\n\r\n")[2]
    for packed in {data, body, data[max(data.find(b"\x1f\x8b\x08"), 0) :]}:
        for wbits in (47, -15) if packed and depth else ():
            try:
                inner = zlib.decompressobj(wbits).decompress(packed, 1 << 24)
            except zlib.error:
                continue
            if inner:
                yield from unpacked(inner, depth - 1)


def compressed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
