"""The decision: each word by what it takes, and what each reason says."""

from dataclasses import replace

import msgspec

from seatrial.comparing.decision import decide
from seatrial.comparing.speeds import PACE
from seatrial.records import (
    ClaimWord,
    ItemWord,
    Measure,
    OperatorClaim,
    Outcome,
    Ready,
    Reason,
    Ruling,
    Standing,
)
from seatrial.report.decision import page
from tests.comparing.made import LOOPS, ROLES, case, item, items_of, side


def decided(good=100, bad=0, now=(100, 0), verdict=Ready.READY, reasons=(), **settings):
    candidate = side("B", case(items_of(*now, endpoint="B"), endpoint="B"), verdict=verdict, reasons=reasons)
    return decide(side("A", case(items_of(good, bad))), candidate, **settings)


def test_cut_over():
    found = decided()
    assert (found.cut, found.blockers, found.lacking) == (Ruling.CUT_OVER, (), ())
    assert found.why == "B is READY, and in 1 blocking probe no worse than A by more than 5.0 points."
    assert found.same_cases == 1
    assert "http://127.0.0.1:80/A/v1" in found.back[1]
    assert "model-A" in found.back[1]


def test_a_server_that_is_not_ready_is_not_cut_over_to():
    fail = Reason(word="FAIL", level="MUST", case="sse/role-is-sent-once[plain]@B", text="twice")
    advisory = Reason(word="INCONCLUSIVE", case="x/y[z]@B", text="gone")
    found = decided(verdict=Ready.NOT_READY, reasons=(fail, advisory))
    assert (found.cut, found.blockers) == (Ruling.DO_NOT, (fail,))
    assert found.why == "FAIL sse/role-is-sent-once[plain]: twice."
    assert decided(verdict=Ready.NOT_READY).blockers[0].word == "NOT READY"


def test_what_the_incumbent_fails_as_well_comes_last_and_says_so():
    """It is no reason to keep the one rather than the other: what is the candidate's alone goes before."""

    def fail(rule, name):
        return Reason(word="FAIL", level="MUST", case=f"{rule}[answers]@{name}", text="3 of 3")

    both = side("A", case(items_of(100)), verdict=Ready.NOT_READY, reasons=(fail(ROLES, "A"),))
    reasons = (fail(ROLES, "B"), fail("sse/role-is-sent-once", "B"))
    candidate = side("B", case(items_of(100, endpoint="B"), endpoint="B"), verdict=Ready.NOT_READY, reasons=reasons)
    found = decide(both, candidate)
    assert [reason.case.partition("[")[0] for reason in found.blockers] == ["sse/role-is-sent-once", ROLES]
    assert [reason.text for reason in found.blockers] == ["3 of 3", "3 of 3; A fails it too"]
    assert found.why.startswith("FAIL sse/role-is-sent-once[answers]: 3 of 3")
    assert "though it fails the same" not in page.do(found)
    same = decide(both, replace(candidate, party=msgspec.structs.replace(candidate.party, reasons=reasons[:1])))
    assert "though it fails the same" in page.do(same)
    alone = decide(side("A", case(items_of(100))), candidate)
    assert [reason.text for reason in alone.blockers] == ["3 of 3", "3 of 3"]


def test_worse_beyond_the_margin_blocks():
    found = decided(now=(70, 30))
    assert found.cut is Ruling.DO_NOT
    assert found.blockers[0].word == "WORSE"
    assert "-30.0 points (95 %: -39.6 to -21.9): worse than the incumbent by more than 5.0 points" in found.why


def test_one_fault_is_one_reason():
    fail = Reason(word="FAIL", level="MUST", case=f"{LOOPS}[answers]@B", text="30 of 100")
    found = decided(now=(70, 30), verdict=Ready.NOT_READY, reasons=(fail,))
    assert found.blockers == (fail,)
    assert found.probes[0].standing is Standing.WORSE


