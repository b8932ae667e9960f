"""Rules over a soak: the server is at its end what it was at its beginning. What detectors saw, told as findings.

What they could not see is no PASS: where a server does not tell a thing, or there were too few points in all the
time that was asked for, the case is set aside as UNSUPPORTED and says so. A load generator that did not keep its own
times is no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seatrial.checks.areas.soak import company, lasting, validity
from seatrial.checks.areas.soak.parts import CANARIED, LASTING, intervals, parts
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import Rule, rule
from seatrial.detectors import minutes
from seatrial.detectors import night as nights
from seatrial.detectors.words import NOT_TESTED, Call, Detector, Sighting
from seatrial.reading.soak.columns import once
from seatrial.records import Expect, Finding, Level, SoakRun

GROWS = "the kernel ends it when memory is used up, in the middle of answers"
SLOWER = "clients wait ever longer, until they give up"


@once
def seen(run: SoakRun, expect: Expect) -> dict[Detector, Sighting]:
    """What each detector saw; empty where the soak has no beginning or no end."""
    made = minutes.night(run, parts(run, expect).judged, intervals(expect), _cache(expect))
    return nights.judge(made) if made is not None else {}


def _cache(expect: Expect) -> float:
    return float(expect.settings.get("cache", 0))


def _said(detector: Detector, so: str) -> Callable[[SoakRun, Expect], Iterator[Finding]]:
    """Findings on one detector, as every rule below tells them."""

    def judge(run: SoakRun, expect: Expect) -> Iterator[Finding]:
        sighting = seen(run, expect).get(detector)
        proven = sighting is not None and sighting.word is not Call.CLEAR and detector in COUNTED
        invalid = () if proven else tuple(validity.doubt(run, expect))
        if sighting is None:
            yield no_evidence(f"{detector}", expected="a soak with a beginning and an end", got="none was recorded")
        elif sighting.word in NOT_TESTED:
            yield from list(lasting.cut_short(run)) or [
                refusal(f"{detector}", expected="enough to tell", got=sighting.told, optional=True)
            ]
        elif invalid:
            yield from invalid
        elif sighting.word is not Call.CLEAR:
            got = sighting.got + ("" if sighting.onset_s is None else lasting.clock(sighting.onset_s))
            yield violation(
                f"{detector}", expected="as at the beginning", got=got, so=so, grave=sighting.word is Call.FOUND
            )

    return judge


COUNTED = frozenset({Detector.REST, Detector.LOG, Detector.MEMORY, Detector.FILES, Detector.THREADS})
"""What the record itself proves, however the load kept its times."""


def _figure(detector: Detector) -> Callable[[SoakRun, Expect], dict[str, str]]:
    def figure(run: SoakRun, expect: Expect) -> dict[str, str]:
        sighting = seen(run, expect).get(detector)
        return {f"{FIGURE}{detector}": sighting.told} if sighting is not None and sighting.told else {}

    _figures[figure] = detector
    return figure


FIGURE = "soak: "
"""Before the name of a detector, in a case's figures."""

_figures: dict[Callable[[SoakRun, Expect], dict[str, str]], Detector] = {}


def detector_of(judge: Rule) -> Detector | None:
    """Whose word a rule tells; None: of no detector."""
    return _figures.get(judge.figures) if judge.figures is not None else None


@rule(row="load/7", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 22629",
      figures=_figure(Detector.MEMORY))  # fmt: skip
