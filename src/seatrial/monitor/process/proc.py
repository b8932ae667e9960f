"""One life of one process, read through files of /proc that stay open: they never speak of a successor with its pid.

Identity is boot, pid namespace, pid and start ticks (field 22 of stat): it stays put when the wall clock steps, and it
changes when a pid is used again. What may not be read is None, and :attr:`Process.unread` says what that is.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

import msgspec

from seatrial.monitor.process import fingerprint, freezer, procfiles, threads
from seatrial.records import Fact
from seatrial.run.clocks import boot_id

_CGROUP = Path("/sys/fs/cgroup")
_MEMORY = re.compile(rb"(?m)^(VmSize|RssAnon|VmSwap):\s*(\d+) kB")
_IO = re.compile(rb"(?m)^[rw]char: (\d+)")
_LIMIT = re.compile(rb"(?m)^Max address space\s+(\S+)")
_LABELS = {"status": "memory", "io": "bytes read and written", "limits": "limits"}
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Gone(Exception):
    """There is no such process, no /proc to find it in, or it is none that can be watched: the message says which."""


class ProcessReading(msgspec.Struct, frozen=True):
    """What one look at a process found, as the fields of a Sample. Times are ns, sizes bytes; None: not readable."""

    state: str
    cpu_ns: int | None
    memory: int | None
    threads: int | None
    fds: int | None
    switches: int | None
    io: int | None
    size: int | None
    size_limit: int | None
    frozen: bool | None = None
    wchan: str = ""


class Process:
    """An incarnation under observation.

    Raises:
        Gone: the process does not exist (any more), is a zombie, a thread, or one of the kernel's.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.unread: set[str] = set()
        self._cpu_before: int | None = None
        self._files: dict[str, int | None] = {}
        try:
            self.stat_file: int | None = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Gone(fingerprint.absent(pid)) from error
        except OSError as error:
            raise Gone(f"process {pid} cannot be watched: {error.strerror}") from error
        self._files = {name: self._opened(name) for name in _LABELS}
        self._oom_file = _oom_file(pid)
        fields = self._stat()
        why = fingerprint.unfit(pid, fields) if fields else f"process {pid} has ended"
        if fields is None or why:
            self.close()
            raise Gone(why)
        self.parent, self.session = int(fields[1]), int(fields[3])
        self.started_ticks = int(fields[19])
        self.incarnation = f"{boot_id()[:8] or '?'}-{_namespace(pid)}-{pid}-{self.started_ticks}"
        self.read_at_age_ns = self.age_ns()  # before it is read: whoever waits in between is not older by that
        self.facts = fingerprint.take(pid, self.parent, self.session) | self.relatives()
        self.arguments = self.facts.get(Fact.ARGUMENTS, "")  # whole; what is shown of it is the tree's to say
        self.traceable = Fact.EXE in self.facts
        if not self.traceable:
            self.unread.add("program")

    def lives(self) -> bool:
        """Whether this incarnation still runs; a zombie does not."""
        fields = self._stat()
        return fields is not None and fields[0] not in (b"Z", b"X")

    def is_zombie(self) -> bool:
        """Whether this incarnation has ended and its parent has not taken notice."""
        fields = self._stat()
        return fields is not None and fields[0] == b"Z"

    def age_ns(self) -> int:
        """Since its start, by the clock its start ticks are of."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self.started_ticks * _TICK_NS

    def cpu_ns(self) -> int:
        """CPU time of all its threads, by its clock alone; 0 where that clock is not given."""
        with contextlib.suppress(OSError):
            return time.clock_gettime_ns((~self.pid << 3) | 2)
        return 0

    def is_as_read(self) -> bool:
        """Whether it is still the program, with the arguments, that its fingerprint tells."""
        now = fingerprint.take(self.pid, self.parent, self.session)
        return (now.get(Fact.EXE), now.get(Fact.ARGUMENTS, "")) == (self.facts.get(Fact.EXE), self.arguments)

    def relatives(self) -> dict[str, str]:
        """Whether its session leader and its parent are there: some ends come with theirs."""
        return {
            Fact.SESSION_LEADER: _there(self.session, self.pid),
            Fact.PARENT_PROCESS: _there(self.parent, self.pid),
        }

    def look(self, *, closely: bool = True, held: bool = False) -> ProcessReading | None:
        """One reading, or None when the process is gone.

        Args:
            closely: count the context switches when the CPU time has not moved since the last look. While it moves
                they are not counted: the process runs.
            held: look for a freezer that holds it, when the CPU time has not moved.
        """
        fields = self._stat()
        if fields is None:
            return None
        cpu_ns = self._cpu(fields)
        flat, self._cpu_before = cpu_ns == self._cpu_before, cpu_ns
        memory, size = self._memory()
        return ProcessReading(
            state=fields[0].decode(),
            cpu_ns=cpu_ns,
            memory=memory,
            threads=int(fields[17]),
            fds=self._count_fds(),
            switches=threads.switches(self.pid) if flat and closely else None,
            io=self._io(),
            size=size,
            size_limit=self._size_limit(),
            frozen=freezer.frozen(self.pid) if flat and held else None,
            wchan=freezer.place(self.pid) if flat and held else "",
        )

    def size_limit_told(self) -> str:
        """The soft limit of its address space in bytes, "unlimited", or empty where it cannot be read.

        The kernel tells it of a zombie too, whose address space is gone: the last word on a limit set late.
        """
        found = _LIMIT.search(self._read("limits"))
        return found.group(1).decode() if found else ""

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
        for handle in (self.stat_file, self._oom_file, *self._files.values()):
            if handle is not None:
                os.close(handle)
        self.stat_file = self._oom_file = None
        self._files = {}

    def _stat(self) -> list[bytes] | None:
        """Fields of stat from the third on (state): after the last bracket, for the name may hold anything."""
        if self.stat_file is not None:
            with contextlib.suppress(OSError):
                return os.pread(self.stat_file, 4096, 0).rpartition(b")")[2].split() or None
        return None

    def _opened(self, name: str) -> int | None:
        try:
            return os.open(f"/proc/{self.pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            self.unread.add(_LABELS[name])
        except OSError:
            pass
        return None

    def _read(self, name: str) -> bytes:
        """What a kept file holds now; nothing where it may not be read, or when the process is gone."""
        handle = self._files.get(name)
        try:
            return os.pread(handle, 8192, 0) if handle is not None else b""
        except PermissionError:
            self.unread.add(_LABELS[name])
        except OSError:
            pass
        return b""

    def _cpu(self, fields: list[bytes]) -> int:
        """CPU time of all its threads: by its CPU clock in ns, or by ticks where that clock is not given."""
        try:
            return time.clock_gettime_ns((~self.pid << 3) | 2)
        except OSError:
            return (int(fields[11]) + int(fields[12])) * _TICK_NS

    def _memory(self) -> tuple[int | None, int | None]:
        """RssAnon and VmSwap (what swapping out cannot hide), and VmSize."""
        found = {name: int(kb) * 1024 for name, kb in _MEMORY.findall(self._read("status"))}
        size = found.pop(b"VmSize", None)
        return (sum(found.values()) if found else None), size

    def _io(self) -> int | None:
        found = _IO.findall(self._read("io"))
        return sum(int(count) for count in found) if found else None

    def _size_limit(self) -> int | None:
        told = self.size_limit_told()
        return int(told) if told.isdigit() else None

    def _count_fds(self) -> int | None:
        """By the size of the folder (Linux 6.2 and later), else by counting."""
        try:
            folder = f"/proc/{self.pid}/fd"
            return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208 - each second
        except PermissionError:
            self.unread.add("open files")
        except OSError:
            pass
        return None


def children(pid: int) -> list[int]:
    """Direct children, of any of its threads; empty where the kernel does not list them."""
    found: list[int] = []
    for tid in procfiles.tasks(pid):
        text = procfiles.read(f"/proc/{pid}/task/{tid}/children")
        if text:
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


def ancestors(pid: int, limit: int = 64) -> list[int]:
    """Parent, grandparent and so on, nearest first."""
    found: list[int] = []
    while pid > 1 and len(found) < limit:
        try:
            text = Path(f"/proc/{pid}/stat").read_bytes()
            pid = int(text.rpartition(b")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            break
        found.append(pid)
    return found


def exists(pid: int) -> bool:
    """Whether a process of that pid is there and no zombie."""
    text = procfiles.read(f"/proc/{pid}/stat")
    return text is not None and text.rpartition(b")")[2].split()[:1] not in ([b"Z"], [b"X"])


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
        for line in os.fsdecode(Path(f"/proc/{pid}/cgroup").read_bytes()).split("\n")[:-1]:
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
