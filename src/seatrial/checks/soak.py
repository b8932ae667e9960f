"""Rules over a soak: every stream ends, every request is answered, and the server counted what the users received.

``expect.settings["stopped"]`` may hold intervals, ``[[from_ns, to_ns], ...]``, in which the server was down or frozen.
Rows that overlap one of them are set apart: what a stop costs is counted in the stop, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from seatrial.checks import lasting
from seatrial.checks.rules import no_evidence, refusal, rule, violation
from seatrial.records import Counters, Expect, Finding, Level, LoadRow, SoakRun
from seatrial.verdict.percentiles import Percentile, percentile

SECOND = 1_000_000_000
SOAK = frozenset({"soak"})
"""Trait of a scenario that is a load."""

COUNTED = SOAK | {"server-counters"}
"""The server tells totals of its own: a rule that wants them is not planned where it tells none."""

BEGUN = {
    "truncated": "ended before the framing of its body did",
    "no_terminator": "ended without [DONE], finish_reason or final usage",
    "stall": "fell silent and was given up",
    "deadline": "did not end within its deadline",
    "reset": "was reset",
    "too_large": "never ended",
    "tls": "broke in the middle of a record",
    "not_http": "broke its framing",
}
"""What can become of a stream that began with 200, and why that is no end."""

CONSEQUENCE = {
    "no_terminator": "HTTP clients report success: half an answer is taken for a whole one",
    "truncated": "a client raises in the middle of an answer, or takes what it has for the whole",
    "stall": "a client waits as long as its own time-out lets it, up to hours",
    "deadline": "a client waits as long as its own time-out lets it, up to hours",
    "sse_error": "a client that looks at the status alone takes it for an answer",
    "empty": "an agent goes on with nothing",
}

NOT_JUDGED = frozenset({"busy", "cancelled"})
UNHEARD = frozenset({"refused", "unreachable", "tls"})
"""Outcomes of requests that cannot have reached the server's counter."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a soak by what they can tell."""

    judged: tuple[LoadRow, ...]
    apart: tuple[LoadRow, ...]  # overlap a stop of the server
    busy: tuple[LoadRow, ...]
    cancelled: tuple[LoadRow, ...]


def parts(run: SoakRun, expect: Expect) -> Parts:
    """Set apart what a stop, a busy server or we ourselves took away."""
    stopped = _intervals(expect)
    apart = tuple(row for row in run.rows if any(row.sent_at <= to and row.ended_at >= of for of, to in stopped))
    gone = {row.id for row in apart}
    rest = [row for row in run.rows if row.id not in gone]
    return Parts(
        judged=tuple(row for row in rest if row.outcome not in NOT_JUDGED),
        apart=apart,
        busy=tuple(row for row in rest if row.outcome == "busy"),
        cancelled=tuple(row for row in rest if row.outcome == "cancelled"),
    )


def lost(rows: Iterable[LoadRow]) -> int:
    """Requests that did not come to an answer."""
    return sum(row.outcome not in NOT_JUDGED | {"ok"} for row in rows)


def figures(run: SoakRun, expect: Expect) -> dict[str, str]:
    """Counts and times of a soak. Names with a colon are details: each time with its interval and its number."""
    found = parts(run, expect)
    sound = [row for row in found.judged if row.outcome == "ok"]
    waits, paces = [(r.first_at - r.sent_at) / SECOND for r in sound if r.first_at], tpots(sound)
    p50, p99 = percentile(waits, 0.50), percentile(waits, 0.99)
    shown = {
        "ran": lasting.length(run),
        "requests": str(len(run.rows)),
        "lost": f"{lost(found.judged)}" + _listed(Counter(r.outcome for r in found.judged if r.outcome != "ok")),
        "lost in stops": str(lost(found.apart)) if found.apart else "",
        "busy": str(len(found.busy)) if found.busy else "",
        "cut by us": str(len(found.cancelled) + len(run.unfinished)) if found.cancelled or run.unfinished else "",
        "TTFT": f"p50 {p50.value:.3f} p99 {p99.value:.3f} s" if p50 and p99 else "",
        "tok/s a stream": _rate(paces),
        "soak: TTFT p50": _seconds(p50),
        "soak: TTFT p99": _seconds(p99),
        "soak: TPOT p50": _seconds(percentile(paces, 0.50)),
        "soak: longest gap": _gap(sound),
        "soak: rules broken": _listed(Counter(name for row in run.rows for name in row.findings)).strip(" ()"),
        "soak: inspected": next((p.facts.get("inspected", "") for p in reversed(run.phases) if p.what == "end"), ""),
    }
    return {key: text for key, text in shown.items() if text}


