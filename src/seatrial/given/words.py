"""What a command line gives of a server: endpoints by name, a key, headers, certificates, durations with their unit.

The suites and the watch read them alike; what is wrong with one is a :class:`~seatrial.given.errors.ConfigError`,
one line that names the option and the remedy.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path

from seatrial.given.address import CREDENTIALS, base_url
from seatrial.given.errors import ConfigError
from seatrial.records import Hazard
from seatrial.wire.masking.headers import unsendable

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def duration(option: str, text: str) -> float:
    """Seconds of a duration with its unit.

    Raises:
        ConfigError: no unit, or no duration at all.
    """
    match = _DURATION.fullmatch(text.strip())
    if match:
        seconds = float(match["number"]) * _SECONDS[match["unit"]]
        if seconds > 0:
            return seconds
        raise ConfigError(f"{option}={text} is no time at all; say 90s, 30m or 8h")
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        raise ConfigError(f"{option}={text} has no unit; say {text}h, 30m or 90s")
    raise ConfigError(f"{option}={text} is no duration; say 90s, 30m or 8h")


def is_name(text: str) -> bool:
    """Whether a text may name an endpoint or a process: it becomes a file's name, too."""
    return _NAME.fullmatch(text) is not None


def endpoints(texts: Iterable[str]) -> dict[str, str]:
    """Name to base URL, of ``[NAME=]URL`` each.

    Raises:
        ConfigError: no such name or URL, credentials in it, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, eq, url = text.partition("=")
        if not eq or "://" in name:
            name, url = "", text
        elif not is_name(name):
            if "@" in text:
                raise ConfigError(CREDENTIALS)
            raise ConfigError(f"--endpoint={name}=...: a name is up to 40 letters, digits, dots, dashes")
        base = base_url(url)
        name = name or _name_of(base)
        if name in found:
            raise ConfigError(f"--endpoint: the name {name} is given twice; say other=URL for one of them")
        found[name] = base
    return found


def _name_of(base: str) -> str:
    """An unnamed endpoint is called by its port, or by its host where the URL says none."""
    netloc = base.partition("://")[2].partition("/")[0]
    host, colon, port = netloc.rpartition(":")
    return port if colon and port.isdigit() and host else re.sub(r"[^A-Za-z0-9._-]", "-", netloc)


def key_variable(name: str | None) -> str | None:
    """The name of the environment variable that holds the API key, once it is known to hold one that can be sent.

    Raises:
        ConfigError: it is not set, empty, or no header value.
    """
    if name is not None and not os.environ.get(name):
        raise ConfigError(f"--api-key-env={name}: no such variable in the environment, or it is empty")
    if name is not None and (why := unsendable("Authorization", f"Bearer {os.environ[name]}")):
        raise ConfigError(f"--api-key-env={name}: the key cannot be sent: {why.replace('its value', 'it')}")
    return name


def headers(texts: Iterable[str]) -> dict[str, str]:
    """Headers of every request, of ``NAME: VALUE`` each.

    Raises:
        ConfigError: one that cannot be sent; its value is not shown.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise ConfigError("--header wants 'NAME: VALUE'")
        if why := unsendable(name.strip(), value.strip()):
            shown = "" if "name" in why else f" {name.strip()}"
            raise ConfigError(f"--header{shown}: {why}; it wants 'NAME: VALUE'")
        found[name.strip()] = value.strip()
    return found


def json_object(option: str, text: str | None) -> dict[str, object]:
    """A JSON object; an empty one where none is given.

    Raises:
        ConfigError: no JSON, or no object.
    """
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{option} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f'{option} wants a JSON object, as {{"cache_prompt": false}}')
    return value


def one_of(option: str, text: str | None, known: Sequence[str]) -> str | None:
    """One of the words that are known; None where none is given.

    Raises:
        ConfigError: it is not known.
    """
    if text is not None and text not in known:
        raise ConfigError(f"{option}={text}: unknown; known are {', '.join(known)}")
    return text


def hazard(text: str | None, *, embedded: bool) -> Hazard:
    """Up to what requests are sent; where it is not said, everything to the embedded server alone.

    Raises:
        ConfigError: no such class.
    """
    if text is None:
        return Hazard.HOSTILE if embedded else Hazard.HEAVY
    try:
        return Hazard[text.upper()]
    except KeyError:
        raise ConfigError(f"--hazard={text}: unknown; say polite, careless, heavy or hostile") from None


def file(option: str, text: str | None) -> Path | None:
    """The absolute path of a file that is there.

    Raises:
        ConfigError: it is not.
    """
    if text is None:
        return None
    path = Path(text).absolute()
    if not path.is_file():
        raise ConfigError(f"{option}={text}: no such file")
    return path


def certificates(text: str | None) -> Path | None:
    """The file of ``--ca``.

    Raises:
        ConfigError: it is not there, not readable, or holds no certificate.
    """
    path = file("--ca", text)
    if path is not None:
        try:
            ssl.create_default_context(cafile=str(path))
        except OSError as error:  # ssl.SSLError is one
            why = error.strerror if isinstance(error, PermissionError) else "it holds no certificates in PEM"
            raise ConfigError(f"--ca={text}: {why}; name a file of -----BEGIN CERTIFICATE----- blocks") from None
    return path
