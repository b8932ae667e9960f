"""The keeper as pytest and the watch see it: a handle for who starts it, and :func:`ask` for others."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from seatrial.given.errors import ServerError
from seatrial.records.targets import Watched
from seatrial.run.directory import RunDir
from seatrial.servers.child import tail
from seatrial.servers.keeper import GRACE_S, ORDERLY, RECORDER, START_S
from seatrial.servers.orders import Command, EmbeddedSpec, Order
from seatrial.servers.recorder_child import SEAL_S

__all__ = ["Command", "EmbeddedSpec", "Keeping", "ServerError", "ask"]


class Keeping:
    """A running keeper. Its end, and the end of this process, end what it started.

    Attributes:
        address: the socket that :func:`ask` wants.
        embedded: the embedded server's base URL and pid, if one was asked for.
        command: the pid of the command, if one was given.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        address: str,
        embedded: tuple[str, int] | None,
        command: int | None = None,
    ) -> None:
        self._process = process
        self.address = address
        self.embedded = embedded
        self.command = command

    @classmethod
    def start(
        cls,
        run: RunDir,
        watch: Sequence[Watched] = (),
        embedded: EmbeddedSpec | None = None,
        *,
        command: Command | None = None,
        temporary: bool = False,
        recorder: str = RECORDER,
    ) -> Keeping:
        """Start the keeper, and wait until the embedded server answers.

        Args:
            command: what it is to start and watch beside; its descriptors are ours.
            temporary: it removes the run directory itself, should this process die without :meth:`close`.

        Raises:
            ServerError: the server or the command cannot be started; nothing is left running.
        """
        log = run.watch_writer("keeper").folder / "keeper.log"
        argv = [sys.executable, "-m", "seatrial.servers.keeper", f"--recorder={recorder}", str(run.path)]
        passed = () if command is None else (command.out, command.err)
        with log.open("ab") as err:
            process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, start_new_session=True, pass_fds=passed
            )
        assert process.stdin is not None
        order = Order(watch=tuple(watch), embedded=embedded, command=command, temporary=temporary)
        with contextlib.suppress(OSError):  # it has ended: its silence below says so, with its log
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            process.stdin.flush()
        said = _first_line(process, START_S + 10)
        if "error" in said or "address" not in said:
            _end(process, GRACE_S + SEAL_S + 1)
            message = said.get("error", f"the keeper did not start; its log: {log}")
            raise ServerError(message, said.get("log") or tail(log))
        server = said["embedded"]
        named = None if server is None else (server["url"], server["pid"])
        return cls(process, said["address"], named, said.get("command"))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the keeper runs; what it started does not outlive it."""
        return self._process.poll() is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close; but who interrupts does not wait for it."""
        if kind is KeyboardInterrupt:
            self.leave()
        else:
            self.close()

    def leave(self) -> None:
        """Have everything ended, and do not wait for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()

    def close(self, timeout_s: float = 10) -> None:
        """Have everything ended and the record sealed; twice is once. Past the time-out the keeper is killed."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended, or was told before
            self._process.stdin.write(ORDERLY)
        _end(self._process, timeout_s)


def ask(address: str, message: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """Send the keeper one request and wait for its answer. A worker's way to restart a server.

    ``{"restart": NAME, "generation": g}`` answers once a generation later than g serves, whoever asked first,
    with its url, pid and generation; ``{"planned_stop": NAME, "why": ...}`` answers at once.

    Raises:
        ServerError: the keeper is gone, did not answer in time, or says why it cannot.
    """
    deadline = time.monotonic() + timeout_s
    received = b""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(address)
            connection.sendall(json.dumps(message).encode() + b"\n")
            while not received.endswith(b"\n"):
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                content = connection.recv(65536)
                if not content:
                    break
                received += content
        reply: dict[str, Any] = json.loads(received)
    except (OSError, ValueError) as error:
        raise ServerError(f"the keeper of this run does not answer ({error or type(error).__name__})") from error
    if "error" in reply:
        raise ServerError(reply["error"], reply.get("log", ()))
    return reply


def _first_line(process: subprocess.Popen[bytes], timeout_s: float) -> dict[str, Any]:
    """The keeper's line on stdout; empty when it ended or stayed silent."""
    assert process.stdout is not None
    handle, received, deadline = process.stdout.fileno(), b"", time.monotonic() + timeout_s
    while not received.endswith(b"\n"):
        if not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return {}
        content = os.read(handle, 65536)
        if not content:
            return {}
        received += content
    said: dict[str, Any] = json.loads(received)
    return said


def _end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
