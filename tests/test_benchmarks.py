"""What benchmarks make of their figures: by medians, and missed only where every round misses its bound."""

from __future__ import annotations

import pytest

from benchmarks import generator, streams
from benchmarks._rounds import Bound, told

BOUNDS = {"cost": Bound(0.8, "x"), "error": Bound(5.0, " ms")}


@pytest.mark.parametrize(
    ("costs", "code", "line"),
    [
        ((0.7, 0.75, 0.72), 0, "cost: 0.72x (0.70 to 0.75), median of 3 rounds, at most 0.8x: ok"),
        ((0.9, 0.75, 0.95), 0, "cost: 0.90x (0.75 to 0.95), median of 3 rounds, at most 0.8x: ok in 1"),
        ((0.9, 0.81, 0.95), 1, "cost: 0.90x (0.81 to 0.95), median of 3 rounds, at most 0.8x: MISSED in all"),
        ((0.7,), 0, "cost: 0.70x (0.70 to 0.70), one round, at most 0.8x: ok"),
    ],
)
def test_a_bound_is_missed_where_every_round_misses_it(costs: tuple[float, ...], code: int, line: str) -> None:
    lines, found = told([{"cost": cost, "error": 1.0} for cost in costs], BOUNDS)
    assert found == code
    assert lines[0].strip() == line
    assert lines[1].strip().startswith("error: 1.00 ms")


def test_rounds_that_were_all_disturbed_show_nothing() -> None:
    lines, code = told([], BOUNDS)
    assert code == 1
    assert "the machine was not free" in lines[0]


def a_round(ours: float, *, tokens: int = 1000, off: float = 2.0) -> dict[str, dict[str, float]]:
    each = {"tokens": 1000, "p99_ms": 9.0}
    mine = {"cpu_s": ours, "tokens": tokens, "p99_ms": off}
    return {"ours": mine, "http_user": {**each, "cpu_s": 0.05}, "raw": {**each, "cpu_s": 0.03}}


def test_a_client_is_held_against_its_peers_of_the_same_round() -> None:
    (found,) = streams.compared([a_round(0.04)])
    assert list(found.values()) == pytest.approx([0.8, 4 / 3, 2.0])
    assert found.keys() == streams.BOUNDS.keys()


def test_a_round_in_which_a_client_fell_behind_counts_for_nobody() -> None:
    found = streams.compared([a_round(0.04), a_round(0.001, tokens=900), a_round(0.045)])
    assert [round(next(iter(each.values())), 2) for each in found] == [0.8, 0.9]


@pytest.mark.parametrize(("grown", "code"), [((25.0, 12.0, 30.0), 0), ((25.0, 22.0, 30.0), 1)])
def test_a_day_is_too_large_where_each_of_them_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], grown: tuple[float, ...], code: int
) -> None:
    days = iter([*grown, 90.0])
    monkeypatch.setattr(generator, "_day", lambda _hours, _how: (next(days), 864_000))
    assert generator.main() == code
    assert "memory grown in a day: 25.00 MB" in capsys.readouterr().out
