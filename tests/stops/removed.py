"""Less evidence: what becomes of a line when a source of evidence is removed from a record.

Each kind of line that the fold reads of the recorder is removed whole, by :data:`KINDS`: a new kind is removed from
every ablation without an entry. What is removed of a line stands below as functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from seatrial.records import Ask, Event, Fact, Gpu, Happening, Line, Meter, Probe, Sample
from seatrial.stops import dispatch

Drop = Callable[[Line], Line | None]
"""What becomes of a line without a source; None: it is gone."""


def without(*kinds: type[Line]) -> Drop:
    return lambda line: None if isinstance(line, kinds) else line


def without_event(*what: Happening, writer: str = "", child: bool | None = None) -> Drop:
    """Without what has happened: by one writer, or of a child, or not of one, where that is said."""

    def drop(line: Line) -> Line | None:
        gone = isinstance(line, Event) and line.what in what and writer in ("", line.w)
        return None if gone and child in (None, bool(line.parent)) else line  # type: ignore[attr-defined]

    return drop


def lacking(kind: type[Line], **fields: object) -> Drop:
    """With fields of one kind of line as if they had not been read."""
    assert set(fields) <= set(kind.__struct_fields__)
    return lambda line: replace(line, **fields) if isinstance(line, kind) else line


def no_counts(line: Line) -> Line:
    """Without the kernel's counts of kills for memory."""
    if isinstance(line, Probe):
        return replace(line, oom_host=None, oom_cgroup=None)
    if isinstance(line, Event):
        counts = {Fact.OOM_HOST, Fact.OOM_CGROUP}
        return replace(line, facts={name: fact for name, fact in line.facts.items() if name not in counts})
    return line


def no_statuses(line: Line) -> Line:
    """With ends of which nobody learned how they came."""
    ended = isinstance(line, Event) and line.what in (Happening.EXIT, Happening.LOST)
    return replace(line, status=None, source="unobservable: removed") if ended else line


def left(lines: Iterable[Line], drop: Drop) -> list[Line]:
    """A record without a source."""
    return [kept for line in lines if (kept := drop(line)) is not None]


NAMES: dict[type[Line], str] = {
    Sample: "samples", Probe: "probes", Ask: "questions", Meter: "counters", Gpu: "GPU",
}  # fmt: skip
"""Kinds of lines whose source bears another name than the kind."""
RECORDED = tuple(
    kind for kind in (*dispatch.LINES, Gpu) if kind is not Event and "endpoint" not in kind.__struct_fields__
)
"""Kinds of lines that the recorder writes. Those of clients name an endpoint; each event is a source of its own."""
KINDS: dict[str, Drop] = {NAMES.get(kind, str(kind.__struct_config__.tag)): without(kind) for kind in RECORDED}
"""Name of a source -> what becomes of a line without it: each kind of line that the recorder writes, removed whole."""
