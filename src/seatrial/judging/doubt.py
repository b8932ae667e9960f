"""What damage to a run directory does to its verdict: what hangs on what is lost is INCONCLUSIVE, and nothing is READY.

Damage may cost a verdict its proof. It never gives one: no READY, no FAIL and no stop comes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from seatrial.records import EndpointVerdict, Judged, Outcome, Ready, Reason, Stop, Verdict
from seatrial.run.damage import Damage
from seatrial.verdict import clients
from seatrial.verdict.outcomes import exit_code

NO_PLAN = "the plan is missing: what was planned cannot be known"
OF_THE_PROCESS = frozenset({"STOPPED", "RESTARTED", "RUNNER REPLACED", "IMPOSTOR"})
"""Families that are told without any request: lines of the suites or of a load are no part of their evidence."""


@dataclass(frozen=True)
class Doubt:
    """What cannot be known of a damaged run.

    Attributes:
        reasons: why no endpoint is READY.
        cases: why no case is judged; empty where cases are.
        watch: what is lost may be of the watch.
        traffic: what is lost may be of requests.
    """

    reasons: tuple[str, ...] = ()
    cases: str = ""
    watch: bool = False
    traffic: bool = False
    notices: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls, damage: Damage, *, planless: bool, pageless: Collection[str], waivers: str, fell: Sequence[str]
    ) -> Doubt:
        """Weigh what was found.

        Args:
            planless: there are judgements, and no plan.
            pageless: endpoints of which there is no page.
            waivers: why the operator's waivers are not known; empty where they are.
            fell: what could not be followed to its end, and why.
        """
        reasons = [damage.page] if damage.page else []
        if damage.open:
            reasons.append("the record has no end: it was cut, or its run goes on")
        if damage.lines or damage.lost or any(name.endswith((".jsonl", ".bin")) for name in damage.files):
            reasons.append("lines of the record are lost or damaged: what they said of cases and stops cannot be known")
        elif damage.of_the_record and not damage.open:
            reasons.append("parts of the record cannot be read: what they said of cases and stops cannot be known")
        if planless:
            reasons.append(NO_PLAN)
        reasons += [f"the page of {name} is missing or damaged: who answered cannot be known" for name in pageless]
        reasons += fell
        return cls(
            reasons=tuple(reasons),
            cases=damage.page,
            watch=damage.of_the_watch or bool(damage.page),
            traffic=damage.of_the_record or bool(damage.page),
            notices=(*damage.told(), *([f"damaged: {waivers}"] if waivers else [])),
        )

    def of_cases(self, cases: Iterable[Judged]) -> tuple[Judged, ...]:
        """The cases: none is judged where run.json, by which all are, is not believed."""
        if not self.cases:
            return tuple(cases)
        return tuple(
            case
            if case.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXECUTED}
            else replace(case, outcome=Outcome.INCONCLUSIVE, why=self.cases, findings=(), waiver="", known="")
            for case in cases
        )

    def of_stops(self, stops: Iterable[Stop]) -> tuple[Stop, ...]:
        """The stops: told, and not counted, where lines are lost that might tell them otherwise."""
        return tuple(replace(stop, doubt=self._of_stop(stop)) for stop in stops)

    def _of_stop(self, stop: Stop) -> str:
        if self.watch:
            return "told from a damaged record of the watch"
        if self.traffic and stop.family not in OF_THE_PROCESS:
            return "told from a damaged record of requests"
        return ""

    def of_verdict(self, verdict: Verdict) -> Verdict:
        """The verdict, which is READY for nobody where anything is in doubt."""
        if not self.reasons and not self.notices:
            return verdict
        reasons = tuple(Reason(word="NOT PROVEN", text=text) for text in self.reasons)
        endpoints = {
            name: replace(
                each,
                verdict=Ready.NOT_PROVEN if reasons and each.verdict is Ready.READY else each.verdict,
                reasons=(*each.reasons, *reasons),
                **(_of_clients(each, chosen=bool(verdict.clients)) if reasons else {}),
            )
            for name, each in verdict.endpoints.items()
        }
        return replace(
            verdict,
            endpoints=endpoints,
            exit=exit_code(each.verdict for each in endpoints.values()),
            notices=(*self.notices, *verdict.notices),
        )


def _of_clients(verdict: EndpointVerdict, *, chosen: bool) -> dict[str, Any]:
    """What becomes of the words for clients: READY for none, in the figures either."""
    told = {
        name: replace(each, verdict=Ready.NOT_PROVEN if each.verdict is Ready.READY else each.verdict)
        for name, each in verdict.clients.items()
    }
    figures = clients.figures(told) if chosen else {"clients": clients.line(told)} if told else {}
    return {"clients": told, "figures": verdict.figures | figures}