def test_few_questions_prove_nothing():
    found = decided(good=20, now=(20, 0))
    assert (found.cut, [reason.word for reason in found.lacking]) == (Ruling.NOT_PROVEN, ["OPEN"])
    assert "questions more) would show it, if the two are equal" in found.why
    assert decided(verdict=Ready.NOT_PROVEN).lacking[0].word == "NOT PROVEN"
    assert decided(good=20, now=(20, 0), margin=0.2).cut is Ruling.CUT_OVER


def test_no_pairs_prove_nothing():
    nothing = decide(side("A"), side("B"))
    assert (nothing.cut, nothing.lacking[0].word) == (Ruling.NOT_PROVEN, "NO PAIRS")
    seeds = decide(side("A", case(items_of(90))), side("B", case(items_of(90, seed=1), endpoint="B")))
    assert "no question of one is of the other's seed" in seeds.lacking[0].text
    other = side("B", case(items_of(90, probe=ROLES, endpoint="B"), rule=ROLES, endpoint="B"))
    assert "none of them was asked of both" in decide(side("A", case(items_of(90))), other).lacking[0].text
    mute = [item(i, ItemWord.SILENT, endpoint="B") for i in range(90)]
    owed = decide(side("A", case(items_of(90))), side("B", case(mute, endpoint="B")))
    assert "90 candidate: no evidence" in owed.lacking[0].text
    assert "the incumbent answered no question" in nothing.lacking[0].text
    gone = decide(side("A", case(items_of(90))), side("B"))
    assert "the candidate answered no question" in gone.lacking[0].text


def two_probes(before, now, level="MUST"):
    """Both asked one probe, each also what is given of another."""
    both = {name: [case(items_of(100, endpoint=name), endpoint=name)] for name in "AB"}
    for name, words in (("A", before), ("B", now)):
        asked = [item(i, word, probe=ROLES, endpoint=name) for i, word in enumerate(words)]
        both[name] += [case(asked, rule=ROLES, endpoint=name, level=level)] if asked else []
    return decide(side("A", *both["A"]), side("B", *both["B"]))


def test_a_blocking_probe_without_pairs_is_named_whoever_was_asked_it():
    good, silent, declined = ([word] * 90 for word in (ItemWord.GOOD, ItemWord.SILENT, ItemWord.DECLINED))
    for before, now, why in (
        (good, [], "it was not asked of the candidate"),
        ([], good, "it was not asked of the incumbent"),
        (good, silent, "90 candidate: no evidence"),
        (silent, good, "90 incumbent: no evidence"),
    ):
        found = two_probes(before, now)
        assert found.cut is Ruling.NOT_PROVEN
        assert [(reason.word, reason.case) for reason in found.lacking] == [("NO PAIRS", ROLES)]
        assert found.why.startswith(f"NO PAIRS {ROLES}: no question that both answered: {why}")
    assert two_probes(good, [], level="SHOULD").cut is Ruling.CUT_OVER
    assert two_probes(declined, declined).cut is Ruling.CUT_OVER  # what the incumbent cannot do either is not lost


def test_answers_that_are_owed_are_said():
    now = [item(i, ItemWord.SILENT if i % 6 == 0 else ItemWord.GOOD, endpoint="B") for i in range(160)]
    found = decide(side("A", case(items_of(160))), side("B", case(now, endpoint="B")))
    assert (found.cut, [reason.word for reason in found.lacking]) == (Ruling.NOT_PROVEN, ["OPEN"])
    assert "27 more questions the candidate gave no word on, and the incumbent did: were those lost" in found.why
    assert "would show it" not in found.why


def test_a_probe_of_a_should_blocks_nobody():
    before, now = case(items_of(90), level="SHOULD"), case(items_of(40, 50, endpoint="B"), level="SHOULD")
    blocking = "p/x"
    both = [case(items_of(100, probe=blocking, endpoint=e), rule=blocking, endpoint=e) for e in "AB"]
    found = decide(side("A", before, both[0]), side("B", now, both[1]))
    assert found.cut is Ruling.CUT_OVER
    assert found.why.endswith(f"; but it is worse in {LOOPS}, which does not block: weigh that.")
    assert [(row.probe, row.standing) for row in found.probes] == [(blocking, Standing.HOLDS), (LOOPS, Standing.WORSE)]


