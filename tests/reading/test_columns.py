"""What columns say of all rows is what each row says of itself, whatever stands in it."""

from __future__ import annotations

import math
from random import Random

import msgspec
import numpy as np
import pytest

from seatrial.reading.soak import rows as single
from seatrial.reading.soak.columns import Rows, known
from seatrial.records import SECOND, LoadRow

OUTCOMES = ("ok", "truncated", "busy", "left", "declined")


def drawn(seed: int, many: int = 200) -> list[LoadRow]:
    draw = Random(seed)

    def at() -> int:
        return draw.choice((0, draw.randrange(20), draw.randrange(20 * SECOND)))

    def told() -> int | None:
        return draw.choice((None, 0, 1, draw.randrange(40), -3))

    return [
        LoadRow(id=f"l-{n}", endpoint="a", outcome=draw.choice(OUTCOMES), intended_at=at(), sent_at=at(), ended_at=at(),
                first_at=at(), last_at=at(), byte_at=at(), content_at=at(), deltas=draw.randrange(4), tokens=told(),
                prompt_tokens=told(), cached=told(), phase=draw.choice("xy"), workload=draw.choice(("chat", "agent")),
                canary=draw.random() < 0.1)
        for n in range(many)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["waited_s", "ttft_s", "ttfb_s", "ttfo_s", "e2e_s", "tpot_s", "chunk_s"])
def test_a_time_is_that_of_each_row(name):
    for seed in range(5):
        rows = drawn(seed)
        wanted = [getattr(single, name)(row) for row in rows]
        found = getattr(Rows(rows), name)
        assert [None if math.isnan(each) else each for each in found.tolist()] == wanted
        assert known(found).tolist() == [each for each in wanted if each is not None]


@pytest.mark.parametrize("limits", ["ttft=2s", "tpot=80ms", "ttft=9s,tpot=1s"])
def test_limits_hold_of_the_same_rows(limits):
    rows, wanted = drawn(3), single.slo(limits)
    assert Rows(rows).hold(wanted).tolist() == [wanted.holds(row) for row in rows]


def test_a_part_of_the_rows_is_what_was_picked_and_counts_itself_alone():
    rows = drawn(4)
    part = Rows(rows).where(np.array([row.outcome == "ok" for row in rows]))
    picked = [row for row in rows if row.outcome == "ok"]
    assert list(part) == picked
    late = part.where(part.whole("sent_at") > SECOND)
    assert list(late) == [row for row in picked if row.sent_at > SECOND]
    assert list(part[1:4]) == picked[1:4]
    assert part[-1] == picked[-1]
    assert part.total("tokens") == sum(row.tokens or 0 for row in picked)
    assert part.tells("tokens").tolist() == [row.tokens is not None for row in picked]
    assert part.has("tokens").tolist() == [bool(row.tokens) for row in picked]
    assert part.counts("outcome") == {"ok": len(picked)}
    assert part.among("phase", {"x"}).tolist() == [row.phase == "x" for row in picked]


def test_groups_hold_each_row_once():
    rows = drawn(5)
    groups = Rows(rows).groups("phase", "workload")
    assert sum(map(len, groups.values())) == len(rows)
    for (phase, workload), part in groups.items():
        assert list(part) == [row for row in rows if (row.phase, row.workload) == (phase, workload)]


def test_no_rows_have_no_times():
    assert not Rows()
    assert known(Rows().waited_s).tolist() == []
    assert Rows().total("tokens") == 0
    assert Rows().groups("phase") == {}


@pytest.mark.parametrize("beyond", [10**400, -(10**400)], ids=["above", "below"])
def test_a_count_beyond_all_reckoning_is_none(beyond):
    rows = [msgspec.structs.replace(row, tokens=beyond, deltas=5) for row in drawn(7, 50)]
    columns = Rows(rows)
    assert not columns.tells("tokens").any()
    assert columns.total("tokens") == 0
    assert known(columns.tpot_s).tolist() == []
    assert [None if math.isnan(each) else each for each in columns.chunk_s.tolist()] == list(map(single.chunk_s, rows))
    assert {single.tpot_s(row) for row in rows} == {None}


def test_what_a_server_says_beyond_all_measure_is_added_up_to_the_last_digit():
    rows = [msgspec.structs.replace(row, tokens=10**200 + n) for n, row in enumerate(drawn(6, 5))]
    assert Rows(rows).total("tokens") == sum(10**200 + n for n in range(5))
    assert Rows(rows).tells("tokens").all()
