"""A record of a watch, written by hand: what would take ten minutes to watch is judged in a second.

It bears no sums, as the records of the first version do: whatever stands there is taken for what was recorded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

S = 1_000_000_000
START = 1000 * S
PID = 4123
BOOT = 5000 * S


class Written:
    """A watch of one server ``a``, second by second. :meth:`to` writes it down."""

    def __init__(self, health: int | None = 200) -> None:
        self.now = START
        self.health: int | None = health
        self._canaries = 0
        self._cpu = S
        self._samples: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self.pid = PID
        self.found(PID)

    def found(self, pid: int) -> None:
        """A process is found, as the main one."""
        self.pid = pid
        self.event(what="found", pid=pid, incarnation=self.who(pid), started_ticks=(self.now + BOOT) // (S // 100))

    def died(self, status: int) -> None:
        """The main process ends, and nothing answers any more."""
        self.event(what="exit", pid=self.pid, incarnation=self.who(self.pid), status=status, source="pidfd-info",
                   signalled_at=self.now)  # fmt: skip
        self.pid = 0

    def who(self, pid: int) -> str:
        return f"boot-ns-{pid}-1"

    def event(self, **fields: Any) -> None:
        self._events.append({"kind": "event", "name": "a", "at": self.now, "t": self.now, **fields})

    def seconds(self, many: int) -> Written:
        """So many seconds in which its process idles and /health says what it says."""
        for _ in range(many):
            self.now += S
            self._line("clock", wall_ns=10**18 + self.now, boot_ns=self.now + BOOT, raw_ns=self.now)
            lives = bool(self.pid)
            if lives:
                self._cpu += S // 200
                self._line("sample", name="a", pid=self.pid, incarnation=self.who(self.pid), state="S",
                           cpu_ns=self._cpu, switches=self.now // S)  # fmt: skip
            health = self.health if lives else None
            told = {"health": health} if health is not None else {"error": "deadline" if lives else "refused"}
            owner = {"owner": self.pid} if lives else {}
            self._line("probe", name="a", listens=lives, oom_host=0, oom_cgroup=0, **owner, **told)
        return self

    def canary(self, **fields: Any) -> Written:
        """A canary, and ten seconds in which it ends so."""
        self._canaries += 1
        asked = self.now
        self.seconds(1)
        self._line("ask", name="a", rung="canary", id=f"canary-{self._canaries}", asked_at=asked, ended_at=self.now - 1,
                   **fields)  # fmt: skip
        return self.seconds(9)

    def identity(self, **fields: Any) -> Written:
        """It says now what it serves."""
        self._line("identity", name="a", at=self.now, **fields)
        return self

    def right(self) -> Written:
        """A canary that is answered."""
        at = self.now + S // 2
        return self.canary(outcome="ok", status=200, first_at=at, last_at=at, deltas=1)

    def to(self, path: Path) -> Path:
        """The run directory."""
        (path / "watch").mkdir(parents=True)
        (path / "endpoints").mkdir()
        about = {"v": 1, "id": "written", "started": "2026-11-25T01:27:21Z", "started_ns": START, "boot_id": "boot",
                 "arguments": ["watch"], "seed": 0, "versions": {"python": "3.11.7"},
                 "options": {"watch": ["a"], "canary_s": 10}}  # fmt: skip
        (path / "run.json").write_text(json.dumps(about))
        page = {"name": "a", "url": "http://127.0.0.1:9", "kind": "generic", "model": "m", "models": ["m"]}
        (path / "endpoints" / "a.json").write_text(json.dumps(page))
        self.event(what="seal")
        for file, lines in (("samples", self._samples), ("events", self._events)):
            written = [{"v": 1, "w": "recorder", "n": n, **line} for n, line in enumerate(lines)]
            (path / "watch" / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in written))
        return path

    def _line(self, kind: str, **fields: Any) -> None:
        self._samples.append({"kind": kind, "t": self.now, **fields})
