"""Who else is connected to a server whose port is on this host: ESTABLISHED connections that are not ours."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from seatrial.wire.sockdiag import Connection, SockDiag

MOMENT_S = 0.02
"""Longer than a question about a server's health takes, and shorter than any stream."""

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Peers = frozenset[str]
"""The far ends of connections."""


def others(port: int) -> Peers | None:
    """Who else is connected to a local port; None: that cannot be read.

    Another thread of ours may close its connection between two readings, and it is nobody else's for that: only who is
    there a moment later too counts.
    """
    found = _others(port)
    if found:
        time.sleep(MOMENT_S)
        found &= _others(port) or frozenset()
    return found


def _others(port: int) -> Peers | None:
    ends = _ends(port)
    if ends is None:
        return None
    near = {end.inode: end.here for end in ends if end.there == port}  # what is connected to it from this host
    mine = {near[inode] for inode in _our_sockets() & near.keys()} if near else set()
    return frozenset(end.peer for end in ends if end.here == port and end.there not in mine)


def _ends(port: int) -> list[Connection] | None:
    """Every end of a connection in which the port stands, as the kernel tells; None: nobody tells."""
    try:
        with contextlib.closing(SockDiag()) as diag:
            return diag.touching(port)
    except OSError:
        return _read_ends(port)


def _read_ends(port: int) -> list[Connection] | None:
    """The same from /proc, for a kernel that answers no questions."""
    found: list[Connection] = []
    read = False
    for table in TABLES:
        try:
            text = table.read_text("ascii", "replace")
        except OSError:
            continue
        read = True
        for fields in map(str.split, _rows(text, port)):
            if len(fields) >= 10 and fields[3] == _ESTABLISHED:
                here, there = (_number(end.rpartition(":")[2]) for end in fields[1:3])
                found.append(Connection(here, there, fields[2], _number(fields[9], 10)))
    return found if read else None


def _rows(text: str, port: int) -> Iterator[str]:
    """The rows in which the port stands: a table may be long."""
    mark = f":{port:04X} "
    return (row for row in text.splitlines() if mark in row)


def looking_at(host: str, port: int) -> Callable[[], Peers | None]:
    """Who else is connected to a server, asked again and again; nobody can say where it is on another host."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return lambda: None
    here = any(is_ours(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found)
    return (lambda: others(port)) if here else (lambda: None)


def is_ours(address: Address) -> bool:
    """Whether an address is one of this machine: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((str(address), 0))
    except OSError:
        return False
    return True


def _number(digits: str, base: int = 16) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return -1


def _our_sockets() -> set[int]:
    """Inodes of this process's sockets."""
    found = set()
    with contextlib.suppress(OSError):
        for handle in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(handle.readlink())
                if target.startswith("socket:["):
                    found.add(_number(target[8:-1], 10))
    return found
