"""What runs before this one have to do with it: what changed since the last, and what is joined from one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from seatrial.records import Earlier, Endpoint, Judged, Outcome
from seatrial.text import flat

SHOWN = 3
"""Cases or rules that are named of those that changed alike."""

LONGEST = 100
"""Characters of a server's own words that are compared."""


def line(earlier: Earlier, cases: Sequence[Judged], endpoint: Endpoint | None) -> str:
    """The cases whose outcome is another than in the last run, and what is another of the server itself.

    Cases that only one of the two runs has judged are not compared.
    """
    now = {case.case.removesuffix(f"@{case.endpoint}"): str(case.outcome) for case in cases}
    both = [name for name in now if name in earlier.outcomes]
    changed = [name for name in both if now[name] != earlier.outcomes[name]]
    failed = [name for name in changed if now[name] == Outcome.FAIL]
    again = [name for name in changed if now[name] == Outcome.PASS and earlier.outcomes[name] == Outcome.FAIL]
    told = {*failed, *again}
    others = Counter(f"{earlier.outcomes[name]} to {now[name]}" for name in changed if name not in told)
    parts = [
        _listed("newly FAIL", failed),
        _listed("PASS again", again),
        ", ".join(f"{n} {words}" for words, n in others.most_common(SHOWN)),
        f"the same in {_cases(len(both) - len(changed))}" if both else "no case in common",
        *_server(earlier, endpoint),
    ]
    return f"run {flat(earlier.run)} ({flat(earlier.verdict)}): {'; '.join(part for part in parts if part)}"


def joined(cases: Iterable[Judged]) -> dict[str, tuple[str, ...]]:
    """The cases that other runs asked, and this one did not, by run."""
    found: dict[str, list[str]] = {}
    for case in cases:
        if case.of_run:
            found.setdefault(case.of_run, []).append(case.case)
    return {run: tuple(names) for run, names in found.items()}


def notices(cases: Sequence[Judged]) -> Iterable[str]:
    """A line for each run from which cases are joined."""
    for run, names in joined(cases).items():
        yield f"{len(names)} of {_cases(len(cases))} joined from run {flat(run)}: judged on what was answered there"


def _listed(words: str, names: Sequence[str]) -> str:
    """How many cases, and which; those of one rule are told by its name."""
    if not names:
        return ""
    rules: dict[str, list[str]] = {}
    for name in names:
        rules.setdefault(name.partition("[")[0], []).append(name)
    told = [flat(own[0] if len(own) == 1 else f"{rule} {len(own)}") for rule, own in rules.items()]
    more = f" and {len(told) - SHOWN} rules more" if len(told) > SHOWN else ""
    return f"{_cases(len(names))} {words}: {', '.join(told[:SHOWN])}{more}"


def _cases(n: int) -> str:
    return f"{n} case" if n == 1 else f"{n} cases"


def _server(earlier: Earlier, endpoint: Endpoint | None) -> Iterable[str]:
    """What is another of the server: kind, model, build."""
    if endpoint is None:
        return
    for name in ("kind", "model", "build"):
        before, after = flat(getattr(earlier, name)[:LONGEST]), flat(getattr(endpoint, name)[:LONGEST])
        if before != after:
            yield f"{name} {before or 'not told'} -> {after or 'not told'}"
