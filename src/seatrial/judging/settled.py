"""``--keep-bytes=failures``: what a run was judged to be is written into its record before the bytes of the rest go."""

from __future__ import annotations

import msgspec

from seatrial.judging.answered import answered
from seatrial.judging.run import SETTLED, JudgedRun
from seatrial.records import Judgement, LoadRow, Record, Settled
from seatrial.run.privacy import forget, write_late


def settle(judged: JudgedRun) -> int:
    """Write the outcomes down that will not be judged again, and let go of the bytes behind them.

    Returns:
        The number of exchanges whose bytes are gone.

    Raises:
        RunDirError: something cannot be written.
        OSError: something cannot be read.
    """
    lines = {line.case: line for line in judged.lines.of(Judgement)}
    told: list[Judgement] = []
    for case in judged.cases:
        line = lines.get(case.case)
        if case.outcome in SETTLED and line is not None and line.exchanges:
            ways = answered(Record(()), judged.exchange, [line]).get(line.endpoint, {})
            settled = Settled(outcome=case.outcome, why=case.why, figures=dict(case.figures), answered=ways)
            told.append(msgspec.structs.replace(line, settled=settled))
    write_late(judged.run, "settled", told, judged.lines.end)
    looked_at = {i for case in judged.cases if case.outcome not in SETTLED for i in case.exchanges.values()}
    failed = {row.id for row in judged.lines.of(LoadRow) if row.outcome != "ok" or row.findings}
    return forget(judged.run, looked_at | failed)
