"""What a run did not test, from what it wrote down of it."""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.records import Judgement, NotTested, Record


def untested(lines: Record, judgements: Iterable[Judgement]) -> list[tuple[str, str]]:
    """What was not tested, and why; without the probes that were asked after all, in time that others left."""
    after_all = {(line.endpoint, line.rule) for line in judgements if line.rule and not line.absent}
    return [(line.what, line.why) for line in lines.of(NotTested) if (line.endpoint, line.rule) not in after_all]
