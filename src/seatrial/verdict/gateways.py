"""An endpoint that stands in front of another: how much of what fails through it fails behind it too. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from seatrial.records import Judged, Outcome
from seatrial.verdict import reasons


def shared(cases: Iterable[Judged], behind: Mapping[str, str]) -> Iterator[str]:
    """A line for each gateway through which something fails. FAILs are counted as on the first screen: by their cause.

    A FAIL is the backend's too where one of its cases fails there. Those that are waived there are counted, and the
    line says how many they are.

    Args:
        behind: gateway to the endpoint behind it, by name.
    """
    listed = list(cases)
    for front, back in behind.items():
        ours = {case.case: case for case in listed if case.endpoint == front}
        there = {_what(case): case.outcome for case in listed if case.endpoint == back}
        failed = reasons.folded(ours.values(), Outcome.FAIL, (), Counter())
        words = [{there.get(_what(ours[name])) for name in cause.cases} for cause in failed]
        waived = sum(Outcome.WAIVED in each and Outcome.FAIL not in each for each in words)
        too = waived + sum(Outcome.FAIL in each for each in words)
        if failed:
            more = f", {waived} waived there" if waived else ""
            yield f"{front}: {too} of {len(failed)} FAILs are the backend's too ({back}{more})"


def _what(case: Judged) -> tuple[str, str]:
    return case.rule, case.scenario
