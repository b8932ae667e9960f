"""Who listens where: LISTEN sockets by NETLINK_SOCK_DIAG, the process that owns one, connections that are left.

sock_diag answers for state LISTEN in a tenth of a millisecond and without rights; reading /proc/net/tcp costs a
hundred times that. It sees the network namespace we are in, and no other.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from seatrial.monitor.process.procfiles import read

GENERATIONS = 8
"""Steps up from a process that holds a socket to those above it that hold the socket too."""

_SOCK_DIAG_BY_FAMILY, _DUMP, _DONE, _ERROR = 20, 0x301, 3, 2
_ESTABLISHED, _LISTEN = 1 << 1, 1 << 10
_REQUEST = struct.Struct("=IHHIIBBBxI2s46x")  # nlmsghdr, inet_diag_req_v2 with the local port of its socket id
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBB2s2s16s16sI8sIIIII")  # inet_diag_msg


class Listener(msgspec.Struct, frozen=True):
    """One LISTEN socket. ``queue`` counts connections not yet accepted, ``backlog`` how many may wait."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    inode: int
    queue: int
    backlog: int
    uid: int

    def serves(self, addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
        """Whether a connection to one of the addresses may end here (a wildcard serves both families)."""
        return self.address.is_unspecified or self.address in addresses


class SockDiag:
    """A netlink socket kept open for one question: which sockets listen."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 4)
        self._socket.settimeout(0.2)

    def listeners(self) -> list[Listener]:
        """Every LISTEN socket of both families.

        Raises:
            OSError: the kernel refuses or does not answer.
        """
        return [found for family in (socket.AF_INET, socket.AF_INET6) for found in self._dump(family, _LISTEN, 0)]

    def established(self, port: int) -> int:
        """How many connections to a local port are ESTABLISHED. The kernel walks all its connections: milliseconds.

        Raises:
            OSError: the kernel refuses or does not answer.
        """
        return sum(1 for family in (socket.AF_INET, socket.AF_INET6) for _ in self._dump(family, _ESTABLISHED, port))

    def close(self) -> None:
        self._socket.close()

    def _dump(self, family: int, states: int, port: int) -> Iterator[Listener]:
        """Every socket of a family in one of the states, and at the local port unless that is 0."""
        size, local = _REQUEST.size, port.to_bytes(2, "big")
        self._socket.send(
            _REQUEST.pack(size, _SOCK_DIAG_BY_FAMILY, _DUMP, 1, 0, family, socket.IPPROTO_TCP, 0, states, local)
        )
        while True:
            data = self._socket.recv(256 * 1024)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind = _HEADER.unpack_from(data, at)[:2]
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -struct.unpack_from("=i", data, at + _HEADER.size)[0]
                    raise OSError(code, os.strerror(code))
                yield _listener(data, at + _HEADER.size)
                at += (length + 3) & ~3


class Listening:
    """Who listens, asked again and again; what the kernel refuses is not asked of the same socket twice."""

    def __init__(self) -> None:
        self._diag = _sock_diag()

    def look(self) -> list[Listener] | None:
        """Every LISTEN socket, or None: the kernel refuses."""
        if self._diag is None:
            return None
        try:
            return self._diag.listeners()
        except OSError:  # an answer that comes late must not be taken for that to the next question
            self._diag.close()
            self._diag = _sock_diag()
            return None


def _sock_diag() -> SockDiag | None:
    try:
        return SockDiag()
    except OSError:
        return None


def _listener(data: bytes, at: int) -> Listener:
    family, _, _, _, port, _, source, _, _, _, _, queue, backlog, uid, inode = _MESSAGE.unpack_from(data, at)
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    if family == socket.AF_INET:
        address = ipaddress.IPv4Address(source[:4])
    else:
        six = ipaddress.IPv6Address(source)
        address = six.ipv4_mapped or six
    return Listener(address, int.from_bytes(port, "big"), inode, queue, backlog, uid)


def owner_of(inode: int, likely: Iterable[int] = ()) -> tuple[int | None, str]:
    """The process that holds a socket, or None and why it cannot be named.

    Of several (a forked family) it is the one above the others, as far as that is seen: workers come and go. Reads
    every process's open files: call it only when the inode is new.
    """
    link = f"socket:[{inode}]"
    for pid in likely:
        if _holds(pid, link):
            return _topmost(pid, link), ""
    refused = False
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        held = _holds(pid, link)
        if held:
            return _topmost(pid, link), ""
        refused = refused or held is None
    return None, "the socket belongs to another user's process" if refused else "no process of this namespace holds it"


def _topmost(pid: int, link: str) -> int:
    """The process above this one that holds the socket too, where each in between does."""
    for _ in range(GENERATIONS):
        stat = read(f"/proc/{pid}/stat") or b""
        fields = stat.rpartition(b")")[2].split()
        above = int(fields[1]) if len(fields) > 1 else 0
        if above <= 1 or not _holds(above, link):
            break
        pid = above
    return pid


def _holds(pid: int, link: str) -> bool | None:
    """Whether a process has the socket open; None where we may not look."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if os.readlink(entry.path) == link:  # noqa: PTH115 - a thousand files: no Path for each
                        return True
    except PermissionError:
        return None
    except OSError:
        return False
    return False
