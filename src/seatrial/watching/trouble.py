"""What of a line is trouble of the watch itself, in words: an evidence source that fails, and what is not asked."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.records import Ask, Event, Happening, Line, Log, Probe

NO_PORT = "a process without a port"
"""So the recorder says of a process that was named as one: no trouble."""


def troubles(line: Line) -> Iterator[str]:
    """One line each; the same text again is to be said only once."""
    match line:
        case Event(what=Happening.TROUBLE | Happening.PRICE):
            yield f"{line.name}: {line.text}" if line.name else line.text
        case Probe() if line.why and not line.why.startswith(NO_PORT):
            yield f"{line.name}: {line.why}"
        case Ask() if line.skipped and line.skipped != "held alone":
            yield f"{line.name}: {line.rung} not asked: {line.skipped}"
        case Log() if line.note:
            yield f"{line.name}: log {line.file}: {line.note}"
