"""Answers of each kind of server as raw bytes, and what is to be read in them: a folder a kind.

``PATH.http`` is what the server says at a path, slashes as dashes (``/v1/models`` is ``models``), ``PATH-WORD.http``
what it says there at another moment. ``expected.toml`` says where they come from and what is read: :class:`Expected`.
"""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent


class Answer(msgspec.Struct, frozen=True):
    """A recorded answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the watch takes a server: the stem of the kind it knows it by, and the questions it then asks."""

    asked: list[str]
    kind: str = ""
    arguments: str = ""
    scrape: bool = False
    forbidden: str = ""


class Reads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a question's reader makes of answers, one after another: what it says of the last one."""

    question: str
    answers: list[str]
    meter: dict[str, Any]
    forbidden: str | None = None


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read in a kind's specimens.

    Attributes:
        how: where they come from: ``recorded from ...``, or ``written from ...`` where no such server was met.
        suites: what the suites call the server.
        health: the status of its health page.
        at: when the answers came, where that matters.
        about: what it says of itself, where it says anything.
        counters: the source and the totals a soak takes from it; None: it shows none.
    """

    how: str
    suites: str
    health: int
    watch: list[Watched]
    reads: list[Reads] = []
    at: datetime.datetime | None = None
    about: dict[str, Any] = {}
    counters: dict[str, Any] | None = None


def expected(stem: str) -> Expected:
    """What is read in a kind's specimens."""
    return msgspec.convert(tomllib.loads((FOLDER / stem / "expected.toml").read_text("utf-8")), Expected)


def names(stem: str) -> list[str]:
    """The answers there are of a kind."""
    return sorted(path.stem for path in (FOLDER / stem).glob("*.http"))


def answer(stem: str, name: str) -> Answer:
    """An answer, taken apart."""
    head, _, body = (FOLDER / stem / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert int(headers["content-length"]) == len(body), f"{stem}/{name} is cut"
    return Answer(int(status.split()[1]), headers, body)


def at_path(stem: str, path: str) -> Answer | None:
    """What the server says at a path; None: there is no specimen of it."""
    name = path.removeprefix("/v1").strip("/").replace("/", "-")
    return answer(stem, name) if name in names(stem) else None
