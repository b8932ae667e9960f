"""What the answers to a probe's items come to: each item's word, how far the test came, and what is said of both.

PASS is *accepted*, FAIL (ADVISORY of a probe that is no MUST) is *rejected*. A test that did not come to an end is no
evidence, and says what would end it. Items are taken in the order of their numbers, however fast each was answered:
bad answers are often the long ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from seatrial.behaviour.answers import Spoken, read
from seatrial.behaviour.items import OURS, Maker, ProbeItem, number_of
from seatrial.behaviour.probe import RateProbe, SeenAnswer, Verified, makers
from seatrial.behaviour.transcript import curl, shown
from seatrial.checks.capabilities import declined_by_5xx
from seatrial.checks.findings import no_evidence
from seatrial.reading.fields import real
from seatrial.records import SECOND, Exchange, Expect, Finding, ItemOutcome, ItemWord, Policy
from seatrial.statistics.intervals import wilson
from seatrial.statistics.sequential import Reached
from seatrial.text import shorten, visible

CUT = "in flight when the time was up"
QUEUED = "waited for other requests of ours"
OTHER = "no item of this seed and version"
BROKEN = "not a whole answer"
POLICY = "policy"
"""The setting that holds the operator's own questions."""
READ = frozenset({ItemWord.GOOD, ItemWord.BAD})
REFUSED = range(400, 500)
LOST = frozenset({408, 429})
UNHELD = "what it is held against was not asked"
REASONS = 4
"""Reasons of missing evidence that are told, the most frequent ones."""
LONGEST, SHORT = 200, 80
"""Characters of what was read that an item keeps, and those that a reason tells of it."""


def outcomes(probe: RateProbe, xs: Mapping[str, Exchange], expect: Expect) -> list[ItemOutcome]:
    """What became of each item that a probe judges, in their order; those beyond the end of the test count no more."""
    known = makers()
    made: list[ItemOutcome] = []
    for name in sorted(xs, key=lambda name: _order(known, name)):
        maker, number = known.get(name.rpartition("-")[0]), number_of(name)
        if maker is not None and number is not None and probe.reads(maker, number):
            made.append(outcome_of(probe, maker, number, xs[name], expect, xs))
    n = reached(probe, made).n
    read_so_far = 0
    for at, each in enumerate(made):
        read_so_far += each.word in READ
        if read_so_far > n:
            made[at] = msgspec.structs.replace(each, counted=False)
    return made


def outcome_of(
    probe: RateProbe,
    maker: Maker,
    number: int,
    x: Exchange,
    expect: Expect,
    others: Mapping[str, Exchange] | None = None,
) -> ItemOutcome:
    """What became of one item.

    Args:
        others: by name, among which is the one that it is held against, if any.
    """
    seed = expect.settings.get("seed")
    seed = seed if isinstance(seed, int) else 0
    policy = policy_of(expect)
    name, answer, item = maker.named(number), read(x), maker.item(seed, number, policy)
    seen = _seen(probe, item, name, x, answer, expect)
    if probe.against is not None and probe.compare is not None and seen.word is ItemWord.GOOD:
        first = probe.against(number)
        before = _before(probe, maker, first, (others or {}).get(maker.named(first)), expect, seed)
        seen = probe.compare(before, SeenAnswer(answer, seen)) if isinstance(before, SeenAnswer) else before
    return ItemOutcome(
        probe=probe.rule.id,
        item=name,
        family=item.family,
        seed=item.mark if maker.own(policy) else seed,
        endpoint=x.endpoint,
        word=seen.word,
        why=visible(seen.why, LONGEST) or visible(seen.note, LONGEST),
        answer=visible(seen.answer, LONGEST),
        figures={**_figures(x, answer), **seen.figures},
        likely=dict(seen.likely),
        exchanges=(x.id,),
    )


