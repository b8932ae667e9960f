"""What is checked before anything is begun, and what a run writes down of itself before its first request."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from seatrial.checks import catalogue
from seatrial.checks.own.word import HOLDS
from seatrial.given import waivers
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.given.said import claims
from seatrial.records import OWN_SUITE, Planned, RunInfo
from seatrial.run.about import run_info, without_secrets
from seatrial.trial.joining import ARGUMENTS, asked_with
from seatrial.trial.selection import lacks

PACKAGES = ("pytest", "pytest-xdist", "httpx", "openai", "locust", "allure-pytest", "msgspec", "xllamacpp")
VALUED = ("--header", "--extra-body")
"""Options whose value may hold a secret; run.json keeps their names only."""


def check_names(options: Options) -> None:
    """Check that every case that ``--case`` and the waivers name is of a rule that exists, and each claim of a probe.

    Raises:
        ConfigError: one is not; the nearest is given.
    """
    known = {**catalogue.load_all(), HOLDS.id: HOLDS} if options.case or options.waive or options.claims else {}
    for name in options.case:
        if waivers.rule_of(name) not in known:
            raise ConfigError(f"--case: no case is called {name}{waivers.nearest(name, list(known))}")
        if lacking := lacks(waivers.rule_of(name), options):
            raise ConfigError(f"--case={name}: {lacking[1]}")
    if options.waive is not None:
        waivers.check(waivers.read(options.waive), list(known), options.waive, elsewhere=known)
    if options.claims is not None:
        said = claims.read(options.claims, [name for name, rule in known.items() if rule.items is not None])
        claims.about(said, options.names, options.claims)


def check_waivers(options: Options, cases: Sequence[Planned]) -> None:
    """Check that each waiver means a planned case, or a rule of a suite that this run leaves out.

    Raises:
        ConfigError: one does not; the nearest is given.
    """
    if options.waive is not None:
        elsewhere = {*catalogue.load_all(), HOLDS.id} - {case.rule for case in cases}
        read = waivers.read(options.waive)
        named = [case.case for case in cases] + list(_read_of_own(read, cases))
        waivers.check(read, named, options.waive, elsewhere=elsewhere)


def _read_of_own(read: Iterable[waivers.Waiver], cases: Sequence[Planned]) -> Iterator[str]:
    """The cases that the waivers may mean of what rules read of the operator's own tests: no plan holds them, for what
    a test sends is not known beforehand. Where no such test runs, what is called as one is of a test left out."""
    own = {(case.scenario, case.endpoint) for case in cases if case.suite == OWN_SUITE}
    single = {name for name, rule in catalogue.load_all().items() if rule.shape == "single"}
    for waiver in read:
        if (rule := waivers.rule_of(waiver.case)) in single:
            yield from (f"{rule}[{scenario}]@{endpoint}" for scenario, endpoint in own)
            if not own and "." in waiver.case.partition("[")[2].partition("]")[0]:
                yield waiver.case


def check_writable(path: Path) -> None:
    """Check that a run can be recorded at a path, of which nothing is made yet.

    Raises:
        ConfigError: something is there already, or nothing can be written there.
    """
    try:
        if path.exists() and any(path.iterdir()):
            raise ConfigError(f"--run-dir={path} is not empty; name another")
        existing = next(p for p in (path, *path.parents) if p.exists())
        tempfile.TemporaryFile(dir=existing).close()
    except (OSError, NotADirectoryError) as error:
        raise ConfigError(f"cannot record a run in {path}: {error.strerror}; name another with --run-dir") from None


def about(options: Options, name: str, arguments: Iterable[object], asked: Mapping[str, str]) -> RunInfo:
    """The content of run.json.

    Args:
        name: of the run.
        arguments: the command line as it was given; its secrets are left out.
        asked: the suites that were asked for, and why one of them does not run; empty where it does.

    Raises:
        OSError: the file of waivers cannot be read.
    """
    return run_info(
        name,
        arguments=without_secrets(arguments, VALUED),
        packages=PACKAGES,
        seed=options.seed,
        options={
            "strict": options.strict,
            "strict_known": options.strict_known,
            "hazard": options.hazard.name.lower(),
            "depth": options.depth.name.lower(),
            "budget_s": options.budget_s,
            "soak_s": options.soak_s,
            "embedded": not options.endpoints,
            "keep_bytes": options.keep_bytes,
            "behind": options.behind,
            "endpoints": list(options.names),
            "key_env": options.access.key_env or "",
            "asked": dict(asked),
            ARGUMENTS: asked_with(options),
            **({"tools": options.toolset.source} if options.toolset else {}),
            **({"baseline": options.baseline} if options.baseline else {}),
            **({"claims": True} if options.claims else {}),
            **({"same": True} if options.same else {}),
            **({"clients": list(options.clients)} if options.clients else {}),
            **({waivers.SUM: waivers.sum_of(source.read_bytes())} if (source := _waivers(options)) else {}),
        },
    )


def keep_given(options: Options, path: Path) -> None:
    """Copy into the run directory what its judging reads later: the claims, and the waivers, for the embedded server
    those of the demo.

    Raises:
        OSError: a file cannot be read, or a copy not be written.
    """
    if source := _waivers(options):
        shutil.copyfile(source, path / waivers.COPY)
    if options.claims is not None:
        shutil.copyfile(options.claims, path / claims.COPY)


def _waivers(options: Options) -> Path | None:
    """The file of waivers that holds for a run; None where nothing is waived."""
    return options.waive or (None if options.endpoints else waivers.DEMO)
