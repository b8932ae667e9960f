"""The soak of an endpoint: sailed once, and read back from what it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from seatrial.judging import soaks
from seatrial.records import Endpoint, SoakRun
from seatrial.servers import locks
from seatrial.stops import fold
from seatrial.trial.load_child import Load, LoadError
from seatrial.trial.soaking.size import A_REPORT, shown, size_of, taken
from seatrial.trial.trial import Trial

ASKED = frozenset({"Ctrl-C", "SIGTERM", "SIGHUP"})
"""Why a load ends where a person wants no more of any."""


class Soaked(NamedTuple):
    """A soak as it was recorded, and when the server was down or frozen meanwhile: monotonic ns, from and to."""

    run: SoakRun
    stopped: list[tuple[int, int]]


class Soaks:
    """The soaks of this process. Each endpoint is loaded once, however many rules judge the rows.

    Args:
        locustfile: ``load/locustfile.py`` of the checkout.
    """

    def __init__(self, trial: Trial, locustfile: Path) -> None:
        self._trial, self._locustfile = trial, locustfile
        self._held: dict[str, Soaked | LoadError] = {}
        self._interrupted = ""

    def of(self, endpoint: Endpoint) -> Soaked:
        """The soak of an endpoint; run the first time it is asked for, for ``--soak``.

        Raises:
            LockTimeout: another run holds the endpoint, and went on to.
            LoadError: the load generator itself failed; every later call raises it too.
            KeyboardInterrupt: Ctrl-C a second time, or an earlier soak was ended by it: no other is begun.
        """
        if endpoint.name not in self._held:
            if self._interrupted:
                raise KeyboardInterrupt
            claim = self._trial.claim(f"a soak of {self._trial.options.soak_s:.0f} s")
            with locks.exclusive(endpoint.url, timeout_s=locks.RUN_S, claim=claim):
                try:
                    self._held[endpoint.name] = self._sail(endpoint)
                except LoadError as error:
                    self._held[endpoint.name] = error
        held = self._held[endpoint.name]
        if isinstance(held, LoadError):
            raise held
        return held

    def _sail(self, endpoint: Endpoint) -> Soaked:
        why = Load(self._trial, endpoint, self._locustfile).sail()
        self._interrupted = why if why in ASKED else ""
        planned = size_of(self._trial.options.soak, endpoint).whole - A_REPORT
        self._trial.say(
            f"record of {endpoint.name}: {shown(taken(self._trial.rundir.path))}, about {shown(planned)} was planned"
        )
        lines = self._trial.rundir.in_time()
        soaked = Soaked(SoakRun.of(endpoint.name, lines), soaks.stopped(fold.fold(lines), endpoint.name))
        if why:
            self._trial.not_tested("the rest of the soak", f"ended by {why}" if why in ASKED else why, endpoint.name)
        return soaked
