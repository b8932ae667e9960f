"""What a night asks of its soak: checked when the file is read, and not at three in the morning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seatrial.given import soak, words, workload
from seatrial.given.errors import ConfigError

OPTIONS = frozenset(
    {"--users", "--rps", "--phases", "--workload", "--canary-every", "--slo", "--after-stop", "--workers"}
    | {"--expect-workers", "--bind", "--hazard", "--max-rps"}
)
"""Options of a soak that may stand among a night's arguments."""
FILES = frozenset({"--phases", "--workload"})


def check(arguments: Iterable[str], length: str | None, checkout: Path) -> float:
    """Check the options of a soak as the run that gets them would; its length in seconds.

    Args:
        arguments: of the run.
        length: of the soak as the file says it; None: it says none.
        checkout: where the run begins, and its files are looked for.

    Raises:
        ConfigError: one line that names the option, or file, line and key, and the remedy.
    """
    given = _options(arguments)
    for option in FILES & given.keys():
        if option == "--phases" or given[option] not in workload.known():
            given[option] = str(checkout / given[option])
    told = {"soak": length} | {name.removeprefix("--").replace("-", "_"): value for name, value in given.items()}
    hazard = words.hazard(told.get("hazard"), embedded=False)
    return soak.asked(told.get, hazard, words.rate("--max-rps", told.get("max_rps"))).seconds


def _options(arguments: Iterable[str]) -> dict[str, str]:
    """The options of a soak with their values, as one word or as two.

    Raises:
        ConfigError: one has no value.
    """
    found: dict[str, str] = {}
    waiting = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if waiting:
            found[waiting], waiting = argument, ""
        elif name in OPTIONS and equals:
            found[name] = value
        elif name in OPTIONS:
            waiting = name
    if waiting:
        raise ConfigError(f"{waiting}: what? it stands there without a value")
    return found
