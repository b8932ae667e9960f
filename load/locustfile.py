"""A soak by Locust: ``locust -f load/locustfile.py --host=http://127.0.0.1:8080 --headless -t 60s``.

Users stream chats at the rate their answers come, as many as the server has slots (``-u N`` for another number; where
it does not say, 4, or 1 where two streams sent at once come one after the other).
Each request leaves one row in ``load/<role>.jsonl`` of a run directory and one word of
:data:`seatrial.wire.transports.outcomes.OUTCOMES`. At the end of the time, on Ctrl-C and on SIGTERM, requests in flight
are waited for: no stream is cut by us, and what is counted afterwards is what the server counted. :mod:`load.settings`
lists the variables.

``--processes N`` spreads the load over so many processes here; ``--master --expect-workers=N`` and, elsewhere,
``--worker --master-host=HOST`` over several hosts: :mod:`load.master`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
from gevent.socket import wait_read
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Locust puts this folder there, not the checkout

from load.ending import GONE
from load.engine.trimming import keep_trim
from load.fleet.messages import Channel
from load.fleet.worker import FleetWorker, NotWantedError
from load.inspection import NoRulesError
from load.master import MasterSession
from load.pool import PoolUser
from load.session import LoadSession, NoServerError
from load.settings import LoadSettings, SettingsError, nonsense, read
from load.worker import WorkerSession
from seatrial.given import soak
from seatrial.given.errors import ConfigError
from seatrial.run.writer import RunDirError
from seatrial.text import visible
from seatrial.wire import listening

__all__ = ["PoolUser"]

EXIT_RAN, EXIT_USAGE, EXIT_CUT = 0, 4, 5
LONGEST_CUT_S = 1.0
ORPHAN_S = 5.0
"""A worker that is interrupted and hears nothing of its master within this time ends by itself."""


STARTED = os.getpid()
"""Who has read this file; ``--processes`` forks after that."""

FREE: set[tuple[str, int]] = set()
"""Where nobody listened before we did: for its page Locust parses the command line again."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def narrow(parser: Any) -> None:
    """What makes no sense is refused; a master listens on this host alone unless it is told otherwise."""
    parser.set_defaults(master_bind_host=listening.LOOPBACK)
    parser.error = _refuse
    whole = parser.parse_args

    def checked(*args: Any, **kwargs: Any) -> Any:
        options = whole(*args, **kwargs)
        if why := nonsense(options):
            _refuse(why)
        if options.worker or not (options.master or options.processes):
            return options
        if options.processes and options.master_port == parser.get_default("master_port"):
            options.master_port = options.master_bind_port
        place = options.master_bind_host, options.master_bind_port
        if place not in FREE and (why := listening.taken(*place)):
            _refuse(f"--master-bind-port={options.master_bind_port}: {why}")
        FREE.add(place)
        return options

    parser.parse_args = checked


@events.init.add_listener  # type: ignore[untyped-decorator]
def prepare(environment: Any, runner: Any, **_: Any) -> None:
    """Read the settings, find the server, and tell Locust what it cannot know."""
    options = environment.parsed_options
    environment.session = None  # a worker may be told to quit while it joins
    if not isinstance(runner, WorkerRunner) and not options.headless:
        _refuse_where_taken(options.web_host, options.web_port)
    try:
        settings = read()
        session = environment.session = _session(environment, runner, settings)
    except (SettingsError, ConfigError, NoServerError, NoRulesError, NotWantedError, RunDirError) as error:
        _refuse(str(error))
    environment.stop_timeout = environment.stop_timeout or settings.deadline_s + 10
    if settings.lifeline is not None:  # the rows are judged by whoever holds the other end
        environment.process_exit_code = EXIT_RAN
        gevent.spawn(_cut_at_end_of, settings.lifeline, session, runner)
    gevent.spawn(keep_trim, environment.stats)
    gevent.signal_handler(signal.SIGINT, _interrupt, session, runner)
    if isinstance(session, WorkerSession):
        environment.process_exit_code = EXIT_RAN
        session.start(lambda: _cut(session, runner))
        return
    options.num_users = session.places
    options.spawn_rate = options.spawn_rate or session.places
    options.run_time = options.run_time or (session.length if settings.phases else None)
    if isinstance(session, MasterSession):
        options.run_time = None  # the master's time begins when all are there


