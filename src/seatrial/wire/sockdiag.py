"""The kernel's TCP sockets by NETLINK_SOCK_DIAG: who listens, and who is connected.

It answers for state LISTEN in a tenth of a millisecond and without rights. For ESTABLISHED it walks its whole table
once, some milliseconds; a reading of /proc/net/tcp walks it as well and writes a line for each connection that ended
within the last minute, thousands before a busy server. It sees the network namespace we are in, and no other.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

_BY_FAMILY, _BOTH_FAMILIES = 20, 18  # types of a request: of sock_diag(7), and of the older form that it still answers
_DUMP, _DONE, _ERROR = 0x301, 3, 2
_ESTABLISHED, _LISTEN = 1 << 1, 1 << 10
_REQUEST = struct.Struct("=IHHIIBBBxI48x")  # nlmsghdr, inet_diag_req_v2
_REQUEST_BOTH = struct.Struct("=IHHII4x2s46xI4x")  # nlmsghdr, inet_diag_req with the local port of its socket id
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


class Connection(NamedTuple):
    """One end of an ESTABLISHED connection: its own port, the far end's port and name, its inode.

    ``unread``: bytes that have come and that its process has not yet taken.
    """

    here: int
    there: int
    peer: str
    inode: int
    unread: int = 0


class SockDiag:
    """A netlink socket kept open for such questions.

    Raises:
        OSError: the kernel gives none.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 4)
        self._socket.settimeout(0.2)

    def listeners(self) -> list[Listener]:
        """Every LISTEN socket of both families.

        Raises:
            OSError: the kernel refuses or does not answer.
        """
        return [
            _listener(fields)
            for family in (socket.AF_INET, socket.AF_INET6)
            for fields in self._dump(
                _REQUEST.pack(_REQUEST.size, _BY_FAMILY, _DUMP, 1, 0, family, socket.IPPROTO_TCP, 0, _LISTEN)
            )
        ]

    def established(self, port: int) -> int:
        """How many connections to a local port are ESTABLISHED. The kernel walks all its connections: milliseconds.

        Raises:
            OSError: the kernel refuses or does not answer.
        """
        return sum(1 for _ in self._dump(_connected(port)))

    def touching(self, port: int) -> list[Connection]:
        """Every end of an ESTABLISHED connection whose own port or whose far end's is that one.

        Raises:
            OSError: the kernel refuses or does not answer.
        """
        wanted = port.to_bytes(2, "big")
        return [_connection(fields) for fields in self._dump(_connected(0)) if wanted in fields[4:6]]

    def close(self) -> None:
        self._socket.close()

    def _dump(self, request: bytes) -> Iterator[tuple[Any, ...]]:
        """The fields of every socket that answers a request."""
        self._socket.send(request)
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
                yield _MESSAGE.unpack_from(data, at + _HEADER.size)
                at += (length + 3) & ~3


def _connected(port: int) -> bytes:
    """The request for what is ESTABLISHED, in one walk for both families; at that local port unless it is 0."""
    return _REQUEST_BOTH.pack(_REQUEST_BOTH.size, _BOTH_FAMILIES, _DUMP, 1, 0, port.to_bytes(2, "big"), _ESTABLISHED)


def _listener(fields: tuple[Any, ...]) -> Listener:
    family, _, _, _, port, _, source, _, _, _, _, queue, backlog, uid, inode = fields
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    if family == socket.AF_INET:
        address = ipaddress.IPv4Address(source[:4])
    else:
        six = ipaddress.IPv6Address(source)
        address = six.ipv4_mapped or six
    return Listener(address, int.from_bytes(port, "big"), inode, queue, backlog, uid)


def _connection(fields: tuple[Any, ...]) -> Connection:
    _, _, _, _, here, there, _, target, _, _, _, unread, _, _, inode = fields
    peer = f"{target.hex()}:{there.hex()}"
    return Connection(int.from_bytes(here, "big"), int.from_bytes(there, "big"), peer, inode, unread)
