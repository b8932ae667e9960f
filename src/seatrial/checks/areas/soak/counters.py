"""Rules over a soak: the server counted what the users sent and received."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from seatrial.checks import causes
from seatrial.checks.areas.soak import company, validity
from seatrial.checks.areas.soak.parts import COUNTED, UNHEARD, intervals, is_no_chat, why_none
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading.soak.columns import Bools, Rows, rows_of
from seatrial.records import LEFT, OUR_ERROR, Expect, Finding, Level, SoakRun

CUT = frozenset({LEFT, "deadline", "stall", "cancelled", OUR_ERROR})
"""Outcomes of requests whose client left before their end: as it was to, as its patience ended, or for our error."""

TURNED_AWAY = "busy"
"""Outcome of requests of which a server counts nothing; where a gateway gave up on it, perhaps something."""

KNOWN = UNHEARD | CUT | {"declined", TURNED_AWAY}
"""Outcomes of which it is known what a server may have counted though no usage was told: nothing, or up to a cap."""


def token_figures(run: SoakRun, expect: Expect) -> dict[str, str]:
    """Both sides of the comparison, where there are two."""
    users, server = rows_of(run).known_total("tokens"), grown(run, "tokens")
    if server is None or (users != server and _again(run, expect)):
        return {}
    if users is None:
        return {"tokens": f"no stream told any, the server's {server}"}
    left = _left(run)
    most = _most(left)
    if users < server and (most is None or server <= users + most):
        return {"tokens": f"agree with the server's ({server}, {server - users} of them of {len(left)} that were left)"}
    return {"tokens": f"agree with the server's ({server})" if users == server else f"{users}, the server's {server}"}


@rule(row="load/3", level=Level.SHOULD, of=COUNTED, source="llama.cpp server README, /metrics", optional=True)
def requests_agree_with_the_server(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The server counted as many requests as the users sent."""
    difference = yield from _difference(run, "requests")
    if difference is None:
        return
    rows = rows_of(run)
    heard = rows.where(~rows.among("outcome", UNHEARD))
    least = int(((heard.whole("status") != 0) & ~_uncertain(heard)).sum())
    most = len(heard) + len(run.unfinished)
    if not most:
        yield no_evidence("the requests", expected="requests that reached the server", got=why_none(run, expect))
    elif not least <= difference <= most:
        sent = f"{least}" if least == most else f"{least} to {most}"
        yield _apart("requests", f"{sent}: what the users sent", difference, most, run, expect)


@rule(row="load/4", level=Level.SHOULD, of=COUNTED, source="llama.cpp server README, /metrics; OpenAPI document, usage",
      optional=True, figures=token_figures)  # fmt: skip