def test_cases_that_came_out_otherwise():
    before = [
        case((), rule="sse/a", outcome=Outcome.PASS),
        case((), rule="sse/b", outcome=Outcome.FAIL, why="was cut"),
        case((), rule="sse/c", outcome=Outcome.PASS),
        case((), rule="sse/d"),
    ]
    now = [
        case((), rule="sse/a", outcome=Outcome.UNSUPPORTED, why="no tools"),
        case((), rule="sse/b", outcome=Outcome.PASS),
        case((), rule="sse/c", outcome=Outcome.FAIL, why="twice"),
        case((), rule="sse/d"),
        case((), rule="sse/e"),
    ]
    found = decide(side("A", *before), side("B", *now))
    assert [(flip.case, flip.incumbent, flip.candidate, flip.why) for flip in found.cases] == [
        ("sse/c[answers]", "PASS", "FAIL", "twice"),
        ("sse/a[answers]", "PASS", "UNSUPPORTED", "no tools"),
        ("sse/b[answers]", "FAIL", "PASS", "was cut"),
    ]
    assert found.same_cases == 1


def test_a_probe_is_told_by_its_pairs_and_not_by_what_its_test_came_to():
    """Of a server that is asked twice: two answers of a hundred fall otherwise, and its test ends otherwise."""
    before = case(items_of(92, 8), outcome=Outcome.PASS)
    now = case(items_of(90, 10, endpoint="B"), endpoint="B", outcome=Outcome.FAIL)
    mute = case((), rule=ROLES, outcome=Outcome.PASS), case((), rule=ROLES, outcome=Outcome.INCONCLUSIVE)
    found = decide(side("A", before, mute[0]), side("B", now, mute[1]))
    assert [flip.case for flip in found.cases] == [f"{ROLES}[answers]"]
    assert [(row.probe, row.lost) for row in found.probes] == [(LOOPS, 2)]


def fast(rate, endpoint="A", probe=LOOPS):
    """Answers of 41 tokens, the first after half a second, a little apart in speed."""
    return tuple(
        item(
            i,
            endpoint=endpoint,
            probe=probe,
            figures={"tokens": 41, "first_s": 0.5, "seconds": 0.5 + 40 / (rate + i % 3 - 1)},
        )
        for i in range(90)
    )


def held(claim, *, load="run", now=None, alone=True, **more):
    claim = OperatorClaim(says="said", **claim)
    before, after = [case(fast(50))], [case(now or fast(90, "B"), endpoint="B")]
    if alone:
        before.append(case(fast(50, probe=PACE), rule=PACE, level="SHOULD"))
        after.append(case(now or fast(90, "B", PACE), rule=PACE, endpoint="B", level="SHOULD"))
    return decide(side("A", *before), side("B", *after, load=load), claims=(claim,), **more)


def told(claim, **more):
    return held(claim, **more).claims[0]


def test_claims_by_measure():
    speed, ratio, bad = Measure.TOKENS_PER_SECOND, Measure.SPEED_RATIO, Measure.BAD_ANSWERS
    assert told({"measure": speed, "at_least": 85}).word is ClaimWord.CONFIRMED
    refuted = told({"measure": speed, "at_least": 112})
    assert refuted.word is ClaimWord.REFUTED
    assert refuted.measured.startswith("89.99 tok/s over 90 (95 %: 89.8")
    assert told({"measure": speed, "at_least": 85, "of": "A"}).word is ClaimWord.REFUTED
    assert told({"measure": ratio, "at_least": 1.7, "at_most": 1.9}).word is ClaimWord.CONFIRMED
    assert told({"measure": ratio, "at_least": 2.0}).word is ClaimWord.REFUTED
    assert told({"measure": Measure.FIRST_WORD_S, "at_most": 1.0}).word is ClaimWord.CONFIRMED
    assert told({"measure": bad, "probe": LOOPS, "at_most": 0.05}).word is ClaimWord.CONFIRMED


