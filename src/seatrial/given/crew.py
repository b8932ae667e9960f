"""The workers of a soak: how many, where they are, and where their master listens for them."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from seatrial.given.errors import ConfigError

MOST = 64
"""Workers of one soak."""

LOOPBACK, PORT = "127.0.0.1", 5557
"""Where a master listens where nothing else is said: the port is Locust's own."""

WAIT_S = 600
"""For so long a master waits for workers elsewhere."""

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._*-]+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class CrewAsked:
    """Workers that a soak is spread over; none: it is one process.

    Attributes:
        workers: how many.
        elsewhere: they are started by somebody else, on other hosts; else we start them here.
    """

    workers: int = 0
    elsewhere: bool = False
    host: str = LOOPBACK
    port: int = PORT

    def told(self, key_env: str | None) -> list[str]:
        """What the operator must know to have workers elsewhere, a line each."""
        if not self.elsewhere:
            return []
        name = socket.gethostname() if self.host in {"*", "0.0.0.0", "[::]"} else self.host  # noqa: S104
        key = f"SEATRIAL_KEY_ENV={key_env} " if key_env else ""
        command = f"{key}locust -f load/locustfile.py --worker --master-host={name} --master-port={self.port}"
        lines = [f"workers    {self.workers} expected within {WAIT_S // 60} min, each by: {command}"]
        return lines + ([open_to_all(self.host, self.port)] if not is_loopback(self.host) else [])


def asked(workers: str | None, expected: str | None, bind: str | None) -> CrewAsked:
    """Read ``--workers``, ``--expect-workers`` and ``--bind``.

    Raises:
        ConfigError: one line that names the option and the remedy. Also where nobody can listen there.
    """
    if workers is not None and expected is not None:
        raise ConfigError("--workers starts them here, --expect-workers waits for some elsewhere: give one of the two")
    if bind is not None and expected is None:
        raise ConfigError(
            f"--bind={bind} says where to wait for workers elsewhere: say how many with --expect-workers=N"
        )
    if workers is not None:
        return CrewAsked(_number("--workers", workers))
    if expected is None:
        return CrewAsked()
    host, port = _place(bind) if bind is not None else (LOOPBACK, PORT)
    number = _number("--expect-workers", expected)
    if why := taken(host, port):
        raise ConfigError(f"--bind={host}:{port}: {why}")
    return CrewAsked(number, elsewhere=True, host=host, port=port)


def taken(host: str, port: int) -> str:
    """Why nobody can listen there now; empty where one can."""
    plain = {"*": "0.0.0.0"}.get(host, host.strip("[]"))  # noqa: S104
    try:
        family = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((plain, port))
            tried.listen(1)
    except OSError as error:
        why = error.strerror or str(error)
        in_use = "already in use" in why.lower()
        return f"port {port} is in use: name another" if in_use else f"nobody can listen there: {why}"
    return ""


def free_port() -> int:
    """A port of this host at which nobody listens."""
    with socket.socket() as tried:
        tried.bind((LOOPBACK, 0))
        port: int = tried.getsockname()[1]
    return port


def is_loopback(host: str) -> bool:
    """Whether only this host reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def open_to_all(host: str, port: int) -> str:
    """What is to be said of a channel that others reach."""
    return (
        f"workers    the channel at {host}:{port} is open to whoever reaches it: no word on it is secret, and none is "
        "proved to be a worker's; keep it in a network of your own"
    )


def _number(option: str, text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
        raise ConfigError(f"{option}={text}: a whole number, 1 to {MOST}")
    return int(text)


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ConfigError(f"--bind={text}: an address and a port, as 192.0.2.7:5557")
    return found["host"], int(found["port"])
