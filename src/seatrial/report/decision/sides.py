"""From judged runs to decisions: who the incumbent is, who is a candidate, who is the incumbent asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from seatrial.behaviour.identity import no_known_bad_build
from seatrial.behaviour.probes.talk import twins
from seatrial.behaviour.probes.talk.twins import Greedy
from seatrial.candidates import sets
from seatrial.comparing import alike, lossless
from seatrial.comparing.decision import Side, decide
from seatrial.comparing.margins import MARGIN
from seatrial.given.errors import ConfigError
from seatrial.judging.run import JudgedRun
from seatrial.reading.fields import mapping
from seatrial.records import (
    FILE_SUM,
    Decision,
    Decisions,
    Endpoint,
    EndpointVerdict,
    Judgement,
    Lossless,
    OperatorClaim,
    Party,
    Ready,
    Ruling,
)
from seatrial.report.decision import evidence
from seatrial.text import visible

EXITS = {Ruling.DO_NOT: 1, Ruling.NOT_PROVEN: 10, Ruling.CUT_OVER: 0}
"""The exit codes of ``seatrial compare``; of several candidates the first of these that one of them asks for."""

WEIGHTS = "not readable from here: note its hash yourself (sha256sum); the quantisation may stand in the model's name"
SEEDS = "the runs were asked with other seeds ({} and {}): no question is the same; ask both with one --seed"
ASKED_BY = ("--case", "--client", "--seed", "--claims")
"""Options that decide which questions are asked, and what they are held against."""
AS_FIRST = "run suites/behaviour --same over both, the incumbent named first or by --baseline"
VERSIONS = "the runs are of two versions of Seatrial ({} and {}): a probe's questions may differ under one name"


@dataclass(frozen=True)
class Contender:
    """An endpoint of a judged run."""

    judged: JudgedRun
    name: str

    @property
    def endpoint(self) -> Endpoint | None:
        return self.judged.endpoints.get(self.name)

    @property
    def verdict(self) -> EndpointVerdict:
        return self.judged.verdict.endpoints[self.name]


def contenders(judged: JudgedRun, baseline: str = "") -> list[Contender]:
    """The endpoints of one run in the order in which they were named, the incumbent first.

    Raises:
        ConfigError: the baseline is none of them.
    """
    names = [name for name in _named(judged) if name in judged.verdict.endpoints]
    if baseline and baseline not in names:
        raise ConfigError(f"--baseline={baseline} is no endpoint of this run; it has {', '.join(names) or 'none'}")
    ordered = [baseline, *(name for name in names if name != baseline)] if baseline else names
    return [Contender(judged, name) for name in ordered]


def decisions(listed: Sequence[Contender], claims: Sequence[OperatorClaim] = (), margin: float = MARGIN) -> Decisions:
    """Decide about each candidate; the first of the contenders is the incumbent.

    An endpoint of the incumbent's own run and address is the incumbent asked again, unless there is no other.

    Raises:
        ConfigError: there are not two of them.
    """
    if len(listed) < 2:
        raise ConfigError("a decision needs two endpoints: an incumbent, and a candidate to hold against it")
    incumbent, *others = listed
    again = [each for each in others if _same_server(incumbent, each)]
    candidates = [each for each in others if each not in again] or again
    twice = next((each for each in again if each not in candidates), None)
    made = [_decision(incumbent, each, twice, claims, margin) for each in candidates]
    exits = [EXITS[decision.cut] for decision in made]
    return Decisions(
        exit=1 if 1 in exits else max(exits),
        margin=margin,
        decisions=tuple(made),
        notices=tuple(dict.fromkeys(note for each in candidates for note in _notices(incumbent, each))),
    )


def _decision(
    incumbent: Contender, candidate: Contender, twice: Contender | None, claims: Sequence[OperatorClaim], margin: float
) -> Decision:
    made = decide(
        _side(incumbent),
        _side(candidate),
        again=_side(twice) if twice is not None else None,
        claims=claims,
        margin=margin,
        same=_same(incumbent, candidate),
    )
    shown = evidence.shortest(made, candidate.judged, candidate.endpoint)
    return msgspec.structs.replace(made, evidence=shown)


def _side(of: Contender) -> Side:
    judged, verdict, endpoint = of.judged, of.verdict, of.endpoint
    party = Party(
        name=of.name,
        run=judged.info.id,
        verdict=verdict.verdict,
        demo=bool(endpoint and endpoint.demo),
        url=endpoint.url if endpoint else "",
        model=endpoint.model if endpoint else "",
        told={**(_told(endpoint) if endpoint else {}), **_sampled(judged, of.name), **_listed(judged, of.name)},
        reasons=verdict.reasons if verdict.verdict is not Ready.READY else (),
        known=sets.told(endpoint) if endpoint else (),
        untested=judged.verdict.not_tested,
        narrowed=_repeated(judged.info.arguments),
    )
    return Side(party, [case for case in judged.cases if case.endpoint == of.name], load=_load(judged, of.name))


def _repeated(arguments: Sequence[str]) -> tuple[str, ...]:
    """The options by which whoever asks again asks the same; each as one word."""
    said = zip(arguments, [*arguments[1:], ""], strict=True)
    words = (f"{word}={value}" if word in ASKED_BY else word for word, value in said)
    return tuple(word for word in words if word.partition("=")[0] in ASKED_BY)


def _listed(judged: JudgedRun, name: str) -> dict[str, str]:
    """What the rules on known-bad builds say of an endpoint."""
    cases = (case for case in judged.cases if case.endpoint == name and case.rule == no_known_bad_build.id)
    return {label: value for case in cases for label, value in case.figures.items()}


def _sampled(judged: JudgedRun, name: str) -> dict[str, str]:
    """What was put beside the items of an endpoint's probes, where a model's maker recommends something."""
    for line in judged.lines.of(Judgement):
        settings = line.expect.get("settings")
        said = settings.get("sampling") if line.endpoint == name and isinstance(settings, dict) else None
        if isinstance(said, dict) and said:
            return {"sampling of probes": "; ".join(visible(str(words), 300) for words in said.values())}
    return {}


def _load(judged: JudgedRun, name: str) -> str:
    """What tells endpoints that were asked in turn: the run and all of their names; empty where one was asked alone."""
    for line in judged.lines.of(Judgement):
        settings = line.expect.get("settings")
        turns = settings.get("in_turn") if line.endpoint == name and isinstance(settings, dict) else None
        if isinstance(turns, list) and name in turns and len(turns) > 1:
            return f"{judged.info.id} {sorted(map(str, turns))}"
    return ""


def _same(incumbent: Contender, candidate: Contender) -> Lossless | None:
    """What the questions of ``--same`` came to; None where they were not asked for."""
    runs = {contender.judged.info.id: contender.judged for contender in (incumbent, candidate)}
    first, again, off = _twins(incumbent)
    its, _, its_off = _twins(candidate)
    if len(runs) > 1 and not (first and its):
        return None
    if not any(judged.info.options.get("same") for judged in runs.values()):
        return None
    pages = incumbent.endpoint and candidate.endpoint  # of one run too: a hash may have become known in its course
    if why := _incomparable(incumbent, candidate) if len(runs) > 1 or pages else "":
        return lossless.unknown(why)
    needed = ((first, f"of {incumbent.name}"), (its, f"of {candidate.name}"), (again, f"twice of {incumbent.name}"))
    if lacks := next((whose for answers, whose in needed if not answers), ""):
        return lossless.unknown(f"its questions were not asked {lacks}: {AS_FIRST}")
    names = (incumbent.name, candidate.name)
    cached = [name for name, uncached in zip(names, (off, its_off), strict=True) if not uncached]
    return lossless.compare(first, again, its, names=names, cached=cached)


def _incomparable(incumbent: Contender, candidate: Contender) -> str:
    """Why answers of two runs under ``--same`` are not one model's to the same questions; empty where they are."""
    seeds = [each.judged.info.seed for each in (incumbent, candidate)]
    if seeds[0] != seeds[1]:
        return SEEDS.format(*seeds)
    pages = incumbent.endpoint, candidate.endpoint
    if pages[0] is None or pages[1] is None:
        return "the page of an endpoint is missing: which model it serves is not known"
    return f"they serve two models ({why})" if (why := alike.apart(pages[0], pages[1])) else ""


