"""What starts a nightly job: a systemd service with its timer, a line of a crontab. Printed, never installed."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from seatrial.given.errors import ConfigError
from seatrial.nightly.config import NightlyConfig

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def systemd(config: NightlyConfig, at: str) -> str:
    """Both units of a job, each below the path where it belongs.

    Raises:
        ConfigError: ``at`` is no time of day.
    """
    unit = f"seatrial-{config.name}"
    return "\n".join(
        (
            f"# /etc/systemd/system/{unit}.service; then: systemctl enable --now {unit}.timer",
            service(config.name, config.path, config.checkout, Path(sys.executable)),
            f"# /etc/systemd/system/{unit}.timer",
            timer(config.name, at),
            f"# or a line of a crontab:\n{cron(config.path, config.checkout, Path(sys.executable), at)}",
        )
    )


def service(name: str, config: Path, checkout: Path, python: Path) -> str:
    """The service. A night that is not READY is a failed unit, so that OnFailure= may be set beside the hook.

    Its locks lie in /tmp, which it therefore shares; SIGTERM goes to the job alone, which ends its run in order; and
    where the kernel kills a process of it for memory, the others go on and tell it.
    """
    command = " ".join(_quoted(word) for word in (str(python), "-m", "seatrial.cli", "nightly", str(config)))
    return f"""[Unit]
Description=Seatrial, nightly job {name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={_escaped(str(checkout))}
EnvironmentFile=-/etc/seatrial/{name}.env
ExecStart={command}
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec=15min
OOMPolicy=continue
PrivateTmp=no
"""


def timer(name: str, at: str) -> str:
    """The timer: each night at a time of here; one that was missed, for the machine was off, begins at the next start.

    Raises:
        ConfigError: no time of day.
    """
    hour, minute = _time(at)
    return f"""[Unit]
Description=Seatrial, nightly job {name}: each night

[Timer]
OnCalendar=*-*-* {hour:02d}:{minute:02d}:00
AccuracySec=1min
Persistent=true

[Install]
WantedBy=timers.target
"""


def cron(config: Path, checkout: Path, python: Path, at: str) -> str:
    """A line of a crontab; cron mails what the job prints.

    Raises:
        ConfigError: no time of day.
    """
    hour, minute = _time(at)
    words = " ".join(shlex.quote(word) for word in (str(python), "-m", "seatrial.cli", "nightly", str(config)))
    command = f"cd {shlex.quote(str(checkout))} && {words}".replace("%", r"\%")  # cron takes % for the end of a line
    return f"{minute} {hour} * * * {command}"


def _time(at: str) -> tuple[int, int]:
    match = _TIME.fullmatch(at.strip())
    if match is None:
        raise ConfigError(f"--at={at[:40]} is no time of day; say 22:00")
    return int(match[1]), int(match[2])


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """A word of ExecStart=, as systemd.service(5) quotes it."""
    plain = _escaped(text).replace("$", "$$")
    if re.fullmatch(r"[A-Za-z0-9_./:@%+,=-]+", plain):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
