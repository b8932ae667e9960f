"""Whether a client will work on an endpoint: what its table needs, held against the cases that were judged. Pure.

A need weighs as a MUST, whatever the level of its rules. Who lacks all of it by its own word (UNSUPPORTED) lacks it
all the same. Where a case hangs on another one's FAIL, that other one decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from msgspec.structs import replace

from seatrial.records import ClientVerdict, Endpoint, EndpointVerdict, Judged, Outcome, Ready, Reason
from seatrial.verdict.reasons import alike, text_of

BROKEN = frozenset({Outcome.FAIL, Outcome.ADVISORY})
SETTLED = frozenset({Outcome.PASS, Outcome.WAIVED})
LONGER = "a longer context"
DOUBTS = frozenset({str(Ready.NOT_PROVEN), str(Outcome.INCONCLUSIVE)})
"""The words of reasons that leave a client unproven."""

STOPPED = "SILENT STOP"
"""The word of a reason that is a silent stop."""


class Sort(Protocol):
    """Which cases are meant: rules by their ids, with ``*``, and requests by their traits."""

    @property
    def rules(self) -> Sequence[str]: ...
    @property
    def of(self) -> Sequence[str]: ...
    @property
    def unless(self) -> Sequence[str]: ...


class NeedLike(Sort, Protocol):
    @property
    def what(self) -> str: ...
    @property
    def so(self) -> str: ...
    @property
    def may_lack(self) -> bool: ...
    @property
    def at_hand(self) -> bool: ...


class ContextLike(Protocol):
    @property
    def least(self) -> int: ...
    @property
    def so(self) -> str: ...


class ClientLike(Protocol):
    """What a table says of a client, as far as it decides."""

    @property
    def name(self) -> str: ...
    @property
    def needs(self) -> Sequence[NeedLike]: ...
    @property
    def context(self) -> ContextLike | None: ...
    @property
    def judged_by(self) -> Sequence[Sort]: ...


def means(sort: Sort, rule: str, traits: Iterable[str]) -> bool:
    """Whether a case of this rule and of a scenario with these traits is meant."""
    borne = set(traits)
    return (
        any(fnmatchcase(rule, pattern) for pattern in sort.rules)
        and borne.issuperset(sort.of)
        and borne.isdisjoint(sort.unless)
    )


def is_needed(clients: Iterable[ClientLike], rule: str, traits: Sequence[str]) -> bool:
    """Whether one of the clients needs what a case judges: then it weighs as a MUST."""
    return any(means(need, rule, traits) for client in clients for need in client.needs)


def is_of(clients: Iterable[ClientLike], rule: str, traits: Sequence[str]) -> bool:
    """Whether a case is judged for one of the clients: for what it needs, or for what its settings hang on."""
    return any(means(sort, rule, traits) for client in clients for sort in client.judged_by)


def told(
    client: ClientLike, cases: Sequence[Judged], endpoint: Endpoint | None, stopped: Sequence[Reason] = ()
) -> ClientVerdict:
    """The verdict for one client on one endpoint.

    Args:
        cases: those of the endpoint.
        stopped: its silent stops: nobody works on a server that goes away.
    """
    by_name = {case.case: case for case in cases}
    decided: dict[tuple[str, ...], Reason] = {}
    doubts: list[Reason] = []
    broken: dict[str, str] = {}
    held = asked = 0
    for need in client.needs:
        mine = [case for case in cases if means(need, case.rule, case.traits)]
        if need.at_hand and not mine:
            continue
        asked += 1
        tried = [case for case in mine if case.outcome is not Outcome.UNSUPPORTED]
        if mine and not tried and need.may_lack:
            held += 1
            continue
        mine = tried or mine  # what is declined here and there was asked for beside what is needed
        against = list(_against(mine, by_name))
        open_ = [case for case in mine if case not in against and _root(case, by_name).outcome not in SETTLED]
        for case in against:
            _decide(decided, need, _root(case, by_name))
        if against:
            broken[need.what] = need.so
        elif open_ or not mine:
            doubts.append(_doubt(need, open_))
        else:
            held += 1
    short = _short(client, endpoint)
    if client.context is not None and endpoint is not None and endpoint.context is not None:  # a need as any other
        asked, held = asked + 1, held + (not short)
    if short:
        broken[LONGER] = short[0].text
    reasons = (*stopped, *decided.values(), *short, *doubts)
    word = Ready.NOT_READY if stopped or decided or short else Ready.NOT_PROVEN if doubts else Ready.READY
    return ClientVerdict(verdict=word, reasons=reasons, needs=asked, held=held, broken=broken)


def worst(verdicts: Iterable[Ready]) -> Ready:
    """The worst of several words; NOT PROVEN where there is none."""
    words = set(verdicts)
    if Ready.NOT_READY in words:
        return Ready.NOT_READY
    return Ready.READY if words == {Ready.READY} else Ready.NOT_PROVEN


def line(verdicts: Mapping[str, ClientVerdict]) -> str:
    """All clients in one line, the worst first: those that will not work with the first thing that they lack."""
    groups = {word: [name for name, each in verdicts.items() if each.verdict is word] for word in Ready}
    parts = []
    if groups[Ready.NOT_READY]:
        lacking = {name: next(iter(verdicts[name].broken), "it stopped") for name in groups[Ready.NOT_READY]}
        parts.append(f"NOT READY for {', '.join(f'{name} ({what})' for name, what in lacking.items())}")
    parts += [f"{word} for {', '.join(groups[word])}" for word in (Ready.NOT_PROVEN, Ready.READY) if groups[word]]
    return "; ".join(parts)


def decided(verdict: EndpointVerdict) -> EndpointVerdict:
    """The verdict of an endpoint as that of the clients that the run was asked for.

    Its reasons are what they feel, in the order of what it does to them; what none of them needs is told beside.
    """
    felt = {case for each in verdict.clients.values() for reason in each.reasons for case in reason.cases}
    of_server = [reason for reason in verdict.reasons if not reason.cases and reason.word != str(Ready.NOT_PROVEN)]
    mine = [reason for reason in verdict.reasons if felt.intersection(reason.cases)]
    beside = [reason for reason in verdict.reasons if reason.cases and reason not in mine]
    ordered = _in_their_order([*mine, *_beyond(verdict.clients, mine)], verdict.clients.values())
    word = worst(each.verdict for each in verdict.clients.values())
    if word is Ready.READY and of_server:
        word = Ready.NOT_PROVEN
    aside = [replace(reason, text=f"{reason.text}; no client that was asked for needs it") for reason in beside]
    return replace(
        verdict,
        verdict=word,
        reasons=(*of_server, *ordered),
        advisories=(*aside, *verdict.advisories),
    )


def _beyond(chosen: Mapping[str, ClientVerdict], told_of: Sequence[Reason]) -> list[Reason]:
    """The reasons of clients that the endpoint's own do not tell of: declined, too short a context, not judged."""
    cases = {case for reason in told_of for case in reason.cases}
    return [
        replace(reason, text=f"{name}: {reason.text}")
        for name, verdict in chosen.items()
        for reason in verdict.reasons
        if reason.word != STOPPED and not cases.intersection(reason.cases)
    ]


