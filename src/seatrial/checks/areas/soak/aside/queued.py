"""Rows of requests that waited for other users of the same load: what a user waits for us is not the server's doing.

A server that answers one request at a time need not say so. Its queue shows in the rows: before a request got its first
token, others of ours got theirs, and hardly any that was sent after it. Who is overtaken by as many as there are users
stands in no queue: the server has left it behind.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from seatrial.reading.soak.columns import rows_of
from seatrial.records import LoadRow, SoakRun, Stage

GIVEN_UP = frozenset({"stall", "deadline"})


def waited(run: SoakRun) -> frozenset[str]:
    """Ids of the requests that were given up, and had waited for others of ours."""
    slots, most, all_rows = _number(run, "slots"), _most(run), rows_of(run)
    late = [
        row
        for row in all_rows.where(all_rows.among("outcome", GIVEN_UP))
        if not (row.outcome == "stall" and row.first_at) and not _alone(most(row), slots)
    ]
    if not late:
        return frozenset()
    rows = sorted(run.rows, key=lambda row: row.sent_at)
    starts = [row.sent_at for row in rows]
    longest = max(row.ended_at - row.sent_at for row in rows)
    found = set()
    for row in late:
        until = row.first_at or row.ended_at
        near = rows[bisect_left(starts, row.sent_at - longest) : bisect_right(starts, until)]
        if _in_a_queue(row, until, near, most(row) or len(late) + 1):
            found.add(row.id)
    return frozenset(found)


def _most(run: SoakRun) -> Callable[[LoadRow], int]:
    """How many of ours are under way at most in the phase of a request: its users; 0 where nothing bounds them."""
    closed = {span.name: span.facts.get("users", "") for span in run.spans}
    users = {name: int(text) if text.isdecimal() and len(text) < 6 else 0 for name, text in closed.items()}
    of_all = 0 if users else _number(run, "users")
    return lambda row: users.get(row.phase, of_all)


def _alone(users: int, slots: int) -> bool:
    """Whether each request has a slot of its own."""
    return users == 1 or bool(users and slots and users <= slots)


def _in_a_queue(row: LoadRow, until: int, near: Sequence[LoadRow], users: int) -> bool:
    served = [o for o in near if o is not row and 0 < o.first_at < until and o.last_at > row.sent_at]
    return bool(served) and sum(other.sent_at > row.sent_at for other in served) < users


def _number(run: SoakRun, fact: str) -> int:
    """A whole number that the last start of the load tells; 0 where it does not."""
    start = next((phase for phase in reversed(run.phases) if phase.what == Stage.START), None)
    text = start.facts.get(fact, "") if start else ""
    return int(text) if text.isdecimal() and len(text) < 6 else 0