def token_figures(run: SoakRun, expect: Expect) -> dict[str, str]:
    """Both sides of the comparison, where there are two."""
    users, server = sum(row.tokens or 0 for row in run.rows), _grown(run, "tokens")
    if server is None or (_intervals(expect) and users != server):
        return {}
    return {"tokens": f"agree with the server's ({server})" if users == server else f"{users}, the server's {server}"}


def tpots(rows: Iterable[LoadRow]) -> list[float]:
    """Seconds per token after the first, per stream: (E2E - TTFT) / (n - 1), by the server's count of tokens."""
    return [
        (row.last_at - row.first_at) / SECOND / (row.tokens - 1)
        for row in rows
        if row.tokens is not None and row.tokens > 1 and row.last_at > row.first_at
    ]


@rule(row="load/1", level=Level.MUST, of=SOAK, source="OpenAPI document, stream: terminated by data: [DONE]",
      figures=figures)  # fmt: skip
def streams_terminate(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load, every stream that began with 200 ends with a terminator, in time and whole."""
    begun = [row for row in parts(run, expect).judged if row.status == 200]
    if not begun:
        yield no_evidence("the streams", expected="streams that began", got=_why_none(run, expect))
        return
    broken = [row for row in begun if row.outcome in BEGUN]
    if not broken:
        yield from lasting.cut_short(run)
    for outcome, rows in _by_outcome(broken):
        yield violation(
            f"{len(rows)} of {len(begun)} streams",
            expected="an end",
            got=f"{BEGUN[outcome]} ({outcome}): {_examples(rows)}",
            so=CONSEQUENCE.get(outcome, "a client raises in the middle of an answer"),
        )


@rule(row="load/2", level=Level.MUST, of=SOAK, source="OpenAPI document, createChatCompletion", figures=figures)
def requests_are_answered(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load, every valid request gets an answer: 200, an event stream, and words in it."""
    found = parts(run, expect)
    if not found.judged:
        yield no_evidence("the requests", expected="requests", got=_why_none(run, expect))
        return
    unanswered = [r for r in found.judged if r.outcome != "ok" and not (r.status == 200 and r.outcome in BEGUN)]
    for outcome, rows in _by_outcome(unanswered):
        detail = next((row.detail for row in rows if row.detail), "")
        yield violation(
            f"{len(rows)} of {len(found.judged)} requests",
            expected="an answer",
            got=f"{outcome}: {_examples(rows)}{': ' if detail else ''}{detail}",
            so=CONSEQUENCE.get(outcome, "the user gets nothing"),
        )
    if not unanswered:
        yield from lasting.cut_short(run)
    if found.busy:
        yield no_evidence("the status", expected="an answer", got=f"429 or 503 to {len(found.busy)} requests")


@rule(row="load/3", level=Level.SHOULD, of=COUNTED, source="llama.cpp server README, /metrics", optional=True)
def requests_agree_with_the_server(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The server counted as many requests as the users sent."""
    difference = yield from _difference(run, "requests")
    if difference is None:
        return
    heard = [row for row in run.rows if row.outcome not in UNHEARD]
    least = sum(bool(row.status) for row in heard)
    most = len(heard) + len(run.unfinished)
    if not most:
        yield no_evidence("the requests", expected="requests that reached the server", got=_why_none(run, expect))
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
    told = sum(row.tokens is not None for row in run.rows)
    silent = sum(row.tokens is None and row.outcome not in UNHEARD for row in run.rows) + len(run.unfinished)
    if not told:
        missing = refusal if silent else no_evidence
        yield missing("usage", expected="usage in each stream, as asked for", got="none in any")
        return
    prompts = _grown(run, "prompt_tokens")
    counted = [("tokens", "tokens", difference)]
    counted += [("prompt tokens", "prompt_tokens", prompts)] if prompts is not None else []
    for name, field, server in counted:
        users = sum(getattr(row, field) or 0 for row in run.rows)
        if server < users or (server != users and not silent):
            yield _apart(name, f"{users}: the usage of {told} streams", server, users, run, expect)
    if silent:
        got = f"{silent} requests told none; {told} streams tell of {sum(row.tokens or 0 for row in run.rows)} tokens"
        yield no_evidence("usage", expected="usage of every request", got=f"{got}, the server of {difference}")


def _difference(run: SoakRun, field: str) -> Generator[Finding, None, int | None]:
    """Yields what keeps the server's counter from being used; returns what it grew by."""
    before, after = _readings(run)
    grown = _grown(run, field)
    if before is None or after is None:
        yield no_evidence("the counters", expected="a reading before and after", got="the load did not end by itself")
    elif getattr(before, field) is None:
        yield refusal("the counters", expected=f"a total of {field}", got=f"none: {before.source}")
    elif grown is None:
        yield no_evidence("the counters", expected=f"a total of {field} after the load", got=f"none: {after.source}")
    elif grown < 0:
        yield no_evidence("the counters", expected="one life of the server", got="they began again in between")
    else:
        return grown
    return None


def _grown(run: SoakRun, field: str) -> int | None:
    before, after = _readings(run)
    first: int | None = getattr(before, field, None)
    last: int | None = getattr(after, field, None)
    return None if first is None or last is None else last - first


def _readings(run: SoakRun) -> tuple[Counters | None, Counters | None]:
    before = next((c for c in run.counters if c.phase == "before"), None)
    return before, next((c for c in reversed(run.counters) if c.phase == "after"), None)


def _apart(what: str, expected: str, server: int, users: int, run: SoakRun, expect: Expect) -> Finding:
    """The two counts differ; across a stop that shows nothing, for a server may begin to count again."""
    got = f"{server} by {run.counters[-1].source}"
    if _intervals(expect):
        return no_evidence(f"the {what}", expected=expected, got=f"{got}; it stopped in between")
    if server > users:
        so = f"the server made {what} nobody here received, or others use it as well"
    else:
        so = f"{what} were received that the server never counted: its figures cannot be relied on"
    return violation(f"the {what}", expected=expected, got=got, so=so)


def _why_none(run: SoakRun, expect: Expect) -> str:
    found = parts(run, expect)
    if not run.rows:
        return f"none was finished, {len(run.unfinished)} were sent"
    return (
        f"{len(run.rows)} requests: {len(found.apart)} while the server was stopped, {len(found.busy)} busy, "
        f"{len(found.cancelled)} cut by us, {len(found.judged)} without a stream"
    )


def _by_outcome(rows: Sequence[LoadRow]) -> list[tuple[str, list[LoadRow]]]:
    ordered = sorted(rows, key=lambda row: (row.outcome, row.sent_at))
    return [(outcome, list(group)) for outcome, group in groupby(ordered, key=lambda row: row.outcome)]


def _examples(rows: Sequence[LoadRow], shown: int = 3) -> str:
    names = ", ".join(row.id for row in rows[:shown])
    return f"{names} ..." if len(rows) > shown else names


def _intervals(expect: Expect) -> list[tuple[int, int]]:
    return [(int(of), int(to)) for of, to in expect.settings.get("stopped", ())]


def _seconds(found: Percentile | None) -> str:
    if found is None:
        return ""
    low = "" if found.low is None else f"{found.low:.3f}"
    high = "" if found.high is None else f"{found.high:.3f}"
    return f"{found.value:.3f} s (95 %: {low or 'no bound'} to {high or 'no bound'}, n {found.n})"


def _rate(times: list[float]) -> str:
    found = percentile(times, 0.50)
    return "" if found is None or not found.value else f"{1 / found.value:.0f}"


def _gap(rows: Sequence[LoadRow]) -> str:
    longest = max(rows, key=lambda row: row.gap_to - row.gap_from, default=None)
    if longest is None or not longest.gap_to:
        return ""
    return f"{(longest.gap_to - longest.gap_from) / SECOND:.3f} s ({longest.id})"


def _listed(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{n} {word}' for word, n in sorted(counts.items()))})" if counts else ""
