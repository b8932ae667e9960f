"""Where one may listen for others: whether a place is free, and who reaches it."""

from __future__ import annotations

import ipaddress
import socket

LOOPBACK = "127.0.0.1"


def taken(host: str, port: int) -> str:
    """Why nobody can listen there now; empty where one can."""
    plain = {"*": "0.0.0.0"}.get(host, host.strip("[]"))  # noqa: S104
    try:
        family = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((plain, port))
            tried.listen(1)
    except (OSError, OverflowError, UnicodeError) as error:  # a port past the last, a name that is none
        why = getattr(error, "strerror", "") or str(error)
        in_use = "already in use" in why.lower()
        return f"port {port} is in use: name another" if in_use else f"nobody can listen there: {why}"
    return ""


def free_port() -> int:
    """A port of this host at which nobody listens."""
    with socket.socket() as tried:
        tried.bind((LOOPBACK, 0))
        port: int = tried.getsockname()[1]
    return port


def is_loopback(host: str) -> bool:
    """Whether only this host reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
