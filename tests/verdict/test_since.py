"""What changed since the last run, as the first screen has it."""

from __future__ import annotations

import msgspec

from seatrial.records import Earlier, Endpoint, Judged, Outcome
from seatrial.verdict.since import line

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


def test_nothing_changed():
    given = cases(x_s=P, y_s=F)
    assert line(earlier(given), given, IT) == "run r1 (READY): the same in 2 cases"


def test_what_fails_anew_what_passes_again_and_what_else_changed():
    before = earlier(cases(x_s=P, x_t=W, y_s=P, z_s=F, v_s=P, w_s=P, gone_s=P), verdict="NOT READY")
    now = cases(x_s=F, x_t=F, y_s=F, z_s=P, v_s=Q, w_s=P, new_s=F)
    assert line(before, now, IT) == (
        "run r1 (NOT READY): 3 cases newly FAIL: a/x 2, a/y[s]; 1 case PASS again: a/z[s]; 1 PASS to INCONCLUSIVE; "
        "the same in 1 case"
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
    assert "9 cases newly FAIL: a/x0[s], a/x1[s], a/x2[s] and 6 rules more" in said
    assert said.isprintable()
    assert len(said) < 400


def test_nothing_in_common():
    assert line(earlier(cases(x_s=P)), cases(y_s=P), IT) == "run r1 (READY): no case in common"
