r"""The spellings in which a server may hand a secret back, each as a pattern over bytes.

A secret is *spelled* where each of its characters stands as itself or escaped: for JSON (once or often), for a URL,
HTML, a quoted-printable mail, Python or C. Mixed spellings are one pattern, for each character is an alternation. It is
*packed* in hexadecimal, base64 or base32 (where it begins at one of several alignments), *strewn* where one separator
stands between all its characters, and *turned* where it is written backwards or in rot13.

Of a base64 or base32 text only the characters that the secret alone determines can be known. What is left over at both
ends holds at most four bits of the secret each.

A pattern is slow beside a search for fixed bytes. So each comes with its *needles*: where none of them stands in the
text, the pattern is not tried.
"""

from __future__ import annotations

import base64
import codecs
import html.entities
import re
from collections.abc import Iterator
from dataclasses import dataclass

CASELESS = 8
"""Secrets of so many bytes are found in either case, backwards and strewn: shorter ones would be found in words."""

SPELLED = 64
"""Characters of a secret that a pattern spells out; those behind are taken as they come, so that it stays small."""

RUN = 30
"""Of a packed text two runs of so many characters are looked for: mail breaks lines, but only after 64 or more."""

SEPARATORS = b" \t,;:.|/_-"

_SHORT_ESCAPES = {
    '"': b'"', "'": b"'", "\\": b"\\\\", "/": b"/",
    "\b": b"b", "\f": b"f", "\n": b"n", "\r": b"r", "\t": b"t",
}  # fmt: skip

_NOISE = rb"(?:=\r?\n|\r\n[ \t]+|\0{1,3}|(?:\\{1,8}(?:u0000|x00)){1,3})?"
"""What may stand between two characters: a soft line break, the fold of a header, the zeros of UTF-16 and UTF-32."""

_ANY = rb"(?:\\{1,8}u[0-9A-Fa-f]{4}|%(?:25){0,3}[0-9A-Fa-f]{2}|&#?[0-9A-Za-z]{1,8};|[^\r\n])"
_BREAK = rb"(?:\\{1,8}[rn]|[\r\n]|%0[aAdD]){0,4}"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write a secret.

    Attributes:
        pattern: of the secret in the text; in the text in lower case, where ``low``.
        needles: of these at least one stands in the text in lower case. None: the pattern is its own needle.
        escaped: the secret may also be there without a needle, where the text has escapes.
        strewn: needles are looked for in the text without separators.
    """

    pattern: bytes
    needles: tuple[bytes, ...] = ()
    low: bool = False
    escaped: bool = False
    strewn: bool = False


def ways(secret: str) -> Iterator[Way]:
    """Every way to write a secret that is known."""
    caseless = len(secret.encode()) >= CASELESS
    yield Way(_spelled(secret, caseless=caseless), tuple(raw.lower() for raw in _encoded(secret)), escaped=True)
    for raw in _encoded(secret):
        for text in _base64(raw):
            yield Way(_BREAK.join(_base64_character(c) for c in _bytes(text)), _runs(text))
        if caseless:
            yield Way(rb"(?:0x|\\{1,8}x|[\s:,-]){0,3}".join(b"%02x" % byte for byte in raw), low=True)
            for text in _base32(raw):
                yield Way(_BREAK.join(_either_case(c) for c in _bytes(text)), _runs(text))
    if caseless:
        for text in (secret[::-1].encode(), codecs.encode(secret, "rot13").encode()):
            yield Way(re.escape(text), (text.lower(),))
        yield Way(_strewn(secret), (bare(secret.encode()).lower(),), strewn=True)


def numbers(secret: str) -> bytes:
    """A pattern for the secret's bytes as a list of decimal numbers."""
    return rb"(?:[\s,;\[\]\"']|\\{1,8}[nrt]){1,40}".join(b"%d" % byte for byte in secret.encode()) + b"(?![0-9])"


def bare(data: bytes) -> bytes:
    """Bytes without what may stand between the characters of a strewn secret."""
    return data.translate(None, delete=SEPARATORS + b"\r\n")


class Escapes:
    """Whether a text has escapes that may spell a secret: those of one of its characters before the next.

    Much faster than the pattern of all spellings, for an escape begins with one of few bytes, and most texts have
    escapes of other characters. It says rather yes than no.
    """

    def __init__(self, secret: str) -> None:
        codes: dict[bytes, list[bytes]] = {}  # what follows a lead, and what it may stand before
        for c, after in zip(secret, [*secret[1:], ""], strict=True):
            follows = rb"(?:[\\%&=\0\r]|" + b"|".join(_either_case(raw) for raw in _encoded(after)) + b")"
            for lead, code in _codes(c):
                codes.setdefault(lead, []).append(code + follows)
        self._kinds = [_FOLD, _SOFT, _ZERO, *(_kind(lead, tails) for lead, tails in codes.items())]

    def __call__(self, data: bytes) -> bool:
        return b"\0" in data or any(kind.search(data) for kind in self._kinds)


def _codes(c: str) -> Iterator[tuple[bytes, bytes]]:
    """(first byte, rest) of the escapes of a character; of one that takes several, the first."""
    units, number = c.encode("utf-16-be"), _digits(ord(c))
    yield b"\\", b"u" + _hex(units[:2])
    yield b"\\", rb"(?:u\{0{0,6}%b\}|U0{0,6}%b)" % (number, number)
    if c in _SHORT_ESCAPES:
        yield b"\\", _SHORT_ESCAPES[c]
    for raw in _encoded(c):
        yield b"\\", b"x" + _hex(raw[:1])
        yield b"\\", b"%03o" % raw[0]
        yield b"%", rb"(?:25){0,3}" + _hex(raw[:1])
        yield b"=", _hex(raw[:1])
    named = b"".join(b"|" + name for name in _NAMES.get(c, ()))
    yield b"&", rb"(?:amp;){0,3}(?:#0{0,6}%d;?|#[xX]0{0,6}%b;?" % (ord(c), number) + named + b")"


