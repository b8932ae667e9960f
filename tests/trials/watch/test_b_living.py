"""The living are not dead: what waits is not frozen, and who was there before an end is no successor."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.trials.tried import ROOT, hold, tried
from tests.trials.watch.watched import Watching, watching
from tests.waiting import until

SCRIPT = ROOT / "tests" / "faults" / "prefork.py"


class Family(NamedTuple):
    """A master and its workers."""

    url: str
    master: subprocess.Popen[str]
    workers: tuple[int, ...]


@contextlib.contextmanager
def family(*options: str) -> Iterator[Family]:
    """The server; with the block all of it ends."""
    command = [sys.executable, str(SCRIPT), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as master:
        assert master.stdout is not None
        said = json.loads(master.stdout.readline())
        try:
            yield Family(f"http://127.0.0.1:{said['port']}", master, tuple(said["workers"]))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(master.pid, signal.SIGKILL)


@contextlib.contextmanager
def watched(server: Family, path: Path, *options: str) -> Iterator[Watching]:
    """A watch of it, that has seen it well."""
    arguments = (f"--endpoint=a={server.url}", "--canary=off", "--json", *options)
    with watching(tried(), path, *arguments) as watch:
        watch.seen_well("a")
        yield watch


def answered_again(watch: Watching, after: int) -> bool:
    """Whether /health was answered so many times after the recorder had seen a silence."""
    silent = [line["t"] for line in watch.lines("probe", "a", error="deadline")]
    later = [line for line in watch.lines("probe", "a") if "health" in line and silent and line["t"] > silent[-1]]
    return len(silent) > 3 and len(later) >= after


@pytest.mark.long
def test_a_master_whose_workers_wait_for_a_slow_backend_is_not_frozen(tmp_path):
    with family() as server, watched(server, tmp_path / "run", "--still=1s") as watch:
        for worker in server.workers:
            os.kill(worker, signal.SIGUSR1)
        until(lambda: answered_again(watch, 2), "its workers answer again", 30)
        said = watch.end()
    hold(not watch.objects(), "no stop is told of a server that only waits", watch.out[-3000:])
    hold(said.code == 0, "the watch ends with 0", said.code)


def test_a_worker_is_no_successor_of_its_master(tmp_path):
    with family() as server, watched(server, tmp_path / "run") as watch:
        server.master.kill()
        watch.until(lambda: watch.objects("verdict", "STOPPED") or watch.objects("verdict", "RESTARTED"), "it is told")
        said = watch.end()
        told = watch.objects()
    hold({each["verdict"] for each in told} == {"STOPPED"}, "the master stopped, and nobody restarted it", told)
    hold(told[0]["signal"] in (9, "SIGKILL"), "by what it stopped", told)
    hold(not any(each["successor"] for each in told), "an old worker is no successor", told)
    hold(not any((each["gap_ms"] or 0) < 0 for each in told), "no gap is negative", told)
    hold(said.code == 1, "a master that was killed is a stop", said.code)


@pytest.mark.long
def test_a_worker_that_its_master_recycles_is_no_restart(tmp_path):
    """Each worker has a LISTEN socket of its own, so that the watch takes one of them for the server."""
    with family("--own") as server, watched(server, tmp_path / "run") as watch:
        (taken,) = {line["pid"] for line in watch.lines("event", "a", what="found")} & set(server.workers)
        os.kill(taken, signal.SIGTERM)
        ended = until(lambda: watch.lines("event", "a", what="exit"), "its end is seen", 30)
        until(lambda: answered_since(watch, ended[0]["t"]), "another answers", 30)
        said = watch.end()
    hold(not watch.objects(), "no stop is told of workers that follow each other", watch.out[-3000:])
    hold(said.code == 0, "the watch ends with 0", said.code)


def answered_since(watch: Watching, at: int) -> bool:
    """Whether /health was answered five times since then: a stop would have been told by now."""
    return sum("health" in line and line["t"] > at for line in watch.lines("probe", "a")) > 4
