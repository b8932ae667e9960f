"""What changed since the last run, as the first screen has it."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.records import Earlier, Endpoint, Judged, NightFigure, NightMeasure, Outcome, Stop
from seatrial.verdict import since

IT = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), build="b1")
P, F, Q, W = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WAIVED


def cases(**words: Outcome) -> list[Judged]:
    """Cases of rules a/x, a/y ..., by rule and scenario: ``x_s`` is a/x[s]."""
    named = {name: f"a/{name.replace('_', '[', 1)}]" for name in words}
    return [
        Judged(case=f"{named[n]}@e", endpoint="e", rule=named[n].partition("[")[0], scenario="", suite="c", outcome=w)
        for n, w in words.items()
    ]


def earlier(given: list[Judged], **changes: object) -> Earlier:
    outcomes = {case.case.removesuffix("@e"): str(case.outcome) for case in given}
    last = Earlier(run="r1", verdict="READY", kind="generic", model="m", build="b1", outcomes=outcomes)
    return msgspec.structs.replace(last, **changes)


def line(last: Earlier, given: list[Judged], endpoint: Endpoint | None) -> str:
    return since.line(last, since.now(given, (), endpoint, {}))


def test_nothing_changed():
    given = cases(x_s=P, y_s=F)
    assert line(earlier(given), given, IT) == "run r1 (READY): the same in 2 cases"


def test_what_fails_anew_what_passes_again_and_what_else_changed():
    before = earlier(cases(x_s=P, x_t=W, y_s=P, z_s=F, v_s=P, w_s=P, gone_s=P), verdict="NOT READY")
    now = cases(x_s=F, x_t=F, y_s=F, z_s=P, v_s=Q, w_s=P, new_s=F)
    assert line(before, now, IT) == (
        "run r1 (NOT READY): broke a/x 2, a/y[s]; healed a/z[s]; 1 PASS to INCONCLUSIVE; the same in 1 case"
    )


def test_another_server_at_the_address():
    given = cases(x_s=P)
    last = earlier(given, kind="vllm", model="old\x1b[31m", build="")
    said = "run r1 (READY): the same in 1 case; kind vllm -> generic; model old [31m -> m; build not told -> b1"
    assert line(last, given, IT) == said
    assert line(last, given, None) == "run r1 (READY): the same in 1 case"


def test_many_rules_are_counted_and_foreign_names_harmless():
    words = {f"x{n}_s": P for n in range(9)}
    last = earlier(cases(**words), run="r\x07" * 500, verdict="\u202e")
    said = line(last, cases(**dict.fromkeys(words, F)), IT)
    assert "broke a/x0[s], a/x1[s], a/x2[s] and 6 rules more" in said
    assert said.isprintable()
    assert len(said) < 400


def test_nothing_in_common():
    assert line(earlier(cases(x_s=P)), cases(y_s=P), IT) == "run r1 (READY): no case in common"


def night(measure: NightMeasure, value: float, low: float | None, high: float | None, n: int = 100, **more) -> Earlier:
    figure = NightFigure(value=value, n=n, low=low, high=high, **more)
    return Earlier(run="r1", verdict="READY", outcomes={"a/x[s]": "PASS"}, measured={str(measure): figure})


@pytest.mark.parametrize(
    ("then", "now", "worse", "better"),
    [
        (
            night(NightMeasure.TTFT_P99, 1, 0.9, 1.1),
            night(NightMeasure.TTFT_P99, 2, 1.8, 2.2),
            ("TTFT p99 1 -> 2 s",),
            (),
        ),
        (night(NightMeasure.DECODE, 20, 19, 21), night(NightMeasure.DECODE, 30, 29, 31), (), ("tok/s 20 -> 30",)),
        (night(NightMeasure.DECODE, 30, 29, 31), night(NightMeasure.DECODE, 20, 19, 21), ("tok/s 30 -> 20",), ()),
        (night(NightMeasure.LOST, 0, 0, 4, 100), night(NightMeasure.LOST, 0, 0, 4, 9), (), ()),
        (
            night(NightMeasure.LOST, 0, 0, 4, 1000),
            night(NightMeasure.LOST, 50, 30, 70, 1000),
            ("lost 0 of 1000 -> 50 of 1000",),
            (),
        ),
        (night(NightMeasure.REST, 2e9, 2e9, 2e9), night(NightMeasure.REST, 2.05e9, 2.05e9, 2.05e9), (), ()),
        (
            night(NightMeasure.REST, 2e9, 2e9, 2e9),
            night(NightMeasure.REST, 3e9, 3e9, 3e9),
            ("memory at rest 2 -> 3 GB",),
            (),
        ),
        (night(NightMeasure.TTFT_P99, 1, 0.9, None), night(NightMeasure.TTFT_P99, 5, 4, None), (), ()),
        (
            night(NightMeasure.TTFT_P99, 1, 0.9, 1.1),
            night(NightMeasure.TTFT_P99, 5, None, None, beyond=True),
            ("TTFT p99 1 -> beyond 5 s",),
            (),
        ),
        (
            night(NightMeasure.TTFT_P99, 4, 3, 4.5),
            night(NightMeasure.TTFT_P99, 3.5, None, None, beyond=True),
            (),
            (),
        ),
        (night(NightMeasure.TTFT_P99, 1, 0.9, 1.1), night(NightMeasure.DECODE, 5, 4, 6), (), ()),
    ],
)
def test_a_figure_moved_where_neither_interval_explains_it_and_by_enough(then, now, worse, better):
    found = since.changes(then, now)
    assert (found.worse, found.better) == (worse, better)


def test_a_stop_of_a_family_that_the_last_run_had_none_of_is_told_first():
    stop = Stop(name="e", family="STOPPED", alive_at=1, dead_at=2)
    gap = Stop(name="e", family="UNOBSERVED", alive_at=1, dead_at=2)
    now = since.now(cases(x_s=P), (stop, gap), IT, {})
    assert since.line(earlier(cases(x_s=P)), now) == "run r1 (READY): stopped: STOPPED; the same in 1 case"
    assert "stopped" not in since.line(earlier(cases(x_s=P), stopped=("STOPPED",)), now)
