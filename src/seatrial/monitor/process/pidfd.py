"""How a process ended, learned through a pidfd: for any process of our pid namespace, child or not, without rights.

A pidfd turns readable when the process has exited and hangs up when its parent has reaped it. Only after that does
PIDFD_GET_INFO tell the exit status (Linux 6.15 and later); before it, field 52 of /proc/PID/stat does, to those who
may trace the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct

_INFO = struct.Struct("=QQIII8IiII")  # struct pidfd_info: mask, cgroup id, pid, tgid, ppid, 8 credentials, exit, core
_EXIT = 1 << 3  # PIDFD_INFO_EXIT
_GET_INFO = (3 << 30) | (_INFO.size << 16) | (0xFF << 8) | 11  # _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info)


def open_pidfd(pid: int) -> tuple[int | None, str]:
    """A pidfd of a process that lives, or None and why there is none."""
    try:
        return os.pidfd_open(pid), ""
    except AttributeError:
        return None, "this Python knows no pidfd"
    except OSError as error:
        return None, f"no pidfd: {error.strerror}"


def status_from_info(pidfd: int) -> tuple[int | None, str]:
    """The raw wait status of a process that has been reaped, or None and why the kernel does not tell it."""
    buffer = bytearray(_INFO.size)
    struct.pack_into("=Q", buffer, 0, _EXIT)
    try:
        fcntl.ioctl(pidfd, _GET_INFO, buffer)
    except OSError as error:
        return None, f"PIDFD_GET_INFO: {error.strerror} (Linux 6.15 or later tells it)"
    fields = _INFO.unpack(buffer)
    if not fields[0] & _EXIT:
        return None, "the kernel keeps no exit status of it"
    return int(fields[13]), ""


def status_from_zombie(stat: int) -> tuple[int | None, str]:
    """The raw wait status in field 52 of an open /proc/PID/stat, while the process is a zombie.

    The kernel shows zero there to those who may not trace the process: whoever calls this must know that we may.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = os.pread(stat, 4096, 0).rpartition(b")")[2].split()
        if fields[0] == b"Z":
            return int(fields[49]), ""
        return None, f"it is no zombie but in state {fields[0].decode()}"
    return None, "it was reaped before it could be read"
