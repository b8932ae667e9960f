"""What master and workers tell each other over Locust's channel. No key is in any of it: each has its own environment.

Each goes as bytes of msgpack, and is decoded as what it should be: what is nothing of the kind is not heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec

import seatrial
from seatrial.given.phases import SoakPhase
from seatrial.given.workload import Workload
from seatrial.records import VERSION, Endpoint
from seatrial.records.words import Whole

VERSION_TOLD = f"{seatrial.__version__}/{VERSION}"
"""Who is of another version writes other lines, or sends something else."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Anything that goes over the channel."""


class Hello(Message, frozen=True, kw_only=True):
    """A worker is there, and wants to take part; said again until it is answered."""

    version: str
    host: str
    pid: Whole
    here: bool  # it was started by the master, on its host: it writes into the run directory itself


class Welcome(Message, frozen=True, kw_only=True):
    """The answer: what a worker must know, or why it is not wanted."""

    refusal: str = ""
    name: str = ""  # of its writer
    index: Whole = 0
    of: Whole = 1
    run: str = ""
    path: str = ""  # of the run directory, for those who are here
    endpoint: Endpoint | None = None
    with_key: bool = False  # the master sends a key, and so must they
    workload: Workload | None = None
    users: Whole = 1  # closed ones, of all workers together
    seed: int = 0
    max_tokens: Whole = 48
    deadline_s: float = 60.0
    idle_s: float = 30.0
    canary_s: float = 60.0
    careless: bool = False  # requests that must be refused are sent


class AskTime(Message, frozen=True, kw_only=True):
    """What is your time? ``sent``: the worker's, when it asked. It also says that a worker lives."""

    sent: Whole


class TellTime(Message, frozen=True, kw_only=True):
    """The master's time when it was asked, and when it answered; and which life of the server is there now."""

    sent: Whole
    heard: Whole
    told: Whole
    generation: Whole = 0


class Mustered(Message, frozen=True, kw_only=True):
    """A worker has read all that it needs, knows the master's time, and has so many users by now."""

    users: Whole


class SendPhase(Message, frozen=True, kw_only=True):
    """A phase, or a step of a sweep: from when until when, on the master's clock."""

    number: Whole
    phase: SoakPhase
    begin: Whole
    until: Whole
    slots: Whole
    measured: float | None = None
    step: Whole | None = None  # of a sweep: which
    rate: float = 0.0


class PhaseTold(Message, frozen=True, kw_only=True):
    """What came of a command: once its time is over, and once more when nothing of it is under way."""

    number: Whole
    answered: Whole
    quiet: bool = False
    waits: tuple[float, ...] = ()  # of a step
    lost: Whole = 0


class Halt(Message, frozen=True, kw_only=True):
    """Send nothing more. ``cut``: nor wait for what is under way."""

    cut: bool = False


class GivenUp(Message, frozen=True, kw_only=True):
    """The answer to a worker that was given up and goes on all the same: nothing that it does counts any more."""


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a file, as it was written."""

    file: Literal["rows.jsonl", "exchanges.jsonl", "bytes.bin"]
    at: Whole
    content: bytes


class Batch(Message, frozen=True, kw_only=True):
    """What a worker wrote since the one before; said again until it is acknowledged."""

    number: Whole
    parts: tuple[FilePart, ...]
    offset_ns: Whole = 0  # what is added to its times
    error_ns: Whole = 0


class Ack(Message, frozen=True, kw_only=True):
    """A batch is on the master's disk. ``refused``: it never will be, and why."""

    number: Whole
    refused: str = ""


class Done(Message, frozen=True, kw_only=True):
    """A worker has ended: how many lines it wrote, what became of its requests, how many of them rules read, and how
    many found no room for their bytes."""

    lines: Whole
    outcomes: dict[str, Whole] = {}
    read: Whole = 0
    of: Whole = 0
    unkept: Whole = 0


class Failing(Message, frozen=True, kw_only=True):
    """A worker cannot go on, and goes: why."""

    why: str


_Kind = TypeVar("_Kind", bound=Message)


class Channel:
    """Locust's channel, for messages of ours.

    Args:
        runner: Locust's master or worker.
    """

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def hear(self, kind: type[_Kind], heard: Callable[[str, _Kind], None]) -> None:
        """Call something with each message of a kind, and whose it is. It must not wait for another message."""

        def listener(msg: Any, **_: Any) -> None:
            try:
                message = msgspec.msgpack.decode(msg.data, type=kind)
            except (msgspec.MsgspecError, TypeError, ValueError):
                return
            heard(str(msg.node_id), message)

        self._runner.register_message(_name(kind), listener)

    def say(self, message: Message, to: str | None = None) -> None:
        """Send a message to the master, or to one worker. Whether it is heard, the other side says."""
        self._runner.send_message(_name(type(message)), msgspec.msgpack.encode(message), client_id=to)


def _name(kind: type[Message]) -> str:
    return f"seatrial-{kind.__name__.lower()}"
