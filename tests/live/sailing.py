"""One proof sailed: a golden server, a soak of it as a user runs it, a fault switched on after a third of the time."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial.records import NO_STOP, SECOND, STREAMS, LoadRow, Phase, Stage
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError
from tests.e2e.driving import ROOT, start
from tests.ending import ending
from tests.live.proofs import ONSET_S, SOAK, Proof, Truth
from tests.waiting import until

PHASES = """
[[phase]]
sort = "warm-up"
length = "{warm:.0f}s"
users = 1

[[phase]]
sort = "open"
length = "{open:.0f}s"
rps = {rps}

[[phase]]
sort = "rest"
length = "{rest:.0f}s"
"""
"""Its rate is given, so that all proofs of a fault ask alike, however fast the machine."""

REST_S, WARM_PART = 45.0, 0.04
ON = 1 / 3
"""When a fault is switched on, as a part of the soak."""

NAME = "gold"
PATIENCE_S = 900.0
"""Beyond the length of a soak: to start, to drain, to judge and to build its report."""

BAD = frozenset({"FAIL", "ADVISORY"})
SINCE = re.compile(r"since (\d+):(\d\d) h of the soak")
OUR_OWN = re.compile(r"no verdict, for (.*?), ran ")
"""What the soak's figures say where the load did not do its own work."""


@dataclass(frozen=True)
class Seen:
    """What a soak came to, as verdict.json tells it.

    Attributes:
        verdict: its content.
        truth: what the server really did.
        start: when the load began, monotonic ns.
        requests: how many were sent.
    """

    verdict: dict[str, Any]
    truth: Truth
    start: int
    requests: int


@dataclass
class Found:
    """A proof held against what was seen.

    Attributes:
        wrong: what is not as it should be; empty: it is proven.
        unclear: why what was measured is no verdict: the load did not do its own work.
        size, true, since, began: the size that was told and the true one; since when, told and true, in seconds.
    """

    wrong: list[str] = field(default_factory=list)
    unclear: str = ""
    size: float | None = None
    true: float = 0.0
    since: float | None = None
    began: float = 0.0
    others: tuple[str, ...] = ()


def sail(proof: Proof, folder: Path, minutes: float) -> Seen:
    """Run the soak of a proof.

    Raises:
        AssertionError: it did not come to a verdict in time.
    """
    seconds = 60 * minutes
    warm = WARM_PART * seconds
    phases = folder / "phases.toml"
    phases.write_text(PHASES.format(warm=warm, open=seconds - warm - REST_S, rest=REST_S, rps=proof.rps))
    path = folder / "run"
    with contextlib.ExitStack() as stack:
        url, server = stack.enter_context(_golden(proof, folder / "golden.log"))
        options = (f"--endpoint={NAME}={url}", f"--log={NAME}={folder / 'golden.log'}", f"--phases={phases}",
                   f"--workload={proof.workload}", "--canary-every=5s", "-p", "no:cacheprovider")  # fmt: skip
        out = stack.enter_context((folder / "pytest.log").open("wb"))
        process = stack.enter_context(ending(start(path, "suites/soak", *options, out=out)))
        begin = _beginning(path, process)
        on_at = begin + round(ON * seconds * SECOND)
        _ended(process, (on_at - time.monotonic_ns()) / SECOND)
        on_at = time.monotonic_ns()
        server.send_signal(signal.SIGUSR1)
        assert _ended(process, seconds + PATIENCE_S), "no end: " + (folder / "pytest.log").read_text()[-2000:]
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/_truth", timeout=60) as answer:
            told = json.load(answer)
    truth = Truth(on_at, tuple(told["told"]), sum(told["fired"].values()))
    rows = sum(isinstance(line, LoadRow) for line in RunDir.open(path).lines("load/*.jsonl"))
    return Seen(json.loads((path / "verdict.json").read_bytes()), truth, begin, rows)


