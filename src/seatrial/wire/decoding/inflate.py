"""Content codings undone within a bound, piece by piece, so that a bomb costs no more than its cap."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

INFLATED_CAP = 4 * 1024 * 1024
"""Bytes of an inflated body that are kept: none was asked for, and an honest one is a hundredth of it."""

MEMBERS_CAP = 64
"""Members of one gzip body that are read: each costs a copy of the rest."""


class Inflated:
    """What :func:`inflate` made of a body.

    Attributes:
        body: the inflated bytes, at most the cap; the encoded ones where the coding is not known.
        fault: why there is not more; empty: all of it was inflated.
        broken: the fault is the body's own, and not that it is beyond a cap or of an unknown coding.
        ends: (end in ``body``, index of the piece that brought it), in order.
        inspected: encoded bytes that were understood.
    """

    def __init__(self) -> None:
        self.body = b""
        self.fault = ""
        self.broken = False
        self.ends: list[tuple[int, int]] = []
        self.inspected = 0


def is_encoded(coding: str) -> bool:
    return coding.strip().lower() not in {"", "identity"}


def inflate(coding: str, pieces: Iterable[bytes], cap: int = INFLATED_CAP) -> Inflated:
    """Undo ``gzip`` or ``deflate`` (RFC 9110 8.4.1; raw deflate too, as browsers do). Never raises."""
    result = Inflated()
    name = coding.strip().lower()
    if name not in {"gzip", "x-gzip", "deflate"}:
        result.body = b"".join(pieces)
        result.fault = f"content-encoding {coding!r} is not understood, and was not asked for"
        return result
    try:
        _inflate(result, name, pieces, cap)
    except zlib.error as error:
        result.fault = f"the {name} body does not inflate: {error}"
        result.broken = True
    return result


def _inflate(result: Inflated, name: str, pieces: Iterable[bytes], cap: int) -> None:
    out = bytearray()
    decoder = None
    members = 1
    try:
        for index, whole in enumerate(pieces):
            piece = whole
            if decoder is None:
                decoder = zlib.decompressobj(_window(name, piece))
            while piece:
                if decoder.eof:  # gzip members may follow each other
                    members += 1
                    if members > MEMBERS_CAP:
                        result.fault = f"the {name} body has more than {MEMBERS_CAP} members"
                        return
                    decoder = zlib.decompressobj(_window(name, piece))
                out += decoder.decompress(piece, cap - len(out) + 1)
                rest = decoder.unconsumed_tail or decoder.unused_data
                result.inspected += len(piece) - len(rest)
                if len(out) > cap:
                    del out[cap:]
                    result.fault = f"the {name} body inflates to more than {cap} bytes"
                    return
                piece = rest
            result.ends.append((len(out), index))
        if decoder is not None and not decoder.eof:
            result.fault = f"the {name} body is cut: {result.inspected} bytes came"
            result.broken = True
    finally:
        result.body = bytes(out)


def _window(name: str, start: bytes) -> int:
    """zlib's wbits: gzip or zlib by their header; raw deflate where ``deflate`` comes without zlib's."""
    if name == "deflate" and start[:1] and start[0] & 0x0F != 8:
        return -15
    return 47
