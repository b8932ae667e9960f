"""One load from its first user to the quiet counter after the last: settings, phases, drain, and who is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from gevent.event import Event
from gevent.lock import RLock

from load import counters
from load.desk import Desk
from load.ending import LoadEnd
from load.engine import lives, slots
from load.engine.pulse import LoopWatch
from load.engine.watch import watched
from load.inspection import Inspector
from load.record import RowWriter
from load.settings import ROOT, LoadSettings
from load.shapes.helm import Helm
from load.users.asked import AskedOf
from load.users.traffic import Traffic
from load.voyage import LoadTime, LoadVoyage, sail
from seatrial.given import phases, workload
from seatrial.given.phases import SoakPhase
from seatrial.kinds import detect, profile
from seatrial.records import Counters, Endpoint, Hazard, Stage
from seatrial.run.about import run_info
from seatrial.run.directory import RunDir, new_path
from seatrial.run.space import SPARE
from seatrial.text import visible
from seatrial.wire.transports.load import LoadTarget, get

PLACES = 256
"""Requests that are under way at most where they arrive by themselves: at 1.5/s, those of nearly three minutes."""

SHOWN = 400
"""Characters of a server's own texts in a message."""


class NoServerError(Exception):
    """Nobody can be asked; the message names cause and remedy in one line."""


class LoadSession:
    """The state that all users of a load share.

    Args:
        users: how many closed ones; None: as the settings say, else as many as the server has slots.
        seconds: for how long; None: until it is told to end.

    Attributes:
        places: how many users there are, closed or not.

    Raises:
        NoServerError: the host cannot be asked who it is.
        seatrial.given.errors.ConfigError: the phases or the traffic cannot be read.
        load.inspection.NoRulesError: no rule reads its streams.
        seatrial.run.writer.RunDirError: the run directory cannot be read or written.
    """

    def __init__(
        self, settings: LoadSettings, host: str | None, users: int | None = None, seconds: float | None = None
    ) -> None:
        self.settings = settings
        self.phases = _phases(settings, seconds, users or settings.users)
        self.workload = workload.named(settings.workload or workload.usual(len(self.phases)))
        self.endpoint, self.rundir = _run(settings, host)
        self.target: LoadTarget = watched(settings.target(self.endpoint.url))
        self.users = users or settings.users or self.endpoint.slots or self._measured()
        open_places = PLACES if any(phase.sort not in phases.CLOSED for phase in self.phases) else 0
        self.places = max(open_places, self.users, *(phase.users or 0 for phase in self.phases))
        self.draining = Event()
        self.desk = Desk(self.draining, settings.seed)
        self.generation = lives.followed(self.rundir, self.endpoint)
        self.recorder = RowWriter(
            self.rundir.load_writer(settings.role), self.endpoint.name, settings.seed, self.generation, self.target.mask
        )
        self.inspector = Inspector(self.endpoint, seed=settings.seed)
        self.ending = LoadEnd(self.rundir.path / "load" / f"{settings.role}{SPARE}")
        self.recorder.unwritable = self.ending.unwritable
        self._loop = LoopWatch(self.endpoint.name, self.recorder.note)
        self._lock = RLock()
        self._running = False
        self._count("before")  # before Locust's clock starts: reading a quiet counter takes time
        self._counted = True

    def staff(self, users: int | None) -> None:
        """Who starts a load by hand may ask for another number of users; phases that arrive keep their places."""
        if users and self.places == self.users:
            self.users = self.places = users

    def start(self, seconds: float | None, leave: Callable[[], None]) -> None:
        """The first user is about to start.

        Args:
            leave: called where the load is to end before its time.
        """
        self.draining.clear()
        self.ending.begin(seconds, leave)
        if not self._counted:  # started again by hand
            self._count("before")
        self._counted = False
        facts = {
            "users": str(self.users),
            "slots": str(self.endpoint.slots or ""),
            "seconds": "" if seconds is None else f"{seconds:g}",
            "seed": str(self.settings.seed),
            "max_tokens": str(self.settings.max_tokens),
            "deadline_s": f"{self.settings.deadline_s:g}",
            "idle_s": f"{self.settings.idle_s:g}",
            "workload": self.workload.told(),
            "slo": self.settings.slo,
            **self.told(),
        }
        self._running = True
        self.recorder.stage(Stage.START, time.monotonic_ns(), facts)
        self._loop.begin()
        self._sail()

    def _sail(self) -> None:
        about = self._about(lanes=self.users)
        traffic = Traffic(self.workload, about)
        helm = Helm(LoadTime(self.draining), self.desk, traffic, self.settings.seed, self.users, self.recorder.dropped)
        voyage = LoadVoyage(self.phases, helm, self.desk, self.recorder, self.settings.deadline_s)
        invalid_s = self.workload.invalid_s if self.settings.hazard >= Hazard.CARELESS else None
        sail(voyage, self.settings.canary_s, invalid_s, self.ending.early, self.ending.broken)

    def told(self) -> dict[str, str]:
        """What is to be told of it beside."""
        return {}

    def _in_flight(self) -> dict[str, str]:
        return {"in_flight": str(self.recorder.in_flight)}

    def _about(self, lanes: int) -> AskedOf:
        return AskedOf(self.endpoint, self.settings.seed, self.settings.max_tokens, lanes)

    @property
    def length(self) -> float:
        """Seconds of all phases together."""
        return sum(phase.seconds for phase in self.phases)

    def drain(self) -> None:
        """No user starts another request; those in flight are waited for."""
        if self._running and not self.draining.is_set():
            self.draining.set()
            self.desk.stop()
            facts = self._in_flight() | self.ending.facts()
            self.recorder.stage(Stage.DRAIN, time.monotonic_ns(), facts)

    def end(self, how: str) -> None:
        """All users are gone: read the counters once they are quiet. A second caller waits for the first."""
        with self._lock:
            if not self._running:
                return
            self._running = False
            self._loop.end()
            if how == "drained":
                self._count("after")
            facts = {
                "how": how,
                "rules": str(len(self.inspector.rules)),
                "inspected": self.inspector.told(),
                "unkept": str(self.recorder.unkept),
            }
            self.recorder.stage(Stage.END, time.monotonic_ns(), facts)
            self.ending.done()

    def close(self) -> None:
        """No load follows: where none is under way, what was held back for it on the disk is given back."""
        if not self._running:
            self.ending.done()

    def summary(self) -> str:
        """What a person who started Locust by hand reads at the end."""
        counts = ", ".join(f"{n} {_shown(word)}" for word, n in self.recorder.outcomes.most_common())
        path = self.rundir.path / "load" / f"{self.settings.role}.jsonl"
        return f"seatrial: {self.recorder.outcomes.total()} requests: {counts or 'none'}; rows: {path}"

    def _measured(self) -> int:
        """How many users to send where the server does not say how many slots it has."""
        if self.rundir.single(self.endpoint.name).exists():
            return 1  # requests of this run were seen to wait for each other
        traffic = Traffic(workload.named("short"), self._about(lanes=1))
        return slots.measured(self.target, (traffic.request().body, traffic.request().body))

    def _count(self, phase: Literal["before", "after"]) -> None:
        path = profile.load(self.endpoint.kind).counters.path
        found = counters.quiet(lambda: counters.totals(get(self.target, f"/{path}"), path))
        self.recorder.note(
            Counters(
                endpoint=self.endpoint.name,
                phase=phase,
                requests=found.requests,
                prompt_tokens=found.prompt_tokens,
                prompt_read=found.prompt_read,
                tokens=found.tokens,
                source=found.source,
                moving=found.moving,
            )
        )


