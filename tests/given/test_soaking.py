"""Phases and traffic as operators write them: what is usual, and one line with file, line and key for what is wrong."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from seatrial.given import phases, soak, workload
from seatrial.given.errors import ConfigError
from seatrial.records import Hazard, PhaseSort
from seatrial.wire.listening import free_port

OPEN = '[[phase]]\nsort = "closed"\nlength = "1m"\n\n[[phase]]\nsort = "open"\nlength = "1m"\n'

PHASES = {
    "no phase": ("", r"no \[\[phase\]\] in it; each says sort and length"),
    "unknown sort": (
        '[[phase]]\nsort = "fast"\nlength = "1m"\n',
        r" line 2: sort: unknown: 'fast'; known are warm-up, baseline, closed, open",
    ),
    "unknown key": ('[[phase]]\nsort = "closed"\nlength = "1m"\nuser = 2\n', r" line 4: unknown key field user|line 4"),
    "no unit": ('[[phase]]\nsort = "closed"\nlength = "10"\n', r" line 3: length=10 has no unit"),
    "no rate": (OPEN, r" line 6: open: say how fast, by rps or by share, one of both"),
    "two rates": (OPEN + "rps = 1\nshare = 0.5\n", r" line 8: open: say how fast"),
    "a share of nothing": ('[[phase]]\nsort = "open"\nlength = "1m"\nshare = 0.5\n', r" line 4: share: of what\?"),
    "rate of users": ('[[phase]]\nsort = "closed"\nlength = "1m"\nrps = 2\n', r" line 4: rps: .* has no rate"),
    "no rate at all": (OPEN + "rps = 0\n", r" line 8: rps: more than 0, and 1000 at most"),
    "too fast": (OPEN + "rps = 5000\n", r" line 8: rps: more than 0, and 1000 at most"),
    "ramp of one": (OPEN.replace('"open"', '"ramp"') + "rps = 2\n", r" line 8: rps: ramp wants 2 numbers"),
    "sweep down": (OPEN.replace('"open"', '"sweep"') + "rps = [4, 1]\n", r" line 8: rps: a sweep goes from"),
    "no time for the first rate": (
        OPEN.replace('"open"', '"sweep"') + "rps = [0.1, 8]\n",
        r" line 7: length: too short for the first rate of the sweep, which is tried for 3m 20s",
    ),
    "no time for a step": (OPEN.replace('"open"', '"sweep"') + 'share = [0.5, 2]\nstep = "2m"\n', r" line 7: length:"),
    "users of an open one": (OPEN + "rps = 1\nusers = 4\n", r" line 9: users: 1 to 1000, of a phase of sort closed"),
    "factor": (OPEN + "rps = 1\nfactor = 2\n", r" line 9: factor: only a sweep has one"),
    "name twice": (OPEN + 'rps = 1\nname = "closed"\n', r" line 9: name: closed is there already"),
    "odd name": (OPEN + 'rps = 1\nname = "A b"\n', r" line 9: name: up to 24 small letters"),
    "nothing sent": ('[[phase]]\nsort = "rest"\nlength = "1m"\n', r"nothing is sent in any phase of it"),
    "an eternity for the first rate": (
        OPEN.replace('"open"', '"sweep"') + "rps = [1e-320, 8]\n",
        r" line 8: rps: more than 0, and 1000 at most",
    ),
    "no time at all": (OPEN.replace("1m", "0.5s", 1) + "rps = 1\n", r" line 3: length: over before an answer comes"),
    "nobody comes": (OPEN + "rps = 0.01\n", r" line 8: rps: no request comes within 60s; a higher rate, or a longer"),
    "for ever": (OPEN.replace("1m", "721h") + "rps = 1\n", r"1442h in all; 30 days at most"),
}


@pytest.mark.parametrize("name", PHASES)
def test_what_is_wrong_with_phases_is_one_line_with_its_place(tmp_path: Path, name: str) -> None:
    text, message = PHASES[name]
    path = tmp_path / "phases.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        phases.read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_phases_are_read_with_what_they_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "phases.toml"
    path.write_text(OPEN + 'share = 0.6\nname = "evening"\n\n[[phase]]\nsort = "sweep"\nlength = "1h"\nrps = [1, 8]\n')
    closed, opened, sweep = phases.read(path)
    assert (closed.name, closed.users, closed.seconds) == ("closed", None, 60.0)
    assert (opened.name, opened.share, opened.rps) == ("evening", (0.6,), ())
    assert (sweep.step_s, sweep.factor, sweep.rps) == (30.0, 1.5, (1.0, 8.0))
    assert opened.told() == "evening 60s at 60 % of what was measured"
    assert sweep.told() == "sweep 1h at 1/s to 8/s"
    filled = tmp_path / "fill.toml"
    filled.write_text('[[phase]]\nsort = "fill"\nlength = "1m"\n')
    assert phases.read(filled)[0].sort == PhaseSort.FILL
    with pytest.raises(ConfigError, match="line 2: sort: fill sends long prompts to every slot: --hazard=heavy"):
        phases.read(filled, hazard=Hazard.CARELESS)


@pytest.mark.parametrize("seconds", [600.0, 1234.0, 3600.0, 28800.0])
def test_a_soak_that_is_long_enough_has_all_phases_in_its_time(seconds: float) -> None:
    found = phases.usual(seconds)
    assert sum(phase.seconds for phase in found) == pytest.approx(seconds)
    assert [phase.sort for phase in found] == ["warm-up", "baseline", "closed", "open", "fill", "rest"]
    assert 0.6 <= found[3].share[0] <= 0.7
    assert min(phase.seconds for phase in found) >= 30
    assert "fill" not in {phase.sort for phase in phases.usual(seconds, hazard=Hazard.CARELESS)}


def test_a_short_soak_has_closed_users_alone_unless_a_rate_is_asked_for() -> None:
    (closed,), (opened,) = phases.usual(60, users=3), phases.usual(60, rps=2.0)
    assert (closed.sort, closed.users, closed.seconds) == ("closed", 3, 60)
    assert (opened.sort, opened.rps) == ("open", (2.0,))


WORKLOADS = {
    "no part": ("", r"no \[\[part\]\] in it"),
    "unknown kind": ('[[part]]\nkind = "chats"\n', r" line 2: kind: unknown: 'chats'; known are agent, cancel, chat"),
    "unknown key": ('[[part]]\nkind = "chat"\nwieght = 2\n', r"unknown key.*wieght|line 3"),
    "no weight": ('[[part]]\nkind = "chat"\nweight = 0\n', r" line 3: weight: more than 0"),
    "backwards": ('[[part]]\nkind = "chat"\nprompt = [9, 3]\n', r" line 3: prompt: from and to, in words"),
    "tools of a chat": ('[[part]]\nkind = "chat"\ntools = 3\n', r" line 3: tools: only of an agent"),
    "tokens of vectors": ('[[part]]\nkind = "embeddings"\nanswer = [1, 2]\n', r" line 3: answer: embeddings have no"),
    "twice": ('[[part]]\nkind = "chat"\n[[part]]\nkind = "chat"\n', r" line 4: kind: chat is there already"),
    "reserved": ('[[part]]\nkind = "chat"\nname = "canary"\n', r" line 3: name: up to 24 small letters"),
    "never": ('invalid_every = "0s"\n[[part]]\nkind = "chat"\n', r"line 1: invalid_every=0s is no time at all"),
    "a flood": ('invalid_every = "0.01s"\n[[part]]\nkind = "chat"\n', r"line 1: invalid_every=0.01s would be a load"),
    "no toml": ("[[part\n", r" line 1: no TOML"),
}


@pytest.mark.parametrize("name", WORKLOADS)
def test_what_is_wrong_with_traffic_is_one_line_with_its_place(tmp_path: Path, name: str) -> None:
    text, message = WORKLOADS[name]
    path = tmp_path / "Own traffic.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        workload.named(str(path))
    assert "\n" not in str(error.value)


def test_traffic_is_named_or_read() -> None:
    assert {"short", "chat", "agent", "mixed"} <= set(workload.known())
    assert workload.named("agent").told() == "agent: agent 90 %, cancel 10 %"
    assert workload.named("mixed").invalid_s == 300.0
    with pytest.raises(ConfigError, match=r"--workload=nobody: no such file; shipped are agent, chat"):
        workload.named("nobody")


def read(hazard: Hazard = Hazard.HEAVY, max_rps: float | None = None, **given: Any) -> soak.SoakAsked:
    return soak.asked(given.get, hazard, max_rps)


def test_the_options_of_a_soak_are_read_together(tmp_path: Path) -> None:
    assert read() == soak.SoakAsked()
    assert read(soak="20m", slo="ttft=2s,tpot=80ms", users="4").traffic.name == "chat"
    path = tmp_path / "p.toml"
    path.write_text(OPEN + "rps = 3\n")
    assert read(phases=str(path)).seconds == 120
    assert read(soak="9m").lacking() == (
        "the soak's warm-up, baseline, open, fill, rest",
        "needs --soak=10m",
    )
    assert read(soak="10m").lacking() is None
    assert read(soak="10m", rps="2", users="3").users == 3
    assert read(soak="2m", rps="0.01", canary_every="119s").seconds == 120
    assert read(phases=str(path), canary_every="119s").users is None
    assert read(users="0004").users == 4
    assert read(after_stop="abort").after_stop is soak.AfterStop.ABORT
    for given, message in (
        ({"phases": str(path), "soak": "1h"}, "leave out --soak"),
        ({"phases": str(path), "rps": "2"}, "leave out --rps"),
        ({"soak": "9000h"}, r"--soak=9000h is longer than anybody waits"),
        ({"canary_every": "500ms"}, "--canary-every=500ms is no duration"),
        ({"canary_every": "0.5s"}, "would be a load of its own"),
        ({"rps": "5000"}, "--rps=5000: 1000 requests a second at most"),
        ({"rps": "many"}, "--rps=many is no number"),
        ({"users": "0"}, "--users=0: a whole number, 1 to 1000"),
        ({"users": "9" * 30}, "a whole number"),
        ({"slo": "ttft=2"}, "--slo: ttft=2 is no limit; say ttft=2s,tpot=80ms"),
        ({"slo": "ttft=2s,ttft=3s"}, "--slo: ttft=3s is no limit"),
        ({"slo": ""}, "is no limit"),
        ({"soak": "0.01s"}, "--soak=0.01s is over before an answer comes; 1s at least"),
        ({"soak": "\uff15m"}, "is no duration"),
        ({"rps": "\uff15"}, "is no number of requests a second"),
        ({"rps": "2", "users": "3"}, "--users=3: with --rps it is for --soak=10m and longer; leave one out"),
        ({"canary_every": "2h"}, "--canary-every=2h: a soak of 60s sends none"),
        ({"after_stop": "maybe"}, "--after-stop=maybe: unknown; known are abort, continue"),
        ({"phases": str(path), "canary_every": "2m"}, "--canary-every=2m: a soak of 2m sends none"),
        ({"rps": "0.01"}, "--rps=0.01: no request comes within 60s of it; a higher rate, or more time"),
        ({"users": "0000000011000000"}, "a whole number, 1 to 1000"),
        ({"workload": "nobody"}, "--workload=nobody"),
        ({"workload": "n" * 5000}, "--workload=nnn.*: no such file"),
        ({"phases": "n" * 5000}, "--phases=nnn.*: no such file"),
    ):
        with pytest.raises(ConfigError, match=message):
            read(**given)
    with pytest.raises(ConfigError, match=r"--phases wants 3 requests a second, --max-rps lets 2 pass"):
        read(max_rps=2.0, phases=str(path))


def test_the_examples_of_the_page_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "soak.md").read_text("utf-8")
    written = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    for name, text in zip(("phases", "workload"), written, strict=True):
        (tmp_path / f"{name}.toml").write_text(text)
    assert [phase.name for phase in phases.read(tmp_path / "phases.toml")] == ["sweep", "evening"]
    assert workload.named(str(tmp_path / "workload.toml")).told() == "workload: agent 75 %, cancel 25 %"
    for sort in PhaseSort:
        assert sort in page


def crew_of(**given: str) -> soak.CrewAsked:
    told = {"workers": None, "expect_workers": None, "bind": None, **given}
    return soak.asked(told.get, Hazard.HEAVY, None).crew


CREWS = {
    "both": ({"workers": "2", "expect_workers": "2"}, r"give one of the two"),
    "bind alone": ({"bind": "127.0.0.1:5557"}, r"say how many with --expect-workers=N"),
    "bind of those here": ({"workers": "2", "bind": "127.0.0.1:5557"}, r"--expect-workers=N"),
    "none": ({"workers": "0"}, r"--workers=0: a whole number, 1 to 64"),
    "many": ({"expect_workers": "65"}, r"--expect-workers=65: a whole number, 1 to 64"),
    "words": ({"workers": "two"}, r"--workers=two: a whole number"),
    "no port": ({"expect_workers": "2", "bind": "127.0.0.1"}, r"--bind=127.0.0.1: an address and a port, as "),
    "port 0": ({"expect_workers": "2", "bind": "127.0.0.1:0"}, r"an address and a port"),
    "no address of ours": ({"expect_workers": "2", "bind": "192.0.2.1:5557"}, r"nobody can listen there: "),
}


@pytest.mark.parametrize("name", CREWS)
def test_what_is_wrong_with_workers_is_one_line(name: str) -> None:
    given, message = CREWS[name]
    with pytest.raises(ConfigError, match=message) as error:
        crew_of(**given)
    assert "\n" not in str(error.value)


def test_a_port_in_use_is_said_before_anything_begins() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"--bind=127.0.0.1:{port}: port {port} is in use: name another"):
            crew_of(expect_workers="2", bind=f"127.0.0.1:{port}")
    assert crew_of(expect_workers="2", bind=f"127.0.0.1:{port}").port == port


def test_workers_elsewhere_keep_to_no_file_of_this_host() -> None:
    told = {"expect_workers": "2", "bind": f"127.0.0.1:{free_port()}"}
    with pytest.raises(ConfigError, match="--max-rps"):
        soak.asked(told.get, Hazard.HEAVY, 5.0)


def test_the_line_that_starts_a_worker_names_the_keys_variable_and_no_key() -> None:
    port = free_port()
    near = crew_of(expect_workers="2", bind=f"127.0.0.1:{port}").told("OPENAI_API_KEY")
    command = f"locust -f load/locustfile.py --worker --master-host=127.0.0.1 --master-port={port}"
    assert near == [f"workers    2 expected within 10 min, each by: SEATRIAL_KEY_ENV=OPENAI_API_KEY {command}"]
    wide = crew_of(expect_workers="1", bind=f"*:{port}").told(None)
    assert "open to whoever reaches it" in wide[1]
    assert crew_of(workers="4").told("K") == crew_of().told("K") == []
    assert (crew_of().words, crew_of(workers="4").words) == ("", " over 4 workers here")
