"""What is to be watched, as given on a command line, and what can be said against it at once."""

from __future__ import annotations

import datetime
import os
import re
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.given import words
from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.records import SECOND
from seatrial.stops.fold import Limits
from seatrial.text import visible

LONGEST_QUIET_S = 7 * 86400
"""A longer maintenance is a watch that nobody wants."""

COMMAND = "command"
"""The name of the process that a command after ``--`` becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """A watch, validated. Names are those of endpoints, of processes without a port, and of the command."""

    endpoints: Mapping[str, str] = field(default_factory=dict)  # name -> base URL
    pids: Mapping[str, int] = field(default_factory=dict)
    logs: Mapping[str, Path] = field(default_factory=dict)
    behind: Mapping[str, str] = field(default_factory=dict)  # gateway -> endpoint
    command: tuple[str, ...] = ()
    json: bool = False
    for_s: float | None = None  # None: until it is ended
    canary_s: float = 10.0  # 0: none
    model: str | None = None
    access: Access = field(default_factory=Access)
    scrape: bool = False
    limits: Limits = field(default_factory=Limits)
    record: Path | None = None
    status: Path | None = None  # where the state is written for other monitors
    on_stop: tuple[str, ...] = ()  # words of a command that is run at each stop
    arguments: tuple[str, ...] = ()  # as they were given, without secrets

    @property
    def names(self) -> tuple[str, ...]:
        """Every target, in order."""
        return tuple(dict.fromkeys([*self.endpoints, *self.pids, *([COMMAND] if self.command else [])]))

    @property
    def jobs(self) -> tuple[str, ...]:
        """Targets without a port: their own end may be the end of the watch."""
        return tuple(name for name in self.names if name not in self.endpoints)


def check(settings: WatchSettings) -> WatchSettings:
    """The settings, once they make sense together.

    Raises:
        ConfigError: one line that names the option and the remedy.
    """
    if not settings.names:
        raise ConfigError(
            "nothing to watch: name a server with --endpoint=URL, a process with --pid=NAME=PID, or a command after --"
        )
    if settings.command and COMMAND in settings.pids:
        raise ConfigError(f"--pid={COMMAND}=...: this is the name of the command after --; call it otherwise")
    if settings.command and shutil.which(settings.command[0]) is None:
        raise ConfigError(f"{settings.command[0]}: no such command, or it may not be run")
    for option, names in (("--log", settings.logs), ("--behind", [*settings.behind, *settings.behind.values()])):
        for name in names:
            if name not in settings.names:
                raise ConfigError(f"{option}: nothing watched is called {name}; there is {', '.join(settings.names)}")
    for gateway, endpoint in settings.behind.items():
        for name in (gateway, endpoint):
            if name not in settings.endpoints:
                raise ConfigError(f"--behind={gateway}={endpoint}: {name} is no endpoint")
        if gateway == endpoint:
            raise ConfigError(f"--behind={gateway}={endpoint}: an endpoint is not behind itself")
    return settings


def status(text: str | None) -> Path | None:
    """The absolute path of a file that can be made.

    Raises:
        ConfigError: it cannot.
    """
    path = words.folder("--status", text)
    if path is None:
        return None
    if path.is_dir():
        raise ConfigError(f"--status={path} is a folder; name a file in it, as {path / 'status.json'}")
    if not path.parent.is_dir():
        raise ConfigError(f"--status={path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"--status={path}: nothing can be written in {path.parent}")
    return path


def command(option: str, text: str | None) -> tuple[str, ...]:
    """The words of a command that is run without a shell.

    Raises:
        ConfigError: no words, or no such command.
    """
    if text is None:
        return ()
    try:
        found = tuple(shlex.split(words.legible(option, text)))
    except ValueError:
        raise ConfigError(f"{option}: a quotation mark is not closed") from None
    if not found:
        raise ConfigError(f"{option}: no command is named")
    if any("\0" in word for word in found) or shutil.which(found[0]) is None:
        raise ConfigError(f"{option}: {visible(found[0], 60)}: no such command, or it may not be run; it is no shell's")
    return found


def quiet_until(text: str | None) -> int:
    """When planned maintenance ends, CLOCK_MONOTONIC, ns; 0 where none is given.

    Raises:
        ConfigError: no time, or one that is over or too far off.
    """
    if text is None:
        return 0
    option, now = "--quiet-until", datetime.datetime.now().astimezone()
    seconds = _seconds_until(option, text.strip(), now)
    if not 0 < seconds <= LONGEST_QUIET_S:
        why = "is over" if seconds <= 0 else f"is more than {LONGEST_QUIET_S // 86400} days off"
        raise ConfigError(f"{option}={visible(text, 60)} {why}; say 14:30, 2026-11-28T14:30, or 45m from now")
    return time.monotonic_ns() + round(seconds * SECOND)


def _seconds_until(option: str, text: str, now: datetime.datetime) -> float:
    if text[-1:] in ("s", "m", "h"):
        return words.duration(option, text)
    try:
        if "-" in text[:8]:
            moment = datetime.datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.astimezone()).timestamp() - now.timestamp()
        clock = datetime.time.fromisoformat(text)
        if clock.tzinfo is not None or not re.match(r"\d\d:\d\d", text):
            raise ValueError(text)
        moment = datetime.datetime.combine(now.date(), clock).astimezone()
        if moment <= now:
            moment = datetime.datetime.combine(now.date() + datetime.timedelta(days=1), clock).astimezone()
        return moment.timestamp() - now.timestamp()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"{option}={visible(text, 60)} is no time; say 14:30, 2026-11-28T14:30, or 45m from now"
        ) from None


def pids(texts: Iterable[str]) -> dict[str, int]:
    """Name to pid, of ``NAME=PID`` each.

    Raises:
        ConfigError: no name, no pid, or a name given twice.
    """
    found: dict[str, int] = {}
    for name, value in _pairs("--pid", "NAME=PID", texts):
        if not value.isascii() or not value.isdigit() or not 0 < int(value) <= 2**22:  # the kernel's largest pid
            raise ConfigError(f"--pid={name}={value}: {value or 'nothing'} is no pid")
        found[name] = int(value)
    return found


def logs(texts: Iterable[str]) -> dict[str, Path]:
    """Name to the absolute path of a log, of ``NAME=FILE`` each; it may come later.

    Raises:
        ConfigError: no name or no file, or a name given twice.
    """
    found: dict[str, Path] = {}
    for name, value in _pairs("--log", "NAME=FILE", texts):
        if not value:
            raise ConfigError(f"--log={name}=: no file is named")
        found[name] = Path(value).absolute()
    return found


def behind(texts: Iterable[str]) -> dict[str, str]:
    """Gateway to the endpoint behind it, of ``GATEWAY=ENDPOINT`` each.

    Raises:
        ConfigError: no such pair, or a gateway given twice.
    """
    return dict(_pairs("--behind", "GATEWAY=ENDPOINT", texts))


def canary(text: str) -> float:
    """Seconds between two canaries; 0 for ``off``.

    Raises:
        ConfigError: no duration.
    """
    return 0.0 if text == "off" else words.duration("--canary", text)


def _pairs(option: str, shape: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        name, eq, value = text.partition("=")
        if not eq or not words.is_name(name):
            raise ConfigError(f"{option}={text}: it wants {shape}; a name is up to 40 letters, digits, dots, dashes")
        if name in found:
            raise ConfigError(f"{option}: the name {name} is given twice")
        found[name] = value
    return list(found.items())
