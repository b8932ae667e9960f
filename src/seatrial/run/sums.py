"""Checksums of a record: each line and each page bears one, and a line that names bytes bears theirs.

A line ends in ``,"crc":"1a2b3c4d"}``: the CRC-32 of what stands before it, begun with the id of the run, so that a line
of another run is no line of this one. A disk, a copy or an editor that changed a byte shows; a forger does not, for
nothing here is secret.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

_KEY = b',"crc":"'
_LENGTH = len(_KEY) + 8 + 2
_PAGE_END = re.compile(rb',\s*"crc":\s*"([0-9a-f]{8})"\s*\}\s*\Z')


def start(run: str) -> int:
    """What the sums of a run begin with."""
    return zlib.crc32(run.encode("utf-8", "replace"))


def of_bytes(content: bytes, begin: int) -> int:
    """The sum of stored bytes; never 0, which stands for none."""
    return zlib.crc32(content, begin) or 1


def signed(line: bytes, begin: int | None) -> bytes:
    """A JSON object on one line, with its sum as its last key; as it is where a run bears no sums (``begin`` None)."""
    if begin is None:
        return line
    return b'%b%b%08x"}' % (line[:-1], _KEY, zlib.crc32(line[:-1], begin))


def holds(line: bytes, begin: int) -> bool:
    """Whether a line, without its end, bears its own sum."""
    cut = len(line) - _LENGTH
    return cut > 0 and line[cut:] == b'%b%08x"}' % (_KEY, zlib.crc32(line[:cut], begin))


def all_hold(lines: Iterable[bytes], begin: int) -> bool:
    """Whether each of these lines, with its end, bears its own sum: :func:`holds` for a night's many lines."""
    for line in lines:
        cut = len(line) - _LENGTH - 1
        if cut <= 0 or line[cut:] != b',"crc":"%08x"}\n' % zlib.crc32(line[:cut], begin):
            return False
    return True


def signed_page(page: bytes, begin: int = 0) -> bytes:
    """A JSON object on several lines, with its sum as its last key."""
    body = page.rstrip().removesuffix(b"}").rstrip()
    return b'%b,\n  "crc": "%08x"\n}\n' % (body, zlib.crc32(body, begin))


def page_holds(page: bytes, begin: int = 0) -> bool | None:
    """Whether a page bears its own sum; None where it bears none."""
    end = _PAGE_END.search(page)
    if end is None:
        return False if b'"crc"' in page else None
    return int(end[1], 16) == zlib.crc32(page[: end.start()], begin)
