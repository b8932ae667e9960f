"""One life of a process of ours, as its parent sees it: the embedded server, or a command that a watch has started."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from seatrial.run.follow import last_bytes
from seatrial.servers.embedded import KEY_VARIABLE
from seatrial.servers.orders import EmbeddedSpec
from seatrial.text import signal_name

LOG_TAIL = 5
"""Lines of a log that stand under an error."""
LOG_BYTES = 8192
"""They are looked for in so many bytes at its end."""


class _Ready(msgspec.Struct, frozen=True):
    url: str
    pid: int


@dataclasses.dataclass(frozen=True, slots=True)
class Ending:
    """How a life ended: raw wait status, the time of the first sign (pidfd readable), the time it was reaped."""

    status: int
    signalled_at: int
    at: int

    def __str__(self) -> str:
        if os.WIFSIGNALED(self.status):
            return f"signal {signal_name(os.WTERMSIG(self.status))}"
        return f"exit code {os.WEXITSTATUS(self.status)}"


class Leader:
    """A started process that leads a group of its own. It is gone once :attr:`exit` is."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.started_at = time.monotonic_ns()
        self.pidfd = os.pidfd_open(self.pid)
        self.exit: Ending | None = None

    @property
    def alive(self) -> bool:
        return self.exit is None

    def reap(self, signalled_at: int) -> Ending:
        """Take the status of the ended process and free all handles.

        Args:
            signalled_at: when its pidfd was first seen readable, monotonic ns.
        """
        result = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        assert result is not None
        status = result.si_status << 8 if result.si_code == os.CLD_EXITED else result.si_status
        if result.si_code == os.CLD_DUMPED:
            status |= 0x80
        self.exit = Ending(status, signalled_at, time.monotonic_ns())
        self._process.returncode = os.waitstatus_to_exitcode(status)
        os.close(self.pidfd)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self.exit

    def wait(self, seconds: float) -> bool:
        """Wait for its end without reaping it; True when it has ended."""
        return self.exit is not None or bool(select.select([self.pidfd], [], [], max(0.0, seconds))[0])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def end(self, grace_s: float) -> Ending:
        """TERM the group, KILL it after a grace, reap it. A stopped process is continued, else TERM waits for ever."""
        if self.exit is not None:
            return self.exit
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if not self.wait(grace_s):
            self.signal(signal.SIGKILL)
            self.wait(10)
        return self.reap(time.monotonic_ns())


class Child(Leader):
    """A started embedded server. Not ready until :attr:`url` is set. It ends by itself should its parent die."""

    def __init__(self, spec: EmbeddedSpec, generation: int, port: int, log: Path) -> None:
        """Start it.

        Raises:
            OSError: the log cannot be written, or the process cannot be started.
        """
        command = [sys.executable, "-m", "seatrial.servers.embedded", "--with-parent", f"--model={spec.model}"]
        command += [f"--port={port}", f"--slots={spec.slots}", f"--context={spec.context}"]
        command += [f"--template={spec.template}", f"--alias={spec.alias}"]
        environment = {**os.environ, **({KEY_VARIABLE: spec.key} if spec.key else {})}
        with log.open("ab", buffering=0) as err:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, env=environment, process_group=0
            )
        super().__init__(process)
        assert process.stdout is not None
        self.spec, self.log, self.generation = spec, log, generation
        self.said = process.stdout.fileno()
        os.set_blocking(self.said, False)
        self._line = b""
        self.url = ""

    def hear(self) -> bool:
        """Read what it says on stdout; True when there is no more to come (the ready line, or the end)."""
        with contextlib.suppress(BlockingIOError):
            content = os.read(self.said, 4096)
            self._line += content
            if not content or b"\n" in content:
                with contextlib.suppress(msgspec.MsgspecError):
                    self.url = msgspec.json.decode(self._line, type=_Ready).url
                return True
        return False

    def reap(self, signalled_at: int) -> Ending:
        """As :meth:`Leader.reap`; what is left of its group is ended first."""
        self.signal(signal.SIGKILL)  # while the unreaped leader still holds the group's number
        return super().reap(signalled_at)

    def tail(self) -> list[str]:
        """The last lines of its log."""
        return tail(self.log)


def tail(log: Path, lines: int = LOG_TAIL) -> list[str]:
    """The last lines of a log; none where it cannot be read."""
    return last_bytes(log, LOG_BYTES).decode("utf-8", "replace").splitlines()[-lines:]
