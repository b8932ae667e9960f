"""A crowd: more than slots wait in line, each answer of many is as good as one, and what was used adds up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.answering import LATE, refused, silent
from seatrial.checks.areas.concurrency.parts import COUNTED, CROWD, UNANSWERED
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import AREAS, REGISTRY, Rule, rule
from seatrial.reading import chat, fields
from seatrial.records import BUSY, Exchange, Expect, Finding, Level
from seatrial.statistics.intervals import wilson

FULL = "context/each-request-of-a-crowd-has-its-answer" + causes.SOME

LABELS = r'(?:\{(?:[^"}\n]|"(?:[^"\\\n]|\\.)*")*\})?'
SAMPLE = re.compile(rf"(?m)^([A-Za-z_:][\w:]*token\w*){LABELS}[ \t]+([0-9.eE+]+)[ \t]*$")
"""A series of a page of counters whose name speaks of tokens."""
READ = re.compile("prompt|input|cache|draft|accept", re.IGNORECASE)
"""Its name says that it counts tokens that were read or guessed: they may by chance be as many as those made."""


@rule(
    row="conc/5",
    level=Level.SHOULD,
    of=CROWD,
    answer=False,
    sampled=True,
    source="llama.cpp test_completion: more requests than slots; OpenAI: 429, or 503 when overloaded",
)
def more_requests_than_slots_wait_in_line(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Of several times as many requests as slots each is answered to its end, or told to come later: 429 or 503."""
    answered, waiting = 0, []
    for name, x in xs.items():
        if x.error in LATE and _line_moved(x, xs):
            waiting.append(name)
            continue
        if not x.error and (x.status in BUSY or look.is_refusal(x)):
            continue
        if found := silent(x) or refused(x):
            so = "an hour with many users looks like a broken server, and clients ask again at once"
            where, expected = f"{name}: {found.where}, of {len(xs)} requests", "an answer to its end, or 429 or 503"
            judges, grave = (FULL, *UNANSWERED), found.grave
            yield violation(where, expected=expected, got=found.got, so=so, grave=grave, about=name, causes=judges)
            return
        answered += 1
    if waiting:  # the line is ours, and it moved on until our patience ended
        got = f"{len(waiting)} still waited or were being answered when their time was over, {waiting[0]} first"
        yield no_evidence("the line", expected="answers within the time we gave", got=got, about=waiting[0])
    elif not answered:
        got = ", ".join(sorted({str(x.status) for x in xs.values()})) or "none"
        yield no_evidence("the answers", expected="at least one", got=got, causes=UNANSWERED)


def _repeated(xs: Mapping[str, Exchange], _expect: Expect) -> dict[str, str]:
    heard, rules = _heard(xs), _single()
    return {"judged": f"{len(heard)} answers by {sum(any(_fits(r, x) for x in heard.values()) for r in rules)} rules"}


