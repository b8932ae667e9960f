"""What became of each parameter of the specification, in one word, and how it was told.

A word is drawn from judged cases and from the answers that they were judged on, and from nothing else: `seatrial judge`
and `seatrial parameters` give the same of a run as its end did.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from importlib import resources

import msgspec

from seatrial.reading import chat, fields, tools
from seatrial.records import Exchange, Finding, Judged, Outcome
from seatrial.text import shorten

CHATS, VECTORS = "/chat/completions", "/embeddings"
ROUTES = {"chat": CHATS, "embeddings": VECTORS}
OK = 200
PARTLY = "in part"
"""How a parameter is told that is honoured in one request and ignored in another."""

SHOWN = 160
"""Characters of an answer or of a finding that a table shows."""

BESIDE = frozenset({"before", "good", "known"})
"""Requests of a scenario that stand beside those it is about."""


class Fate(StrEnum):
    """What becomes of a parameter, in the order in which one word outweighs the next."""

    IGNORED = "ignored"
    """It was accepted, and makes no difference where one could be seen."""
    HONOURED = "honoured"
    """It makes the difference that it is there for."""
    REFUSED = "refused"
    """A 4xx names it."""
    INERT = "inert"
    """It was accepted, and there is nothing to see of it."""
    UNTOLD = "not told apart"
    """Nothing shows it."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One parameter, as ``parameters.toml`` has it."""

    rules: tuple[str, ...]
    asked: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    refusing: bool = False
    inert: bool = False
    grave: bool = False
    text: bool = False  # where an answer has no text, nothing of it is told
    every: bool = False
    beside: str = ""
    shown: str = ""  # "calls": what calls there are shows it, whether or not they are those asked for


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one parameter on one endpoint.

    Attributes:
        route: chat or embeddings.
        how: what it was told by, in words.
        case: the case that tells it, and the exchange; empty where none does.
        weight: of one that is ignored, be it in part: FAIL where the caller could see the difference, else ADVISORY.
    """

    route: str
    name: str
    fate: Fate
    how: str
    case: str = ""
    exchange: str = ""
    weight: str = ""


@functools.cache
def listed() -> dict[str, dict[str, Parameter]]:
    """Every parameter by route and name, in the order of the page."""
    page = resources.files("seatrial.checks").joinpath("parameters.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(page), dict[str, dict[str, Parameter]])


def told(
    cases: Iterable[Judged], exchange: Callable[[str], Exchange | None], sentences: Callable[[str], str]
) -> dict[str, tuple[Told, ...]]:
    """What became of each parameter, by endpoint; only of those that a case of the run tells of.

    Args:
        cases: as judged.
        exchange: an exchange by its id.
        sentences: the requirement of a rule, by its id.
    """
    by_rule: dict[tuple[str, str], list[Judged]] = {}
    for case in cases:
        by_rule.setdefault((case.endpoint, case.rule), []).append(case)
    found = {}
    for endpoint in dict.fromkeys(endpoint for endpoint, _rule in by_rule):
        lines = [
            _one(_Asked(route, name, known), by_rule, endpoint, exchange, sentences)
            for route, names in listed().items()
            for name, known in names.items()
            if any((endpoint, rule) in by_rule for rule in known.rules)
        ]
        if lines:
            found[endpoint] = tuple(lines)
    return found


def counted(lines: Sequence[Told]) -> str:
    """How many there are of each word; which are ignored, be it in part, is said by name."""
    words = Counter(line.fate for line in lines)
    parts = []
    for fate in (Fate.HONOURED, Fate.REFUSED, Fate.IGNORED, Fate.INERT, Fate.UNTOLD):
        named = fate in (Fate.IGNORED, Fate.UNTOLD)
        names = [line.name for line in lines if line.fate is fate and (named or line.weight)]
        told_so = f"{'' if named else PARTLY + ': '}{', '.join(dict.fromkeys(names))}"
        shown = f" ({told_so})" if names else ""
        parts.append(f"{words[fate]} {fate}{shown}")
    return ", ".join(parts)


class _Asked(msgspec.Struct, frozen=True):
    """A parameter by its route and name, with what is known of it."""

    route: str
    name: str
    known: Parameter

    def given(self, x: Exchange) -> bool:
        """Whether a request has it; null is not given. What was not stored had it, as its rule asks for."""
        sent = fields.mapping(x.request_json).get(self.name)
        return x.path == ROUTES[self.route] and (x.dropped or sent is not None)

    def named(self, text: str) -> bool:
        """Whether a refusal names it: by its name as a word, or by what else may mean it."""
        alone = re.search(rf"(?<!\w){re.escape(self.name)}(?!\w)", text)
        return alone is not None or any(word in text for word in self.known.also)

    def line(self, fate: Fate, how: str, case: Judged | None = None, exchange: str = "") -> Told:
        weight = ""
        if fate is Fate.IGNORED and case is not None:
            weight = str(Outcome.ADVISORY if case.outcome is Outcome.ADVISORY else Outcome.FAIL)
        return Told(
            route=self.route,
            name=self.name,
            fate=fate,
            how=shorten(how, SHOWN),
            case="" if case is None else case.case,
            exchange=exchange,
            weight=weight,
        )


def _one(
    asked: _Asked,
    by_rule: dict[tuple[str, str], list[Judged]],
    endpoint: str,
    exchange: Callable[[str], Exchange | None],
    sentences: Callable[[str], str],
) -> Told:
    """The word that outweighs the others, of all cases that tell of a parameter."""
    lines: list[Told] = []
    for rule in (*asked.known.rules, *asked.known.asked):
        for case in by_rule.get((endpoint, rule), ()):
            xs = {name: x for name, i in case.exchanges.items() if (x := exchange(i)) is not None}
            lines += _of_case(asked, case, xs, sentences(rule), proves=rule in asked.known.rules)
    other = asked.known.beside
    if other and not any(case.outcome is Outcome.PASS for case in by_rule.get((endpoint, other), ())):
        lines = [_unproven(line) if line.fate is Fate.HONOURED else line for line in lines]
    fates = {line.fate: line for line in reversed(lines)}
    if not asked.known.every and {Fate.HONOURED, Fate.IGNORED} <= fates.keys():
        lost = fates[Fate.IGNORED]
        return msgspec.structs.replace(lost, fate=Fate.HONOURED, how=shorten(f"{PARTLY}; not here: {lost.how}", SHOWN))
    order = list(Fate)
    return min(lines, key=lambda line: order.index(line.fate), default=asked.line(Fate.UNTOLD, "no request had it"))


def _unproven(line: Told) -> Told:
    return msgspec.structs.replace(line, fate=Fate.UNTOLD, how="what it keeps from happening was not seen without it")


def _of_case(asked: _Asked, case: Judged, xs: dict[str, Exchange], sentence: str, *, proves: bool) -> Iterator[Told]:
    """What one case tells of a parameter; nothing where none of its requests has it."""
    sent = {name: x for name, x in xs.items() if name not in BESIDE and asked.given(x)}
    first = xs.get("before")
    if lacking := next((finding for finding in case.findings if finding.capability), None):
        if (first is not None and asked.given(first)) or sent:
            yield _refused(asked, case, lacking.got, "" if first is None else first.id)
        return
    if not sent:
        return
    if broken := next((x for x in sent.values() if x.error or x.status is None), None):
        yield asked.line(Fate.UNTOLD, f"no whole answer: {broken.detail or broken.error}", case, broken.id)
        return
    if proves and (ignored := _ignoring(asked, case, sent)):
        about = sent.get(ignored.about) or next(iter(sent.values()))
        how = f"{ignored.where}: expected {ignored.expected}, got {ignored.got}"
        yield asked.line(Fate.IGNORED, how, case, about.id)
        return
    alone = {name: x for name, x in sent.items() if len(sent) == 1 or name.endswith(f":{asked.name}")} or sent
    declined = [x for x in alone.values() if x.status is not None and 400 <= x.status < 500]
    if declined and not asked.known.refusing and (proves or len(declined) == len(alone)):
        x = declined[0]
        yield _refused(asked, case, f"{x.status} {x.body[:400].decode('utf-8', 'replace')}", x.id)
    elif proves and asked.known.text and all(x.status == OK and _wordless(x) for x in alone.values()):
        yield asked.line(Fate.UNTOLD, "content: none", case, next(iter(alone.values())).id)
    elif proves:
        yield _shown(asked, case, alone, sentence)


def _refused(asked: _Asked, case: Judged, got: str, exchange: str) -> Told:
    if got[:1] == "4" and asked.named(got):
        return asked.line(Fate.REFUSED, got, case, exchange)
    return asked.line(Fate.UNTOLD, f"{got}: it is not named" if got[:1] == "4" else got, case, exchange)


def _ignoring(asked: _Asked, case: Judged, sent: dict[str, Exchange]) -> Finding | None:
    """The finding of a case that says that a parameter made no difference; one of several names may mean another."""
    own = [finding for finding in case.findings if finding.kind == "violation"]
    named = {asked.name, *asked.known.also}
    if found := next((finding for finding in own if finding.ignores in named), None):
        return found
    answered = asked.known.grave and all(x.status == OK for x in sent.values())
    answered = answered and not (asked.known.text and any(_wordless(x) for x in sent.values()))
    return next((finding for finding in own if finding.grave), None) if answered else None


def _wordless(x: Exchange) -> bool:
    """Whether an answer has no text in any of its choices, where it may be read."""
    return not any(answer.content.strip() for answer in chat.answers(x).values())


def _shown(asked: _Asked, case: Judged, sent: dict[str, Exchange], sentence: str) -> Told:
    """What a case tells of a parameter that was neither refused nor passed over."""
    x = next(iter(sent.values()))
    if asked.known.shown == "calls" and (by := next((x for x in sent.values() if any(tools.calls(x).values())), None)):
        return asked.line(Fate.HONOURED, "a tool that was offered is called", case, by.id)
    lacks = [finding for finding in case.findings if finding.kind != "violation" or asked.known.shown]
    failed = case.outcome is Outcome.NOT_EXECUTED or (x.status != 200 and not asked.known.refusing)
    if lacks or failed:
        got = next((f"{f.where}: {f.got}" for f in lacks), f"status {x.status}" if x.status else x.error)
        return asked.line(Fate.UNTOLD, case.why or got, case, x.id)
    if asked.known.inert:
        said = _echo(asked, x)
        return asked.line(Fate.HONOURED if said else Fate.INERT, said or "200, and nothing to see of it", case, x.id)
    wrong = next((finding for finding in case.findings if finding.kind == "violation"), None)
    if wrong is not None and asked.known.refusing:
        return asked.line(Fate.UNTOLD, f"{wrong.where}: {wrong.got}", case, x.id)
    flaw = "" if wrong is None else f"; but {wrong.where}: expected {wrong.expected}, got {wrong.got}"
    return asked.line(Fate.HONOURED, f"{sentence.partition('; or ')[0].rstrip('.')}{flaw}", case, x.id)


def _echo(asked: _Asked, x: Exchange) -> str:
    """How an answer shows a parameter that it need not show; empty where it does not."""
    body = fields.mapping(x.json)
    if body.get(asked.name):
        return f"the answer has {asked.name}: {body[asked.name]}"
    details = fields.mapping(fields.mapping(chat.usage(x)).get("completion_tokens_details"))
    if asked.name == "prediction" and fields.integer(details.get("accepted_prediction_tokens")):
        return f"{details['accepted_prediction_tokens']} tokens of it were taken"
    return ""
