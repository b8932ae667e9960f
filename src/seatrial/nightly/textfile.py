"""A night as a Prometheus textfile, for the node exporter's collector: whole or not at all, like latest.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seatrial.records import JobWord, NightFigure, Nightly, NightMeasure, NightRun, NightWord, Outcome
from seatrial.watching.status import exposition

NUMBERS: dict[NightWord, int] = {
    NightWord.READY: 0,
    NightWord.NOT_PROVEN: 1,
    NightWord.NOT_READY: 2,
    NightWord.NOT_TRIED: 3,
    NightWord.CUT: 4,
    NightWord.RUNNING: 5,
}
_OF_WORDS = ", ".join(f"{number} {word}" for word, number in NUMBERS.items() if word != NightWord.RUNNING)

FIGURES = {
    NightMeasure.REQUESTS: "seatrial_nightly_requests",
    NightMeasure.LOST: "seatrial_nightly_lost_requests",
    NightMeasure.DISOWNED: "seatrial_nightly_disowned_requests",
    NightMeasure.TTFT_P99: "seatrial_nightly_ttft_p99_seconds",
    NightMeasure.DECODE: "seatrial_nightly_decode_tokens_per_second",
    NightMeasure.REST: "seatrial_nightly_rest_bytes",
}
HELP = {
    "seatrial_nightly_running": "1 while a night goes on; still 1 when the next one is due: it was cut.",
    "seatrial_nightly_written_seconds": "Unix time at which this was written.",
    "seatrial_nightly_started_seconds": "Unix time at which the night began.",
    "seatrial_nightly_exit_code": "Exit status of a night that has ended: 0, 1, 10 or 4.",
    "seatrial_nightly_cut": "1 where an earlier night was cut off, and this one tells it.",
    "seatrial_nightly_hook_failed": "1 where the hook was run and failed.",
    "seatrial_nightly_worse": "What is worse than at the last night that was judged, in lines.",
    "seatrial_nightly_verdict": f"The last night's word: {_OF_WORDS}.",
    "seatrial_nightly_ended_seconds": "Unix time at which the endpoint's last run ended: now less this is its age.",
    "seatrial_nightly_run_seconds": "How long that run took.",
    "seatrial_nightly_cases": "Cases of that run, by outcome; of FAIL, causes.",
    "seatrial_nightly_silent_stops": "Silent stops in that run.",
    "seatrial_nightly_broke": "Cases that failed and did not in the run before.",
    "seatrial_nightly_healed": "Cases that passed and failed in the run before.",
    FIGURES[NightMeasure.REQUESTS]: "Requests of the soak.",
    FIGURES[NightMeasure.LOST]: "Requests of the soak that did not come to an answer.",
    FIGURES[
        NightMeasure.DISOWNED
    ]: "Requests of the soak whose answer no client could use, though some of it was made.",
    FIGURES[
        NightMeasure.TTFT_P99
    ]: "Time to first token, 99th percentile; absent: not known, or beyond all that was measured.",
    FIGURES[NightMeasure.DECODE]: "Tokens a second of a stream, median.",
    FIGURES[NightMeasure.REST]: "Memory of the server's processes when the load had ended.",
}


def render(state: Nightly, written_at: float) -> bytes:
    """The whole text. What is not known is not there."""
    return exposition(_samples(state, written_at), HELP) + b"\n"


def _samples(state: Nightly, written_at: float) -> Iterator[tuple[str, dict[str, str], float | int]]:
    label = {"job": state.job}
    yield "seatrial_nightly_running", label, int(state.state == JobWord.RUNNING)
    yield "seatrial_nightly_written_seconds", label, round(written_at, 3)
    yield "seatrial_nightly_started_seconds", label, round(state.started_at, 3)
    if state.exit is not None:
        yield "seatrial_nightly_exit_code", label, state.exit
    yield "seatrial_nightly_cut", label, int(bool(state.cut))
    yield "seatrial_nightly_worse", label, len(state.worse)
    if state.hook is not None:
        yield "seatrial_nightly_hook_failed", label, int(bool(state.hook.trouble))
    for run in state.endpoints:
        yield from _of_run(run, {**label, "endpoint": run.endpoint})


def _of_run(run: NightRun, label: dict[str, str]) -> Iterator[tuple[str, dict[str, str], float | int]]:
    yield "seatrial_nightly_verdict", label, NUMBERS[run.word]
    yield "seatrial_nightly_ended_seconds", label, round(run.ended_at, 3)
    yield "seatrial_nightly_run_seconds", label, run.seconds
    for outcome in Outcome:
        if outcome in run.counts:
            yield "seatrial_nightly_cases", {**label, "outcome": str(outcome)}, run.counts[outcome]
    if run.counts:
        yield "seatrial_nightly_silent_stops", label, sum(run.stops.values())
    if run.changes is not None:
        yield "seatrial_nightly_broke", label, len(run.changes.broke)
        yield "seatrial_nightly_healed", label, len(run.changes.healed)
    for measure, name in FIGURES.items():
        figure: NightFigure | Any = run.measured.get(measure)
        if figure is not None and not figure.beyond:
            yield name, label, figure.value
