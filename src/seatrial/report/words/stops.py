"""A silent stop in words: what happened and when, the last sign of life, what is excluded, and what is not known.

A field that an older run does not hold is left out; what a stop's own record cannot tell says why.
"""

from __future__ import annotations

import re

from seatrial.records import NOTICES, SECOND, STREAMS, Stop
from seatrial.report.words.plain import Wall, count, duration
from seatrial.text import signal_name, visible

_SUSPECTS_SHOWN = 4
_IDS_SHOWN = 8
_SHOWN = {
    "STOPPED": ("child of ",),
    "WEDGED": ("/health", "scheduler silent"),  # and what the canaries were told
    "IMPOSTOR": ("the port is owned by",),
    "OTHER MODEL": ("it listed",),
    "OTHER BUILD": ("its build was",),
    "TWO OWNERS": ("the port is owned by",),
    "RUNNER REPLACED": ("child ",),
}
"""Evidence of which the first words make it part of the headline, by family: which rung is well, who came for whom."""
_BEHIND = (": the fault is behind it", ": it stands behind this one")
"""How evidence ends that names the stop of the server behind a gateway; it is part of the headline."""
_CANARIES = re.compile(r"[0-9]+ (?:of the last [0-9]+ )?canaries")
"""Evidence that begins so says what came of the canaries: the reason of a stop, which stands before all else."""
_OWNERS = frozenset({"IMPOSTOR", "RUNNER REPLACED", "OTHER MODEL", "OTHER BUILD", "TWO OWNERS"})
"""Families whose evidence in the headline says whom it befell."""
_ENDS = frozenset({"STOPPED", "RESTARTED", "RUNNER REPLACED"})
"""Families of which a process ended: how it ended is part of the headline."""


def stop_rows(stop: Stop, wall: Wall, end: int, streams: int | None = None) -> list[tuple[str, str]]:
    """Label and text of each line about a stop; the first label is empty.

    Args:
        end: the time of the last record, monotonic ns: until when a successor was waited for.
        streams: how many the record holds of the endpoint, where that is known.
    """
    rows = [("", headline(stop, wall, end, streams))]
    if stop.family in STREAMS:
        rows.append(("streams", _ids(stop)))
    else:
        rows.append(("last sign of life", _life(stop, wall)))
        rows.append(("first broken rung", visible(stop.rung) or "not told by the record"))
    if stop.seen_at > stop.dead_at:
        rows.append(("detected", f"{duration((stop.seen_at - stop.dead_at) / SECOND)} after the first proof of it"))
    rest = [text for text in stop.evidence if text not in _shown(stop)]
    if rest:
        rows.append(("evidence", visible("; ".join(rest))))
    if stop.family not in STREAMS:
        rows.append(("excluded", visible("; ".join(stop.excluded)) or "nothing could be excluded"))
    rows.append(("cause", visible(stop.cause)))
    rows.extend((f"  {n}", visible(text)) for n, text in enumerate(stop.hypotheses, start=1))
    if stop.alike:
        rows.append(("looks like", visible(", ".join(stop.alike))))
    if stop.family not in STREAMS:
        rows.append(("log", _log(stop, wall)))
    return rows


def headline(stop: Stop, wall: Wall, end: int, streams: int | None = None) -> str:
    """``STOPPED by SIGKILL between A and B UTC; pid 1, up 3 s; no successor in 40 min``."""
    interval = f"between {wall.label(stop.alive_at)} and {wall.label(stop.dead_at)} {wall.zone}".rstrip()
    if stop.family == "CLOCK STEPPED":
        return f"CLOCK STEPPED by {step(stop)} {interval}"
    if stop.family == "LOG STORM":
        return _storm(stop, wall)
    shown = [visible(text, 200) for text in _shown(stop)]
    who = shown if shown and stop.family in _OWNERS else [*_who(stop), *shown]
    after = [] if stop.family in NOTICES else _after(stop, wall, end)
    parts = [f"{stop.family}{_how(stop, streams)} {interval}", *_loop(stop), *who, *after]
    return "; ".join(part for part in parts if part)


def _loop(stop: Stop) -> list[str]:
    """``12 times in 70 s, never ready``, and each life: a crash loop."""
    if not stop.restarts:
        return []
    times = count(stop.restarts, "time") + f" in {duration(stop.looped_ns / SECOND)}"
    last = f'last words: "{visible(stop.log[-1], 120)}"' if stop.log else ""
    return [f"{times}{'' if stop.until else ', never ready'}", visible(stop.lives), *([last] if last else [])]


def _storm(stop: Stop, wall: Wall) -> str:
    """``LOG STORM of 4,100 lines and 0.3 MB a second since A UTC; over at B``; a notice, whose rest is detail."""
    rate = visible(stop.evidence[0], 100) if stop.evidence else "a rate that is not told"
    over = f"; over at {wall.label(stop.until)}" if stop.until is not None else ""
    return f"LOG STORM of {rate} since {wall.label(stop.dead_at)} {wall.zone}".rstrip() + over


