"""How many streams a server answers at once, where it does not say: two are sent together, before anything is counted.

More users than that would only wait for each other, and what they waited would look like the server's own delay.
"""

from __future__ import annotations

from dataclasses import replace

import gevent

from seatrial.records import BUSY
from seatrial.wire.transports.load import LoadTarget, Stream, stream

USERS = 4
"""Where two streams are seen side by side, or too short to tell."""

LONGEST_S = 20.0
"""Of both streams together: a load has to begin."""

APART_NS = 200_000_000
"""Streams that last less than this show nothing by not overlapping."""


def measured(target: LoadTarget, bodies: tuple[bytes, bytes]) -> int:
    """How many users to send: 1 where the second stream came after the first, though both were sent at once."""
    hasty = replace(target, idle_s=min(target.idle_s, LONGEST_S), deadline_s=min(target.deadline_s, LONGEST_S))
    sent = [gevent.spawn(stream, hasty, body) for body in bodies]
    gevent.joinall(sent)
    first, second = sorted((task.value for task in sent), key=lambda s: s.first_at or 2**63)
    return 1 if one_after_the_other(first, second) else USERS


def one_after_the_other(first: Stream, second: Stream) -> bool:
    """Whether the second stream had its first word after the last one of the first, or none at all until given up."""
    if not first.first_at or first.last_at - first.first_at < APART_NS:
        return False
    if not second.first_at:
        gave_up = second.error in {"idle", "deadline"} or second.status in BUSY
        return gave_up and second.sent_at < first.last_at
    return first.last_at < second.first_at
