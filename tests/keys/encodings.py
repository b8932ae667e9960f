"""A key in every encoding in which a server may hand it back, as text that can stand in a field."""

from __future__ import annotations

import base64
import codecs
import quopri
from collections.abc import Callable
from urllib.parse import quote


def _based(encode: Callable[[bytes], bytes], before: str) -> Callable[[str], str]:
    return lambda key: encode(f"{before}{key}".encode()).decode()


def _wrapped(key: str) -> str:
    """A mail's base64: lines of 76."""
    return base64.encodebytes(b"a certificate, or whatever stands before it: " + key.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "a bearer token": lambda key: f"Authorization: Bearer {key}",
    "upper case": str.upper,
    "lower case": str.lower,
    "JSON escapes": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "JSON escapes, upper case, twice": lambda key: "".join(f"\\\\u{ord(c):04X}" for c in key),
    "some JSON escapes": lambda key: "".join(f"\\u{ord(c):04x}" if i % 3 else c for i, c in enumerate(key)),
    "C escapes": lambda key: "".join(f"\\x{ord(c):02x}" for c in key),
    "octal escapes": lambda key: "".join(f"\\{ord(c):03o}" for c in key),
    "hex": lambda key: key.encode().hex(),
    "hex, upper case": lambda key: key.encode().hex().upper(),
    "hex with colons": lambda key: key.encode().hex(":"),
    "hex dump": lambda key: key.encode().hex(" "),
    "base64": _based(base64.b64encode, ""),
    "base64 at 1": _based(base64.b64encode, "a"),
    "base64 at 2": _based(base64.b64encode, "a:"),
    "base64 of a pair": _based(base64.b64encode, "user:"),
    "base64 without padding": lambda key: base64.b64encode(key.encode()).decode().rstrip("="),
    "base64 for URLs": _based(base64.urlsafe_b64encode, "?"),
    "base64 in lines": _wrapped,
    "base32": _based(base64.b32encode, "b"),
    "percent": lambda key: "".join(f"%{ord(c):02X}" for c in key),
    "percent where needed": lambda key: quote(key, safe=""),
    "percent twice": lambda key: "".join(f"%25{ord(c):02x}" for c in key),
    "HTML, decimal": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "HTML, hex": lambda key: "".join(f"&#x{ord(c):x};" for c in key),
    "quoted-printable": lambda key: "".join(f"={ord(c):02X}" for c in key),
    "quoted-printable in lines": lambda key: quopri.encodestring(("x" * 60 + key).encode()).decode(),
    "UTF-16 as text": "\0".join,
    "UTF-32 as text": "\0\0\0".join,
    "numbers": lambda key: ", ".join(str(b) for b in key.encode()),
    "numbers as JSON": lambda key: str(list(key.encode())),
    "backwards": lambda key: key[::-1],
    "rot13": lambda key: codecs.encode(key, "rot13"),
    "blanks between": " ".join,
    "dashes between": "-".join,
}