def _twins(of: Contender) -> tuple[dict[str, Greedy], dict[str, Greedy], bool]:
    """The answers of an endpoint under ``--same``, those asked again, and whether its cache was off."""
    for line in of.judged.lines.of(Judgement):
        settings = mapping(line.expect.get("settings")) if line.endpoint == of.name else {}
        if found := mapping(settings.get(twins.SETTING)):
            first, again = (_heard(of.judged, mapping(found.get(turn))) for turn in ("first", "again"))
            return first, again, found.get("uncached") is True
    return {}, {}, False


def _heard(judged: JudgedRun, named: Mapping[str, object]) -> dict[str, Greedy]:
    read = {name: judged.exchange(one) for name, one in named.items() if isinstance(one, str)}
    return {name: twins.heard(x) if x is not None else Greedy("", wrong="not recorded") for name, x in read.items()}


def _told(endpoint: Endpoint) -> dict[str, str]:
    """What an endpoint is, in words; what its server does not tell is left out."""
    sampling = {key: value for key, value in endpoint.extra_body.items() if key not in {"model", "messages"}}
    told = {
        "server": f"{endpoint.kind} {endpoint.build}".strip(),
        "named": endpoint.named if endpoint.named != endpoint.model else "",
        "context": f"{endpoint.context} tokens a slot" if endpoint.context else "",
        "slots": str(endpoint.slots or ""),
        "template": f"{endpoint.template} ({endpoint.template_sum})" if endpoint.template_sum else endpoint.template,
        "thinking": "yes" if endpoint.thinking else "",
        "sent beside each request": json.dumps(sampling, sort_keys=True) if sampling else "nothing of the operator's",
        **({} if FILE_SUM in endpoint.facts else {"weights": WEIGHTS}),
        **endpoint.facts,
    }
    return {label: value for label, value in told.items() if value}


def _named(judged: JudgedRun) -> list[str]:
    """The endpoints in the order in which they were given, as far as the record says."""
    said = judged.info.options.get("endpoints")
    given = [name for name in said if isinstance(name, str)] if isinstance(said, dict | list) else []
    return list(dict.fromkeys([*given, *judged.endpoints, *judged.verdict.endpoints]))


def _same_server(first: Contender, other: Contender) -> bool:
    mine, its = first.endpoint, other.endpoint
    same_run = first.judged.info.id == other.judged.info.id
    return same_run and mine is not None and its is not None and (mine.url, mine.model) == (its.url, its.model)


def _notices(incumbent: Contender, candidate: Contender) -> list[str]:
    mine, its = incumbent.judged.info, candidate.judged.info
    said = []
    if mine.seed != its.seed:
        said.append(SEEDS.format(mine.seed, its.seed))
    before, now = (visible(str(info.versions.get("seatrial", "unknown")), 40) for info in (mine, its))
    if before != now:
        said.append(VERSIONS.format(before, now))
    return said
