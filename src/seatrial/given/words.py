"""What a command line gives of a server: endpoints by name, a key, headers, certificates, durations with their unit.

The suites and the watch read them alike; what is wrong with one is a :class:`~seatrial.given.errors.ConfigError`,
one line that names the option and the remedy.
"""

from __future__ import annotations

import json
import math
import os
import re
import ssl
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from seatrial.given.address import CREDENTIALS, base_url
from seatrial.given.errors import ConfigError
from seatrial.reading.soak import rows
from seatrial.records import Depth, Hazard
from seatrial.text import shorten, visible
from seatrial.wire.masking.headers import FRAMING, unsendable

_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<unit>s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_S = 3653 * 86400.0
"""Ten years: longer than anybody waits for anything, and no clock is too small for it."""

DEEPEST = 64
"""Objects and arrays within each other: more is no setting of a server."""

_DEEP = f"{{}} is nested deeper than {DEEPEST} levels"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def duration(option: str, text: str) -> float:
    """Seconds of a duration with its unit.

    Raises:
        ConfigError: no unit, no duration at all, or more than ten years.
    """
    match = _DURATION.fullmatch(text.strip())
    if match:
        seconds = float(match["number"]) * _SECONDS[match["unit"]]
        if seconds > LONGEST_S:
            raise ConfigError(f"{option}={shorten(text, 40)} is longer than ten years; say 90s, 30m or 8h")
        if seconds > 0:
            return seconds
        raise ConfigError(f"{option}={text} is no time at all; say 90s, 30m or 8h")
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        raise ConfigError(f"{option}={text} has no unit; say {text}h, 30m or 90s")
    raise ConfigError(f"{option}={text} is no duration; say 90s, 30m or 8h")


def legible(option: str, text: str) -> str:
    """The text, once it is known to be UTF-8: it is written down, sent, or both.

    Raises:
        ConfigError: it holds bytes that are none; they are not shown, for they may belong to a secret.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(f"{option} holds bytes that are no UTF-8: name it otherwise") from None
    return text


def folder(option: str, text: str | None) -> Path | None:
    """The absolute path of a folder that is to be made; None where none is given.

    Raises:
        ConfigError: its name holds what a terminal would obey.
    """
    if text and not text.isprintable():
        raise ConfigError(f"{option}={visible(text, 200)} holds characters that cannot be shown: name another")
    return Path(text).absolute() if text else None


def run(option: str, text: str | None) -> str:
    """The name of a recorded run; empty where none is given.

    Raises:
        ConfigError: it is empty, or holds what no path may.
    """
    if text is not None and (not text.strip() or "\0" in text):
        raise ConfigError(f"{option} names no run: a run directory, the name of one, or latest")
    return text or ""


def behind(texts: Iterable[str], names: Collection[str]) -> dict[str, str]:
    """Gateway to the endpoint behind it, of ``GATEWAY=ENDPOINT`` each.

    Args:
        names: of the endpoints of the run.

    Raises:
        ConfigError: one that is none of the run, is behind itself, or is named in front of two.
    """
    found: dict[str, str] = {}
    for text in texts:
        front, _, back = text.partition("=")
        if front not in names or back not in names or front == back or front in found:
            known = ", ".join(names) or "none is given"
            shown = shorten(text, 100)
            raise ConfigError(f"--behind={shown}: say GATEWAY=ENDPOINT, two endpoints of this run ({known}), each once")
        found[front] = back
    return found


def same(names: Collection[str], *, wanted: bool) -> bool:
    """Whether the endpoints should be one model made faster.

    Raises:
        ConfigError: there are not two of them.
    """
    if wanted and len(names) < 2:
        raise ConfigError("--same holds endpoints against the first: --endpoint=BASE=URL --endpoint=FASTER=URL")
    return wanted


def rate(option: str, text: str | None) -> float | None:
    """Requests a second, more than 0; None where none is given.

    Raises:
        ConfigError: no such number.
    """
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text.strip()) or not float(text) > 0:
        raise ConfigError(f"{option}={shorten(text, 60)} is no number of requests a second; say 5 or 0.5")
    return float(text)


def slo(option: str, text: str | None) -> str:
    """What a good answer keeps, once it can be read; empty where nothing is given.

    Raises:
        ConfigError: it cannot.
    """
    try:
        rows.slo("ttft=1s" if text is None else text)
    except ValueError as error:
        raise ConfigError(f"{option}: {shorten(str(error), 200)}") from None
    return text or ""


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
        if name.strip().lower() in FRAMING:
            raise ConfigError(
                f"--header {name.strip()}: Seatrial sets it itself, for it says how the request is framed"
            )
        if why := unsendable(name.strip(), value.strip()):
            shown = "" if "name" in why else f" {name.strip()}"
            raise ConfigError(f"--header{shown}: {why}; it wants 'NAME: VALUE'")
        if name.strip().lower() in {each.lower() for each in found}:
            raise ConfigError(f"--header {name.strip()} is given twice; give it once")
        found[name.strip()] = value.strip()
    return found


def json_object(option: str, text: str | None) -> dict[str, object]:
    """A JSON object that can be sent on as JSON; an empty one where none is given.

    Raises:
        ConfigError: no JSON, no object, or it holds what no JSON can say.
    """
    if text is None:
        return {}
    value = json_value(option, text)
    if not isinstance(value, dict):
        raise ConfigError(f'{option} wants a JSON object, as {{"cache_prompt": false}}')
    return value


def json_value(what: str, text: str) -> Any:
    """A JSON value that can be sent on as JSON; ``what`` is named where it is none.

    Raises:
        ConfigError: no JSON, or it holds what no JSON can say.
    """
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except ValueError as error:
        raise ConfigError(f"{what} is no JSON: {visible(str(error), 200)}") from None
    except RecursionError:
        raise ConfigError(_DEEP.format(what)) from None
    if _depth(value) > DEEPEST:
        raise ConfigError(_DEEP.format(what))
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError) as error:
        lone = "half of a character (a lone surrogate)"
        held = lone if isinstance(error, UnicodeEncodeError) else "a number too large"
        raise ConfigError(f"{what} holds {held}, which no JSON can send") from None
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(shorten(text, 40))


def _depth(value: object) -> int:
    """How many objects and arrays stand in each other; no further down than :data:`DEEPEST` allows."""
    deep, level = 0, [value]
    while deep <= DEEPEST and (level := [each for each in level if isinstance(each, dict | list)]):
        deep += 1
        level = [item for each in level for item in (each.values() if isinstance(each, dict) else each)]
    return deep


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


def depth(text: str) -> Depth:
    """How much of each row is asked.

    Raises:
        ConfigError: no such depth.
    """
    try:
        return Depth[text.upper()]
    except KeyError:
        raise ConfigError(f"--depth={text}: unknown; say small or full") from None


def file(option: str, text: str | None) -> Path | None:
    """The absolute path of a file that is there.

    Raises:
        ConfigError: it is not.
    """
    if text is None:
        return None
    path = Path(text).absolute()
    if not is_file(path):
        raise ConfigError(f"{option}={shorten(text, 200)}: no such file")
    return path


def is_file(path: Path) -> bool:
    """Whether a file is there; none is at a path that no file system takes."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that is closed
        return False


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