def figures(chosen: Mapping[str, ClientVerdict]) -> dict[str, str]:
    """A line for each client that a run was asked for: its word, and what does not hold with what becomes of it."""
    return {name: "; ".join((counted(each), *deciding(each))) for name, each in chosen.items()}


def counted(verdict: ClientVerdict) -> str:
    """The word for a client, and how much of what it needs holds."""
    return f"{verdict.verdict}: {verdict.held} of {verdict.needs} needs hold"


def deciding(verdict: ClientVerdict) -> list[str]:
    """All that keeps a client from being READY: what it lacks with what becomes of it, a stop, what is not proven."""
    lacks = [f"lacks {what}: {so}" for what, so in verdict.broken.items()]
    stops = [f"the server stopped: {reason.text}" for reason in verdict.reasons if reason.word == STOPPED]
    doubts = [reason.text for reason in verdict.reasons if reason.word in DOUBTS]
    return [*lacks, *stops, *(f"not proven: {text}" for text in doubts)]


def _in_their_order(failed: Iterable[Reason], chosen: Iterable[ClientVerdict]) -> list[Reason]:
    """Reasons in the order in which the tables of the clients have what they break; those of no case come last."""
    places: dict[str, int] = {}
    for verdict in chosen:
        for place, reason in enumerate(verdict.reasons):
            for case in reason.cases:
                places[case] = min(place, places.get(case, place))
    return sorted(failed, key=lambda reason: min((places[c] for c in reason.cases if c in places), default=len(places)))


def _root(case: Judged, by_name: Mapping[str, Judged]) -> Judged:
    """The case that decides: the one on which this one hangs, or itself."""
    return by_name.get(case.because, case) if case.because else case


def _against(cases: Iterable[Judged], by_name: Mapping[str, Judged]) -> Iterator[Judged]:
    """Those that speak against a client: broken, declined, or hanging on what failed."""
    for case in cases:
        root = _root(case, by_name)
        if root.outcome in BROKEN or case.outcome is Outcome.UNSUPPORTED:
            yield case


def _decide(decided: dict[tuple[str, ...], Reason], need: NeedLike, case: Judged) -> None:
    """Enter a case that decides under what it has in common with others."""
    word, said = "FAIL", text_of(case)
    key: tuple[str, ...] = alike(case)
    if case.outcome is Outcome.UNSUPPORTED:
        lacks = next((f for f in case.findings if f.capability), None)
        word, said = "UNSUPPORTED", f"{lacks.capability} did not apply: it answered {lacks.got}" if lacks else said
        key = ("UNSUPPORTED", lacks.capability if lacks else case.rule)
    before = decided.get(key)
    if before is not None:
        if case.case not in before.cases:
            decided[key] = replace(before, cases=(*before.cases, case.case))
        return
    decided[key] = Reason(word=word, case=case.case, level=case.level, text=f"{said}; {need.so}", cases=(case.case,))


def _doubt(need: NeedLike, cases: Sequence[Judged]) -> Reason:
    if not cases:
        return Reason(word=str(Ready.NOT_PROVEN), text=f"{need.what}: no case of it was judged")
    names = tuple(case.case for case in cases)
    count = f"{len(names)} {'case' if len(names) == 1 else 'cases'} not judged"
    return Reason(word=str(Outcome.INCONCLUSIVE), text=f"{need.what}: {count}: {cases[0].why}", cases=names)


def _short(client: ClientLike, endpoint: Endpoint | None) -> tuple[Reason, ...]:
    """What is to be said of a context that is known and too short."""
    room = client.context
    if room is None or endpoint is None or endpoint.context is None or endpoint.context >= room.least:
        return ()
    text = f"its context is {endpoint.context} tokens, at least {room.least} are needed; {room.so}"
    return (Reason(word="FAIL", text=text),)