@rule(
    row="conc/12",
    level=Level.SHOULD,
    of=CROWD,
    answer=False,
    sampled=True,
    source="opendatahub-tests, OpenAICompatibilityValidator: each check again and again under load",
    figures=_repeated,
)
def what_holds_of_one_answer_holds_of_each(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """What must hold of a single answer, and does of some of a crowd, holds of each of them."""
    heard = _heard(xs)
    if not heard:
        yield no_evidence("the answers", expected="at least one", got="none", causes=UNANSWERED)
    for each in _single():
        asked = {name: x for name, x in heard.items() if _fits(each, x)}
        broken = {name: found for name, x in asked.items() if (found := _broken(each, x, expect))}
        if 0 < len(broken) < len(asked):  # of what is always so the rule itself says it
            low, high = wilson(len(broken), len(asked))
            name, found = next(iter(broken.items()))
            where = f"{name}: {found.where}, by {each.id}"
            got = f"{found.got}; {len(broken)} of {len(asked)} answers, a rate of {low:.0%} to {high:.0%}"
            so = "what was right when it was tried alone is wrong now and then"
            causes_of = (each.id + causes.SOME, *found.causes)
            yield violation(where, expected=found.expected, got=got, so=so, about=name, causes=causes_of)
            return


@rule(
    row="conc/11",
    level=Level.MAY,
    of=COUNTED,
    answer=False,
    sampled=True,
    source="llama.cpp server README, /metrics: totals of tokens; OpenAPI document, usage",
)
def usage_adds_up_to_the_servers_own_count(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The tokens that answers say they took are those by which a counter of the server grew."""
    pages = [_counters(x) for name, x in xs.items() if name.startswith("counters")]
    chats = {name: x for name, x in xs.items() if not name.startswith("counters")}
    told = [chat.completion_tokens(x) for x in chats.values()]
    if len(pages) < 2 or not pages[0] or not pages[-1]:
        yield refusal("the counters", expected="counters of tokens", got="none", optional=True)
        return
    if not told or any(n is None for n in told):
        yield no_evidence("usage.completion_tokens", expected="a count in each answer", got=told, causes=USAGE)
        return
    total = sum(n for n in told if n is not None)
    made = {name: value for name, value in pages[-1].items() if not READ.search(name)}
    grown = {name: value - pages[0].get(name, 0.0) for name, value in made.items()}
    if total not in grown.values():
        so = "whoever bills or plans by one of the two is wrong by the other"
        got = ", ".join(f"{name} {n:g}" for name, n in list(grown.items())[:6])
        yield violation(
            "the counters", expected=f"a counter that grew by {total}", got=got, so=so, about=next(iter(chats))
        )


USAGE = (causes.USAGE + causes.SOME, *UNANSWERED)

COMPANY = traits.STREAM | traits.USAGE | traits.COUNTED | traits.JSON
"""What a plain chat or a stream with its usage may bear: rules of other traits ask for more than a crowd does."""


def _line_moved(late: Exchange, xs: Mapping[str, Exchange]) -> bool:
    """Whether something came to any of a crowd in the last part of the time that one waited in vain."""
    since = late.ended_at - (late.ended_at - late.sent_at) // 4
    words = (chunk.at for x in xs.values() for chunk in x.chunks)
    ends = (x.ended_at for x in xs.values() if not x.error)
    return any(since <= at <= late.ended_at for at in (*words, *ends))


def _heard(xs: Mapping[str, Exchange]) -> dict[str, Exchange]:
    return {name: x for name, x in xs.items() if not (silent(x) or refused(x))}


def _single() -> list[Rule]:
    """The rules on what must hold of one chat answer by itself, whatever was asked for in it. Second opinions, which
    take their time for each answer, are left out."""
    single = (r for r in REGISTRY.values() if r.shape == "single" and r.answer and r.level is Level.MUST)
    return [r for r in single if traits.CHAT <= r.of <= COMPANY and r.function.__module__.startswith(AREAS)]


def _fits(each: Rule, x: Exchange) -> bool:
    """Whether a rule is about an answer of this kind."""
    stream = chat.asks_for_stream(x)
    counted = not stream or "include_usage" in fields.mapping(fields.mapping(x.request_json).get("stream_options"))
    borne = traits.STREAM if stream else traits.CHAT | traits.JSON
    if counted:
        borne |= traits.COUNTED | (traits.USAGE if stream else traits.NONE)
    return each.of <= borne and not each.unless & borne


def _broken(each: Rule, x: Exchange, expect: Expect) -> Finding | None:
    return next((found for found in each.function(x, expect) if found.kind == "violation"), None)


def _counters(x: Exchange) -> dict[str, float]:
    """The totals of a page that speak of tokens, summed over their labels."""
    if x.status != 200 or x.error:
        return {}
    told: dict[str, float] = {}
    for name, value in SAMPLE.findall(x.body.decode("utf-8", "replace")):
        try:
            told[name] = told.get(name, 0.0) + float(value)
        except ValueError:
            told[name] = told.get(name, 0.0)
    return told
