"""The end of the process that does the work is told as that, under a parent that lives and answers /health."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.processes import Golden
from tests.trials.tried import hold
from tests.trials.watch.watched import Watching, watching
from tests.waiting import until

pytestmark = pytest.mark.long
SOON_S = 25.0


@contextmanager
def bereaved(tried, folder, *arguments: str) -> Iterator[tuple[Golden, int, Watching]]:
    """A server whose engine's process is killed once a watch has seen both well: the server, the child, the watch."""
    server = Golden(folder, random.Random())
    server.order("engine").get()
    child = server.order("runner_pid").get()["pid"]
    try:
        with watching(
            tried, folder / "record", f"--endpoint=a=http://127.0.0.1:{server.port}", "--canary=1s", *arguments
        ) as watch:
            watch.seen_well("a", canaries=2)
            until(lambda: watch.lines("sample", "a", pid=child), "the child is seen", SOON_S)
            server.send(signal.SIGKILL, child)
            yield server, child, watch
    finally:
        server.close()


def test_a_killed_child_is_told_as_that_with_its_own_status(tried, tmp_path):
    with bereaved(tried, tmp_path, "--json") as (server, child, watch):
        watch.until(lambda: watch.objects("name", "a"), "a stop is told", SOON_S)
        said = watch.objects("name", "a")[-1]
        hold(said["verdict"] == "STOPPED" and said["pid"] == child, "the end of the child is told", said)
        hold(said["signal"] in (9, "SIGKILL"), "with the signal that ended it", said)
        hold(f"child of {server.pid}, which lives, /health 200" in said["evidence"], "and that its parent lives", said)
        hold(len(watch.objects("kind", "stop")) == 1, "as one stop", watch.out)


def test_the_line_of_a_killed_child_says_that_its_parent_lives(tried, tmp_path):
    with bereaved(tried, tmp_path) as (server, child, watch):
        watch.until(lambda: "a  STOPPED" in watch.out or "a  WEDGED" in watch.out, "a stop is told", SOON_S)
        said = next(line for line in watch.out.splitlines() if line.startswith(("a  STOPPED", "a  WEDGED")))
        hold("STOPPED by SIGKILL" in said and f"pid {child}" in said, "its line says whom it befell, and how", said)
        hold(f"child of {server.pid}, which lives, /health 200" in said, "its line says that its parent lives", said)
