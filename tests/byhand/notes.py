"""Made-up notes: facts of a watch kept by hand, entered check by check."""

from __future__ import annotations

from dataclasses import dataclass, field

from seatrial.records import SECOND, Noted


@dataclass
class Notes:
    """Facts in the order in which they are put down; times are minutes since midnight."""

    lines: list[Noted] = field(default_factory=list)

    def put(self, at: float | None, what: str, name: str, value: float | None = None, **more) -> Notes:
        """One fact; without a time: of an entry that bears none."""
        when = 0 if at is None else round(at * 60 * SECOND)
        line = Noted(n=len(self.lines) + 1, t=when, at=when, what=what, name=name, value=value, dated=at is not None)
        for key, given in more.items():
            line = type(line)(**{**{f: getattr(line, f) for f in line.__struct_fields__}, key: given})
        self.lines.append(line)
        return self

    def since(self, at: float | None, **began: float) -> Notes:
        """Start times shown at one check, whole minutes as ``ps`` shows them."""
        for name, minute in began.items():
            self.put(at, "since", name, int(minute // 1) * 60.0)
        return self

    def share(self, at: float, name: str, percent: float, label: str = "CPU") -> Notes:
        """A percentage, to a tenth."""
        return self.put(at, "share", name, round(percent, 1), label=label)

    def pid(self, at: float | None, **pids: int) -> Notes:
        """Pids of processes."""
        for name, pid in pids.items():
            self.put(at, "pid", name, pid=pid)
        return self
