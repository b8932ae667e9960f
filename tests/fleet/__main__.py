"""``python -m tests.fleet``: two workers on hosts of their own, one of them an hour ahead, against the golden server.

Needs root: the hosts are network namespaces that end with it. Says what it saw; exit 1 where anything does not hold, 10
where this machine is too busy to tell.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from seatrial.records import SoakRun
from tests.fleet import agreeing, hosts
from tests.fleet.scene import Fleet, fleet, plan
from tests.golden.server import Golden
from tests.load.children import locust, soak_of

PORT = 5557
RATE = 10.0


class Proof:
    """What holds, and what does not."""

    def __init__(self) -> None:
        self.failed = self.unclear = 0

    def that(self, holds: bool, text: str) -> None:
        self.failed += not holds
        print(f"{'holds ' if holds else 'BROKEN'}  {text}", flush=True)

    def not_shown(self, text: str) -> None:
        self.unclear += 1
        print(f"unclear {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    parser.add_argument("--seconds", type=float, default=25.0, help="of the open phase")
    options = parser.parse_args()
    hosts.enter("tests.fleet")
    proof = Proof()
    shift = hosts.SHIFT_S if hosts.can_shift() else 0
    print(f"time namespaces: {'one worker is 3,600 s ahead' if shift else 'none on this kernel: no worker is shifted'}")
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        path = Path(folder)
        together = _together(proof, path, options.seconds, shift)
        _alone(proof, path, options.seconds, together)
        _killed(proof, path, shift)
    print(f"{proof.failed} of what was to hold is broken" if proof.failed else "all of it holds")
    return 1 if proof.failed else 10 if proof.unclear else 0


def _begun(made: Fleet, shift: int) -> None:
    """The master here, two workers on hosts of their own."""
    made.master("--master", "--expect-workers", "2")
    for number, ahead in ((1, 0), (2, shift)):
        env = {"SEATRIAL_RUN": str(made.run.with_name(f"{made.run.name}-worker{number}"))}
        made.processes.append(hosts.start(number, made.joining(None), env, shift_s=ahead))


def _together(proof: Proof, path: Path, seconds: float, shift: int) -> SoakRun:
    with Golden(token_ms=5, host=hosts.HUB) as golden:
        with fleet(path / "run", golden.url, PORT, plan(path, 5, seconds, RATE), hosts.HUB) as made:
            _begun(made, shift)
            codes = made.ended()
        truth = golden.truth()
    run = made.soak()
    proof.that(codes == [0, 0, 0], f"master and workers end well: {codes}")
    if any(codes):
        print("\n".join(made.said))
    for what, (ours, theirs) in agreeing.counted(run, truth).items():
        proof.that(ours == theirs, f"{what}: rows {ours}, the server's truth {theirs}")
    proof.that(agreeing.missing(run) == (), "no worker and no line is missing")
    busy = "; ".join(dict.fromkeys(agreeing.doubts(run)))
    proof.that(
        not agreeing.accused(run), f"no rule accuses the server{f', whatever this machine did: {busy}' * bool(busy)}"
    )
    told, allowed = agreeing.delays(made.run, run, truth), agreeing.errors(run)
    for name, pairs in sorted(told.items()):
        stated = allowed[name] / 1e6
        least = min(back for _, back in pairs) / 1e6
        offset = next(line.offset_ns for line in reversed(run.crew) if line.worker == name and line.offset_ns) / 1e9
        proof.that(
            name not in agreeing.apart(told, allowed) and stated < 10,
            f"{name}: {agreeing.by_worker(run)[name]} rows, clock {offset:+.6f} s from ours, stated error "
            f"{stated:.3f} ms; of {len(pairs)} first tokens none is before it left (least {least:.3f} ms after)",
        )
    _arrivals(proof, run, seconds, max(allowed.values()) / 1e9)
    return run


def _arrivals(proof: Proof, run: SoakRun, seconds: float, error_s: float) -> None:
    times = agreeing.due(run, "open")
    wanted = agreeing.schedule(0, "open", RATE, seconds)[: len(times)]
    worst = max(abs(ours - theirs) for ours, theirs in zip(times, wanted, strict=False))
    proof.that(worst <= 2 * error_s + 1e-6, f"arrivals are the one schedule of the seed, within {worst * 1e3:.3f} ms")
    p = agreeing.poisson_p(times, RATE)
    proof.that(p > 0.01, f"{len(times)} arrivals are Poisson of {RATE:g}/s: Kolmogorov-Smirnov p {p:.2f}")


def _alone(proof: Proof, path: Path, seconds: float, together: SoakRun) -> None:
    """The same plan in one process."""
    told = plan(path, 5, seconds, RATE)
    with Golden(token_ms=5, host=hosts.HUB) as golden, locust(golden.url, path / "alone", **told) as child:
        child.communicate(timeout=seconds + 90)
    run = soak_of(path / "alone")
    spread, one = (agreeing.due(each, "open") for each in (together, run))
    shared = min(len(spread), len(one))
    worst = max(abs(a - b) for a, b in zip(spread[:shared], one[:shared], strict=True))
    proof.that(worst < 0.01, f"one process sends {len(one)} requests, the workers {len(spread)}, at the same times")
    busy = [text for each in (together, run) for text in agreeing.doubts(each)]
    if busy:
        proof.not_shown(f"times of the workers and of one process: this machine is too busy to tell: {busy[0]}")
        return
    for phase in ("closed", "open"):
        a, b = agreeing.ttft(together, phase), agreeing.ttft(run, phase)
        near = a.low <= b.high and b.low <= a.high
        text = " and ".join(f"{x.value * 1e3:.1f} ms ({x.low * 1e3:.1f} to {x.high * 1e3:.1f})" for x in (a, b))
        proof.that(near, f"{phase}: median TTFT of the workers and of one process: {text}")
    rates = [agreeing.rate(each, "closed") for each in (together, run)]
    proof.that(abs(rates[0] / rates[1] - 1) < 0.25, f"closed: {rates[0]:.1f} and {rates[1]:.1f} answers a second")


def _killed(proof: Proof, path: Path, shift: int) -> None:
    """One of the two is killed in the middle."""
    told, run_path = plan(path, 2, 25, RATE), path / "killed"
    with Golden(token_ms=5, host=hosts.HUB) as golden, fleet(run_path, golden.url, PORT, told, hosts.HUB) as made:
        _begun(made, shift)
        made.kill_of(2)
        began = time.monotonic()
        codes = made.ended()
    run = made.soak()
    gone = agreeing.missing(run)
    proof.that(
        codes[0] == 5, f"the master ends with {codes[0]}, {time.monotonic() - began:.0f} s after a worker was killed"
    )
    named = [text for text in gone if "all lines from number" in text]
    proof.that(len(named) == 1 and any("went away" in text for text in gone), f"invalid: {'; '.join(gone)}")
    words = agreeing.verdicts(run)
    proof.that(set(words.values()) == {("no-evidence",)}, f"no rule accuses the server: {words}")
    rows = agreeing.by_worker(run)
    proof.that(min(rows.values()) > 0 and len(rows) == 2, f"what both had told is kept: {dict(rows)}")


if __name__ == "__main__":
    sys.exit(main())