def reached(probe: RateProbe, items: Sequence[ItemOutcome]) -> Reached:
    """How far the test came. Where none may be bad, every item counts, also after enough good ones."""
    wrong = [each.word is ItemWord.BAD for each in items if each.word in READ]
    if probe.test.p0 > 0:
        return probe.test.reached(wrong)
    bad, n = sum(wrong), len(wrong)
    accept, reject = probe.test.bounds(n)
    return Reached("rejected" if bad >= reject else "accepted" if bad <= accept else "open", bad, n)


def policy_of(expect: Expect) -> Policy:
    """The operator's policy that was asked about; that of nobody where none was."""
    told = expect.settings.get(POLICY)
    try:
        return msgspec.convert(told, Policy) if told is not None else OURS
    except (msgspec.ValidationError, RecursionError):  # of a record that somebody else wrote
        return OURS


def findings(probe: RateProbe, xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The findings of a probe: none for PASS."""
    items = outcomes(probe, xs, expect)
    come = reached(probe, items)
    declined = [each for each in items if each.word is ItemWord.DECLINED]
    if declined and not come.n:
        yield Finding("refusal", probe.what, "an answer", declined[0].why, optional=True, about=declined[0].item)
    elif come.decision == "open":
        yield no_evidence(
            f"{probe.what}, {come.n} answers read",
            expected=_needed(probe, come, xs),
            got="; ".join(filter(None, (_ratio(come) if come.n else "", _beside(items)))) or "no item was asked",
        )
    elif come.decision == "rejected":
        yield from _rejected(probe, items, come, xs)


def figures(probe: RateProbe, xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    """What is printed whatever the outcome. A name with a colon is a detail, not meant for the first screen."""
    items, what = outcomes(probe, xs, expect), probe.what
    come = reached(probe, items)
    if not come.n:
        return {what: f"not known: no answer read ({_beside(items) or 'none sent'})"}
    lines = {what: _ratio(come), f"{what}: test": said(probe, come)}
    if beside := _beside(items):
        lines[f"{what}: no evidence"] = beside
    if len(found := _by_family(items)) > 1:
        lines[f"{what}: by family"] = ", ".join(f"{name} {bad} of {n}" for name, (bad, n) in found.items())
    if probe.tells is not None:
        counted = [each for each in items if each.word in READ and each.counted]
        lines |= {f"{what}: {name}": said for name, said in probe.tells(counted).items()}
    if sampled := _sampled(probe, expect):
        lines[f"{what}: sampling"] = sampled
    if probe.maker.uncached and isinstance(passed := expect.settings.get("uncached"), bool):
        lines[f"{what}: prompt cache"] = (
            "asked past it" if passed else "no way past it is known for this kind of server"
        )
    if noted := [each for each in items if each.word is ItemWord.GOOD and each.why]:
        some = ", ".join(f"{each.item} ({each.why})" for each in noted[:5])
        lines[f"{what}: suspect, not counted"] = f"{len(noted)}: {some}"
    if (worst := _shortest(items, xs)) is not None:
        lines[f"{what}: shortest failing"] = f"{worst.item} ({worst.why}): {shown(read(xs[worst.item]), 600)}"
        lines[f"{what}: again"] = curl(xs[worst.item], expect)
    return lines


def said(probe: RateProbe, come: Reached) -> str:
    """What was tested, how it ended, and what it would have shown, from the test's own error rates."""
    test = probe.test
    ended = {"accepted": "held", "rejected": "broken", "open": "not decided"}[come.decision]
    limits = f"good up to {percent(test.p0)} %, bad from {percent(test.p1)} %"
    false, miss = test.operating(test.p0).rejected, test.operating(test.p1).accepted
    return (
        f"{ended} after {come.n} of at most {test.most} answers ({limits}): a model at the good rate fails "
        f"{percent(false)} times of 100, one at the bad rate passes {percent(miss)} times; one that does it in "
        f"{percent(test.visible())} % of its answers fails 80 times of 100"
    )


def percent(rate: float) -> str:
    """A rate in percent, to one place."""
    return f"{100 * rate:.1f}".removesuffix(".0")


def ended_by_us(x: Exchange, answer: Spoken) -> bool:
    """Whether an answer was in order until our own deadline ended it. What the server broke before that is its own."""
    return x.error == "deadline" and x.status in (None, 200) and not answer.error


def _sampled(probe: RateProbe, expect: Expect) -> str:
    """What was put beside the items, in words; empty where that was nothing, and where they say it themselves."""
    if "temperature" in probe.maker.item(0, 0).body:
        return ""
    told = expect.settings.get("sampling")
    said = told.get(probe.maker.use) if isinstance(told, dict) else None
    return visible(said, LONGEST) if isinstance(said, str) else ""


def _order(known: Mapping[str, Maker], name: str) -> tuple[int, int, str]:
    maker = known.get(name.rpartition("-")[0])
    return (maker.turn if maker else -1, number_of(name) or 0, name)


def _seen(probe: RateProbe, item: ProbeItem, name: str, x: Exchange, answer: Spoken, expect: Expect) -> Verified:
    """What an answer came to: what keeps it from being read comes first, and is nobody's fault here."""
    if why := answer.silent or ("" if _same(item, x) else OTHER):
        return Verified(ItemWord.SILENT, why)
    if answer.trouble and (seen := _in_trouble(probe, name, x, answer, expect)):
        return seen
    if not probe.thought and _thought(answer):
        return Verified(ItemWord.THOUGHT)
    return probe.verify(item, answer, x)


def _before(
    probe: RateProbe, maker: Maker, number: int, x: Exchange | None, expect: Expect, seed: int
) -> SeenAnswer | Verified:
    """The answer that another is held against; no evidence where it tells nothing itself."""
    if x is None:
        return Verified(ItemWord.SILENT, UNHELD)
    answer = read(x)
    seen = _seen(probe, maker.item(seed, number), maker.named(number), x, answer, expect)
    if seen.word is not ItemWord.GOOD:
        return Verified(ItemWord.SILENT, f"what it is held against: {seen.why or seen.word}")
    return SeenAnswer(answer, seen)


def _in_trouble(probe: RateProbe, name: str, x: Exchange, answer: Spoken, expect: Expect) -> Verified | None:
    """What an answer came to that is not whole; None where that is for the verifier to say."""
    if name in _named(expect, "waited"):
        return Verified(ItemWord.SILENT, QUEUED)
    if not probe.thought and name in _named(expect, "cut") and ended_by_us(x, answer):
        return Verified(ItemWord.SILENT, CUT)
    if probe.broken:
        return None
    if (x.status in REFUSED and x.status not in LOST) or declined_by_5xx(x):
        return Verified(ItemWord.DECLINED, answer.trouble)
    return Verified(ItemWord.SILENT, BROKEN)


def _named(expect: Expect, key: str) -> frozenset[str]:
    listed = expect.settings.get(key)
    return frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset()


def _same(item: ProbeItem, x: Exchange) -> bool:
    """Whether what was sent is the item: another version of this program may have made another of its number."""
    sent = x.request_json.get("messages") if isinstance(x.request_json, dict) else None
    messages = item.body["messages"]
    if not isinstance(sent, list) or len(sent) != len(messages):
        return False
    texts = [
        (a.get("content"), b.get("content") if isinstance(b, dict) else None)
        for a, b in zip(messages, sent, strict=True)
    ]
    return all(mine == theirs for mine, theirs in texts if mine is None or isinstance(mine, str))


def _thought(answer: Spoken) -> bool:
    """All of the cap went into reasoning: an outcome of its own, and no word about the answer."""
    text = answer.content.strip()
    unclosed = text.startswith("<think>") and "</think>" not in text  # where a server does not take thought apart
    thought = unclosed or (bool(answer.reasoning) and not text)
    return answer.whole and answer.finish == "length" and thought and not answer.calls


def _figures(x: Exchange, answer: Spoken) -> dict[str, float]:
    found = {"seconds": (x.ended_at - x.sent_at) / SECOND}
    if (tokens := real(answer.tokens)) is not None:
        found["tokens"] = tokens
    if answer.first_at is not None:
        found["first_s"] = (answer.first_at - x.sent_at) / SECOND
    return found


def _rejected(
    probe: RateProbe, items: Sequence[ItemOutcome], come: Reached, xs: Mapping[str, Exchange]
) -> Iterator[Finding]:
    worst = _shortest(items, xs)
    where, test = f"{probe.what}, {come.n} answers", probe.test
    limit = f"at most {percent(test.p0)} % of answers" if test.p0 else "none"
    judges = _causes(probe, items, xs)
    how = f", such as: {shorten(worst.why, SHORT)}" if worst is not None and worst.why else ""
    got = f"{_ratio(come)}{how}"
    yield Finding("violation", where, limit, got, probe.so, about=worst.item if worst else "", causes=judges)
    if worst is not None:
        got = f"{worst.why}: {shown(read(xs[worst.item]), 400)}"
        where = f"the shortest such answer, {worst.item} ({xs[worst.item].id})"
        yield Finding("violation", where, "none like it", got, about=worst.item, causes=judges)


def _causes(probe: RateProbe, items: Sequence[ItemOutcome], xs: Mapping[str, Exchange]) -> tuple[str, ...]:
    """The rules whose finding all of the bad answers are already."""
    if probe.causes is None:
        return ()
    wrong = (each for each in items if each.word is ItemWord.BAD and each.counted)
    told = [set(probe.causes(read(xs[each.item]))) for each in wrong]
    return tuple(sorted(set.intersection(*told))) if told else ()


def _needed(probe: RateProbe, come: Reached, xs: Mapping[str, Exchange]) -> str:
    """What would end a test that is open, and about how long that takes at the pace so far."""
    more = probe.test.lacking(come.bad, come.n)
    text = f"{more} more good answers to accept a rate of {percent(probe.test.p0)} %"
    own = [x for name, x in xs.items() if name.rpartition("-")[0] == probe.maker.name]
    if own and come.n:
        took = max(x.ended_at for x in own) - min(x.sent_at for x in own)
        text += f", about {max(1, round(more * took / SECOND / come.n))} s more"
    return f"{text}: raise --budget"


def _ratio(come: Reached) -> str:
    """``1 of 40 (95 %: 0.4 to 12.9 %)``: of a test that could end early the interval describes, and proves nothing."""
    low, high = wilson(come.bad, come.n)
    return f"{come.bad} of {come.n} (95 %, descriptive: {percent(low)} to {percent(high)} %)"


def _beside(items: Sequence[ItemOutcome]) -> str:
    """How many answers are no evidence, by reason."""
    why: dict[str, list[str]] = {}
    for reason in (_reason(each) for each in items if each.word not in READ):
        why.setdefault(re.sub(r"\d+", "0", reason), []).append(reason)  # a server counts what it refuses
    most = sorted(why.values(), key=len, reverse=True)
    more = [f"{sum(map(len, most[REASONS:]))} for other reasons"] if most[REASONS:] else []
    return ", ".join([f"{len(each)} without evidence: {each[0]}" for each in most[:REASONS]] + more)


def _reason(each: ItemOutcome) -> str:
    return str(each.word) if each.word is ItemWord.THOUGHT or not each.why else each.why


def _by_family(items: Sequence[ItemOutcome]) -> dict[str, tuple[int, int]]:
    read_ones = sorted((each for each in items if each.word in READ and each.counted), key=lambda each: each.family)
    found = {}
    for family, group in groupby(read_ones, key=lambda each: each.family):
        words = [each.word for each in group]
        found[family] = (words.count(ItemWord.BAD), len(words))
    return found


def _shortest(items: Sequence[ItemOutcome], xs: Mapping[str, Exchange]) -> ItemOutcome | None:
    """The bad item with the shortest answer."""
    wrong = [each for each in items if each.word is ItemWord.BAD and each.counted]
    return min(wrong, key=lambda each: (len(shown(read(xs[each.item]))), each.item), default=None)
