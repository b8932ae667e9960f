"""From an endpoint to the file of its weights, where that lies on this host: as the server names it, else as the
command line of the process does that listens at its port.

A server may name any file, and a forwarder that of another host: only a regular GGUF file is read, and none whose size
cannot be that of the model.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import psutil

from seatrial.given.address import host_port
from seatrial.records import FILE_SUM, Endpoint
from seatrial.servers.weights import gguf, hashing
from seatrial.text import visible
from seatrial.wire.connected import is_ours

FILE, QUANTISATION, WEIGHTS = "file", "quantisation", "weights"
ENDING = ".gguf"
BESIDE = re.compile(r"mmproj|draft|lora|vector|vocoder|^-m[dv]$")
"""Options of llama-server whose file stands beside the model's."""

SLACK = 256 << 20
"""Bytes that a file may be longer than its tensors: vocabulary, template, padding."""


BRIEFLY_S = 1.0
"""So long a hash is waited for that is nearly there: a small file's is, and a run may be over at once."""


class Weights:
    """The files of the endpoints of a run. What a file is stands on its endpoint's page at once; its hash, which may
    take minutes, once it is known.

    Args:
        say: is told how far each is.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._files: dict[Path, hashing.Hashing] = {}
        self._of: dict[str, Path] = {}

    def known(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with what its file is: name, quantisation, and the hash where it is known already; or why that
        cannot be told from here."""
        facts, why = {}, "not readable from here"
        for path in _places(endpoint):
            try:
                if not path.is_file():
                    continue
                facts = self._told(path, endpoint)
                break
            except (OSError, ValueError) as error:
                why = f"not readable from here: {visible(str(error), 80)}"
        return msgspec.structs.replace(endpoint, facts={**endpoint.facts, **(facts or {WEIGHTS: why})})

    def settled(self, pages: Mapping[str, Endpoint], *, go_on: bool) -> Iterator[Endpoint]:
        """The endpoints of which more is known by now; a hash that is not is read on, or given up.

        Args:
            pages: of each endpoint by its name, as it is written down.
            go_on: what is not read yet may be read when the run is over, for the next one.
        """
        for name, path in self._of.items():
            held = self._files[path]
            held.wait(BRIEFLY_S)
            if (page := pages.get(name)) is None or FILE_SUM in page.facts:
                continue
            facts = {label: told for label, told in page.facts.items() if label != WEIGHTS}
            yield msgspec.structs.replace(page, facts=facts | _hashed(held))
        for held in self._files.values():
            lacks = held.lacks
            if go_on and held.go_on():
                self._say(f"{'':<10} hash of {held.name}: {lacks}; it is read on alone, for the next run to find")

    def close(self) -> None:
        """End what reads, but for what was told to go on."""
        for held in self._files.values():
            held.end()

    def _told(self, path: Path, endpoint: Endpoint) -> dict[str, str]:
        quantised, size = gguf.quantisation(path), path.stat().st_size
        tensors = int(told) if (told := endpoint.marks.get("size", "")).isdecimal() else None
        if tensors is not None and not tensors <= size <= tensors + SLACK + tensors // 10:
            raise ValueError("the file of that name here is of another size")
        held = self._files.get(path) or hashing.Hashing(path, self._say)
        self._files[path] = held
        self._of[endpoint.name] = path
        quantisation = {QUANTISATION: quantised} if quantised else {}
        return {FILE: visible(path.name, 120), **_hashed(held), **quantisation}


def _hashed(held: hashing.Hashing) -> dict[str, str]:
    return {FILE_SUM: held.sum} if held.sum else {WEIGHTS: f"its hash: {held.lacks}"}


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
        yield from (folder / name for name in named(words) if "\0" not in name)


def named(words: Sequence[str]) -> list[str]:
    """The files of weights that a command line names, those behind ``-m`` or ``--model`` first: a projector, a draft,
    an adapter are files of the same kind, and not the model."""
    first, others = list[str](), list[str]()
    for before, word in pairwise(("", *words)):
        option, _, file = word.rpartition("=")
        option = option or (before if before.startswith("-") else "")
        if file.endswith(ENDING) and not BESIDE.search(option):
            (first if option in {"-m", "--model"} else others).append(file)
    return first + others


def _listening(port: int) -> Iterator[psutil.Process]:
    """The processes that listen at a port, as far as we may see whose sockets they are."""
    try:
        sockets = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return
    mine = [each for each in sockets if tuple(each.laddr)[1:2] == (port,)]
    for pid in {each.pid for each in mine if each.status == psutil.CONN_LISTEN} - {None}:
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