def test_a_speed_beside_other_answers_tells_of_one_alone_no_more_than_it_can():
    """One stream alone is no slower than one among others: what those keep holds, what they miss is open."""
    speed, first = Measure.TOKENS_PER_SECOND, Measure.FIRST_WORD_S
    for claim, word in (
        ({"measure": speed, "at_least": 85}, ClaimWord.CONFIRMED),
        ({"measure": speed, "at_least": 112}, ClaimWord.UNRESOLVED),
        ({"measure": speed, "at_most": 112}, ClaimWord.UNRESOLVED),
        ({"measure": speed, "at_most": 60}, ClaimWord.REFUTED),
        ({"measure": first, "at_most": 1.0}, ClaimWord.CONFIRMED),
        ({"measure": first, "at_most": 0.1}, ClaimWord.UNRESOLVED),
        ({"measure": first, "at_least": 0.1}, ClaimWord.UNRESOLVED),
        ({"measure": first, "at_least": 2.0}, ClaimWord.REFUTED),
    ):
        found = told(claim, alone=False)
        assert found.word is word, claim
        assert "beside other answers" in found.measured
        assert (PACE in found.resolve) == (word is ClaimWord.UNRESOLVED)


def test_what_would_resolve_a_claim():
    bad = {"measure": Measure.BAD_ANSWERS, "probe": LOOPS, "at_most": 0.01}
    unresolved = told(bad)
    assert unresolved.word is ClaimWord.UNRESOLVED
    assert unresolved.resolve.startswith("381 answers, if no further one is bad; 90 were judged")
    assert told(bad | {"probe": "json/x"}).resolve == "a run of suites/behaviour that asks json/x"
    near = told({"measure": Measure.TOKENS_PER_SECOND, "at_least": 90.05})
    assert near.resolve.startswith("about ")
    apart = told({"measure": Measure.SPEED_RATIO, "at_least": 1.7}, load="another")
    assert (apart.word, apart.resolve.partition(":")[0]) == (ClaimWord.UNRESOLVED, "both endpoints in one run")
    short = tuple(item(i, figures={"tokens": 3, "first_s": 0.1, "seconds": 0.2}) for i in range(90))
    assert "answers of 16 tokens" in told({"measure": Measure.TOKENS_PER_SECOND, "at_least": 1}, now=short).resolve


def test_where_no_blocking_probe_was_asked_it_says_so():
    parties = (side(n, case(items_of(20, endpoint=n), endpoint=n, level="SHOULD")) for n in ("A", "B"))
    lacking = decide(*parties).lacking
    assert [(each.word, "none was asked of either" in each.text) for each in lacking] == [("NO PAIRS", True)]


def test_a_claim_that_must_hold():
    must = {"measure": Measure.TOKENS_PER_SECOND, "must": True}
    assert held(must | {"at_least": 85}).cut is Ruling.CUT_OVER
    refuted = held(must | {"at_least": 112})
    assert (refuted.cut, refuted.blockers[0].word) == (Ruling.DO_NOT, "REFUTED")
    assert refuted.why.startswith("REFUTED said: it must hold, and 89.99 tok/s")
    assert held(must | {"at_least": 90.05}).cut is Ruling.NOT_PROVEN
    assert held({"measure": Measure.TOKENS_PER_SECOND, "at_least": 112}).cut is Ruling.CUT_OVER


def test_speed_of_the_same_questions():
    found = held({"measure": Measure.SPEED_RATIO, "at_least": 1.7}).speed
    assert (found.n, found.same_load) == (90, True)
    assert 1.79 < found.low <= found.ratio <= found.high < 1.82


def test_the_incumbent_asked_twice():
    again = side("A2", case(items_of(95, 5, endpoint="A2"), endpoint="A2"))
    assert decided(again=again).probes[0].self_flips == (5, 100)


def test_the_same_whoever_decides():
    assert decided(now=(90, 10)) == decided(now=(90, 10))
    words = {ItemWord.GOOD: 60, ItemWord.THOUGHT: 40}
    mixed = [item(i, word, endpoint="B") for i, word in enumerate(w for w, n in words.items() for _ in range(n))]
    found = decide(side("A", case(items_of(100))), side("B", case(mixed, endpoint="B")))
    assert (found.cut, found.probes[0].standing) == (Ruling.NOT_PROVEN, Standing.OPEN)
