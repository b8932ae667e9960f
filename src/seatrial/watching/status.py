"""The state of a watch in a file, for other monitors: JSON, or Prometheus text where its name ends in ``.prom``.

It is written anew each second, whole or not at all. Whoever reads it must look at ``written_at``: a watch that was
killed writes no last state. What is not known is null in JSON, and not there in Prometheus text.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from seatrial.records import SECOND, Stop
from seatrial.run.writer import RunDirError, write_atomically
from seatrial.text import visible
from seatrial.verdict.watched import weight
from seatrial.watching.findings import Findings
from seatrial.watching.screen import state_word
from seatrial.watching.settings import WatchSettings
from seatrial.watching.view import TargetView, View

PROMETHEUS = ".prom"
BLIND_NS = 5 * SECOND
"""Without a heartbeat of the recorder nothing is observed."""

HELP = {
    "seatrial_watch_running": "1 while the watch runs, 0 once it has ended.",
    "seatrial_watch_observing": "1 while its recorder records.",
    "seatrial_watch_written_seconds": "Unix time at which this was written.",
    "seatrial_watch_exit_code": "Exit status of a watch that has ended.",
    "seatrial_watch_quiet": "1 during planned maintenance.",
    "seatrial_target_up": "1 while the target lives or answers, 0 while it does not; absent: not known.",
    "seatrial_target_health_status": "HTTP status of its health page, as last answered.",
    "seatrial_target_stopped": "1 while a stop of this verdict lasts.",
    "seatrial_target_stops_total": "Stops of the target in this watch.",
}


class StatusFile:
    """The file. Its first write says whether it can be written at all.

    Args:
        path: of the file.
        settings: of the watch.
    """

    def __init__(self, path: Path, settings: WatchSettings) -> None:
        self._path, self._settings = path, settings
        self._since = time.time()

    def write(self, view: View, findings: Findings, code: int | None = None) -> str:
        """Write the state; why it cannot be written, empty where it is.

        Args:
            code: the exit status, once the watch has ended.
        """
        state = self.state(view, findings, code)
        text = prometheus(state) if self._path.suffix == PROMETHEUS else msgspec.json.format(msgspec.json.encode(state))
        try:
            write_atomically(self._path, text + b"\n")
        except RunDirError as error:
            cause = error.__cause__
            return f"--status={self._path} cannot be written: {getattr(cause, 'strerror', None) or 'no such place'}"
        return ""

    def state(self, view: View, findings: Findings, code: int | None = None) -> dict[str, Any]:
        """What is known now."""
        now = time.monotonic_ns()
        quiet = self._settings.limits.quiet_until
        return {
            "version": 1,
            "running": code is None,
            "observing": code is None and bool(findings.beat) and now - findings.beat <= BLIND_NS,
            "exit": code,
            "pid": os.getpid(),
            "started_at": self._since,
            "written_at": time.time(),
            "quiet": bool(quiet) and now <= quiet,
            "targets": [self._target(target, view, findings) for target in view.targets.values()],
        }

    def _target(self, target: TargetView, view: View, findings: Findings) -> dict[str, Any]:
        word, up = state_word(target, view.now)
        told = [stop for stop in findings.told.values() if stop.name == target.name and weight(stop) == "stop"]
        served = target.name in self._settings.endpoints
        return {
            "name": target.name,
            "state": word,
            "up": up,
            "engine_observed": bool(self._settings.canary_s) if served else None,
            "pid": target.pid or None,
            "incarnation": target.incarnation or None,
            "health": target.probe.health if target.probe is not None else None,
            "stops": dict(Counter(stop.family for stop in told)),
            "last_stop": _stop(told[-1], findings) if told else None,
            "lasting": _stop(target.lasting, findings) if target.lasting is not None else None,
        }


def _stop(stop: Stop, findings: Findings) -> dict[str, Any]:
    return {
        "id": stop.id,
        "verdict": stop.family,
        "cause": visible(stop.cause, 300) or None,
        "dead_utc": findings.wall.label(stop.dead_at),
        "over": stop.until is not None,
    }


def prometheus(state: dict[str, Any]) -> bytes:
    """The state in text format 0.0.4."""
    return exposition(_samples(state), HELP)


def exposition(samples: Iterable[tuple[str, dict[str, str], float | int]], texts: Mapping[str, str]) -> bytes:
    """Samples (name, labels, value) in Prometheus text format 0.0.4, each name once with its HELP and TYPE.

    Args:
        texts: of HELP, by name. What ends in ``_total`` is a counter, anything else a gauge.
    """
    found: dict[str, list[str]] = {}
    for name, labels, value in samples:
        told = ",".join(f'{key}="{_quoted(text)}"' for key, text in labels.items())
        found.setdefault(name, []).append(f"{name}{{{told}}} {value}" if told else f"{name} {value}")
    lines: list[str] = []
    for name, listed in found.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# HELP {name} {texts[name]}", f"# TYPE {name} {kind}", *listed]
    return "\n".join(lines).encode()


def _samples(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float | int]]:
    yield "seatrial_watch_running", {}, int(state["running"])
    yield "seatrial_watch_observing", {}, int(state["observing"])
    yield "seatrial_watch_written_seconds", {}, round(state["written_at"], 3)
    yield "seatrial_watch_quiet", {}, int(state["quiet"])
    if state["exit"] is not None:
        yield "seatrial_watch_exit_code", {}, state["exit"]
    for target in state["targets"]:
        label = {"target": target["name"]}
        if target["up"] is not None:
            yield "seatrial_target_up", label, int(target["up"])
        if target["health"] is not None:
            yield "seatrial_target_health_status", label, target["health"]
        if target["lasting"] is not None:
            yield "seatrial_target_stopped", {**label, "verdict": target["lasting"]["verdict"]}, 1
        yield from (
            ("seatrial_target_stops_total", {**label, "verdict": family}, n) for family, n in target["stops"].items()
        )


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
