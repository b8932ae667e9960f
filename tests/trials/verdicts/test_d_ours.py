"""D: our own doing is never the server's fault, nor the server's ours."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ending import ending
from tests.golden.server import Golden
from tests.trials.tried import Said, Tried, hold
from tests.waiting import until


def _soak(golden: Golden, path: Path, seconds: str) -> tuple[str, ...]:
    return ("-m", "pytest", "suites/soak", f"--soak={seconds}", f"--endpoint={golden.url}", f"--run-dir={path}")


def _started(tried: Tried, *arguments: str, seconds: float = 12) -> tuple[int | None, str]:
    """The exit code, None where it went on, and the output of a run that is given so long."""
    with ending(tried.start("-m", "pytest", *arguments)) as process:
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None, process.communicate()[0]
        return process.returncode, out


ANSWERS = ("suites/behaviour", "--case", "stops/answers-end-by-themselves")


@pytest.mark.parametrize("fault", ["cut:0.5", pytest.param("reset:0.5", marks=pytest.mark.long)])
def test_what_a_server_breaks_near_the_end_of_the_budget_is_its_own_fault(tried: Tried, tmp_path: Path, fault: str):
    """The budget is shorter than ``--timeout``: each answer could have been cut by us, and none was."""
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", *ANSWERS, f"--endpoint={golden.url}", "--budget=50s")
        fired = golden.truth()["fired"][fault.partition(":")[0]]
    word = said.outcomes("stops/answers-end-by-themselves")
    must = f"{fired} streams that the server broke are a FAIL"
    hold(word == ["FAIL"] and "time was up" not in said.block, must, f"{word} {said.block}")


def test_several_choices_are_asked_for_with_a_temperature_above_0(tried: Tried, tmp_path: Path):
    """Servers refuse n above 1 of one who wants the likeliest answer: there is only one."""

    with Golden() as golden:
        command = ("suites/conformance/test_params.py", f"--endpoint={golden.url}", "-k", "n-gives")
        path = tried.suite(tmp_path / "run", *command).path
    several = [body for body in _sent(path) if isinstance(body.get("n"), int) and body["n"] > 1]
    asked = [body.get("temperature", 1) for body in several]
    must = "requests for several choices are sent, none of them greedy"
    hold(asked and all(asked), must, f"temperatures {asked}")


def _sent(path: Path) -> Iterator[dict[str, Any]]:
    """The bodies of all requests of a run that have JSON objects for bodies."""
    for file in path.glob("writers/*/exchanges.jsonl"):
        stored = file.with_name("bytes.bin").read_bytes()
        for line in map(json.loads, file.read_text().splitlines()):
            if line["kind"] == "sent":
                offset, length = line.get("request", (0, 0))
                with contextlib.suppress(ValueError):
                    body = json.loads(stored[offset : offset + length].partition(b"\r\n\r\n")[2])
                    if isinstance(body, dict):
                        yield body


SECOND = ("suites/conformance/test_chat.py", "--case", "chat/content-is-string-or-null[plain]")


@pytest.mark.long
def test_a_second_run_says_at_once_who_holds_the_endpoint_that_it_waits_for(tried: Tried, tmp_path: Path):
    """The first is stopped in the middle of its soak: it never goes on, and the second need not wait for it long."""
    with Golden() as golden, ending(tried.start(*_soak(golden, tmp_path / "first", "30s"))) as first:
        until(lambda: golden.truth()["chats"] > 4, "the soak", 60)
        first.send_signal(signal.SIGSTOP)
        _, out = _started(tried, *SECOND, f"--endpoint={golden.url}", f"--run-dir={tmp_path / 'second'}")
    must = f"within 12 s: process {first.pid} of run {tmp_path / 'first'} holds it, since when, stopped, how to end it"
    told = all(word in out for word in (f"process {first.pid}", str(tmp_path / "first"), "since ", "STOPPED", "kill -"))
    hold(told, must, out or "nothing")


@pytest.mark.long
def test_a_second_run_sends_nothing_while_a_soak_counts(tried: Tried, tmp_path: Path):
    """Its warm-up would be counted by the server, and received by none of the soak's users."""
    with Golden() as golden, ending(tried.start(*_soak(golden, tmp_path / "first", "15s"))) as first:
        until(lambda: golden.truth()["chats"] > 4, "the soak", 60)
        second = tried.suite(tmp_path / "second", *SECOND, f"--endpoint={golden.url}")
        out, _ = first.communicate(timeout=60)
    verdict = Said(first.returncode, out, tmp_path / "first").verdict
    agree = {case: word for case, word in verdict["outcomes"].items() if "agree-with-the-server" in case}
    hold(set(agree.values()) == {"PASS"}, "the counters agree with what the users received", f"{agree} {out[-900:]}")
    assert second.code == 0


ONE_SLOT = ("one-at-a-time",)


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        ("suites/behaviour", "--budget=50s"),
        ("suites/soak", "--soak=12s"),
        ("suites/conformance", "-k", "sse and not long", "-n", "4"),
    ],
    ids=["behaviour", "soak", "workers"],
)
def test_our_queue_at_a_server_of_one_slot_is_not_its_fault(tried: Tried, tmp_path: Path, arguments: tuple[str, ...]):
    """Each answer takes a third of ``--timeout`` or so; of four that we send at once the last ones wait too long."""
    with Golden(ONE_SLOT, token_ms=60 if "-n" in arguments else 20) as golden:
        said = tried.suite(tmp_path / "run", *arguments, f"--endpoint={golden.url}", "--timeout=3s")
        made_wait = golden.truth()["fired"].get("one-at-a-time", 0)
    assert made_wait > 0  # where nothing waited nothing is shown
    fails = [case for case, word in said.verdict["outcomes"].items() if word == "FAIL"]
    hold(not fails, "nothing that we made wait is a FAIL", f"{len(fails)} FAILs: {said.block[:1500]}")
    words = list(said.verdict["outcomes"].values())
    hold(words.count("PASS") > len(words) / 2, "what was sent again alone is judged, and passes", words)
    if "-n" in arguments:
        advised = "-n 0" in " ".join(said.block.split())
        hold(advised, "where workers wait for each other, -n 0 is advised", said.block)


@pytest.mark.long
def test_counters_that_another_client_moved_are_no_evidence(tried: Tried, tmp_path: Path):
    """Somebody streams from the server in the middle of a soak."""
    with Golden(token_ms=20) as golden, ending(tried.start(*_soak(golden, tmp_path / "run", "8s"), "--strict")) as run:
        until(lambda: golden.truth()["chats"] > 12, "the soak", 60)
        asked = {"model": golden.model, "messages": [{"role": "user", "content": "Count from 1 to 60."}]}
        request = urllib.request.Request(f"{golden.url}/chat/completions", json.dumps(asked).encode())
        for _ in range(2):
            urllib.request.urlopen(request, timeout=30).read()
        out, _ = run.communicate(timeout=90)
    verdict = Said(run.returncode, out, tmp_path / "run").verdict
    agree = {case: word for case, word in verdict["outcomes"].items() if "agree-with-the-server" in case}
    must = "counters that a client of none of ours moved are evidence of nothing"
    hold(set(agree.values()) == {"INCONCLUSIVE"}, must, f"{agree} {out[-900:]}")
