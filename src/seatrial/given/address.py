"""From what a user types after ``--endpoint=`` to a base URL."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from seatrial.given.errors import EndpointError

_VERSION = re.compile(r"v\d+[a-z0-9]*")
_PORTS = {"http": 80, "https": 443}

CREDENTIALS = "--endpoint holds credentials; put the key into a variable and name it with --api-key-env"


def base_url(text: str) -> str:
    """The base URL in its one spelling: a path prefix is kept, ``/v1`` added where no version ends the path.

    Raises:
        EndpointError: no http or https URL with a host, or it holds credentials, a query or a fragment.
    """
    scheme, separator, rest = text.partition("://")
    if "@" in (rest if separator else scheme).partition("/")[0]:
        raise EndpointError(CREDENTIALS)
    # An "@" farther behind may still belong to a password with a slash in it; a query may hold a key.
    bare = "..." if "@" in text else re.split(r"[?#]", text, maxsplit=1)[0]
    shown = "".join(c if c.isprintable() else "?" for c in bare[:200])
    if not text.isascii() or not text.isprintable() or " " in text:
        raise EndpointError(f"--endpoint={shown} is no URL: it holds characters that must be percent-encoded")
    if text == "embedded":
        raise EndpointError("--endpoint=embedded: the embedded server is asked where no --endpoint is named")
    if "://" not in text:
        raise EndpointError(f"--endpoint={shown} has no scheme; say http://{shown.lstrip('/') or 'host:8080'}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        why = "its host or port cannot be read" if "@" in text else error
        raise EndpointError(f"--endpoint={shown} is no URL: {why}") from None
    if parts.scheme not in _PORTS or not re.fullmatch(r"[0-9A-Za-z._:%-]+", host) or port == 0:
        raise EndpointError(f"--endpoint={shown} is no http or https URL with a host; say http://host:8080")
    try:
        host.encode("idna")
    except UnicodeError:
        raise EndpointError(
            f"--endpoint={shown} is no URL: a part of its host name is empty or longer than 63 characters"
        ) from None
    if parts.query or parts.fragment:
        raise EndpointError(f"--endpoint={shown} holds a query or a fragment; --endpoint wants the server's base URL")
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    if path.endswith(("/chat/completions", "/models")):
        raise EndpointError(f"--endpoint={shown} names one of its paths; --endpoint wants the server's base URL")
    if not _VERSION.fullmatch(path.rpartition("/")[2]):
        path += "/v1"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port is not None else ''}{path}"


def place(url: str) -> str:
    """``host:port`` of a base URL, as messages name it."""
    host, port = host_port(url)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def host_port(url: str) -> tuple[str, int]:
    """Host and port of a base URL; the scheme's own port where it names none."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)


def root(url: str) -> str:
    """The base URL without its version: what a user typed, and where ``/props`` and ``/metrics`` stand."""
    head, _, tail = url.rpartition("/")
    return head if _VERSION.fullmatch(tail) else url


def beside(url: str, path: str) -> str:
    """A path at :func:`root` in the words of :class:`seatrial.wire.transports.prepare.Prepared`: ``//props``."""
    return "/" + urlsplit(root(url)).path + path
