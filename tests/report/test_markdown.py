"""report.md: every case that did not pass, and text of a server only where it is no Markdown."""

from __future__ import annotations

import re

import msgspec

from seatrial.records import Finding
from seatrial.report import markdown
from seatrial.report.run import Report
from tests.report.sample import HOSTILE


def outside_code(page: str) -> str:
    """The page without fenced blocks and code spans, as a Markdown reader takes them away."""
    page = re.sub(r"^(`{3,})text\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", page)


def test_the_verdict_stands_first_and_every_other_case_below(sunk):
    page = markdown.render(Report(sunk), "report.html")
    assert page.startswith("# NOT READY: run 20261124T210000Z-7c1e\n")
    for title in (
        "## FAIL (2)",
        "## WAIVED (1)",
        "## INCONCLUSIVE (5)",
        "## NOT_EXECUTED (1)",
        "## ADVISORY (1)",
        "## UNSUPPORTED (1)",
    ):
        assert title in page
    assert "SILENT STOP   STOPPED by SIGKILL" in page
    assert page.endswith("\n")


def test_a_clean_run_is_short(calm):
    assert "## " not in markdown.render(Report(calm))


def test_text_of_a_server_is_never_markup(sunk):
    breaking = "```\n</code>`` ` | ![x](http://evil.invalid/x) <b>"
    cases = tuple(
        msgspec.structs.replace(case, findings=(Finding("violation", HOSTILE, "", breaking),), why=breaking + HOSTILE)
        for case in sunk.cases
    )
    page = outside_code(markdown.render(Report(type(sunk)(**{**vars(sunk), "cases": cases}))))
    assert "evil.invalid" not in page
    assert "<" not in page


def test_code_spans_and_fences_outgrow_their_content():
    assert markdown.code("a`b``c") == "```a`b``c```"
    assert markdown.code("`x`") == "`` `x` ``"
    assert markdown.code("a|b") == "`a\\|b`"
    assert markdown.fence("````").startswith("`````text\n")
