"""``docs/deviations.md``: whatever a list of ours says of a real server stands there, looked at and accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.given import waivers
from seatrial.kinds import profile
from tests import requirements

PAGE = Path(requirements.__file__).parents[1] / "docs" / "deviations.md"
WAIVED, LISTED = "waived in the demo", "listed"
DEMO = "The demo's model"
"""The section of what no server does but the model of the demo."""


class Row(NamedTuple):
    """A row of the page: under which heading it stands, its case, its level, our words, and all of its cells."""

    section: str
    case: str
    level: str
    words: tuple[str, ...]
    text: str


def rows(page: str) -> Iterator[Row]:
    """The rows of the tables of cases; a heading is that of a kind, or :data:`DEMO`, up to its brackets."""
    section, within = "", False
    for line in page.splitlines():
        if line.startswith("## "):
            section = line[3:].partition(" (")[0]
        within = line.startswith("| case |") or (within and line.startswith("|"))
        if within and (found := re.match(r"\| `([^`]+)` \|", line)):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            yield Row(section, found[1], cells[1], tuple(cells[5].split(", ")), line)


def amiss(page: str) -> list[str]:
    """What our lists say and the page does not, or the page says and our lists do not."""
    found = list(rows(page))
    waived = {each.case for each in waivers.read(waivers.DEMO)}
    told = {row.case for row in found if WAIVED in row.words}
    wrong = [f"waived, and no row says so: {case}" for case in sorted(waived - told)]
    wrong += [f"no waiver: {case}" for case in sorted(told - waived)]
    for kind in profile.kinds():
        known = {each.case: each for each in profile.load(kind).known}
        listed = {row.case: row for row in found if row.section == kind and LISTED in row.words}
        wrong += [f"known of {kind}, and no row says so: {case}" for case in sorted(known.keys() - listed.keys())]
        wrong += [f"not listed for {kind}: {case}" for case in sorted(listed.keys() - known.keys())]
        wrong += [f"another link: {c}" for c in known.keys() & listed.keys() if known[c].link not in listed[c].text]
    return wrong


def test_each_waiver_and_each_known_deviation_has_a_row():
    assert amiss(PAGE.read_text("utf-8")) == []


def test_each_row_is_of_a_rule_and_of_its_level():
    rules, found = load_all(), list(rows(PAGE.read_text("utf-8")))
    assert {row.section for row in found} == {kind for kind in profile.kinds() if profile.load(kind).known} | {DEMO}
    for row in found:
        assert row.level == rules[waivers.rule_of(row.case)].level, row.text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("listed, waived in the demo", "listed", "waived, and no row says so: "),
        ("listed, waived in the demo", "waived in the demo", "known of llama.cpp, and no row says so: "),
        ("advisory, listed", "advisory, waived in the demo", "no waiver: "),
        ("## llama.cpp", "## dasllama", "not listed for dasllama: "),
        ("llama.cpp/issues/26535", "llama.cpp/issues/1", "another link: "),
    ],
)
def test_a_page_that_is_not_current_is_told(old, new, told):
    page = PAGE.read_text("utf-8")
    assert old in page
    assert any(each.startswith(told) for each in amiss(page.replace(old, new)))
