"""The interviews of a process: who is asked, and when; what is asked is for :mod:`seatrial.trial.asking.interview`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from seatrial.behaviour.answers import Interview
from seatrial.behaviour.probe import RateProbe, makers, probes
from seatrial.records import Endpoint, Planned
from seatrial.trial.affording import bought, tempo_of
from seatrial.trial.asking import twice
from seatrial.trial.asking.alternation import Alternation
from seatrial.trial.asking.interview import Interviewer, Spare
from seatrial.trial.selection import BEHAVIOUR
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial

LEFT_OUT = "left out of the plan: see what is not tested"


def may_follow(plan: Planned, trial: Trial) -> bool:
    """Whether a case that is in no plan may be judged all the same: a probe, where others of its endpoint are asked."""
    if plan.suite != BEHAVIOUR or plan.rule not in probes():
        return False
    asked = (case for case in trial.rundir.planned() if case.suite == BEHAVIOUR and not case.of_run)
    return any(case.endpoint == plan.endpoint for case in asked)


class Interviews:
    """The interviews of this process. Each endpoint is interviewed once, however many rules judge the answers.

    Args:
        collected: the cases of the session, of which the budget may have left some out of the plan.
    """

    def __init__(self, trial: Trial, sender: Sender, collected: Sequence[Planned] = ()) -> None:
        self._trial, self._sender, self._collected = trial, sender, collected
        self._held: dict[str, Interview | Exception] = {}

    def of(self, endpoint: Endpoint) -> Interview:
        """The interview of an endpoint, by the probes that are planned for it; held the first time it is asked for.

        Raises:
            ServerGone: the server stopped while it was asked; every later call raises it too.
        """
        held = self._come_of(endpoint)
        if isinstance(held, Exception):
            raise held
        return held

    def after_all(self, endpoint: Endpoint, rule: str) -> Interview | None:
        """The interview of an endpoint, where a probe beyond its plan decided in it; None where none did."""
        held = self._come_of(endpoint)
        return held if isinstance(held, Interview) and rule in held.more else None

    def _come_of(self, endpoint: Endpoint) -> Interview | Exception:
        if endpoint.name not in self._held:
            self._hold([endpoint, *self._others(endpoint.name)])
        return self._held[endpoint.name]

    def _others(self, name: str) -> list[Endpoint]:
        """The endpoints that are asked in turn with this one. A worker has its own alone: others have the others."""
        if self._trial.worker:
            return []
        wanted = [each for each in self._trial.options.names if each != name and each not in self._held]
        return [self._trial.endpoint(each) for each in wanted if self._wanted(each)]

    def _hold(self, endpoints: Sequence[Endpoint]) -> None:
        names = [endpoint.name for endpoint in endpoints]
        turns = Alternation(names) if len(names) > 1 else None
        threads = [threading.Thread(target=self._one, args=(each, turns, names), daemon=True) for each in endpoints]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._trial.options.same:
            for each in endpoints:  # one after another: where they share a host, none feels the others
                self._ask_twice(each)

    def _ask_twice(self, endpoint: Endpoint) -> None:
        held = self._held[endpoint.name]
        if isinstance(held, Interview):
            try:
                more = twice.settings(self._trial, self._sender, endpoint)
                self._held[endpoint.name] = replace(held, settings={**held.settings, **more})
            except Exception as error:  # noqa: BLE001 - as where the probes are asked
                self._held[endpoint.name] = error

    def _one(self, endpoint: Endpoint, turns: Alternation | None, names: list[str]) -> None:
        try:
            asked = self._wanted(endpoint.name) or _talk()
            held = Interviewer(self._trial, self._sender, endpoint, asked, turns, self._spare(endpoint)).hold()
            self._held[endpoint.name] = replace(held, settings={**held.settings, "in_turn": names}) if turns else held
        except Exception as error:  # noqa: BLE001 - kept, so that the other rules do not ask a dead server again
            self._held[endpoint.name] = error
        finally:
            if turns is not None:
                turns.leave(endpoint.name)

    def _spare(self, endpoint: Endpoint) -> Spare | None:
        """What the budget left out of the endpoint's plan."""
        if len(self._trial.options.names) > 1:  # what is compared is asked the same
            return None
        own = [case for case in self._collected if case.suite == BEHAVIOUR and case.endpoint == endpoint.name]
        needs = bought(own, self._trial.options, endpoint).needs if own else {}
        left = [probe for name, probe in probes().items() if name in needs]
        return Spare(left, tempo_of(self._trial.options, endpoint)) if left else None

    def _wanted(self, endpoint: str) -> list[RateProbe]:
        """The probes of an endpoint's plan, but for those that are judged on the answers of another run."""
        plans = (plan for plan in self._trial.rundir.planned() if not plan.of_run)
        wanted = {plan.rule for plan in plans if plan.endpoint == endpoint}
        return [probe for name, probe in probes().items() if name in wanted]


def _talk() -> list[RateProbe]:
    """The probes of ordinary talk: where other rules alone read the answers."""
    first = next(iter(makers().values()))
    return [probe for probe in probes().values() if probe.maker is first]
