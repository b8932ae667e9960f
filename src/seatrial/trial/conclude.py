"""The end of a run: seal the record, judge it, write the verdict once; and only then build the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from seatrial.judging.case import NO_MASK
from seatrial.judging.run import JudgedRun, judge
from seatrial.judging.settled import settle
from seatrial.report import block
from seatrial.report.allure import html
from seatrial.report.run import Report
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError, write_atomically
from seatrial.servers.keeping import Keeping
from seatrial.text import visible
from seatrial.trial.trial import Say
from seatrial.wire.masking.mask import Mask


@dataclass(frozen=True)
class Concluded:
    """A run at its end, judged."""

    report: Report
    exit: int  # that the verdict asks for
    unwritten: str  # why there is no verdict.json; empty where it is written

    @property
    def word(self) -> str:
        """The worst of the endpoints' words, with the exit code."""
        return f"{self.report.summary.worst.value} (exit {self.exit})"


def judged(run: RunDir, keeping: Keeping | None, mask: Mask = NO_MASK) -> Concluded:
    """Seal what was recorded, judge it, and write verdict.json.

    Args:
        mask: knows what no text may show.
        keeping: the keeper, where one was started; it is closed, and with it all that it started.

    Raises:
        RunDirError: the record cannot be read.
        OSError: as RunDirError.
    """
    if keeping is not None:
        keeping.close()
    (run.path / "keeper.address").unlink(missing_ok=True)
    found: JudgedRun = judge(run, mask)
    unwritten = ""
    try:
        write_atomically(run.path / "verdict.json", msgspec.json.format(msgspec.json.encode(found.verdict)))
    except RunDirError as error:
        unwritten = str(error)
    return Concluded(Report(found), found.verdict.exit, unwritten)


def page(concluded: Concluded, *, shown: Callable[[Path], str], say: Say) -> str:
    """Build the report, and say where it is or why there is none: nothing that fails here changes the verdict.

    Args:
        shown: how a path is shown to the operator.
        say: takes what the operator has to wait for.
    """
    path = concluded.report.judged.run.path
    try:
        why = html.write_report(concluded.report, progress=say).why_no_page
    except Exception as error:  # noqa: BLE001 - the verdict stands, whatever a report meets
        said = str(error) if isinstance(error, RunDirError) else f"{type(error).__name__}: {error}"
        return f"no report.html: {visible(said, 400)}; try again: seatrial report {path.name}"
    if not why:
        return shown(path / "report.html")
    return f"{why}; {shown(path / 'report.md')} says the same"


def kept(concluded: Concluded) -> str:
    """Let the bytes go that ``--keep-bytes`` does not keep; why they could not, empty where they could."""
    judged_run = concluded.report.judged
    if judged_run.info.options.get("keep_bytes") != "failures" or concluded.unwritten:
        return ""
    try:
        settle(judged_run)
    except (RunDirError, OSError) as error:
        return f"--keep-bytes=failures: not all bytes are gone: {error}"
    return ""


def told(concluded: Concluded, report: str | None, unrecorded: str = "") -> str:
    """The verdict as a block of text.

    Args:
        report: where the report lies, or why there is none; None: it is not built yet.
        unrecorded: why something could not be written down, which is exit 10.
    """
    decided = concluded.report.decided.lines if report is not None else ()  # it takes a moment: the verdict is first
    text = block.render(concluded.report.summary, report, decided=decided)
    return f"{text}\nERROR: {visible(unrecorded)}" if unrecorded else text
