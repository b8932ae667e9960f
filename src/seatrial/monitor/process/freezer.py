"""Whether a freezer holds a process: what its cgroup says, and where in the kernel its main thread stands.

A frozen process of version 2 is in state S, one of version 1 in state D: its state tells nothing. The kernel says of a
cgroup whether it is frozen, also where only a cgroup above it was told to be.
"""

from __future__ import annotations

from seatrial.monitor.process.procfiles import read

ROOT = "/sys/fs/cgroup"


def frozen(pid: int, root: str = ROOT) -> bool | None:
    """Whether the cgroup of a process is frozen, by version 2 or 1; None where neither says.

    The path is read anew each time: a process may be moved to another cgroup.
    """
    said = None
    for line in (read(f"/proc/{pid}/cgroup") or b"").splitlines():
        number, _, rest = line.partition(b":")
        names, _, path = rest.partition(b":")
        where = path.decode("utf-8", "surrogateescape").rstrip("/")
        if number == b"0":
            text = _first(f"{root}{where}/cgroup.events", f"{root}/unified{where}/cgroup.events")
            found = None if text is None else b"frozen 1" in text.splitlines()
        elif b"freezer" in names.split(b","):
            text = read(f"{root}/freezer{where}/freezer.state")
            found = None if text is None else text.strip() == b"FROZEN"
        else:
            continue
        said = found if said is None else said or bool(found)
    return said


def place(pid: int) -> str:
    """Where in the kernel the main thread waits; empty: it runs, or this user may not know."""
    text = read(f"/proc/{pid}/wchan")
    return "" if text is None or text == b"0" else text[:64].decode("ascii", "replace")


def _first(*paths: str) -> bytes | None:
    """What stands in the first of the files that can be read."""
    return next((text for text in map(read, paths) if text is not None), None)
