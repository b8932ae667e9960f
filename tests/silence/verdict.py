"""Is the suite silent where it should be, and nowhere else?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from seatrial.behaviour.identity import IDENTITY
from seatrial.checks import traits
from seatrial.checks.areas.soak.parts import SOAK
from seatrial.checks.areas.tools.own import OWN
from seatrial.checks.rules import Rule
from seatrial.records import Depth, Level, Outcome
from tests.golden.faults import FAULTS
from tests.silence import freedoms
from tests.silence.trial import (
    FACTOR,
    HONESTLY,
    RULES,
    Judged,
    Pieces,
    ask,
    catches,
    everywhere,
    judged,
    listed,
    muted,
    of_family,
)

T = TypeVar("T")

OTHERWISE = frozenset(t for t in traits.ANSWERS | SOAK | OWN | IDENTITY if t.own)
"""What is asked in another way than the conformance suite asks, or of one server alone."""


@dataclass
class Verdict:
    """What was seen. ``wrong`` names everything that is not as it should be, a line each."""

    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)
    honest: list[str] = field(default_factory=list)
    caught: dict[str, dict[str, Outcome | None]] = field(default_factory=dict)  # rule -> fault -> how
    missed: dict[str, list[str]] = field(default_factory=dict)  # rule -> faults nobody names when it is silent
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.wrong

    def table(self) -> list[str]:
        """A line per rule, then the counts, then what is wrong."""
        faults = sum(len(found) for found in self.caught.values())
        caught = sum(how is not None for found in self.caught.values() for how in found.values())
        width = max(map(len, self.caught))
        lines = [f"{'rule':{width}}  level   caught   silenced  faults"]
        for rule, found in self.caught.items():
            share = f"{sum(how is not None for how in found.values())} of {len(found)}"
            missed = "missed" if self.missed[rule] else "UNNOTICED"
            lines.append(f"{rule:{width}}  {self.rules[rule].level:6}  {share:7}  {missed:8}  {_told(found)}")
        lines += ["", *self.honest]
        silent = sum(bool(found) for found in self.missed.values())
        lines.append(f"silenced one by one: {silent} of {len(self.rules)} rules are missed by name")
        advisory = sum(how is Outcome.ADVISORY for found in self.caught.values() for how in found.values())
        lines.append(f"FAIL {caught - advisory}, ADVISORY {advisory}")
        lines.append(f"rules {len(self.rules)}, faults {faults}, caught: {'all' if caught == faults > 0 else caught}")
        return lines + [f"WRONG  {each}" for each in self.wrong]


SHARE = 3
"""How many servers of a sort a share of the trial asks: of those that decline, with one freedom, and with many."""


def hold(*names: str, whole: bool = True) -> Verdict:
    """Ask every server, judge every answer: by all rules, or by those named.

    A trial that is not ``whole`` asks a share of the servers on which nothing is to be found: every fault is shown.

    Raises:
        KeyError: no rule is called so.
    """
    verdict = Verdict({name: RULES[name] for name in names or sorted(RULES)})
    rules = list(verdict.rules.values())
    _leave_alone(verdict, "golden, plain", ask(rules))
    _leave_alone(verdict, "golden, thinking, switched off", ask(rules, thinking=True))
    _leave_alone(verdict, "golden, thinking in another field", ask(rules, thinking=True, thought_in="reasoning"))
    _leave_alone(verdict, "golden, thinking, caps grown", ask(rules, thinking=True, cap_factor=FACTOR))
    shown = [name for name, fault in listed().items() if fault.caught_by in verdict.rules]
    evidence = everywhere(RULES, shown)
    _list(verdict)
    _catch(verdict, evidence)
    _silence(verdict, evidence)
    _tolerate(verdict, whole=whole, all_rules=not names)
    _leave_free(verdict, whole=whole)
    return verdict


def _leave_alone(verdict: Verdict, name: str, pieces: Pieces) -> None:
    """No finding of any kind on an honest server."""
    cases = [each for rule in verdict.rules.values() for each in judged(rule, pieces)]
    found = [each for each in cases if each.findings or each.crash]
    verdict.honest.append(f"{name}: {len(cases)} cases, {len(found)} with a finding")
    verdict.wrong += [f"{name}: {each}" for each in found]
    judging = {each.rule.id for each in cases}
    verdict.wrong += [f"{rule}: no scenario has its traits" for rule in verdict.rules if rule not in judging]


def _list(verdict: Verdict) -> None:
    """Every rule has a fault in the table of faults, and every fault there names a rule that is registered."""
    named = {fault.caught_by for fault in listed().values()}
    verdict.wrong += [f"{rule}: no fault is listed for it" for rule in verdict.rules if rule not in named]
    verdict.wrong += [f"{name}: named by a fault, and no rule is called so" for name in sorted(named - RULES.keys())]


def _catch(verdict: Verdict, evidence: Mapping[str, Pieces]) -> None:
    """The rule a fault names finds it: FAIL, or ADVISORY where the rule is no MUST."""
    verdict.caught = {rule: {} for rule in verdict.rules}
    for fault, pieces in evidence.items():
        rule = verdict.rules[FAULTS[fault].caught_by]
        how = catches(rule, pieces)
        if how is Outcome.ADVISORY and rule.level is Level.MUST:
            how = None
        verdict.caught[rule.id][fault] = how
        if how is None:
            verdict.wrong.append(_missed(fault, rule.id, pieces))
    verdict.wrong += [f"{rule}: no fault was shown to it" for rule, found in verdict.caught.items() if not found]


def _silence(verdict: Verdict, evidence: Mapping[str, Pieces]) -> None:
    """Each rule in turn is mute in the registry while its faults are caught anew: the catching then has to say by name
    which of them it misses, at least one."""
    for rule, found in verdict.caught.items():
        with muted(rule):
            again = Verdict({rule: RULES[rule]})
            _catch(again, {fault: evidence[fault] for fault in found})
        lines = {fault: _missed(fault, rule, evidence[fault]) for fault, how in found.items() if how}
        verdict.missed[rule] = [fault for fault, line in lines.items() if line in again.wrong]
        if not verdict.missed[rule]:
            verdict.wrong.append(f"{rule}: silenced, and nothing of it is missed")


def _missed(fault: str, rule: str, pieces: Pieces) -> str:
    """The line that says a fault went through."""
    return f"{fault}: {rule} finds nothing in {', '.join(p.scenario for p in pieces)}"


def _tolerate(verdict: Verdict, *, whole: bool, all_rules: bool) -> None:
    """What is declined honestly is UNSUPPORTED, and nothing worse."""
    rules, names = _for_each(verdict), of_family("honest")
    count = 0
    for name in names if whole else _share(names):
        cases = list(_of_server(rules, (name,)))
        count += len(cases)
        verdict.wrong += [f"{name}: {each}" for each in cases if each.outcome not in HONESTLY]
        if all_rules and not any(each.outcome is Outcome.UNSUPPORTED for each in cases):
            verdict.wrong.append(f"{name}: nothing is UNSUPPORTED")
    verdict.honest.append(f"declined honestly: {count} cases")


def _leave_free(verdict: Verdict, *, whole: bool) -> None:
    """No finding on a server that takes a freedom, or many at once that were drawn."""
    rules = _for_each(verdict)
    alone = [(name,) for name in of_family("legal")]
    drawn = list(freedoms.servers())
    if not whole:
        alone, drawn = _share(alone), _share(drawn)
    count = found = 0
    for taken in (*alone, *drawn):
        cases = list(_of_server(rules, taken))
        bad = [each for each in cases if each.findings or each.crash]
        count, found = count + len(cases), found + len(bad)
        verdict.wrong += [f"{' + '.join(taken)}: {each}" for each in bad]
    asked = f"{len(alone)} with one freedom, {len(drawn)} with every two together"
    verdict.honest.append(f"legal servers, {asked}: {count} cases, {found} with a finding")


def _share(servers: list[T]) -> list[T]:
    """Some of them: others with every one that is added."""
    return random.Random(len(servers)).sample(servers, SHARE)


def _of_server(rules: list[Rule], faults: tuple[str, ...]) -> Iterator[Judged]:
    """The cases of one server; long forms are left to the golden server itself."""
    pieces = ask(rules, faults, deepest=Depth.SMALL)
    return (each for rule in rules for each in judged(rule, pieces))


def _for_each(verdict: Verdict) -> list[Rule]:
    """The rules of the suites that ask the same of every server."""
    return [r for r in verdict.rules.values() if not OTHERWISE & r.of]


def _told(found: dict[str, Outcome | None]) -> str:
    words = [fault if how is Outcome.FAIL else f"{fault} ({how or 'NOT CAUGHT'})" for fault, how in found.items()]
    return ", ".join(words)