def _session(environment: Any, runner: Any, settings: LoadSettings) -> LoadSession | WorkerSession:
    if isinstance(runner, WorkerRunner):
        here = os.getpid() != STARTED
        fleet = FleetWorker(Channel(runner), here=here)
        return WorkerSession(fleet, fleet.join(), settings, runner, here=here)
    options = environment.parsed_options
    asked = environment.host, options.num_users, options.run_time
    if not isinstance(runner, MasterRunner):
        return LoadSession(settings, *asked)
    if not listening.is_loopback(options.master_bind_host):
        _say(soak.open_to_all(options.master_bind_host, options.master_bind_port))
    workers = options.expect_workers

    def failed(why: str) -> None:
        sys.stderr.write(f"ERROR: {why}\n")
        os._exit(EXIT_USAGE)

    return MasterSession(settings, *asked, runner=runner, workers=workers, say=_say, failed=failed)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def start(environment: Any, **_: Any) -> None:
    runner, session = environment.runner, environment.session
    if isinstance(session, WorkerSession):
        return
    if isinstance(runner, LocalRunner | MasterRunner):
        session.staff(environment.parsed_options.num_users)
    session.start(environment.parsed_options.run_time, lambda: gevent.spawn(runner.quit))


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def drain(environment: Any, **_: Any) -> None:
    if environment.session is not None:
        environment.session.drain()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def end(environment: Any, **_: Any) -> None:
    session = environment.session
    if session is None:
        return
    session.end("drained")
    _tell_cut(environment)
    if not isinstance(session, WorkerSession):
        _say(session.summary())
    if isinstance(session, MasterSession) and environment.web_ui is None:
        session.ending.in_time()  # where its last worker went away, Locust stops and would then wait for ever


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def quitting(environment: Any, **_: Any) -> None:
    """Locust takes a test without workers for one that has stopped, and tells nobody of its end."""
    if isinstance(environment.session, MasterSession):
        environment.session.drain()
        environment.session.end("drained")
        _tell_cut(environment)
    if isinstance(environment.session, LoadSession):
        environment.session.close()


def _tell_cut(environment: Any) -> None:
    """A load that somebody started by hand and that lost a worker ends with an exit code of its own."""
    session = environment.session
    if isinstance(session, MasterSession) and session.settings.lifeline is None and session.lost:
        environment.process_exit_code = EXIT_CUT


def _refuse_where_taken(host: str, port: int) -> None:
    """Locust would say it by a traceback, once a run directory is there."""
    try:
        gevent.socket.create_server((host.strip("*"), port)).close()
    except (OSError, OverflowError, UnicodeError) as error:
        _refuse(f"--web-port={port}: {getattr(error, 'strerror', '') or error}; name another, or say --headless")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _interrupt(session: LoadSession | WorkerSession, runner: Any) -> None:
    """Ctrl-C: drain; Ctrl-C again: cut. A worker is told to by its master, whom Ctrl-C on a terminal reaches too."""
    if isinstance(session, WorkerSession):
        gevent.sleep(ORPHAN_S)
        if not session.draining.is_set():
            session.ending.because("Ctrl-C")
            _cut(session, runner)
        return
    if session.draining.is_set():
        _cut(session, runner)
    page = runner.environment.web_ui
    if page is None and isinstance(session, MasterSession) and not session.begun:
        _call_off(session, runner)
    session.ending.because("Ctrl-C")
    n, longest = session.recorder.in_flight, session.settings.deadline_s
    streams = f"{n} streams" if not isinstance(session, MasterSession) else f"{session.workers} workers"
    sys.stderr.write(f"draining {streams}, at most {longest:g} s (Ctrl-C again: cut them)\n")
    runner.quit()
    if page is not None:  # Locust would go on showing it
        page.stop()


def _call_off(session: MasterSession, runner: Any) -> None:
    """End before the load begins: Locust itself waits for its workers and hears of nothing else."""
    _say("no load was sent: its workers were not all there yet")
    try:
        runner.quit()
        session.ending.done()
    finally:
        os._exit(EXIT_CUT)


def _cut_at_end_of(lifeline: int, session: LoadSession | WorkerSession, runner: Any) -> None:
    """Whoever started this load is gone, or wants no more of it."""
    while True:
        wait_read(lifeline)
        if not os.read(lifeline, 64):
            _cut(session, runner)


def _cut(session: LoadSession | WorkerSession, runner: Any) -> None:
    """End at once. Streams in flight leave their rows, as cancelled."""
    if not session.draining.is_set():
        session.ending.because(GONE)
    try:
        if isinstance(session, MasterSession):
            session.cut()
        else:
            session.drain()
            runner.user_greenlets.kill(block=True, timeout=LONGEST_CUT_S)
        session.end("cut")
        if isinstance(session, WorkerSession):
            _say(f"worker {session.settings.role} ended before the load did: {session.ending.why}")
    finally:  # a full disk must not keep it
        os._exit(EXIT_CUT)


def _refuse(why: str) -> None:
    sys.stderr.write(f"ERROR: {visible(why)}\n")
    sys.exit(EXIT_USAGE)
