"""An endpoint that stands in front of another: how much of what fails through it fails behind it too. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from seatrial.records import Judged, Outcome


def shared(cases: Iterable[Judged], behind: Mapping[str, str]) -> Iterator[str]:
    """A line for each gateway through which something fails.

    Args:
        behind: gateway to the endpoint behind it, by name.
    """
    listed = list(cases)
    for front, back in behind.items():
        failed = {_what(case) for case in listed if case.endpoint == front and case.outcome is Outcome.FAIL}
        too = {Outcome.FAIL, Outcome.WAIVED}
        there = {_what(case) for case in listed if case.endpoint == back and case.outcome in too}
        if failed:
            yield f"{front}: {len(failed & there)} of {len(failed)} FAILs are the backend's too ({back})"


def _what(case: Judged) -> tuple[str, str]:
    return case.rule, case.scenario
