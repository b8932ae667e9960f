"""Non-inferiority: what each standing takes, and that two servers that are one are seldom told apart."""

from random import Random

import pytest
from scipy.stats import binom

from seatrial.comparing.margins import FALSE_SHARE, compare, differing
from seatrial.comparing.pairs import items, match
from seatrial.records import ItemWord, Standing
from seatrial.statistics.sides.paired import PairedTable, tango
from tests.comparing.made import LOOPS, ROLES, case, item, items_of


def rows(before, now, **settings):
    settings = {"blocking": {LOOPS}} | settings
    return compare(match(items([case(before)]), items([case(now, endpoint="B")])), **settings)


@pytest.mark.parametrize(
    ("good", "bad", "now_good", "margin", "standing"),
    [
        (100, 0, 100, 0.05, Standing.HOLDS),  # nobody differs: 100 pairs reach 3.7 points
        (40, 0, 40, 0.05, Standing.OPEN),  # 40 reach 8.8
        (40, 0, 40, 0.10, Standing.HOLDS),
        (100, 0, 70, 0.05, Standing.WORSE),
        (100, 0, 94, 0.05, Standing.OPEN),
        (70, 30, 100, 0.05, Standing.BETTER),
    ],
)
def test_standings(good, bad, now_good, margin, standing):
    now = items_of(now_good, good + bad - now_good, endpoint="B")
    row = rows(items_of(good, bad), now, margin=margin)[0]
    assert row.standing is standing
    assert row.low <= row.difference <= row.high
    assert (row.needed > 0) is (standing is Standing.OPEN)


def test_what_lacks_is_said_with_its_time():
    row = rows(items_of(40), items_of(40, endpoint="B"), seconds=2.0)[0]
    assert row.needed > 40
    assert row.more_s == 2.0 * (row.needed - 40)
    assert 0.08 < row.smallest < 0.1


def test_silence_is_not_taken_for_agreement():
    """It holds only if it were so with every answer that it owes a bad one: of 200 questions, of one family each."""

    def owing(number, words=(ItemWord.SILENT,), before=ItemWord.GOOD, good_before=200, **settings):
        asked = [item(i, ItemWord.GOOD if i < good_before else before, family=f"q{i}") for i in range(200)]
        owed = (item(200 - number + i, words[i % len(words)], endpoint="B") for i in range(number))
        return rows(asked, (*items_of(200 - number, endpoint="B"), *owed), **settings)[0]

    none, few, many = owing(0), owing(2), owing(20, (ItemWord.SILENT, ItemWord.THOUGHT))
    assert (none.standing, none.silent, none.at_worst) == (Standing.HOLDS, 0, none.low)
    assert (few.standing, few.n, few.silent) == (Standing.HOLDS, 198, 2)
    assert few.at_worst == tango(PairedTable(both=198, lost=2, gained=0, neither=0))[0] < few.low
    assert (many.standing, many.n, many.silent) == (Standing.OPEN, 180, 20)
    assert many.low > -many.margin > many.at_worst
    assert (many.needed, many.more_s) == (0, 0.0)  # no further question mends it
    assert owing(50, (ItemWord.THOUGHT,), margin=0.35).standing is Standing.HOLDS
    both_fail = owing(20, before=ItemWord.BAD, good_before=180)
    assert (both_fail.standing, both_fail.at_worst) == (Standing.HOLDS, both_fail.low)


def test_a_candidate_that_owes_answers_is_not_better():
    """Of 30 questions gained and 22 owed it is no worse, whatever those were."""
    before, now = items_of(170, 30), items_of(200, endpoint="B")
    owed = tuple(item(i, ItemWord.SILENT, endpoint="B") for i in range(22))
    assert rows(before, (*owed, *now[22:]))[0].standing is Standing.HOLDS
    assert rows(before, now)[0].standing is Standing.BETTER


