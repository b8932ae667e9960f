"""A soak of several short phases, as a user runs it, of a server of its own; and who is who among its processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.judging.run import JudgedRun, judge
from seatrial.records import LoadRow, Phase, Sent, SoakRun, Stage
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError
from tests.e2e.driving import ROOT, processes_of, start
from tests.ending import ending
from tests.waiting import until

PHASES = """
[[phase]]
sort = "warm-up"
length = "1s"

[[phase]]
sort = "closed"
length = "3s"
users = 2

[[phase]]
sort = "open"
length = "{open_s}s"
rps = {rps}

[[phase]]
sort = "rest"
length = "1s"
"""
"""An ending comes in the open phase; with the others it takes five seconds more."""

DEADLINES = {False: "5s", True: "30s"}
"""Of a request, to a golden server and to the embedded one."""
RATES = {False: 4, True: 0.5}
PATIENCE_S = 300.0
MODULE = "-m\0"


@dataclass
class Soaked:
    """What a soak has come to.

    Attributes:
        name: of the endpoint.
        code: exit code of pytest.
        out: what it printed.
    """

    path: Path
    name: str
    code: int
    out: str
    left: list[str]
    judged: JudgedRun = field(init=False)
    run: SoakRun = field(init=False)

    def __post_init__(self) -> None:
        self.judged = judge(RunDir.open(self.path))
        self.run = SoakRun.of(self.name, self.judged.lines)

    @property
    def words(self) -> dict[str, str]:
        """The outcome of each rule."""
        return {case.rule.removeprefix("soak/"): str(case.outcome) for case in self.judged.cases}

    @property
    def ran(self) -> str:
        """For how long it ran, and what ended it."""
        return next((case.figures["ran"] for case in self.judged.cases if "ran" in case.figures), "")


@dataclass
class Under:
    """A soak that is under way, in its open phase.

    Attributes:
        server: the process of the server under it.
    """

    path: Path
    pytest: subprocess.Popen[str]
    server: int

    @property
    def load(self) -> int:
        return child_of(self.pytest.pid, f"{MODULE}locust")

    @property
    def keeper(self) -> int:
        return child_of(self.pytest.pid, f"{MODULE}seatrial.servers.keeper")

    @property
    def recorder(self) -> int:
        return child_of(self.keeper, f"{MODULE}seatrial.monitor.recorder")

    def rows(self) -> int:
        return sum(isinstance(line, LoadRow) for line in RunDir(self.path).lines("load/*.jsonl"))

    def says(self, stage: Stage) -> bool:
        lines = RunDir(self.path).lines("load/*.jsonl", "writers/*/events.jsonl")
        return any(isinstance(line, Phase) and line.what == stage for line in lines)


Act = Callable[[Under], None]


def child_of(pid: int, words: str) -> int:
    """The child of a process whose command line holds some words."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(int(child) for child in found if words in Path(f"/proc/{child}/cmdline").read_text())


@contextlib.contextmanager
def golden(token_ms: int = 20) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A golden server in a process of its own, and its URL."""
    command = [sys.executable, "-m", "tests.golden", "--port", "0", "--token-ms", str(token_ms)]
    with ending(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        yield until(process.stdout.readline, "the golden server's URL", 60).strip(), process


def soak(path: Path, act: Act, *more: str, embedded: bool = False, open_s: int = 6) -> Soaked:
    """Run a soak up to its open phase, act, and wait for its end.

    Args:
        path: of its run directory.
        embedded: of the embedded server; else of a golden one.
        open_s: seconds of its open phase.
    """
    phases = path.parent / "phases.toml"
    phases.write_text(PHASES.format(open_s=open_s, rps=RATES[embedded]))
    options = ("suites/soak", f"--phases={phases}", f"--timeout={DEADLINES[embedded]}", "-p", "no:cacheprovider", *more)
    with contextlib.ExitStack() as stack:
        url, server = ("", None) if embedded else stack.enter_context(golden())
        named = () if embedded else (f"--endpoint=gold={url}",)
        process = stack.enter_context(ending(start(path, *options, *named)))
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
        reader.start()
        until(lambda: _open(path) or process.poll() is not None, "its open phase", PATIENCE_S)
        assert process.poll() is None, "".join(said)
        name = "embedded" if embedded else "gold"
        pid = server.pid if server else RunDir.open(path).endpoints()[name].pid
        assert pid is not None
        act(Under(path, process, pid))
        process.wait(PATIENCE_S)
        until(lambda: not processes_of(path), "everything ended", 20)
        reader.join(10)
        return Soaked(path, name, process.returncode, "".join(said), processes_of(path))


def _open(path: Path) -> bool:
    """Whether requests of the open phase have been answered, and others are on their way."""
    try:
        lines = list(RunDir.open(path).lines("load/*.jsonl", "writers/load*/exchanges.jsonl"))
    except RunDirError:
        return False
    answered = {line.id for line in lines if isinstance(line, LoadRow)}
    open_rows = sum(isinstance(line, LoadRow) and line.phase == "open" for line in lines)
    return open_rows >= 3 and any(isinstance(line, Sent) and line.id not in answered for line in lines)
