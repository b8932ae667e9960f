"""The file of a nightly job, TOML, read and checked before anything is begun. A wrong key is told with its line.

What a secret is stands in no file: keys and headers are named by the environment variables that hold them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seatrial.given import tables, words
from seatrial.given.access import Access
from seatrial.given.address import place
from seatrial.given.errors import ConfigError
from seatrial.given.phases import length
from seatrial.nightly import asked
from seatrial.nightly.keys import EndpointTable, KeyFault, NightlyTable, check_keys
from seatrial.wire.masking.headers import FRAMING, unsendable

OURS = ("--endpoint", "--model", "--api-key-env", "--header", "--ca", "--waive", "--run-dir", "--soak", "--dry-run",
        "--collect-only", "--co")  # fmt: skip
"""Options that keys of the file say, or that make no run."""

MOST_KEPT = 10_000
SPARE_S = 3 * 3600.0
"""A run may take so much longer than its soak, unless ``limit`` says otherwise."""


@dataclass(frozen=True, kw_only=True)
class NightTarget:
    """One endpoint of a job, checked."""

    name: str
    url: str  # base URL; empty: the embedded server
    model: str | None
    access: Access
    header_env: Mapping[str, str]
    waive: Path | None
    suites: tuple[str, ...]
    soak: str | None
    limit_s: float
    arguments: tuple[str, ...]

    @property
    def place(self) -> str:
        """Host and port; empty for the embedded server, whose port is another each night."""
        return place(self.url) if self.url else ""


@dataclass(frozen=True, kw_only=True)
class NightlyConfig:
    """A nightly job, checked.

    Attributes:
        keep: nights that are kept.
        space: bytes that must be free on the disk before a night begins; None: half as much again as the last one.
    """

    path: Path
    name: str
    directory: Path
    checkout: Path
    keep: int
    targets: tuple[NightTarget, ...]
    hook: tuple[str, ...] = ()
    textfile: Path | None = None
    space: int | None = None
    accesses: tuple[Access, ...] = field(default=())

    @property
    def runs(self) -> Path:
        return self.directory / "runs"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def latest(self) -> Path:
        return self.directory / "latest.json"


class _Where(NamedTuple):
    """Where the file and the suites are, and whether it is read to be run."""

    folder: Path
    checkout: Path
    to_run: bool


def read(path: Path, *, to_run: bool = True) -> NightlyConfig:
    """Read and check the file of a job.

    Args:
        to_run: the variables that it names must hold something.

    Raises:
        ConfigError: one line with file, line, key and remedy.
    """
    path = path.absolute()
    raw = tables.content(path)
    check_keys(raw, path)
    table = tables.parse(raw, path, NightlyTable)
    text = raw.decode()
    try:
        return _checked(table, path, to_run=to_run)
    except KeyFault as wrong:
        line = tables.line_of(text, *wrong.steps) if wrong.steps else None
        raise ConfigError(f"{tables.shown(path)}{f' line {line}' if line else ''}: {wrong}") from None


def _checked(table: NightlyTable, path: Path, *, to_run: bool) -> NightlyConfig:
    folder = path.parent
    name = table.name or re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:40]
    if not words.is_name(name):
        raise KeyFault(f"name: {name[:60]!r} is no name: up to 40 letters, digits, dots, dashes", "name")
    if not 1 <= table.keep <= MOST_KEPT:
        raise KeyFault(f"keep: {table.keep} nights; say 1 to {MOST_KEPT}", "keep")
    if not table.endpoint:
        raise KeyFault("endpoint: there is no [[endpoint]]; one without a url is the embedded server")
    directory = _path("directory", table.directory, folder)
    if directory.exists() and not directory.is_dir():
        raise KeyFault(f"directory: {directory} is no folder", "directory")
    checkout = _checkout(table, folder)
    targets = tuple(_target(table, each, n, _Where(folder, checkout, to_run)) for n, each in enumerate(table.endpoint))
    seen: dict[str, int] = {}
    for number, target in enumerate(targets):
        if target.name in seen:
            raise KeyFault(
                f"name: {target.name} is there already; give this endpoint another", "endpoint", number, "name"
            )
        seen[target.name] = number
    return NightlyConfig(
        path=path,
        name=name,
        directory=directory,
        checkout=checkout,
        keep=table.keep,
        targets=targets,
        hook=_option("hook", _hook, table.hook),
        textfile=_textfile(table.textfile, folder),
        space=_option("space", _bytes, table.space),
        accesses=tuple(target.access for target in targets),
    )


def _target(table: NightlyTable, each: EndpointTable, n: int, where: _Where) -> NightTarget:
    folder, checkout = where.folder, where.checkout
    at = ("endpoint", n)

    def checked(key: str, check: Any, *given: Any) -> Any:
        try:
            return check(*given)
        except KeyFault:
            raise
        except ConfigError as error:
            own = at if getattr(each, key.replace("-", "_")) else ()  # else the file's head says it
            raise KeyFault(f"{key}: {error}", *own, key) from None

    if each.url is None:
        for key in ("model", "api-key-env", "header-env", "ca"):
            if getattr(each, key.replace("-", "_")):
                raise KeyFault(f"{key}: this endpoint has no url, and is the embedded server: it takes none", *at, key)
    if each.name is not None and not words.is_name(each.name):
        raise KeyFault(f"name: {each.name[:60]!r} is no name: up to 40 letters, digits, dots, dashes", *at, "name")
    name, url = "embedded", ""
    if each.url is not None:
        given = f"{each.name}={each.url}" if each.name else each.url
        ((name, url),) = checked("url", words.endpoints, [given]).items()
    elif each.name not in (None, "embedded"):
        raise KeyFault("name: an endpoint without a url is the embedded server, and is called embedded", *at, "name")
    soak = each.soak if each.soak is not None else table.soak
    if soak is not None:
        checked("soak", words.duration, "soak", soak)
    suites = each.suites if each.suites is not None else table.suites
    arguments = each.arguments if each.arguments is not None else table.arguments
    of = at if each.arguments is not None else ()
    _arguments(arguments, (*of, "arguments"))
    soak_s = _soak_s(arguments, soak, checkout, {"--soak": (*(at if each.soak else ()), "soak")}, (*of, "arguments"))
    limit = _option("limit", lambda text: words.duration("limit", text), table.limit) or soak_s * 1.5 + SPARE_S
    soaked = soak is not None and any(suite.strip("/") == "suites" or "soak" in suite for suite in suites)
    if soaked and limit <= soak_s:
        raise KeyFault(f"limit: {table.limit} would cut a soak of {length(soak_s)}; it must be longer", "limit")
    if not suites:
        raise KeyFault("suites: none is named", *(at if each.suites is not None else ()), "suites")
    for suite in suites:
        if suite.startswith("-") or not _is_there(checkout / suite.partition("::")[0]):
            steps = (*(at if each.suites is not None else ()), "suites")
            raise KeyFault(f"suites: there is no {suite[:100]} in {checkout}; name another, or the checkout", *steps)
    waive = each.waive if each.waive is not None else table.waive
    return NightTarget(
        name=name,
        url=url,
        model=checked("model", _model, each.model),
        access=Access(
            key_env=checked("api-key-env", _variable, each.api_key_env) if where.to_run else each.api_key_env,
            headers={
                header: checked("header-env", _header, header, var)
                for header, var in each.header_env.items()
                if where.to_run
            },
            ca=checked("ca", words.certificates, str(_path("ca", each.ca, folder)) if each.ca else None),
        ),
        header_env=each.header_env,
        waive=checked("waive", words.file, "waive", str(_path("waive", waive, folder)) if waive else None),
        suites=suites,
        soak=soak,
        limit_s=limit,
        arguments=arguments,
    )


def _arguments(given: Iterable[str], steps: tuple[str | int, ...]) -> None:
    for argument in given:
        option = argument.partition("=")[0]
        if "\0" in argument or option in OURS:
            raise KeyFault(
                f"arguments: {option[:60]!r} has a key of its own here, or makes no run; leave it out", *steps
            )


def _soak_s(
    arguments: Iterable[str],
    soak: str | None,
    checkout: Path,
    own: Mapping[str, tuple[str | int, ...]],
    steps: tuple[str | int, ...],
) -> float:
    """Seconds of a night's soak, whose options are checked.

    Args:
        own: options that a key of the file says, and where that stands; all others stand at ``steps``.
    """
    try:
        return asked.check(arguments, soak, checkout)
    except ConfigError as error:
        key = next((option for option in own if str(error).startswith(option)), None)
        told = own[key] if key is not None else steps
        raise KeyFault(f"{told[-1]}: {error}", *told) from None


def _option(key: str, check: Any, given: str | None) -> Any:
    """A checked value of the file's head; what is None stays so, but for a hook's words, which are none."""
    try:
        return check(given) if given is not None else (() if key == "hook" else None)
    except KeyFault:
        raise
    except ConfigError as error:
        text = str(error).removeprefix(f"{key}: ")
        raise KeyFault(f"{key}: {text}", key) from None


def _hook(text: str) -> tuple[str, ...]:
    from seatrial.watching.settings import command  # shares its words with the watch

    return command("hook", text)


def _bytes(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(MB|GB|TB)", text.strip())
    if match is None:
        raise ConfigError(f"{text[:60]!r} is no size; say 500MB or 20GB")
    return int(float(match[1]) * {"MB": 10**6, "GB": 10**9, "TB": 10**12}[match[2]])


def _model(name: str | None) -> str | None:
    """A word of a command line, which holds neither nothing nor all that TOML can."""
    if name is not None and not (name.strip() and name.isprintable()):
        raise ConfigError(f"{name[:60]!r} is no name of a model")
    return name


def _variable(name: str | None) -> str | None:
    try:
        return words.key_variable(name)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix(f"--api-key-env={name}: ")) from None


def _header(header: str, variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise ConfigError(f"{header[:60]}: no variable {variable[:60]!r} in the environment, or it is empty")
    if header.strip().lower() in FRAMING or (why := unsendable(header, value.strip())):
        why = why if header.strip().lower() not in FRAMING else "Seatrial sets it itself"
        raise ConfigError(f"{header[:60]}: cannot be sent: {why}")
    return value.strip()


def _path(key: str, text: str, folder: Path) -> Path:
    if not text.strip() or not text.isprintable():
        raise KeyFault(f"{key}: no path that can be shown", key)
    try:
        path = (folder / Path(text).expanduser()).absolute()
        path.exists()
    except (RuntimeError, OSError) as error:  # a home that nobody has; a name that is too long, a folder that is closed
        why = error.strerror if isinstance(error, OSError) else error
        raise KeyFault(f"{key}: {text[:100]!r} cannot be looked at: {why}", key) from None
    return path


def _textfile(text: str | None, folder: Path) -> Path | None:
    if text is None:
        return None
    path = _path("textfile", text, folder)
    if path.suffix != ".prom" or path.is_dir():
        raise KeyFault(
            f"textfile: {path.name[:60]!r}: its name must end in .prom, or its collector passes it over", "textfile"
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise KeyFault(f"textfile: nothing can be written in {path.parent}", "textfile")
    return path


def _checkout(table: NightlyTable, folder: Path) -> Path:
    """Where the suites are: as the file says; else above it, here, or where this package was installed from."""
    if table.checkout is not None:
        found = _path("checkout", table.checkout, folder)
        if not _is_checkout(found):
            raise KeyFault(f"checkout: {found} holds no conftest.py beside a folder suites", "checkout")
        return found
    tried = (folder, *folder.parents, Path.cwd(), Path(__file__).absolute().parents[3])
    for each in tried:
        if _is_checkout(each):
            return each
    raise KeyFault("checkout: no folder suites is near; name Seatrial's checkout with checkout = ...")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, a folder that is closed
        return False


def _is_checkout(path: Path) -> bool:
    return (path / "conftest.py").is_file() and (path / "suites").is_dir()
