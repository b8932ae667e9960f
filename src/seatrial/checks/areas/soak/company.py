"""Whether somebody else used the server during a soak: then its counters say nothing of what our users received."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from seatrial.checks.areas.soak import lasting
from seatrial.reading.soak.columns import rows_of
from seatrial.records import SECOND, Counters, SoakRun, Stage

BEFORE_NS, AFTER_NS = 5 * SECOND, 2 * SECOND
"""A reading is of some moment between these before and after its time: our requests of all that time are counted."""

LINGERS_NS = 60 * SECOND
"""A server may work on so long at a request that ended otherwise than well."""

PART = 0.5
"""Others may have sent this part of what we sent, at most: a server that counts ours twice is not taken for them."""


def seen(run: SoakRun, before: Counters, after: Counters, spare: int = 0) -> str:
    """What shows that somebody else used the server meanwhile; empty where nothing does.

    Args:
        spare: requests in work beyond ours that are no sign of others.
    """
    if before.moving or after.moving:
        when = "before the first request" if before.moving else "after the last one had ended"
        return f"they still moved {when}: somebody else uses the server"
    if crowd := _crowd(run, spare):
        return crowd
    if more := _uncounted(run, before, after):
        return f"the server counted {more} requests that are not ours, their tokens among the others: somebody else's"
    return ""


def at_rest(run: SoakRun, held: int) -> str:
    """What shows that what a server held when nothing of ours was under way is somebody else's; empty: nothing does.

    A slot that was lost is one request too many from then on: only more than what was ``held`` is others' work.
    """
    before, after = readings(run)
    others = seen(run, before, after, spare=held) if before is not None and after is not None else ""
    return others or _crowd(run, held)


def readings(run: SoakRun) -> tuple[Counters | None, Counters | None]:
    """The server's counters before the load, and after it."""
    before = next((c for c in run.counters if c.phase == "before"), None)
    return before, next((c for c in reversed(run.counters) if c.phase == "after"), None)


def made_for_us(run: SoakRun) -> int | None:
    """Tokens that the server counted over the load; None where it did not, or somebody else's are among them."""
    before, after = readings(run)
    if before is None or after is None or before.tokens is None or after.tokens is None:
        return None
    return None if seen(run, before, after) or anew(run) else after.tokens - before.tokens


def anew(run: SoakRun) -> str:
    """What shows that its counters began again during the load, or that several servers count by its name; or nothing.

    A server that is elsewhere may be started again between two looks, and nobody sees it stop.
    """
    since, until = lasting.bounds(run)
    looks = [meter for meter in run.meters if since is not None and since <= meter.t <= (until or meter.t)]
    if len({meter.start for meter in looks if meter.start}) > 1:
        return "the mark of its start changed: they began again, or several servers count by that name"
    for name in ("tokens", "prompt_tokens"):
        totals = [(meter.source, total) for meter in looks if (total := getattr(meter, name)) is not None]
        if any(one == other and less < total for (one, total), (other, less) in pairwise(totals)):
            return "they fell meanwhile: they began again, or several servers count by that name"
    return ""


def _crowd(run: SoakRun, spare: int = 0) -> str:
    """A moment at which the server had more requests in work than ours and ``spare``."""
    started = [phase.at for phase in run.phases if phase.what == Stage.START]
    ended = [phase.at for phase in run.phases if phase.what in (Stage.DRAIN, Stage.END)]
    if not started or not ended:
        return ""
    rows = rows_of(run)
    begun = np.sort(rows.whole("sent_at"))
    over = np.sort(rows.whole("ended_at") + np.where(rows.among("outcome", {"ok"}), 0, LINGERS_NS))
    since, until = started[-1], min(ended)
    looks = [meter for meter in run.meters if meter.running is not None and since < meter.t < until]
    at = np.array([meter.t for meter in looks], dtype=np.int64)
    most = begun.searchsorted(at + AFTER_NS, "right") - over.searchsorted(at - BEFORE_NS)
    for meter, ours in zip(looks, most.tolist(), strict=True):
        work = (meter.running or 0) + (meter.waiting or 0)
        if work > ours + len(run.unfinished) + spare:
            after = (meter.t - since) / SECOND
            return f"after {after:.0f} s it worked at {work} requests, {ours} of them ours: somebody else uses it"
    return ""


def _uncounted(run: SoakRun, before: Counters, after: Counters) -> int:
    """How many requests more than ours it counted, where tokens and prompts are more as well; 0 where that is no sign.

    One counter alone that is too high is the counter's own fault, and so is one that counts all of ours twice.
    """
    sent = len(run.rows) + len(run.unfinished)
    requests = _more(before.requests, after.requests, sent)
    tokens = _more(before.tokens, after.tokens, rows_of(run).total("tokens"))
    prompts = _more(before.prompt_tokens, after.prompt_tokens, rows_of(run).total("prompt_tokens"))
    return requests if 0 < requests <= PART * sent and tokens > 0 and prompts > 0 else 0


def _more(before: int | None, after: int | None, ours: int) -> int:
    """What a counter grew by beyond ours; 0 where it is not counted."""
    return 0 if before is None or after is None else after - before - ours