def tokens_agree_with_the_server(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The tokens in the usage of all streams are the tokens the server counted, exactly."""
    difference = yield from _difference(run, "tokens")
    if difference is None:
        return
    rows, left = rows_of(run), _left(run)
    tells = rows.tells("tokens")
    told = int(tells.sum())
    silent = int((~tells & ~rows.among("outcome", KNOWN)).sum()) + len(run.unfinished)
    turned_away = int((~tells & rows.among("outcome", {TURNED_AWAY})).sum())
    if not told:
        missing = refusal if silent else no_evidence
        yield missing("usage", expected="usage in each stream, as asked for", got="none in any")
        return
    prompts = grown(run, "prompt_tokens")
    counted = [("tokens", "tokens", difference)]
    counted += [("prompt tokens", "prompt_tokens", prompts)] if prompts is not None else []
    if (read := grown(run, "prompt_read")) is not None and rows.tells("cached")[rows.tells("prompt_tokens")].all():
        counted.append(("prompt tokens that were not cached", "prompt_read", read))
    for name, field, server in counted:
        least, most = _bounds(rows, field, left)
        more = most is not None and server > most
        if more:  # perhaps for those
            silent, turned_away = silent + turned_away, 0
        if server < least or (more and not silent):
            upto = "" if most == least else " or more" if most is None else f" to {most}"
            aside = f", {len(left)} that our clients left aside" if left else ""
            yield _apart(name, f"{least}{upto}: the usage of {told} streams{aside}", server, least, run, expect)
    if silent:
        got = f"{silent} requests told none; {told} streams tell of {rows.total('tokens')} tokens"
        told_by = f"{got}, the server of {difference}"
        judges = (causes.USAGE + causes.SOME,)
        yield no_evidence("usage", expected="usage of every request", got=told_by, causes=judges)


def _bounds(rows: Rows, field: str, left: Rows) -> tuple[int, int | None]:
    """What a server has to count at least, and at most; None: nobody knows what prompts that were left came to.

    Prompts of embeddings not all servers count.
    """
    least, most = _total(rows.where(~is_no_chat(rows)), field), _total(rows, field)
    more = None if left and field != "tokens" else _most(left)
    return least, None if more is None else most + more


def _most(left: Rows) -> int | None:
    """Tokens that a server may have made of streams that a client left: up to their caps, unless one ran beyond its."""
    return None if (left.whole("deltas") > left.whole("cap")).any() else left.total("cap")


def _total(rows: Rows, field: str) -> int:
    """What requests told of a total; of prompts that were read, all of them but what was cached."""
    return rows.total("prompt_tokens") - rows.total("cached") if field == "prompt_read" else rows.total(field)


def _left(run: SoakRun) -> Rows:
    """Requests that our clients left before any count of their tokens came."""
    rows = rows_of(run)
    return rows.where(rows.among("outcome", CUT) & ~rows.tells("tokens"))


def _uncertain(rows: Rows) -> Bools:
    """Whether a server may count a request or not: no chat, one to be refused or turned away, or whose client left."""
    return rows.among("outcome", CUT | {"declined", "accepted", TURNED_AWAY}) | is_no_chat(rows)


def _difference(run: SoakRun, field: str) -> Generator[Finding, None, int | None]:
    """Yields what keeps the server's counter from being used; returns what it grew by."""
    before, after = company.readings(run)
    growth = grown(run, field)
    if absent := validity.missing(run):
        yield no_evidence("the load", expected="the rows of all its workers", got="; ".join(absent))
    elif before is None or after is None:
        yield no_evidence("the counters", expected="a reading before and after", got="the load did not end by itself")
    elif getattr(before, field) is None:
        yield refusal("the counters", expected=f"a total of {field}", got=f"none: {before.source}")
    elif growth is None:
        yield no_evidence("the counters", expected=f"a total of {field} after the load", got=f"none: {after.source}")
    elif growth < 0:
        yield no_evidence("the counters", expected="one life of the server", got="they began again in between")
    elif _beyond(run, field) and (others := company.seen(run, before, after)):
        yield no_evidence("the counters", expected="no other client meanwhile", got=others)
    else:
        return growth
    return None


def _beyond(run: SoakRun, field: str) -> bool:
    """Whether the server counted more than ours, or was still counting: only then others may be behind it."""
    if any(reading is not None and reading.moving for reading in company.readings(run)):
        return True
    if field == "requests":
        return (grown(run, field) or 0) > len(run.rows) + len(run.unfinished)
    return any((grown(run, name) or 0) > rows_of(run).total(name) for name in ("tokens", "prompt_tokens"))


def grown(run: SoakRun, field: str) -> int | None:
    before, after = company.readings(run)
    first: int | None = getattr(before, field, None)
    last: int | None = getattr(after, field, None)
    return None if first is None or last is None else last - first


def _again(run: SoakRun, expect: Expect) -> str:
    """What shows that the server may have begun to count again; empty where nothing does."""
    return "it stopped in between" if intervals(expect) else company.anew(run)


def _apart(what: str, expected: str, server: int, users: int, run: SoakRun, expect: Expect) -> Finding:
    """The two counts differ; across a stop or a start that shows nothing, for a server may begin to count again."""
    got = f"{server} by {run.counters[-1].source}"
    if again := _again(run, expect):
        return no_evidence(f"the {what}", expected=expected, got=f"{got}; {again}")
    if server > users:
        so = f"the server made {what} nobody here received, or others use it as well"
    else:
        so = f"{what} were received that the server never counted: its figures cannot be relied on"
    return violation(f"the {what}", expected=expected, got=got, so=so)