@contextlib.contextmanager
def _golden(proof: Proof, log: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A golden server in a process of its own, its fault held back, and its URL."""
    faults = ["--fault", proof.fault] if proof.fault else []
    command = [sys.executable, "-m", "tests.golden", "--held", "--token-ms", str(proof.token_ms), *faults]
    with log.open("wb") as err:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=err, text=True)
    with ending(process):
        assert process.stdout is not None
        yield until(process.stdout.readline, "the golden server's URL", PATIENCE_S).strip(), process


def _beginning(path: Path, process: subprocess.Popen[str]) -> int:
    """When the load began, monotonic ns; looked for once a second, for all of it runs on one machine.

    Raises:
        AssertionError: it does not begin.
    """
    for _ in range(int(PATIENCE_S)):
        if (begin := _began(path)) or _ended(process, 1.0):
            break
    assert begin, f"no load began: {(path.parent / 'pytest.log').read_text()[-2000:]}"
    return begin


def _ended(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether a process ends within a time."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, seconds))
    return process.returncode is not None


def _began(path: Path) -> int:
    """When the load began, monotonic ns; 0: not yet."""
    try:
        lines = RunDir.open(path).lines("load/*.jsonl")
        return next((line.at for line in lines if isinstance(line, Phase) and line.what == Stage.START), 0)
    except RunDirError:
        return 0


def held_against(proof: Proof, seen: Seen) -> Found:
    """What a soak came to beside what it had to."""
    endpoint = seen.verdict["endpoints"][NAME]
    our_own = OUR_OWN.search(endpoint["figures"].get("soak", ""))
    found = Found(unclear=our_own[1] if our_own is not None else "")
    words = {case.partition("[")[0].removeprefix(SOAK): word for case, word in seen.verdict["outcomes"].items()}
    mine = {proof.rule} - {""}
    found.others = tuple(sorted({rule for rule, word in words.items() if word in BAD} - mine))
    found.wrong += [f"{rule} is {words[rule]}" for rule in found.others if rule not in proof.also]
    open_ = {rule for rule, word in words.items() if word in {"INCONCLUSIVE", "NOT_EXECUTED"}} - {*proof.unsure}
    found.wrong += [] if found.unclear else [f"{rule} is {words[rule]}" for rule in sorted(open_)]
    stops = [stop for stop in seen.verdict["stops"] if stop["family"] not in NO_STOP | STREAMS]
    found.wrong += [f"a stop {stop['family']}" for stop in stops if stop["family"] != proof.stop]
    if not proof.fault:
        return found
    found.true, found.began = proof.truth(seen.truth), proof.began(seen.truth, seen.start)
    if proof.stop:
        _of_stop(proof, found, [stop for stop in stops if stop["family"] == proof.stop], seen.start)
    else:
        _of_rule(proof, found, words.get(proof.rule, "not judged"), endpoint["reasons"])
    if found.since is not None and abs(found.since - found.began) > ONSET_S:
        found.wrong.append(f"since {found.since:.0f} s, not {found.began:.0f} s")
    if found.size is not None and not proof.sizes_agree(found.size, found.true):
        found.wrong.append(f"{found.size:g} {proof.unit}, not {found.true:.3g}")
    return found


def _of_stop(proof: Proof, found: Found, stops: list[dict[str, Any]], start: int) -> None:
    if len(stops) != 1:
        found.wrong.append(f"{len(stops)} stops of {proof.stop}")
        return
    (stop,) = stops
    if stop["until"] is None:
        found.wrong.append("the stop has no end")
        return
    found.since = (stop["alive_at"] - start) / SECOND
    found.size = (stop["until"] - stop["alive_at"]) / SECOND


def _of_rule(proof: Proof, found: Found, word: str, reasons: list[dict[str, Any]]) -> None:
    if word != "FAIL":
        found.wrong.append(f"{proof.rule} is {word}")
        return
    text = next((each["text"] for each in reasons if SOAK + proof.rule in each["case"]), "")
    found.size = proof.sized(text)
    since = SINCE.search(text)
    found.since = 3600.0 * int(since[1]) + 60.0 * int(since[2]) if since is not None else None
    for what, told in (("size", found.size), ("onset", found.since)):
        if told is None:
            found.wrong.append(f"it tells no {what}: {text!r}")
