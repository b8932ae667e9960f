"""One life of one process, read through files of /proc that stay open: they never speak of a successor with its pid.

Identity is boot, pid namespace, pid and start ticks (field 22 of stat): it stays put when the wall clock steps, and it
changes when a pid is used again. What may not be read is None, and :attr:`Process.trouble` says why.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

import msgspec

from seatrial.rundir import boot_id

THREADS_READ = 64
"""A process with more threads than this has its context switches read every tenth time only."""

_SECRET = re.compile(r"(?i)(key|token|secret|password|passwd|credential|auth)")
_CGROUP = Path("/sys/fs/cgroup")


class Gone(Exception):
    """There is no such process, or no /proc to find it in."""


class Reading(msgspec.Struct, frozen=True):
    """What one look at a process found. Times are ns, sizes bytes; None: not readable."""

    state: str
    cpu_ns: int | None
    memory: int | None
    threads: int | None
    fds: int | None
    switches: int | None


class Process:
    """An incarnation under observation.

    Raises:
        Gone: the process does not exist (any more), or is a zombie.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.trouble: dict[str, str] = {}
        self._looks = 0
        try:
            self.stat_file = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise Gone(f"no process {pid}: {error.strerror}") from error
        self._status_file = _open(f"/proc/{pid}/status")
        self._oom_file = _oom_file(pid)
        fields = self._stat()
        if fields is None or fields[0] in (b"Z", b"X"):
            self.close()
            raise Gone(f"process {pid} has ended")
        self.parent, self.session = int(fields[1]), int(fields[3])
        self.started_ticks = int(fields[19])
        self.incarnation = f"{boot_id()[:8] or '?'}-{_namespace(pid)}-{pid}-{self.started_ticks}"
        self.facts = _fingerprint(pid, self.parent, self.session) | self.relatives()
        self.traceable = "exe" in self.facts

    def lives(self) -> bool:
        """Whether this incarnation still runs; a zombie does not."""
        fields = self._stat()
        return fields is not None and fields[0] not in (b"Z", b"X")

    def relatives(self) -> dict[str, str]:
        """Whether its session leader and its parent are there: some ends come with theirs."""
        return {"session leader": _there(self.session, self.pid), "parent process": _there(self.parent, self.pid)}

    def look(self) -> Reading | None:
        """One reading, or None when the process is gone."""
        fields = self._stat()
        if fields is None:
            return None
        self._looks += 1
        threads = int(fields[17])
        return Reading(
            state=fields[0].decode(),
            cpu_ns=self._cpu(fields),
            memory=self._memory(),
            threads=threads,
            fds=self._count_fds(),
            switches=self._switches(threads),
        )

    def oom_kills(self) -> int | None:
        """The oom_kill count of its memory cgroup; None where there is none to read."""
        if self._oom_file is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            for line in os.pread(self._oom_file, 4096, 0).splitlines():
                name, _, value = line.partition(b" ")
                if name == b"oom_kill":
                    return int(value)
        return None

    def close(self) -> None:
        for name in ("stat_file", "_status_file", "_oom_file"):
            handle = getattr(self, name, None)
            if handle is not None:
                os.close(handle)
                setattr(self, name, None)

    def _stat(self) -> list[bytes] | None:
        """Fields of stat from the third on (state): after the last bracket, for the name may hold anything."""
        try:
            return os.pread(self.stat_file, 4096, 0).rpartition(b")")[2].split() or None
        except (OSError, TypeError):
            return None

    def _cpu(self, fields: list[bytes]) -> int:
        """CPU time of all its threads: by its CPU clock in ns, or by ticks where that clock is not given."""
        try:
            return time.clock_gettime_ns((~self.pid << 3) | 2)
        except OSError:
            return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")

    def _memory(self) -> int | None:
        """RssAnon and VmSwap: what swapping out cannot hide."""
        try:
            text = os.pread(self._status_file, 8192, 0) if self._status_file is not None else b""
        except OSError:
            return None
        found = [int(kb) for kb in re.findall(rb"(?m)^(?:RssAnon|VmSwap):\s*(\d+) kB", text)]
        return sum(found) * 1024 if found else None

    def _count_fds(self) -> int | None:
        try:
            return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
        except OSError as error:
            self.trouble["fds"] = f"open files of {self.pid}: {error.strerror}"
            return None

    def _switches(self, threads: int) -> int | None:
        """Context switches of all threads together: of one alone they may rest while the process works."""
        if threads > THREADS_READ and self._looks % 10 != 1:
            return None
        total = 0
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{self.pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    text = (thread / "status").read_bytes()
                    total += sum(int(n) for n in re.findall(rb"(?m)^(?:non)?voluntary_ctxt_switches:\s*(\d+)", text))
            return total
        return None


def children(pid: int) -> list[int]:
    """Direct children, of any of its threads; empty where the kernel does not list them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                text = (thread / "children").read_text()
                found += [int(child) for child in text.split()]
    return found


def descendants(pid: int, limit: int = 64) -> list[tuple[int, int]]:
    """(pid, parent) of everything below a process, nearest first, at most ``limit``."""
    found: list[tuple[int, int]] = []
    todo = [pid]
    while todo and len(found) < limit:
        parent = todo.pop(0)
        below = [child for child in children(parent) if all(child != seen for seen, _ in found)]
        found += [(child, parent) for child in below]
        todo += below
    return found[:limit]


def exists(pid: int) -> bool:
    """Whether a process of that pid is there and no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return text.rpartition(b")")[2].split()[:1] not in ([b"Z"], [b"X"])


class HostOom:
    """oom_kill of /proc/vmstat: how many processes the kernel has killed for want of memory since boot."""

    def __init__(self) -> None:
        self._file = _open("/proc/vmstat")

    def read(self) -> int | None:
        """The count, or None where it cannot be read."""
        if self._file is None:
            return None
        with contextlib.suppress(OSError):
            found = re.search(rb"(?m)^oom_kill (\d+)", os.pread(self._file, 64 * 1024, 0))
            return int(found.group(1)) if found else None
        return None


def arguments_without_secrets(arguments: list[str]) -> list[str]:
    """A command line in which the values of options that name a secret are ``*``."""
    shown: list[str] = []
    hide = False
    for word in arguments:
        name, equals, _ = word.partition("=")
        if hide and not word.startswith("-"):
            shown.append("*")
            hide = False
        elif equals and _SECRET.search(name):
            shown.append(f"{name}=*")
        else:
            shown.append(word)
            hide = word.startswith("-") and bool(_SECRET.search(word))
    return shown


def _fingerprint(pid: int, parent: int, session: int) -> dict[str, str]:
    """What can only be asked while it lives: program, arguments, parent, session, signal masks, limits."""
    facts = {"parent": str(parent), "session": str(session)}
    folder = Path(f"/proc/{pid}")
    with contextlib.suppress(OSError):
        facts["exe"] = str((folder / "exe").readlink())
    with contextlib.suppress(OSError):
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        facts["arguments"] = " ".join(arguments_without_secrets([w.decode("utf-8", "replace") for w in words]))[:2000]
    with contextlib.suppress(OSError):
        status = (folder / "status").read_text()
        for name, wanted in (("signals ignored", "SigIgn"), ("signals caught", "SigCgt"), ("uid", "Uid")):
            found = re.search(rf"(?m)^{wanted}:\s*(\S+)", status)
            if found:
                facts[name] = found.group(1)
    with contextlib.suppress(OSError):
        for name, soft in re.findall(
            r"(?m)^Max (address space|open files|core file size)\s+(\S+)", (folder / "limits").read_text()
        ):
            facts[f"limit of {name}"] = soft
    return facts


def _there(pid: int, own: int) -> str:
    if pid == own:
        return "itself"
    return "there" if pid > 0 and exists(pid) else "gone"


def _open(path: str) -> int | None:
    with contextlib.suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _oom_file(pid: int) -> int | None:
    """The open file that counts oom_kill for the memory cgroup of a process (version 2, else 1)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            number, names, path = line.split(":", 2)
            if number == "0" and path != "/":
                found = _open(f"{_CGROUP}{path}/memory.events.local") or _open(f"{_CGROUP}{path}/memory.events")
            elif "memory" in names.split(",") and path != "/":
                found = _open(f"{_CGROUP}/memory{path}/memory.oom_control")
            else:
                continue
            if found is not None:
                return found
    return None


def _namespace(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink()).strip("pid:[]")
    return "?"
