"""Hosts for workers: network namespaces of our own, one a link away from the other, and one in another time.

All of them end with the process that holds them. Needs root, and ``unshare`` and ``ip``.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
HUB = "10.77.0.1"
"""Where the server and the master listen, in a namespace of their own."""

READY = "until ip link show {link} >/dev/null 2>&1; do sleep 0.02; done"
SHIFT_S = 3600


def enter(module: str) -> None:
    """Begin again inside a network namespace of our own, where ``HUB`` is an address of ours."""
    if os.environ.get("SEATRIAL_HUB"):
        return
    inside = (
        f'ip link set lo up && ip addr add {HUB}/32 dev lo && exec {shlex.join([sys.executable, "-m", module])} "$@"'
    )
    os.environ["SEATRIAL_HUB"] = HUB
    os.execvp("unshare", ["unshare", "-n", "--", "sh", "-c", inside, "sh", *sys.argv[1:]])


def can_shift() -> bool:
    """Whether this kernel has time namespaces."""
    command = ["unshare", "-T", "--fork", "--monotonic", str(SHIFT_S), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def start(number: int, command: list[str], env: Mapping[str, str], *, shift_s: int = 0) -> subprocess.Popen[str]:
    """Start a command on a host of its own, ``10.77.N.2``, whose monotonic clock is so many seconds ahead."""
    ours, theirs, link = f"10.77.{number}.1", f"10.77.{number}.2", f"to{number}"
    steps = [
        READY.format(link=link),
        "ip link set lo up",
        f"ip addr add {theirs}/24 dev {link}",
        f"ip link set {link} up",
        f"ip route add default via {ours}",
        f"exec {shlex.join(command)}",
    ]
    time_of = ["-T", "--monotonic", str(shift_s), "--kill-child"] if shift_s else []
    fork = ["--fork"] if shift_s else []
    host = subprocess.Popen(
        ["unshare", "-n", *time_of, *fork, "--", "sh", "-c", "; ".join(steps)],
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _until_apart(host.pid)
    _ip("link", "add", f"hub{number}", "type", "veth", "peer", "name", link, "netns", str(host.pid))
    _ip("addr", "add", f"{ours}/24", "dev", f"hub{number}")
    _ip("link", "set", f"hub{number}", "up")
    return host


def _until_apart(pid: int) -> None:
    """Wait until a process has its own network namespace."""

    def apart() -> bool:
        return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()

    until(apart, "its namespace")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
