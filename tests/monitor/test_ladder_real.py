"""The upper rungs of a real llama.cpp, through the recorder: asked, and neither disturbed nor kept awake."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from seatrial.records import Ask, Event, Meter
from seatrial.servers import embedded
from tests.monitor.processes import Recording
from tests.waiting import until

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("embedded")]

SLEEPER = """
import json, os, sys
os.environ["OMP_WAIT_POLICY"] = "passive"
ready = os.dup(1)
os.dup2(2, 1)
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], 0
params.n_ctx, params.n_parallel, params.cache_ram_mib = 1024, 1, 0
params.endpoint_slots = True
params.sleep_idle_seconds = int(sys.argv[3])
server = xllamacpp.Server(params)
os.write(ready, json.dumps({"url": server.listening_address + "/v1", "pid": os.getpid()}).encode() + b"\\n")
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def serving(*command: str) -> Iterator[dict[str, Any]]:
    """What a server says when it is ready; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the server is not ready in a minute"
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def watch(recording: Recording, ready: dict[str, Any], **more: Any) -> None:
    parts = urlsplit(ready["url"])
    base = ready["url"].removesuffix("/v1")
    recording.command(name="a", host=parts.hostname, port=parts.port, base=base, api=ready["url"], pid=ready["pid"],
                      **more)  # fmt: skip


def asks(recording: Recording, rung: str) -> list[Ask]:
    return [x for x in recording.lines() if isinstance(x, Ask) and x.rung == rung and (x.ended_at or x.skipped)]


def meters(recording: Recording) -> list[Meter]:
    return [x for x in recording.lines() if isinstance(x, Meter)]


def troubles(recording: Recording) -> list[str]:
    return [x.text for x in recording.lines() if isinstance(x, Event) and x.what == "trouble" and x.name == "a"]


def test_it_is_asked_and_is_idle_again(recording):
    with serving("-m", "seatrial.servers.embedded", f"--model={embedded.model_file()}") as ready:
        watch(recording, ready, ours=True, canary_s=1)
        until(lambda: len([a for a in asks(recording, "canary") if a.right]) >= 2, "the known answer, twice")
        count = len(meters(recording))
        until(lambda: len(meters(recording)) >= count + 3, "both counters once more")
        told = meters(recording)
        canaries, looks = asks(recording, "canary"), asks(recording, "scheduler")  # its end may cut one short
    assert {a.outcome for a in canaries} == {"ok"}
    assert {a.outcome for a in looks} == {"ok"}
    assert {m.source for m in told} == {"llama.cpp /slots", "llama.cpp /metrics"}
    totals = [m for m in told if m.source == "llama.cpp /metrics"]
    assert (totals[-1].running, totals[-1].waiting) == (0, 0)
    assert (totals[-1].tokens or 0) >= 3
    assert (totals[-1].prompt_tokens or 0) > 0
    assert (totals[-1].progress or 0) > (totals[0].progress or 0)
    assert len({m.start for m in totals} - {""}) == 1
    assert not troubles(recording)


def test_one_that_may_sleep_falls_asleep_while_it_is_watched(recording):
    with serving("-c", SLEEPER, str(embedded.model_file()), "--sleep-idle-seconds", "3") as ready:
        watch(recording, ready, canary_s=1)
        until(lambda: any(m.asleep for m in meters(recording)), "its sleep")
        count = len(meters(recording))
        until(lambda: len(meters(recording)) >= count + 3, "three more looks")
        assert all(m.asleep for m in meters(recording)[count:]), "it stays asleep"
    assert {a.skipped for a in asks(recording, "scheduler")} == {"would keep it awake"}
    assert {a.skipped for a in asks(recording, "canary")} <= {"would keep it awake", "asleep"}
    assert all(a.skipped for a in asks(recording, "canary"))
