"""Where other programs and planned work meet the watch: a state that is kept, a command at a stop, a quiet time.

A commit that has no such option is watched without it, as its operator would be left.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.trials.tried import Tried, Wrong, hold
from tests.trials.watch.watched import watching
from tests.trials.watch.well import well
from tests.waiting import until

HOOK = """
import json, os, sys
told = {"env": dict(os.environ), "stop": json.load(sys.stdin)}
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""
KEY = "sk-0123456789-very-secret"


def offered(tried: Tried, option: str) -> tuple[str, ...]:
    """The option, where the commit has it."""
    known = option.partition("=")[0] in tried.seatrial("watch", "--help").out
    return (option,) if known else ()


def kept(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def test_other_monitors_find_the_state_in_a_file(tried: Tried, tmp_path):
    path = tmp_path / "state.json"

    def up() -> object:
        return [target["up"] for target in kept(path).get("targets", [])]

    with well() as server:
        arguments = (f"--endpoint=a={server.url}", "--canary=off", *offered(tried, f"--status={path}"))
        with watching(tried, tmp_path / "run", "--json", *arguments) as watch:
            watch.seen_well("a")
            watch.until(lambda: up() == [True] or not arguments[2:], "the state says that it is up", 20)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            watch.until(lambda: watch.objects("kind", "stop"), "a stop is told", 20)
            before = kept(path)
            try:
                until(lambda: up() == [False], "", 5)
            except AssertionError:
                raise Wrong(f"a monitor reads that it is down; what was said: {kept(path) or 'no state'}") from None
            said = watch.end()
    last = kept(path)
    hold(before.get("running") is True, "a monitor sees that the watch runs", before)
    hold(last["targets"][0]["stops"] == {"STOPPED": 1}, "a monitor can count the stops", last)
    hold((last["running"], last["exit"], said.code) == (False, 1, 1), "the last state holds the exit status", last)


def test_a_command_is_run_at_a_stop_and_gets_all_but_the_key(tried: Tried, tmp_path, monkeypatch):
    script, told = tmp_path / "hook.py", tmp_path / "told.json"
    script.write_text(HOOK)
    monkeypatch.setenv("A_KEY", KEY)
    with well() as server:
        hook = offered(tried, f"--on-stop={sys.executable} {script} {told}")
        arguments = (f"--endpoint=a={server.url}", "--canary=off", "--api-key-env=A_KEY", *hook)
        with watching(tried, tmp_path / "run", "--json", *arguments) as watch:
            watch.seen_well("a")
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            watch.until(lambda: watch.objects("kind", "stop"), "a stop is told", 20)
            try:
                until(told.exists, "", 5)
            except AssertionError:
                raise Wrong("the operator's command is run at a stop; what was said: it was not run") from None
            watch.end()
    found = json.loads(told.read_text())
    facts = {name: found["env"].get(name) for name in ("SEATRIAL_NAME", "SEATRIAL_VERDICT", "SEATRIAL_SIGNAL")}
    hold(facts == {"SEATRIAL_NAME": "a", "SEATRIAL_VERDICT": "STOPPED", "SEATRIAL_SIGNAL": "SIGKILL"},
         "the facts stand in its environment", (facts, found["stop"]))  # fmt: skip
    hold(found["stop"]["pid"] == server.process.pid, "the whole stop is its input", found["stop"])
    hold(KEY not in told.read_text(), "the key is not handed on", facts)


def test_a_restart_in_a_planned_quiet_time_is_no_stop_live_and_judged(tried: Tried, tmp_path):
    run = tmp_path / "run"
    with well() as server:
        quiet = offered(tried, "--quiet-until=10m")
        with watching(tried, run, f"--endpoint=a={server.url}", "--canary=off", *quiet) as watch:
            watch.seen_well("a")
            server.process.send_signal(signal.SIGTERM)
            server.process.wait()
            with well(port=server.port):
                watch.until(lambda: watch.out.count("\n") >= 2, "something is told", 20)
                looked = len(watch.lines("probe", "a"))
                watch.until(lambda: len(watch.lines("probe", "a")) >= looked + 3, "it is looked at on", 20)
                said = watch.end()
    judged = tried.seatrial("judge", os.fspath(run), path=run)
    hold(said.code == 0, "a restart within planned maintenance is no stop: exit 0", (said.code, said.out))
    hold("planned" in said.out, "it is told as planned", said.out)
    hold(judged.code == 0, "the record says the same", (judged.code, judged.out))
