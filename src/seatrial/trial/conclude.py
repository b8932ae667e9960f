"""The end of a run: seal the record, judge it, write the verdict once, build the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from seatrial.judging.case import NO_MASK
from seatrial.judging.run import judge
from seatrial.report import block
from seatrial.report.allure import html
from seatrial.report.run import Report
from seatrial.run.directory import RunDir
from seatrial.run.writer import write_atomically
from seatrial.servers.keeping import Keeping
from seatrial.trial.trial import Say
from seatrial.wire.masking.mask import Mask


class Concluded(NamedTuple):
    """A run at its end: the verdict as a block of text, and the exit code that it asks for."""

    block: str
    exit: int


def conclude(
    run: RunDir, keeping: Keeping | None, *, shown: Callable[[Path], str], say: Say, mask: Mask = NO_MASK
) -> Concluded:
    """Judge what was recorded.

    Args:
        mask: knows what no text may show.
        keeping: the keeper, where one was started; it is closed, and with it all that it started.
        shown: how a path is shown to the operator.
        say: takes what the operator has to wait for.

    Raises:
        RunDirError: the record cannot be read, or the disk is full.
        OSError: the report cannot be written.
    """
    if keeping is not None:
        keeping.close()
    (run.path / "keeper.address").unlink(missing_ok=True)
    judged = judge(run, mask)
    write_atomically(run.path / "verdict.json", msgspec.json.format(msgspec.json.encode(judged.verdict)))
    report = Report(judged)
    why = html.write_report(report, progress=say).why_no_page
    page = shown(run.path / "report.html")
    where = f"{why}; {shown(run.path / 'report.md')} says the same" if why else page
    return Concluded(block.render(report.summary, where), judged.verdict.exit)