def _kind(lead: bytes, tails: list[bytes]) -> re.Pattern[bytes]:
    """A pattern that begins with fixed bytes, which makes it fast."""
    return re.compile(re.escape(lead) + b"(?:" + b"|".join(dict.fromkeys(tails)) + b")")


_ZERO = re.compile(rb"\\(?:u0000|x00)")
_SOFT = re.compile(rb"=\r?\n")
_FOLD = re.compile(rb"\r\n[ \t]")

_NAMES: dict[str, list[bytes]] = {}
for _name, _named in html.entities.html5.items():
    if len(_named) == 1 and _named.isascii() and _name.endswith(";"):
        _NAMES.setdefault(_named, []).append(_name.encode())


def _spelled(secret: str, *, caseless: bool) -> bytes:
    head, rest = secret[:SPELLED], len(secret) - SPELLED
    spelled = _NOISE.join(_character(c, caseless=caseless) for c in head)
    return spelled + (_ANY + b"{0,%d}" % rest if rest > 0 else b"")


def _character(c: str, *, caseless: bool) -> bytes:
    """A pattern for one character in any of its spellings; other than ASCII per UTF-16 unit or byte."""
    units = c.encode("utf-16-be")
    spellings = [_either_case(c.encode()) if caseless and c.isascii() else re.escape(c.encode())]
    if c in _SHORT_ESCAPES:
        spellings.insert(0, rb"\\{1,8}" + _SHORT_ESCAPES[c])
    spellings.append(b"".join(rb"\\{1,8}u" + _hex(units[i : i + 2]) for i in range(0, len(units), 2)))
    spellings.append(rb"\\{1,8}(?:u\{0{0,6}%b\}|U0{0,6}%b)" % ((_digits(ord(c)),) * 2))
    for raw in _encoded(c):
        leads = (rb"%(?:25){0,3}", b"=", rb"\\{1,8}x")
        spellings += [b"".join(lead + _hex(byte) for byte in _bytes(raw)) for lead in leads]
        spellings.append(b"".join(rb"\\{1,8}%03o" % byte for byte in raw))
        if raw != c.encode():
            spellings.append(re.escape(raw))
    number = rb"#(?:0{0,6}%d|[xX]0{0,6}%b)(?:;|(?![0-9A-Fa-f]))" % (ord(c), _digits(ord(c)))
    spellings.append(rb"&(?:amp;){0,3}(?:" + b"|".join([number, *_NAMES.get(c, [])]) + b")")
    return b"(?:" + b"|".join(spellings) + b")"


def _strewn(secret: str) -> bytes:
    """A pattern for the characters with the same separator between any two."""
    first, *others = (_either_case(byte) for byte in _bytes(secret.encode()[:SPELLED]))
    return first + rb"([%b]{1,2}|\r?\n)" % re.escape(SEPARATORS) + rb"(?:\1)".join(others)


def _encoded(text: str) -> list[bytes]:
    """A text's bytes: as UTF-8, and as Latin-1, in which headers are sent, where that differs."""
    found = [text.encode()]
    if not text.isascii() and all(ord(c) < 256 for c in text):
        found.append(text.encode("latin-1"))
    return found


def packed(raw: bytes) -> list[bytes]:
    """A secret's bytes in hexadecimal, and in base64 at each alignment."""
    return [raw.hex().encode(), *_base64(raw)]


def _base64(raw: bytes) -> list[bytes]:
    """What the bytes alone determine of a base64 text, at each of the three alignments."""
    return [
        base64.b64encode(b"\0" * shift + raw).rstrip(b"=")[-(-8 * shift // 6) : 8 * (shift + len(raw)) // 6]
        for shift in range(3)
    ]


def _base32(raw: bytes) -> list[bytes]:
    """What the bytes alone determine of a base32 text, at each of the five alignments."""
    return [
        base64.b32encode(b"\0" * shift + raw).rstrip(b"=")[-(-8 * shift // 5) : 8 * (shift + len(raw)) // 5]
        for shift in range(5)
    ]


def _runs(text: bytes) -> tuple[bytes, ...]:
    """Two runs of a packed text without characters that have several spellings; a line's end breaks only one."""
    longest = max(re.split(rb"[+/]", text), key=len).lower()
    half = min(RUN, (len(longest) + 1) // 2)
    return tuple(dict.fromkeys((longest[:half], longest[half : 2 * half] or longest[:half])))


def _base64_character(byte: bytes) -> bytes:
    if byte == b"+":
        return rb"(?:[+-]|%(?:25){0,3}2[bB]|\\{1,8}u002[bB])"
    if byte == b"/":
        return rb"(?:\\{0,8}/|_|%(?:25){0,3}2[fF]|\\{1,8}u002[fF])"
    return byte


def _bytes(raw: bytes) -> list[bytes]:
    return [raw[i : i + 1] for i in range(len(raw))]


def _either_case(c: bytes) -> bytes:
    return b"[%b%b]" % (c.lower(), c.upper()) if c.isalpha() else re.escape(c)


def _hex(raw: bytes) -> bytes:
    """The bytes in hexadecimal, letters in either case."""
    return b"".join(_either_case(c) for c in _bytes(raw.hex().encode()))


def _digits(number: int) -> bytes:
    """A number in hexadecimal without leading zeros, letters in either case."""
    return b"".join(_either_case(c) for c in _bytes(b"%x" % number))
