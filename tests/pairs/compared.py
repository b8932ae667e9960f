"""One comparison: ``pytest suites/behaviour`` over two endpoints, then ``seatrial compare`` over its record."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from seatrial.comparing.margins import differing
from seatrial.records import Compared, Decision, Decisions, OddsWord, Standing
from seatrial.report.decision.plain import DATA
from tests.faults.real import Real, ways

ROOT = Path(__file__).parents[2]
PATIENCE_S = 3600.0
TOLD = 400
"""Characters of a command's words that are told where it came to nothing."""

Server = tuple[str, tuple[str, ...]]
"""A kind of server, and what is added to its command line."""


class NotDecided(Exception):
    """A comparison came to no decision: a server did not start, or a command broke off."""


@dataclass(frozen=True)
class Came:
    """What a comparison came to.

    Attributes:
        exits: of pytest, and of ``seatrial compare``.
        again: whether that decided the same, to the last figure.
        ready: of each endpoint, its own verdict.
        left: probes that had no room.
    """

    seed: int
    exits: tuple[int, int]
    decision: Decision
    again: bool
    ready: dict[str, str]
    left: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Compared, ...]:
        return self.decision.probes

    def named(self) -> list[str]:
        """Every word that calls the two different, and what it is said of."""
        made, apart = self.decision, (OddsWord.CHANGED, OddsWord.DAMAGED, OddsWord.STRANGE)
        said = [f"{row.probe} {row.standing}" for row in self.rows if row.standing in {Standing.WORSE, Standing.BETTER}]
        said += [f"{flip.case} {flip.incumbent} -> {flip.candidate}" for flip in made.cases]
        said += [f"odds of the first token {made.odds.word}"] if made.odds and made.odds.word in apart else []
        return said

    def listed(self) -> list[str]:
        """The probes on the list of what differs, of which a tenth may be so by chance."""
        return [row.probe for row in differing(self.rows)]


@contextmanager
def standing(folder: Path, servers: dict[str, Server]) -> Iterator[dict[str, str]]:
    """The base URLs of real servers of one model, by name; they end with the block.

    Raises:
        NotDecided: one is not here.
        TrialError: one does not start.
    """
    here = ways()
    with ExitStack() as stack:
        urls = {}
        for name, (kind, more) in servers.items():
            if kind not in here:
                raise NotDecided(f"{kind} is not here: not on PATH, or not installed")
            port = _port()
            real = Real(folder, port, [*here[kind](port), *more])
            stack.callback(real.close)
            urls[name] = f"http://127.0.0.1:{port}"
        yield urls


def _port() -> int:
    """A port that the system has just given away."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def compare(folder: Path, urls: Callable[[], dict[str, str]], *more: str, seed: int = 0) -> Came:
    """Hold two servers against each other; a comparison that the folder holds already is read, and none is asked for.

    Args:
        urls: gives their base URLs by the names of their endpoints, the incumbent first.
        more: options of pytest.

    Raises:
        NotDecided: nothing came of it.
        TrialError: a server does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = folder / "run"
    if not (run / DATA).is_file():
        shutil.rmtree(run, ignore_errors=True)  # it was broken off
        endpoints = [f"--endpoint={name}={url}" for name, url in urls().items()]
        words = ["pytest", "-p", "no:cacheprovider", "suites/behaviour", *endpoints, *more]
        _command(*words, f"--seed={seed}", f"--run-dir={run}")
    if not (run / DATA).is_file():
        told = json.loads((run / "verdict.json").read_text("utf-8"))["endpoints"]
        why = "; ".join(f"{name}: {reason['text']}" for name, each in told.items() for reason in each["reasons"])
        raise NotDecided(f"pytest made no decision: {why}")
    return read(folder, seed)


def read(folder: Path, seed: int) -> Came:
    """What a recorded comparison comes to, and whether it is the same when it is decided again."""
    run, out = folder / "run", folder / "again"
    verdict = json.loads((run / "verdict.json").read_text("utf-8"))
    first = _decisions(run / DATA)
    (decision,) = first.decisions
    sides = (f"{run}@{party.name}" for party in (decision.incumbent, decision.candidate))
    code = _command("seatrial.cli", "compare", *sides, f"--out={out}")
    if not (out / DATA).is_file():
        raise NotDecided(f"seatrial compare ended with {code}")
    again = _decisions(out / DATA)
    return Came(
        seed=seed,
        exits=(int(verdict["exit"]), code),
        decision=decision,
        again=again == first and code == first.exit,
        ready={name: str(told["verdict"]) for name, told in verdict["endpoints"].items()},
        left=tuple(sorted({what for what, _ in decision.candidate.untested if "/" in what})),
    )


def _decisions(path: Path) -> Decisions:
    return msgspec.json.decode(path.read_bytes(), type=Decisions)


def _command(*words: str) -> int:
    """Run a module of ours or pytest; its exit status."""
    full = [sys.executable, "-m", *words]
    try:
        done = subprocess.run(full, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotDecided(f"{words[0]} does not end") from error
    if done.returncode not in {0, 1, 10}:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        why = next((line for line in said if line.startswith("ERROR")), said[-1] if said else "without a word")
        raise NotDecided(f"{words[0]} ended with {done.returncode}: {why[:TOLD]}")
    return done.returncode