def _phases(settings: LoadSettings, seconds: float | None, users: int | None) -> tuple[SoakPhase, ...]:
    """The phases of a load: those of the file, or what is usual for its length."""
    if settings.phases is not None:
        return phases.read(settings.phases, hazard=settings.hazard)
    if seconds is None:  # until it is told to end
        return (phases.endless(settings.rps, users),)
    return phases.usual(seconds, hazard=settings.hazard, rps=settings.rps, users=users)


def _run(settings: LoadSettings, host: str | None) -> tuple[Endpoint, RunDir]:
    """The endpoint and the run directory: those of a run going on, or new ones for a host given to Locust."""
    if settings.run is not None and settings.endpoint:
        rundir = RunDir.open(settings.run)
        known = rundir.endpoints()
        if settings.endpoint not in known:
            page = f"endpoints/{settings.endpoint}.json"
            damaged = rundir.damage.files.get(page)
            there = f"{page} is {damaged}" if damaged else f"the run knows {', '.join(known) or 'no endpoint'}"
            raise NoServerError(f"SEATRIAL_ENDPOINT={settings.endpoint}: {there}")
        return known[settings.endpoint], rundir
    if not host:
        raise NoServerError("no server given; say --host=http://HOST:PORT")
    endpoint = _ask(settings, host)
    info = run_info(settings.run.name if settings.run else "load", arguments=("locust",), seed=settings.seed)
    rundir = RunDir.create(settings.run or new_run(), info)
    rundir.write_endpoint(endpoint)
    rundir.publish()
    return endpoint, rundir


def new_run(after: str = "") -> Path:
    """Name a run directory of this checkout, whose name ends so."""
    root = ROOT / "reports" / "runs"
    root.mkdir(parents=True, exist_ok=True)
    path = new_path(root)
    return path.with_name(path.name + after)


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


def _ask(settings: LoadSettings, host: str) -> Endpoint:
    """Who answers at a host: its model and, where it tells, its slots."""
    if "@" in host:
        raise NoServerError("--host holds credentials; put the key into a variable and name it in SEATRIAL_KEY_ENV")
    url = host.rstrip("/")
    url = url if url.endswith("/v1") else f"{url}/v1"
    answer = get(settings.target(url), "/models")
    if answer.status != 200:
        said = _shown(answer.error) or f"/models answers {answer.status}"
        raise NoServerError(f"{url} cannot be asked: {said}; start the server or name another with --host=URL")
    try:
        models = tuple(m.id for m in msgspec.json.decode(answer.body, type=_Models).data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NoServerError(
            f"{url}/models is no list of models: {_shown(str(error))}; --host wants the server's base URL"
        ) from error
    if not settings.model and len(models) != 1:
        names = _shown(", ".join(models))
        raise NoServerError(f"{url} offers {len(models)} models: name one with SEATRIAL_MODEL: {names}")
    about = detect.about(lambda path: _page(settings.target(url), path))
    name = url.partition("://")[2].partition("/")[0].rpartition(":")[2]
    return Endpoint(
        name=name,
        url=url,
        kind="generic",
        model=settings.model or models[0],
        models=models,
        build=about.build,
        slots=about.slots,
    )


def _page(target: LoadTarget, path: str) -> bytes | None:
    answer = get(target, f"/{path}")
    return answer.body if answer.status == 200 else None


def _shown(text: str) -> str:
    """A server's text on one line, with nothing in it that a terminal would obey."""
    cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return visible(cut)
