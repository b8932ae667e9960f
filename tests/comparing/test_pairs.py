"""Which questions pair, and what a pair's words mean."""

from seatrial.comparing.pairs import ONE_ALONE, items, match
from seatrial.records import ItemWord
from seatrial.statistics.sides.paired import PairedTable
from tests.comparing.made import LOOPS, ROLES, case, item


def matched(before, now):
    return match(items([case(before)]), items([case(now, endpoint="B")]))


def test_pairs_by_probe_seed_and_name():
    before = [item(0), item(1), item(2, ItemWord.BAD), item(3, ItemWord.BAD), item(4)]
    now = [item(0), item(1, ItemWord.BAD, why="ran on"), item(2), item(3, ItemWord.BAD), item(4, seed=7)]
    found = matched(before, now)[LOOPS]
    assert found.table() == PairedTable(both=1, lost=1, gained=1, neither=1)
    assert found.beside == {ONE_ALONE: 2}  # another seed makes another question
    assert [(flip.item, flip.lost, flip.why) for flip in found.flips()] == [
        ("short-001", True, "ran on"),
        ("short-002", False, "bad"),
    ]
    assert found.families() == {"f0": [0.0], "f1": [-1.0], "f2": [1.0], "f3": [0.0]}


def test_no_word_makes_no_pair():
    before = [item(0), item(1), item(2, ItemWord.SILENT), item(3, ItemWord.DECLINED)]
    now = [item(0, ItemWord.THOUGHT), item(1, ItemWord.SILENT), item(2), item(3)]
    found = matched(before, now)[LOOPS]
    assert found.pairs == ()
    assert [pair.candidate.word for pair in found.silent] == [ItemWord.THOUGHT, ItemWord.SILENT]
    assert found.at_worst().table() == PairedTable(both=0, lost=2, gained=0, neither=0)
    assert found.beside == {
        "candidate: thinking ate the budget": 1, "candidate: no evidence": 1, "incumbent: no evidence": 1,
        "incumbent: declined": 1,
    }  # fmt: skip


def test_what_the_incumbent_can_do_and_the_candidate_declines_is_lost():
    found = matched([item(0), item(1)], [item(0, ItemWord.DECLINED, why="no tools"), item(1)])[LOOPS]
    assert found.table() == PairedTable(both=1, lost=1, gained=0, neither=0)
    assert found.flips()[0].why == "no tools"


def test_probes_stand_apart_and_one_that_only_one_was_asked_has_no_pairs():
    found = matched([item(0), item(0, probe=ROLES)], [item(0)])
    assert found[LOOPS].table().n == 1
    assert found[ROLES].pairs == ()
    assert match({}, {}) == {}