def step(stop: Stop) -> str:
    """How far the wall clock was stepped: ``+240 s``, ``-0.8 s``."""
    seconds = stop.step_ns / SECOND
    return f"{'+' if seconds >= 0 else '-'}{duration(abs(seconds))}"


def _shown(stop: Stop) -> list[str]:
    first = _SHOWN.get(stop.family, ())
    shown = [text for text in stop.evidence if text.endswith(_BEHIND) or (first and text.startswith(first))]
    canaries = [text for text in stop.evidence if stop.family == "WEDGED" and _CANARIES.match(text)]
    return [*canaries, *(text for text in shown if text not in canaries)]


def _how(stop: Stop, streams: int | None) -> str:
    if stop.family in _ENDS and stop.signal is not None:
        return f" by {signal_name(stop.signal)}"
    if stop.family in _ENDS and stop.code is not None:
        return f" with exit status {stop.code}"
    if stop.family == "STOPPED":
        return f", how is not observable ({visible(stop.source)})" if stop.source else ", how is not observable"
    if stop.streams:
        return f": {stop.streams} of {count(streams, 'stream')}" if streams else f": {count(stop.streams, 'stream')}"
    return ""


def _who(stop: Stop) -> list[str]:
    """Whom it befell: ``pid 1, up 3 s``; where another came in its place, ``pid 1, up 3 s -> pid 2``."""
    before = f"pid {stop.pid}" if stop.pid else _pid(stop.incarnation)
    if before and stop.uptime_s is not None:
        before += f", up {duration(stop.uptime_s)}"
    after = _pid(stop.successor)
    if before and after and stop.family in ("RESTARTED", "RUNNER REPLACED", "IMPOSTOR"):
        return [f"{before} -> {after}"]
    followed = [f"followed by {after}"] if after and stop.family != "STOPPED" else []
    return [*([before] if before else []), *followed]


def _pid(incarnation: str) -> str:
    """``pid 7`` of an incarnation (boot, pid namespace, pid, start ticks); what is no such name stays as it is."""
    parts = incarnation.split("-")
    pid = parts[-2] if len(parts) >= 3 else incarnation.split(":")[1] if incarnation.count(":") == 2 else ""
    return f"pid {pid}" if pid.isdecimal() else visible(incarnation, 80)


def _after(stop: Stop, wall: Wall, end: int) -> list[str]:
    """What came after: the gap and when it was back, or for how long nobody came."""
    if stop.family in STREAMS:
        return []
    if stop.until is not None:
        if wall.by_hand:
            return [f"back at {wall.label(stop.until)}, as noted"]
        back = f"back at {wall.label(stop.until)} after {duration((stop.until - stop.alive_at) / SECOND)}"
        return [f"gap {gap(stop)}", back] if stop.family in ("RESTARTED", "RUNNER REPLACED") else [back]
    watched = duration(max(end - stop.dead_at, 0) / SECOND)
    if stop.successor:
        return [f"not back in the {watched} watched since"]
    return [f"no successor in {watched}" if stop.family == "STOPPED" else f"not back in the {watched} watched since"]


def gap(stop: Stop) -> str:
    """From the first proof of death to the first sign of the successor, in ms below ten seconds."""
    seconds = max((stop.until or stop.dead_at) - stop.dead_at, 0) / SECOND
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else duration(seconds)


def _life(stop: Stop, wall: Wall) -> str:
    proof = visible(stop.proof) or "a sample of the recorder"
    if wall.by_hand:
        return f"{proof}; requests in flight were not noted"
    return f"{proof} at {wall.label(stop.alive_at)} ({in_flight(stop)})"


def _log(stop: Stop, wall: Wall) -> str:
    if wall.by_hand:
        return visible("; ".join(stop.log), 200) or "nothing was noted of it"
    return f"last line: {visible(stop.log[-1], 200)}" if stop.log else "no log is open to us"


def in_flight(stop: Stop) -> str:
    """``no request was in flight``, or how many were, with the names of the first ones."""
    if not stop.suspects:
        return "no request was in flight"
    number = len(stop.suspects)
    names = ", ".join(_suspect(stop, name) for name in stop.suspects[:_SUSPECTS_SHOWN])
    more = ", ..." if number > _SUSPECTS_SHOWN else ""
    return f"{count(number, 'request')} {'was' if number == 1 else 'were'} in flight: {names}{more}"


def _ids(stop: Stop) -> str:
    """The streams that a family told from traffic is about."""
    names = ", ".join(_suspect(stop, name) for name in stop.suspects[:_IDS_SHOWN])
    more = f" and {len(stop.suspects) - _IDS_SHOWN} more" if len(stop.suspects) > _IDS_SHOWN else ""
    return f"{names}{more}" if names else "their ids are not in the record"


def _suspect(stop: Stop, name: str) -> str:
    scenario = stop.sent.get(name, "")
    return visible(f"{name} ({scenario})" if scenario else name, 80)
