"""``seatrial watch`` beside real processes that somebody else started: one line for each fault, and none without."""

import contextlib
import os
import signal
import threading
import urllib.request

from tests.monitor.beats import between, mid_second
from tests.monitor.processes import Server
from tests.waiting import until

from .watching import judged


def test_each_death_is_one_line_with_its_signal_or_code_and_judged_alike(watch, opened):
    servers = {name: opened(Server()) for name in ("killed", "segv", "abrt", "left", "quiet")}
    endpoints = [f"--endpoint={name}={server.url}" for name, server in servers.items()]
    watching = watch("--json", *endpoints).healthy(*servers)
    seen = {}

    def note(name):
        seen[name] = servers[name].ended_at()

    notes = [threading.Thread(target=note, args=(name,)) for name in servers if name != "quiet"]
    for thread in notes:
        thread.start()
    mid_second(lambda: max(line["t"] for line in watching.recorded() if line["kind"] == "clock"))
    for name, number in (("killed", signal.SIGKILL), ("segv", signal.SIGSEGV), ("abrt", signal.SIGABRT)):
        servers[name].send(number)
    leave(servers["left"])
    found = {line["name"]: line for line in watching.objects(4)}
    for thread in notes:
        thread.join()
    code, rest, _ = watching.end()

    assert (code, rest) == (1, "")
    assert {name: (line["signal"], line["code"]) for name, line in found.items()} == {
        "killed": ("SIGKILL", None),
        "segv": ("SIGSEGV", None),
        "abrt": ("SIGABRT", None),
        "left": (None, 3),
    }
    looks = sorted(line["t"] for line in watching.recorded() if line["kind"] == "clock")
    at_once = [name for name, at in seen.items() if not between(looks, at, found[name]["pidfd_at"])]
    assert len(at_once) >= 3  # on a busy machine one of us may wait for the processor until the next look
    for name, line in found.items():
        assert (line["kind"], line["verdict"], line["pid"]) == ("stop", "STOPPED", servers[name].pid)
        assert line["interval"]["alive_at"] < line["interval"]["dead_at"] <= line["pidfd_at"]
        assert "OOM" not in line["cause"]
        assert line["cause"].startswith("UNKNOWN")
        assert line["hypotheses"]

    code, text = judged(watching.record)
    assert code == 1
    for word in ("by SIGKILL", "by SIGSEGV", "by SIGABRT", "with exit status 3"):
        assert text.count(f"STOPPED {word}") == 1
    assert "quiet      READY" in text


def leave(server):
    """Have it end itself with status 3."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"{server.url}/exit/3", timeout=5)


def test_without_a_fault_there_is_no_line_and_the_record_is_ready(watch, server):
    code, out, err = watch("--json", f"--endpoint=a={server.url}", "--for=3s").wait()
    assert (code, out) == (0, "")
    assert all(line.startswith("seatrial watch: ") for line in err.splitlines())
    assert len(err.splitlines()) == len(set(err.splitlines()))


def test_replaced_at_once_is_one_restart_with_its_gap_and_how_the_first_one_ended(watch, supervised):
    watching = watch("--json", f"--endpoint=a={supervised.url}").healthy("a")
    first = supervised.pid
    os.kill(first, signal.SIGTERM)
    _, second = supervised.next()
    (line,) = watching.objects(1)
    code, rest, _ = watching.end()
    assert (code, rest) == (1, "")
    assert (line["verdict"], line["pid"], line["signal"]) == ("RESTARTED", first, "SIGTERM")
    assert f"-{second}-" in line["successor"]
    assert 0 <= line["gap_ms"] < 1000
    assert line["length_s"] is not None
    assert judged(watching.record)[0] == 1


def test_stopped_by_a_signal_and_continued_is_frozen_and_over_with_its_length(watch, server):
    watching = watch("--json", f"--endpoint=a={server.url}", "--frozen=1s").healthy("a")
    server.send(signal.SIGSTOP)
    (stop,) = watching.objects(1)
    server.send(signal.SIGCONT)
    (over,) = watching.objects(1)
    code, rest, _ = watching.end()
    assert (code, rest) == (1, "")
    assert (stop["kind"], stop["verdict"], stop["until"], stop["length_s"]) == ("stop", "FROZEN", None, None)
    assert (over["kind"], over["id"], over["verdict"]) == ("over", stop["id"], "FROZEN")
    assert over["length_s"] >= 1


def test_a_server_that_is_not_there_yet_is_waited_for(watch, opened):
    first = opened(Server())
    first.close()
    watching = watch(f"--endpoint=a={first.url}")
    until(lambda: any(line["kind"] == "probe" for line in watching.recorded()), "a first look")
    opened(Server(first.port))
    watching.healthy("a")
    code, out, err = watching.end()
    assert code == 0
    assert "does not answer yet" in out
    assert out.splitlines()[-1].endswith("no stop; not tested: the engine; exit 0")
    assert "a: does not answer yet (refused)" in err


def test_a_server_that_never_came_is_not_proven(watch, opened):
    never = opened(Server())
    never.close()
    watching = watch("--json", f"--endpoint=a={never.url}", "--for=2s")
    code, out, _ = watching.wait()
    assert (code, out) == (10, "")
    code, text = judged(watching.record)
    assert code == 10
    assert "nothing of it was ever seen" in text
