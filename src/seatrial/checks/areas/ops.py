"""What those who run a server ask it: whether it is ready, and what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look
from seatrial.checks.areas.soak.parts import SOAK
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, exposition, fields
from seatrial.reading.soak.columns import rows_of
from seatrial.records import BUSY, SECOND, Exchange, Expect, Finding, Level, SoakRun

HEALTH = trait("health", own=True)
"""The page of health, after a chat that was answered."""

METERED = trait("metered", own=True)
"""A chat between ``first`` and ``second``, two readings of the page of counters."""

GENERATED = re.compile(r"(?:predicted|generat\w*|completion|output)\w*tokens|tokens_(?:predicted|generated)")
DRAFTED = re.compile(r"draft_tokens(?:_total)?$")
ACCEPTED = re.compile(r"accepted_tokens(?:_total)?$")

PROMPT_S = 1.0
"""A look at a page that does no work has its answer within this, or the one who looks gives up."""

SHARE = 0.05
"""Of the looks under load so many may be late: the system's own hiccups."""

UNASKED = "not asked"
"""How the recorder begins to say why it did not look."""

PAGE = "the page"
OK = 200


@rule(
    row="ops/1",
    level=Level.SHOULD,
    of=HEALTH,
    answer=False,
    sampled=True,
    source="llama.cpp README, GET /health: 200 once the model is loaded; vLLM test_check_health; Kubernetes: any 2xx",
)
def health_says_ready(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The page of health of a server that answers chats says 200, or another 2xx."""
    x = _health(xs)
    if x is None or (nothing := answering.unheard(x) if x.status not in BUSY else None):
        yield no_evidence(PAGE, expected="an answer", got="none" if x is None else x.detail or x.error)
    elif x.status in look.NO_ROUTE:
        yield refusal(PAGE, expected="one that is there", got=f"{x.status}", optional=True)
    elif (before := xs.get("before")) is None or before.status != 200:
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("the chat before", expected="200", got=before and before.status, causes=judges)
    elif nothing := answering.silent(x):
        yield nothing
    elif x.status is None or not 200 <= x.status < 300:
        got = f"{x.status} {x.body[:120].decode('utf-8', 'replace')}"
        so = "whoever balances or restarts by it takes a server away that works"
        yield violation(PAGE, expected="200: chats are answered", got=got, so=so)


@rule(
    row="ops/2",
    level=Level.SHOULD,
    of=HEALTH,
    answer=False,
    sampled=True,
    source="llama.cpp 27388 and 13281: /health is 200 while nothing is answered",
)
def ready_means_that_chats_are_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Where the page of health says 200, a chat is answered, and not with a 5xx."""
    x, before = _health(xs), xs.get("before")
    unheard = x is not None and x.status not in BUSY and answering.unheard(x)
    if x is None or before is None or unheard or before.error in answering.GONE:
        yield no_evidence(PAGE, expected="an answer, and a chat", got=", ".join(xs))
    elif x.status in look.NO_ROUTE:
        yield refusal(PAGE, expected="one that is there", got=f"{x.status}", optional=True)
    elif x.status == 200 and (answering.silent(before) or (before.status or 0) >= 500):
        got = f"200, and a chat: {before.status or before.detail or before.error}"
        so = "whoever watches by it sees nothing, and sends on what fails"
        judges = (f"{causes.ANSWERED}[{before.scenario.rpartition('/')[2]}]",)
        yield violation(PAGE, expected="not 200, or chats that are answered", got=got, so=so, causes=judges)


@rule(
    row="ops/3",
    part="the page parses",
    level=Level.MAY,
    of=METERED,
    answer=False,
    sampled=True,
    source="Prometheus text format 0.0.4",
)
def counters_can_be_read(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Each line of the page of counters is a comment, or a sample with a number."""
    if nothing := _unmetered(xs):
        yield nothing
        return
    body = xs["first"].body
    wrong = next(exposition.misfits(body), "")
    if wrong:
        so = "a scraper leaves the whole page out"
        yield violation("a line", expected="a comment, or a name and a number", got=wrong, so=so, about="first")
    elif not any(exposition.samples(body)):
        yield violation("the page", expected="a sample", got=body[:120].decode("utf-8", "replace"), about="first")


@rule(
    row="ops/3",
    part="totals never fall",
    level=Level.MAY,
    of=METERED,
    answer=False,
    sampled=True,
    source="Prometheus: a counter only goes up",
)
def totals_never_fall(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No counter is lower in a second reading than in the first."""
    if nothing := _unmetered(xs):
        yield nothing
        return
    first, second = _readings(xs)
    if not first:
        yield refusal("the counters", expected="one that says that it is one", got="none", optional=True)
    for name, value in first.items():
        if name in second and second[name] < value:
            so = "rates drop below zero, or are taken for a restart"
            yield violation(name, expected=f"at least {value:g}", got=f"{second[name]:g}", so=so, about="second")


@rule(
    row="ops/3",
    part="generated tokens agree with usage",
    level=Level.MAY,
    of=METERED,
    answer=False,
    sampled=True,
    source="OpenAPI document, CompletionUsage; llama.cpp README, tokens_predicted_total",
)
def generated_tokens_are_counted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A counter of generated tokens grows by at least those of the chat between two readings."""
    if nothing := _unmetered(xs) or _unchatted(xs):
        yield nothing
        return
    told = fields.integer(fields.mapping(chat.usage(xs["chat"])).get("completion_tokens"))
    if told is None:
        yield no_evidence("usage", expected="completion_tokens", got="none", causes=(causes.USAGE + causes.SOME,))
        return
    yield from _counted(xs, GENERATED, told, "generated tokens")


@rule(
    row="ops/5",
    level=Level.MAY,
    of=METERED,
    answer=False,
    sampled=True,
    source="llama.cpp README: timings.draft_n, spec_decode_num_draft_tokens_total; vLLM's counters of that name",
)
def drafts_are_counted(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Counters of drafted and accepted tokens grow by at least what an answer says of its own drafts."""
    if nothing := _unmetered(xs) or _unchatted(xs):
        yield nothing
        return
    timings = fields.mapping(fields.mapping(xs["chat"].json).get("timings"))
    drafted, accepted = (fields.integer(timings.get(name)) for name in ("draft_n", "draft_n_accepted"))
    if drafted is None or accepted is None:
        yield refusal("timings", expected="what was drafted", got="nothing of drafts", optional=True)
    elif accepted > drafted:
        so = "the gain from drafts is told too high"
        yield violation("timings.draft_n_accepted", expected=f"at most {drafted}", got=accepted, so=so, about="chat")
    else:
        yield from _counted(xs, DRAFTED, drafted, "drafted tokens")
        yield from _counted(xs, ACCEPTED, accepted, "accepted tokens")


@rule(
    row="ops/4",
    level=Level.SHOULD,
    of=SOAK,
    source="Kubernetes: a probe has a second by default; ik_llama.cpp 1210: /health blocked by a prefill",
)
def health_is_told_under_load(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Under load the page of health says 200 within a second, in at least 95 of 100 looks."""
    rows = rows_of(run)
    since, until = (rows.whole("sent_at").min(), rows.whole("ended_at").max()) if rows else (0, -1)
    under = (each for each in run.probes if since <= each.t <= until)
    seen = [each for each in under if each.health is not None or (each.error and not each.error.startswith(UNASKED))]
    late = [each for each in seen if each.health != OK or (each.health_ns or 0) > PROMPT_S * SECOND]
    if not seen or all(each.health in look.NO_ROUTE for each in seen):
        yield refusal("looks at health under load", expected="some that are answered", got=len(seen), optional=True)
    elif len(late) > max(1.0, SHARE * len(seen)):
        slowest = max(each.health_ns or 0 for each in late) / SECOND
        words = ", ".join(sorted({str(each.health or each.error) for each in late}))
        got = f"{len(late)} of {len(seen)}: {words}, the slowest in {slowest:.1f} s"
        so = "whoever restarts by it ends a server that only works"
        yield violation("looks at health that were late or not 200", expected="one in twenty", got=got, so=so)


def _health(xs: Mapping[str, Exchange]) -> Exchange | None:
    """The answer of the page of health: the last that was asked for, as the usual one is asked where no other is."""
    pages = [x for name, x in xs.items() if name != "before"]
    return pages[-1] if pages else None


def _unmetered(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why the two readings show nothing, or None; a server need not have counters."""
    for name in ("first", "second"):
        x = xs.get(name)
        if x is None or answering.unheard(x) or answering.silent(x):
            return no_evidence(name, expected="a page of counters", got="none" if x is None else x.detail or x.error)
        if x.status != OK:
            return refusal(name, expected="a page of counters", got=str(x.status), optional=True)
    return None


def _unchatted(xs: Mapping[str, Exchange]) -> Finding | None:
    x = xs.get("chat")
    if x is not None and x.status == OK and look.unreadable(x) is None:
        return None
    got = "none" if x is None else str(x.status or x.error)
    return no_evidence("the chat", expected="an answer", got=got, causes=(causes.ANSWERED + causes.SOME,))


def _readings(xs: Mapping[str, Exchange]) -> tuple[dict[str, float], dict[str, float]]:
    bodies = (xs[name].body if name in xs else b"" for name in ("first", "second"))
    first, second = (exposition.totals(body) for body in bodies)
    return first, second


def _counted(xs: Mapping[str, Exchange], named: re.Pattern[str], told: int, what: str) -> Iterator[Finding]:
    """A finding where the counters of a name did not grow by what an answer told. Others may have been served too."""
    first, second = _readings(xs)
    names = [name for name in second if named.search(name)]
    if not names:
        yield refusal(what, expected="a counter of them", got=", ".join(list(second)[:4]) or "none", optional=True)
    elif told and all(second[name] - first.get(name, 0.0) < told for name in names):
        grown = max(second[name] - first.get(name, 0.0) for name in names)
        so = "what a server says that it did is less than what it was paid for"
        yield about("second", violation(what, expected=f"{told} more: {names[0]}", got=f"{grown:g} more", so=so))
