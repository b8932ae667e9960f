"""From an endpoint to the file of its weights, where that lies on this host: as the server names it, else as the
command line of the process does that listens at its port.

A server may name any file, and a forwarder that of another host: only a regular GGUF file is read, and none whose size
cannot be that of the model.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil

from seatrial.given.address import host_port
from seatrial.records import FILE_SUM, Endpoint
from seatrial.servers.weights import gguf, hashing
from seatrial.text import visible
from seatrial.wire.transports.bystanders import is_ours

FILE, QUANTISATION, WEIGHTS = "file", "quantisation", "weights"
ENDING = ".gguf"
SLACK = 256 << 20
"""Bytes that a file may be longer than its tensors: vocabulary, template, padding."""


def known(endpoint: Endpoint, say: Callable[[str], None]) -> Endpoint:
    """The endpoint with what its file is: name, hash and quantisation; or why that cannot be told from here."""
    facts, why = {}, "not readable from here"
    for path in _places(endpoint):
        try:
            if not path.is_file():
                continue
            facts = _told(path, endpoint, say)
            break
        except TimeoutError:
            why = f"not hashed within {hashing.LIMIT_S:.0f} s"
        except (OSError, ValueError) as error:
            why = f"not readable from here: {visible(str(error), 80)}"
    return msgspec.structs.replace(endpoint, facts={**endpoint.facts, **(facts or {WEIGHTS: why})})


def _told(path: Path, endpoint: Endpoint, say: Callable[[str], None]) -> dict[str, str]:
    quantised, size = gguf.quantisation(path), path.stat().st_size
    tensors = int(told) if (told := endpoint.marks.get("size", "")).isdecimal() else None
    if tensors is not None and not tensors <= size <= tensors + SLACK + tensors // 10:
        raise ValueError("the file of that name here is of another size")
    summed = hashing.sha256(path, say)
    return {FILE: visible(path.name, 120), FILE_SUM: summed, **({QUANTISATION: quantised} if quantised else {})}


def _places(endpoint: Endpoint) -> Iterator[Path]:
    """Where the file may lie; nowhere for an endpoint on another host."""
    host, port = host_port(endpoint.url)
    if not _is_here(host):
        return
    if endpoint.file and "\0" not in endpoint.file and Path(endpoint.file).is_absolute():
        yield Path(endpoint.file)
    for process in _listening(port):
        try:
            words, folder = process.cmdline(), Path(process.cwd())
        except (psutil.Error, OSError):
            continue
        named = (word.rpartition("=")[2] for word in words if word.endswith(ENDING))
        yield from (folder / name for name in named if "\0" not in name)


def _listening(port: int) -> Iterator[psutil.Process]:
    try:
        sockets = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return
    mine = [each for each in sockets if tuple(each.laddr)[1:2] == (port,)]
    for pid in {each.pid for each in mine if each.status == psutil.CONN_LISTEN}:
        try:
            yield psutil.Process(pid)
        except psutil.Error:
            continue


def _is_here(host: str) -> bool:
    try:
        addresses = {found[4][0] for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return any(is_ours(ipaddress.ip_address(str(each).partition("%")[0])) for each in addresses)
