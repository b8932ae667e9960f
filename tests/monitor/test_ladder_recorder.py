"""The upper rungs in the recorder itself: its heartbeat goes on, its record can be sealed, its key is in no file."""

from __future__ import annotations

import pytest

from seatrial.records import Ask, Meter
from tests.golden.server import Golden
from tests.monitor.beats import beats, pace
from tests.monitor.processes import Recording
from tests.monitor.sites import KEY, hang, site
from tests.waiting import until


def asks(recording: Recording, rung: str) -> list[Ask]:
    return [x for x in recording.lines() if isinstance(x, Ask) and x.rung == rung]


def watch(recording: Recording, url: str, **more: object) -> None:
    port = int(url.rpartition(":")[2].partition("/")[0])
    recording.command(name="a", host="127.0.0.1", port=port, base=url.removesuffix("/v1"), api=url, **more)


def test_what_hangs_is_told_each_second_and_holds_nothing_up(recording):
    with Golden(["wedge"], key=KEY) as golden:
        watch(recording, golden.url, key=KEY, canary_s=1)
        for rung in ("canary", "scheduler"):
            until(lambda rung=rung: len([a for a in asks(recording, rung) if not a.ended_at]) >= 3, f"{rung} hanging")
        hanging = [a for a in asks(recording, "canary") if not a.ended_at]
        assert len({a.id for a in hanging}) == 1
        assert 0.5 < pace([a.t for a in hanging]) < 1.5
        recording.seal()
    assert pace(beats(recording.lines())) < 1.5
    assert not any(KEY.encode() in path.read_bytes() for path in recording.rundir.path.rglob("*") if path.is_file())


def test_an_endpoint_that_moves_to_another_port_is_asked_there_what_it_is(recording):
    with Golden() as golden:
        watch(recording, golden.url)
        until(lambda: any(isinstance(x, Meter) for x in recording.lines()), "a meter")
    with site(props=hang) as other:
        watch(recording, other.url)
        until(lambda: other.count("/props"), "the question what it is")


@pytest.mark.parametrize("ca", ["/nowhere/ca.pem"])
def test_certificates_that_cannot_be_read_are_said_and_the_lower_rungs_go_on(recording, ca):
    recording.command(name="a", host="127.0.0.1", port=1, base="https://127.0.0.1:1", key=KEY, ca=ca)
    texts = until(lambda: [e.text for e in recording.events("trouble") if "not asked for" in e.text], "the trouble")
    assert len(texts) == 1
    until(recording.probes, "a probe")