def memory_does_not_grow(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the server's memory, swapped or not, comes to rest."""
    yield from _said(Detector.MEMORY, GROWS)(run, expect)


@rule(row="load/7", level=Level.SHOULD, of=LASTING, source="public report: vLLM issue 44175", optional=True,
      figures=_figure(Detector.GPU_MEMORY))  # fmt: skip
def gpu_memory_does_not_grow(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the server's memory on GPUs comes to rest."""
    yield from _said(Detector.GPU_MEMORY, "an allocation fails in the middle of answers")(run, expect)


@rule(row="load/7", level=Level.SHOULD, of=LASTING, source="getrlimit(2), RLIMIT_NOFILE",
      figures=_figure(Detector.FILES))  # fmt: skip
def files_do_not_grow(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the server's open files and sockets do not become ever more."""
    yield from _said(Detector.FILES, "at its limit of files it takes no connection any more")(run, expect)


@rule(row="load/7", level=Level.SHOULD, of=LASTING, source="cgroups(7), pids.max", figures=_figure(Detector.THREADS))
def threads_do_not_grow(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the server's threads do not become ever more."""
    yield from _said(Detector.THREADS, "at its limit of threads it answers no request any more")(run, expect)


@rule(row="load/6", level=Level.SHOULD, of=CANARIED, source="public report: llama.cpp issue 22360",
      figures=_figure(Detector.LATENCY))  # fmt: skip
def latency_does_not_drift(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the canary's first token does not come ever later, in like phases."""
    yield from _said(Detector.LATENCY, SLOWER)(run, expect)


@rule(row="load/6", level=Level.SHOULD, of=CANARIED, source="public report: vLLM issue 44490",
      figures=_figure(Detector.LATENCY_STEP))  # fmt: skip
def latency_does_not_step(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The canary's first token does not come later from one moment of a soak on."""
    yield from _said(Detector.LATENCY_STEP, SLOWER)(run, expect)


@rule(row="load/6", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 22360",
      figures=_figure(Detector.DECODE))  # fmt: skip
def pace_does_not_decay(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak the tokens a second of a stream do not become ever fewer, at like load."""
    yield from _said(Detector.DECODE, SLOWER)(run, expect)


@rule(row="load/6", level=Level.SHOULD, of=LASTING, source="public report: ollama issue 13414",
      figures=_figure(Detector.DECODE_STEP))  # fmt: skip
def pace_does_not_drop(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The tokens a second of a stream are not fewer from one moment of a soak on."""
    yield from _said(Detector.DECODE_STEP, SLOWER)(run, expect)


@rule(row="load/8", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 27733",
      figures=_figure(Detector.ERRORS))  # fmt: skip
def errors_do_not_multiply(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak no larger part of the requests goes wrong later than earlier."""
    yield from _said(Detector.ERRORS, "what is rare tonight is common tomorrow")(run, expect)


@rule(row="load/9", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 21831", optional=True,
      figures=_figure(Detector.CACHE))  # fmt: skip
def the_prompt_cache_keeps_helping(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak no smaller part of the prompts is known to the server, workload for workload."""
    yield from _said(Detector.CACHE, "whole prompts are processed again, turn for turn")(run, expect)


@rule(row="load/9", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 23544", optional=True,
      figures=_figure(Detector.DRAFTS))  # fmt: skip
def drafts_stay_accepted(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """Over a soak no smaller part of the drafted tokens is accepted, workload for workload."""
    yield from _said(Detector.DRAFTS, "drafts cost more than they save")(run, expect)


@rule(row="load/10", level=Level.SHOULD, of=LASTING, source="llama.cpp server README, /metrics", optional=True,
      figures=_figure(Detector.REST))  # fmt: skip
def nothing_is_held_at_rest(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """When nothing of ours is under way, the server works at nothing and holds nothing back."""
    found = list(_said(Detector.REST, "a slot is lost until the server is started again")(run, expect))
    held = seen(run, expect).get(Detector.REST)
    if held is not None and held.word is Call.FOUND and (others := company.at_rest(run, minutes.held(run))):
        found = [no_evidence(f"{Detector.REST}", expected="no other client meanwhile", got=others)]
    yield from found


@rule(row="load/11", level=Level.SHOULD, of=LASTING, source="public report: llama.cpp issue 24265", optional=True,
      figures=_figure(Detector.LOG))  # fmt: skip
def the_log_is_not_flooded(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """The server does not write a thousand lines a second into its log."""
    yield from _said(Detector.LOG, "the disk is full before morning")(run, expect)
