"""What can only be asked of a process while it lives: program, arguments, parent, session, signal masks, limits."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from seatrial.monitor.process.commandline import without_secrets
from seatrial.records import Fact
from seatrial.wire.masking.mask import Mask

ARGUMENTS_SHOWN = 2000
"""Characters of a command line that are written down."""

OF_STATUS = {Fact.SIGNALS_IGNORED: "SigIgn", Fact.SIGNALS_CAUGHT: "SigCgt", Fact.UID: "Uid"}
LIMITS = {
    "address space": Fact.LIMIT_OF_ADDRESS_SPACE,
    "open files": Fact.LIMIT_OF_OPEN_FILES,
    "core file size": Fact.LIMIT_OF_CORE_FILE_SIZE,
    "cpu time": Fact.LIMIT_OF_CPU_TIME,
    "file size": Fact.LIMIT_OF_FILE_SIZE,
}
"""Soft limits that are written down, by their names in /proc/PID/limits."""

_DELETED = " (deleted)"
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD of field 9 of stat


def take(pid: int, parent: int, session: int) -> dict[str, str]:
    """The facts of a process that can be read; ``exe`` is missing where this user may not trace it.

    ``arguments`` is whole: :func:`shown` makes what is written down.
    """
    facts: dict[str, str] = {Fact.PARENT: str(parent), Fact.SESSION: str(session)}
    folder = Path(f"/proc/{pid}")
    with contextlib.suppress(OSError):
        facts |= _program(_plain(str((folder / "exe").readlink())))
    with contextlib.suppress(OSError):
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        facts[Fact.ARGUMENTS] = " ".join(without_secrets([w.decode("utf-8", "replace") for w in words]))
    with contextlib.suppress(OSError):
        status = (folder / "status").read_text(errors="replace")
        for name, wanted in OF_STATUS.items():
            found = re.search(rf"(?m)^{wanted}:\s*(\S+)", status)
            if found:
                facts[name] = found.group(1)
    with contextlib.suppress(OSError):
        limits = (folder / "limits").read_text(errors="replace")
        for name, soft in re.findall(rf"(?m)^Max ({'|'.join(LIMITS)})\s+(\S+)", limits):
            facts[LIMITS[name]] = soft
    return facts


def shown(arguments: str, mask: Mask) -> str:
    """The beginning of a command line, without an endpoint's secrets: also of one that the cut would go through."""
    return mask.text(arguments[: 2 * ARGUMENTS_SHOWN])[:ARGUMENTS_SHOWN]


def absent(pid: int) -> str:
    """Why a pid has no folder below /proc: nobody has it, it is hidden, or there is no /proc at all."""
    if not Path("/proc/self/stat").exists():
        return f"process {pid} cannot be watched: there is no /proc here"
    try:
        os.kill(pid, 0)  # sends nothing: it asks whether the pid is in use
    except ProcessLookupError:
        return f"no process {pid}: nobody has this pid"
    except (OSError, OverflowError):
        pass
    return f"process {pid} is there but hidden from this user: /proc is mounted with hidepid"


def unfit(pid: int, fields: list[bytes]) -> str:
    """Why a process that is there cannot be watched as one; empty: it can.

    Args:
        fields: of stat, from the third on (state).
    """
    if fields[0] in (b"Z", b"X"):
        return f"process {pid} has ended; its parent {int(fields[1])} has not taken notice (a zombie)"
    if int(fields[6]) & _KERNEL_THREAD:
        return f"process {pid} is a thread of the kernel, and no program"
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        leader = re.search(r"(?m)^Tgid:\s*(\d+)", status)
        if leader and int(leader.group(1)) != pid:
            return f"{pid} is a thread of process {leader.group(1)}: name that one"
    return ""


def _plain(path: str) -> str:
    """A path that can be written down: what is not UTF-8 in it is replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _program(link: str) -> dict[str, str]:
    """A file that has been replaced or removed while it runs is named with a suffix of the kernel's."""
    if link.endswith(_DELETED):
        return {Fact.EXE: link.removesuffix(_DELETED), Fact.EXE_DELETED: "yes"}
    return {Fact.EXE: link}
