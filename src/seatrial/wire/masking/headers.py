"""The operator's headers: any of them may be a credential, so none of their values is written down or shown.

A gateway names its key as it likes (``X-Auth-Token``, ``Ocp-Apim-Subscription-Key``): only headers that every client
sends are known to be none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

ORDINARY = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
)
"""Headers that Seatrial sets itself. Those of them that an operator may replace (Accept, Accept-Encoding, Host and
User-Agent) are known to hold no credential: their values stay readable."""

SECRET = frozenset({"authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"})
"""Headers that hold a credential whoever set them."""

FRAMING = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "expect", "http2-settings",
        "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that say how a request is framed and what its body is: not the operator's to replace. Host is: a gateway may
serve several names at one address."""

SHORTEST = 8
"""Shorter values of other headers (``test``, ``eu-west``) are starred where they are sent, and not looked for in
answers: they are words there, and what is judged would be blotted out."""

LESS, MORE = "-", "+"
"""What stands for the last star of a key that was sent without its last character, or with one more."""

STARRED = re.compile(r"(?:\S+ )?\*+[-+]?")
"""A value as it is recorded: all stars, after a scheme at most, and what was done to a key."""

_SCHEMED = frozenset({"authorization", "proxy-authorization"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|^[\t ]|[\t ]$|[^\x00-\xff]")


def secret_names(headers: Iterable[str]) -> frozenset[str]:
    """Which headers to star in a request that carries these of the operator's; in lower case."""
    return SECRET | ({name.lower() for name in headers} - ORDINARY)


def secret_values(headers: Mapping[str, str]) -> list[str]:
    """What no answer may show: for :meth:`seatrial.wire.masking.mask.Mask.also`."""
    found: list[str] = []
    for name, value in headers.items():
        lower = name.lower()
        if lower in _SCHEMED:
            found += [value.partition(" ")[2] or value, value.rpartition(" ")[2], *_pair(value)]
        elif lower == "cookie":
            found += [value, *(part.partition("=")[2].strip() for part in value.split(";"))]
        elif lower in SECRET or (lower not in ORDINARY and len(value) >= SHORTEST):
            found.append(value)
    return found


def _pair(value: str) -> list[str]:
    """User and password of the scheme ``Basic``, and the password: a server hands back what it has decoded."""
    scheme, _, text = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        pair = base64.b64decode(text.strip() + "==").decode("utf-8")
    except ValueError:
        return []
    password = pair.partition(":")[2]
    return [pair, password] if len(password) >= SHORTEST else [pair]


def star(request: bytes, names: Iterable[str], end: str = "") -> bytes:
    """A request's bytes with the values of these headers as ``*``, of the same length; a scheme stays readable.

    Args:
        end: what stands for the last star behind a scheme: :data:`LESS` or :data:`MORE`.
    """
    head, blank, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    secret = {name.lower().encode("latin-1") for name in names}
    for i, line in enumerate(lines[1:], 1):
        name, colon, value = line.partition(b":")
        if name.lower() in secret:
            schemed = name.lower().decode("latin-1") in _SCHEMED
            lines[i] = name + colon + _starred(value, end.encode(), schemed=schemed)
    return b"\r\n".join(lines) + blank + body


def _starred(value: bytes, end: bytes, *, schemed: bool) -> bytes:
    bare = value.lstrip()
    scheme = bare.partition(b" ")[0] + b" " if schemed and b" " in bare else b""
    end = end if scheme else b""
    return value[: len(value) - len(bare)] + scheme + b"*" * (len(bare) - len(scheme) - len(end)) + end


def unsendable(name: str, value: str) -> str:
    """Why a header cannot be sent, without its value; empty where it can."""
    if not _NAME.fullmatch(name):
        return "its name is no header name"
    if _UNSENDABLE.search(value):
        return "its value holds characters no header can carry: line breaks, blanks at an end, or other than Latin-1"
    return ""
