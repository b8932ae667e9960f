"""Keys of the facts that an event carries: what is known of a process, of its end, of a GPU or of a request.

A fact is text, for what reads it is a person or a comparison; a fact that could not be read is not there.
"""

from __future__ import annotations

import enum


class Fact(enum.StrEnum):
    """One key of :attr:`seatrial.records.Event.facts`."""

    EXE = "exe"
    """Path of the program; missing where this user may not trace the process."""
    EXE_DELETED = "exe deleted"
    """``yes``: the program's file was replaced or removed while it ran."""
    ARGUMENTS = "arguments"
    """Command line without secrets, words joined by blanks."""
    PARENT = "parent"
    """Pid of the parent when the process was found."""
    SESSION = "session"
    """Id of the session."""
    SESSION_LEADER = "session leader"
    """Whether the leader of its session is there."""
    PARENT_PROCESS = "parent process"
    """Whether its parent is there."""
    UID = "uid"
    """Real user id."""
    SIGNALS_IGNORED = "signals ignored"
    """Mask, hexadecimal, as /proc/PID/status has it."""
    SIGNALS_CAUGHT = "signals caught"
    """Mask, hexadecimal."""
    LIMIT_OF_ADDRESS_SPACE = "limit of address space"
    """Soft limit, bytes, or ``unlimited``."""
    LIMIT_OF_OPEN_FILES = "limit of open files"
    """Soft limit, or ``unlimited``."""
    LIMIT_OF_CORE_FILE_SIZE = "limit of core file size"
    """Soft limit, bytes, or ``unlimited``."""
    SIZE_LIMIT = "size limit"
    """The same limit of the address space, read at the end of the process."""
    JOB = "job"
    """``yes``: the process serves no port, and its own end with status 0 is what it was started for."""
    OOM_HOST = "oom_host"
    """Processes that the kernel had killed for memory on this host, counted at the end."""
    OOM_CGROUP = "oom_cgroup"
    """The same of its cgroup."""
    ALIVE_AT = "alive_at"
    """When its pidfd was last silent, monotonic ns."""
    GPU = "gpu"
    """Index of the card."""
    XID = "xid"
    """Number of the driver's error."""
    INSTANCE = "instance"
    """Part of a card that is divided, where the error is of one."""
    KILLS = "kills"
    """``yes``: the request that was sent again ended the server again."""
    SCENARIO = "scenario"
    """What that request was sent for."""
