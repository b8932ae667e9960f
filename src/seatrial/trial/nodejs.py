"""What the official SDK for Node makes of recorded answers: a child process of ours, to which no socket is open.

The SDK is the operator's own, installed by him (``npm install openai``) in a folder that he names. What it reads is
written down with each judgement, so that a run is judged again where there is no Node.
"""

from __future__ import annotations

import base64
import functools
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from seatrial.given.errors import ConfigError
from seatrial.oracles import node
from seatrial.reading.chat import asks_for_stream
from seatrial.reading.fields import mapping
from seatrial.records import Exchange
from seatrial.report.allure.node import NodeError, find_node
from seatrial.text import visible
from seatrial.wire.masking.mask import Mask

OPTION = "--openai-node"
SCRIPT = Path(__file__).with_suffix(".mjs")
PACKAGE = Path("node_modules", "openai", "package.json")
LARGEST_BYTES = 4 * 1024 * 1024
"""Of a body that is read; no chat of a suite comes near."""

PATIENCE_S = 10.0
"""For one answer; the first takes a second, for the SDK is loaded then, all others a few thousandths."""

MEMORY_MB = 256
Reading = dict[str, Any]
"""``answer`` or ``error`` as the SDK gave it to its user, else ``none``: why nothing was read."""


class NodeSdk:
    """The SDK of one folder. Its process is started with the first answer, and again where one ended it.

    Args:
        folder: where ``npm install openai`` was run.
        node: Node itself, and no script that starts it.
    """

    def __init__(self, folder: Path, node: Path) -> None:
        self._command = [str(node), f"--max-old-space-size={MEMORY_MB}", str(SCRIPT), str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, x: Exchange, *, patience_s: float = PATIENCE_S) -> Reading:
        """What a user of the SDK would have been given for an answer."""
        if x.status is None or not 200 <= x.status < 600:
            return {"none": "no status that a client could read"}
        if len(x.body) > LARGEST_BYTES:
            return {"none": f"its body is larger than {LARGEST_BYTES // 1024 // 1024} MiB"}
        question = {
            "stream": asks_for_stream(x),
            "status": x.status,
            "headers": x.headers,
            "body": base64.b64encode(x.body).decode(),
        }
        with self._lock:
            try:
                line = self._ask(msgspec.json.encode(question) + b"\n", patience_s)
            except (OSError, UnicodeEncodeError) as error:
                return {"none": f"it could not be asked: {visible(str(error), 200)}"}
        try:
            return mapping(msgspec.json.decode(line)) or {"none": "Node said nothing that can be read"}
        except msgspec.DecodeError:
            return {"none": f"Node ended, or gave no answer within {patience_s:g} s"}

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, question: bytes, patience_s: float) -> bytes:
        """The line that answers a question; torn or empty where the process ended, or was ended for its slowness."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - both are pipes
        watch = threading.Timer(patience_s, process.kill)
        watch.start()
        try:
            process.stdin.write(question)
            process.stdin.flush()
            line = process.stdout.readline(16 * LARGEST_BYTES)
        except OSError:
            line = b""
        finally:
            watch.cancel()
        if not line.endswith(b"\n"):
            self._end()
        return line

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):  # what was not yet written is not wanted any more
                pipe.close()


@contextmanager
def opened(path: Path | None) -> Iterator[NodeSdk | None]:
    """The SDK of a folder for as long as a process judges; None where nothing can be read."""
    if path is None or lacking(path):
        yield None
        return
    sdk = NodeSdk(path, itself())
    try:
        yield sdk
    finally:
        sdk.close()


def asked(sdk: NodeSdk | None, rule: str, exchanges: Iterable[Exchange], mask: Mask) -> dict[str, Any]:
    """The setting by which a rule that asks the SDK is judged: what it makes of each exchange, as it may be written
    down. Empty for other rules."""
    if sdk is None or rule != node.RULE:
        return {}
    return {node.SETTING: {x.id: masked(sdk.read(x), mask) for x in exchanges}}


def folder(given: str | None) -> Path | None:
    """The folder that the option names; None where it names none.

    Raises:
        ConfigError: the SDK is not installed there.
    """
    if given is None:
        return None
    path = Path(given).absolute()
    if not (path / PACKAGE).is_file():
        raise ConfigError(f"{OPTION}={visible(given, 200)}: the SDK is not there: cd to it and npm install openai")
    return path


@functools.cache
def lacking(path: Path | None) -> str:
    """Why nothing can be read; empty where it can."""
    if path is None:
        return f"{OPTION} names no folder in which npm install openai was run"
    try:
        itself()
    except NodeError as error:
        return str(error)
    return ""


@functools.cache
def itself() -> Path:
    """Node, found: not what starts it, which would be ended in its place.

    Raises:
        NodeError: there is none that is new enough, or it does not start.
    """
    found = find_node()
    try:
        done = subprocess.run(
            [str(found.path), "-p", "process.execPath"], capture_output=True, text=True, timeout=20, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise NodeError(f"{found.path} does not start: {visible(str(error), 200)}") from error
    return Path(done.stdout.strip())


def masked(reading: Reading, mask: Mask) -> Reading:
    """A reading as it may be written down: one that holds the operator's key is left out."""
    text = msgspec.json.encode(reading).decode()
    return reading if mask.text(text) == text else {"none": "it holds what is masked"}
