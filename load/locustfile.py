"""A soak by Locust: ``locust -f load/locustfile.py --host=http://127.0.0.1:8080 --headless -t 60s``.

Users stream chats at the rate their answers come, as many as the server has slots (``-u N`` for another number; where
it does not say, 4, or 1 where two streams sent at once come one after the other).
Each request leaves one row in ``load/<role>.jsonl`` of a run directory and one word of
:data:`seatrial.wire.transports.outcomes.OUTCOMES`. At the end of the time, on Ctrl-C and on SIGTERM, requests in flight
are waited for: no stream is cut by us, and what is counted afterwards is what the server counted. :mod:`load.settings`
lists the variables.
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
from locust.runners import LocalRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # Locust puts this folder there, not the checkout

from load.inspection import NoRulesError
from load.pool import PoolUser
from load.session import LoadSession, NoServerError
from load.settings import SettingsError, read
from seatrial.given.errors import ConfigError
from seatrial.run.writer import RunDirError

__all__ = ["PoolUser"]

EXIT_RAN, EXIT_USAGE, EXIT_CUT = 0, 4, 5
LONGEST_CUT_S = 1.0


@events.init.add_listener  # type: ignore[untyped-decorator]
def prepare(environment: Any, runner: Any, **_: Any) -> None:
    """Read the settings, find the server, and tell Locust what it cannot know."""
    if not isinstance(runner, LocalRunner):
        _refuse("one process carries hundreds of streams; run without --master, --worker and --processes")
    try:
        settings = read()
        asked = environment.parsed_options.num_users
        seconds = environment.parsed_options.run_time
        session = environment.session = LoadSession(settings, environment.host, asked, seconds)
    except (SettingsError, ConfigError, NoServerError, NoRulesError, RunDirError) as error:
        _refuse(str(error))
    options = environment.parsed_options
    options.num_users = session.places
    options.spawn_rate = options.spawn_rate or session.places
    options.run_time = options.run_time or (session.length if settings.phases else None)
    environment.stop_timeout = environment.stop_timeout or settings.deadline_s + 10
    if settings.lifeline is not None:  # the rows are judged by whoever holds the other end
        environment.process_exit_code = EXIT_RAN
        gevent.spawn(_cut_at_end_of, settings.lifeline, session, runner)
    gevent.signal_handler(signal.SIGINT, _interrupt, session, runner)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def start(environment: Any, **_: Any) -> None:
    runner = environment.runner
    environment.session.staff(environment.parsed_options.num_users)
    environment.session.start(environment.parsed_options.run_time, lambda: gevent.spawn(runner.quit))


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def drain(environment: Any, **_: Any) -> None:
    environment.session.drain()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def end(environment: Any, **_: Any) -> None:
    environment.session.end("drained")
    sys.stderr.write(environment.session.summary() + "\n")


def _interrupt(session: LoadSession, runner: Any) -> None:
    """Ctrl-C: drain; Ctrl-C again: cut."""
    if session.draining.is_set():
        _cut(session, runner)
    n, longest = session.recorder.in_flight, session.settings.deadline_s
    sys.stderr.write(f"draining {n} streams, at most {longest:g} s (Ctrl-C again: cut them)\n")
    runner.quit()


def _cut_at_end_of(lifeline: int, session: LoadSession, runner: Any) -> None:
    """Whoever started this load is gone, or wants no more of it."""
    while True:
        wait_read(lifeline)
        if not os.read(lifeline, 64):
            _cut(session, runner)


def _cut(session: LoadSession, runner: Any) -> None:
    """End at once. Streams in flight leave their rows, as cancelled."""
    session.drain()
    runner.user_greenlets.kill(block=True, timeout=LONGEST_CUT_S)
    session.end("cut")
    os._exit(EXIT_CUT)


def _refuse(why: str) -> None:
    sys.stderr.write(f"ERROR: {why}\n")
    sys.exit(EXIT_USAGE)
