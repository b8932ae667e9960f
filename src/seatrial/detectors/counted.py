"""What needs no statistics: what is still held at rest, and a log that is flooded."""

from __future__ import annotations

import numpy as np

from seatrial.detectors.words import Call, Detector, Glance, Night, few

FLOOD, FLOOD_S = 1000.0, 30.0
"""Lines a second, for so many seconds in all: a server that tells of each token writes fewer."""

CELLS = 0.01
"""Of the KV memory that may still be held at rest."""


def looks(night: Night) -> list[Glance]:
    """The server at rest, and its log."""
    return [_rest(night), _log(night)]


def _rest(night: Night) -> Glance:
    rest = night.rest
    held = {"running": rest.running, "waiting": rest.waiting} if rest is not None else {}
    known = {name: n for name, n in held.items() if n is not None}
    cells = rest.cells if rest is not None else None
    if not known and cells is None:
        return few(Detector.REST, 0)
    words = [f"{n} {name}" for name, n in known.items()]
    words += [f"{cells:.0%} of KV memory in use"] if cells is not None else []
    bad = any(known.values()) or (cells or 0) > CELLS
    text = ", ".join(words)
    return Glance(Detector.REST, Call.FOUND if bad else Call.CLEAR, got=text, told=text)


def _log(night: Night) -> Glance:
    log = night.log
    if log is None or not np.isfinite(log.values).any():
        return few(Detector.LOG, 0)
    lines = np.nan_to_num(log.values)
    flooded = lines >= FLOOD
    bad = float(flooded.sum()) * night.step_s >= FLOOD_S
    meanwhile = (
        lines[flooded].mean() if flooded.any() else lines.max()
    )  # a server that writes by fits has one huge step
    told = f"{lines.mean():.3g} lines/s, at most {lines.max():.3g}"
    return Glance(
        Detector.LOG,
        Call.FOUND if bad else Call.CLEAR,
        got=f"{meanwhile:.0f} lines a second, more than {FLOOD:.0f} for {flooded.sum() * night.step_s:.0f} s",
        told=told,
        onset_s=float(log.at[np.argmax(flooded)]) if bad else None,
    )