def test_questions_of_one_family_weigh_less():
    """Every flip in one family of eight: Tango's interval takes pairs for independent, that of families does not."""
    before = tuple(item(i, family=f"f{i // 25}") for i in range(200))
    now = tuple(item(i, ItemWord.BAD if i < 12 else ItemWord.GOOD, endpoint="B") for i in range(200))
    row = rows(before, now)[0]
    alone = rows(tuple(item(i, family=f"q{i}") for i in range(200)), now)[0]
    assert row.by_family
    assert not alone.by_family
    assert row.low < alone.low


def test_of_many_blocking_probes_one_that_is_bad_by_chance_convicts_nobody():
    """A p value of .02 alone says WORSE; among ten probes Holm asks for a tenth of that."""
    before, now = items_of(60), items_of(50, 10, endpoint="B")
    alone = rows(before, now)[0]
    assert alone.standing is Standing.WORSE
    others = [f"p{i}/x" for i in range(9)]
    many_before = (*before, *(i for probe in others for i in items_of(60, probe=probe)))
    many_now = (*now, *(i for probe in others for i in items_of(60, probe=probe, endpoint="B")))
    found = {row.probe: row for row in rows(many_before, many_now, blocking={LOOPS, *others})}
    assert found[LOOPS].standing is Standing.OPEN
    assert found[LOOPS].worse == pytest.approx(10 * alone.worse)
    assert differing(found.values()) == (found[LOOPS],)  # on the list to look through it stands


def test_of_many_probes_one_that_is_good_by_chance_is_not_better():
    """Of one probe alone six answers gained and none lost are better; among ten Holm asks for more."""
    before, now = items_of(54, 6), items_of(60, endpoint="B")
    assert rows(before, now, margin=0.2)[0].standing is Standing.BETTER
    others = [f"p{i}/x" for i in range(9)]
    many_before = (*before, *(i for probe in others for i in items_of(60, probe=probe)))
    many_now = (*now, *(i for probe in others for i in items_of(60, probe=probe, endpoint="B")))
    found = {row.probe: row for row in rows(many_before, many_now, blocking=(), margin=0.2)}
    assert found[LOOPS].low > 0
    assert found[LOOPS].standing is Standing.HOLDS
    assert found[LOOPS].better == pytest.approx(10 / 64)


def test_blocking_probes_stand_first_and_the_incumbents_own_flips_beside():
    before = (*items_of(50, probe=ROLES), *items_of(50))
    now = (*items_of(50, probe=ROLES, endpoint="B"), *items_of(48, 2, endpoint="B"))
    again = match(items([case(before)]), items([case(items_of(47, 3, endpoint="A2"))]))
    first, second = rows(before, now, again=again)
    assert (first.probe, first.self_flips, second.probe, second.self_flips) == (LOOPS, (3, 50), ROLES, None)
    assert [flip.item for flip in first.flips] == ["short-048", "short-049"]


def test_a_server_against_itself():
    """150 comparisons of a server with itself, two probes each, at a rate of 10 %: the share in which any probe is
    named worse or better lies below alpha's binomial bound, and the share of false names on the list below its own."""
    draw, runs, worse, better, named = Random(3), 150, 0, 0, 0
    probes = ("a/x", "b/x")

    def asked(endpoint):
        words = (ItemWord.BAD if draw.random() < 0.1 else ItemWord.GOOD for _ in range(len(probes) * 40))
        return [item(i, word, probe=probes[i % 2], endpoint=endpoint, family=str(i)) for i, word in enumerate(words)]

    for _ in range(runs):
        found = rows(asked("A"), asked("B"), blocking=set(probes), margin=0.001)
        worse += any(row.standing is Standing.WORSE for row in found)
        better += any(row.standing is Standing.BETTER for row in found)
        named += bool(differing(found))
    assert worse <= binom.ppf(0.975, runs, 0.025)
    assert better <= binom.ppf(0.975, runs, 0.025)
    assert named <= binom.ppf(0.975, runs, FALSE_SHARE)
    assert worse > 0  # at a margin of next to nothing it happens
