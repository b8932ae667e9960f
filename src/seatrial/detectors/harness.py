"""Whether the load and the recorder did their own work: if not, figures and trends say nothing of the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DISPATCH_S, LOOP_S, CPU, STEP_S, SLEPT_S, LOST = 0.050, 0.005, 0.70, 1.0, 1.0, 0.05


@dataclass(frozen=True, slots=True)
class Harness:
    """What is known of our own part; None: not measured.

    Attributes:
        dispatch_s: 99th percentile of the time from a request's moment to its sending.
        loop_s: median lag of the event loop, of the process of the load that has the largest.
        cpu: part of one core that the busiest process of the load took in its busiest minute.
        step_s: the largest step of a wall clock against a steady one.
        lost: part of the recorder's looks that are missing, stops apart.
        missing: workers that went away or whose own network failed, and gaps in the numbers of rows, in words.
        slept_s: for how long a machine slept.
    """

    dispatch_s: float | None = None
    loop_s: float | None = None
    cpu: float | None = None
    step_s: float | None = None
    lost: float | None = None
    missing: tuple[str, ...] = ()
    slept_s: float | None = None


def invalid(of: Harness) -> tuple[str, ...]:
    """Why figures and detectors are no verdict on the server; empty where nothing keeps them from it."""
    return tuple(_reasons(of))


def _reasons(of: Harness) -> Iterator[str]:
    if of.dispatch_s is not None and of.dispatch_s > DISPATCH_S:
        yield f"requests left {of.dispatch_s * 1e3:.0f} ms late (99th percentile; at most {DISPATCH_S * 1e3:.0f})"
    if of.loop_s is not None and of.loop_s > LOOP_S:
        yield f"the load's event loop lagged by {of.loop_s * 1e3:.1f} ms (median; at most {LOOP_S * 1e3:.0f})"
    if of.cpu is not None and of.cpu > CPU:
        yield f"a process of the load took {of.cpu:.0%} of a core (at most {CPU:.0%})"
    if of.step_s is not None and of.step_s > STEP_S:
        yield f"the wall clock was stepped by {of.step_s:.2f} s (at most {STEP_S:.0f})"
    if of.slept_s is not None and of.slept_s > SLEPT_S:
        yield f"the machine slept for {of.slept_s:.0f} s"
    if of.lost is not None and of.lost > LOST:
        yield f"{of.lost:.0%} of the recorder's looks are missing (at most {LOST:.0%})"
    yield from of.missing


def told(of: Harness) -> str:
    """All that is known of our own part, in a line; empty where nothing is."""
    known = (
        (of.dispatch_s, "requests left {:.3f} s late (p99)"),
        (of.loop_s, "event loop {:.4f} s late (median)"),
        (of.cpu, "{:.0%} of a core"),
        (of.step_s, "clock stepped {:.3f} s"),
        (of.lost, "{:.1%} of the recorder's looks missing"),
    )
    return ", ".join(text.format(value) for value, text in known if value is not None)
