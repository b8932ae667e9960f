"""Every page that is made from the code is current."""

from __future__ import annotations

import pytest

from seatrial.checks import catalogue
from tests import pages, requirements

pytestmark = pytest.mark.early


def test_every_page_is_as_the_code_makes_it():
    assert pages.stale() == [], "make them again: tox -e pages (python -m tests.pages)"


def test_a_page_that_is_not_current_is_named(tmp_path, monkeypatch):
    for path, made in pages.pages().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(made.replace(b"STOPPED", b"OLD"))
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    told = ["docs/families.md", "docs/words.md", "src/seatrial/verdict.schema.json"]
    assert sorted(pages.stale()) == told
    pages.main()
    assert pages.stale() == []


def test_each_rule_says_what_a_bad_answer_does_to_whom():
    rules = [rule for rules in catalogue.by_row().values() for rule in rules]
    assert [rule.id for rule in rules if not requirements.consequences(rule)] == []
