"""A: one cause is one reason."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Said, Tried, hold

ANSWERED = "http/valid-request-is-answered"
NEXT = "errors/next-request-is-answered"
WHOLE = "suites/conformance"
FEW = (f"{WHOLE}/test_errors.py", f"{WHOLE}/test_chat.py")

SERVERS = {
    "500 to every chat": "server-error",
    "no usage": "usage-never",
    "every stream stalls": "stall",
    "one token refused": "one-token-refused",
    "an error under a 200": "error-in-a-200",
}
CAUSE = dict.fromkeys(SERVERS, ANSWERED) | {"no usage": "chat/usage-adds-up"}
"""What is wrong with each server, by the rule that says it."""


def _suite(tried: Tried, golden: Golden, path: Path, *arguments: str) -> Said:
    return tried.suite(path, *arguments, f"--endpoint=e={golden.url}", "--timeout=2s", timeout_s=500)


def _reasons(said: Said) -> list[str]:
    """The reasons of the verdict block, a line each."""
    lines = re.findall(r"^  (FAIL [A-Z]+|\?|NOT PROVEN|INCONCLUSIVE) +(.*)$", said.block, re.MULTILINE)
    return [f"{word} {text}" for word, text in lines]


@pytest.mark.long
@pytest.mark.parametrize("how", SERVERS)
def test_a_server_that_is_wrong_in_one_way_has_few_reasons(tried: Tried, tmp_path: Path, how: str):
    with Golden([SERVERS[how]]) as golden:
        said = _suite(tried, golden, tmp_path / "run", WHOLE)
    print(said.block)
    reasons = _reasons(said)
    failed = [reason for reason in reasons if reason.startswith("FAIL")]
    held = len(reasons) <= 6 and len(failed) == 1 and CAUSE[how] in failed[0]
    hold(held, f"at most six reasons, and one FAIL of {CAUSE[how]}", f"{len(reasons)}: {reasons[:8]}")
    counts = said.verdict["endpoints"]["e"]["counts"]
    hold(counts["FAIL"] == 1 and counts["because"] > 20, "FAIL counts causes, and what hangs on them beside", counts)


@pytest.mark.long
@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("no usage", "READY"),
        ("one token refused", "READY"),
        ("500 to every chat", "NOT PROVEN"),
        ("every stream stalls", "NOT PROVEN"),
    ],
)
def test_a_waiver_of_the_cause_alone(tried: Tried, tmp_path: Path, how: str, word: str):
    """It gives READY where nothing else is wrong, and never where no chat, or no stream, was answered."""
    file, first = tmp_path / "waive.toml", tmp_path / "first"
    with Golden([SERVERS[how]]) as golden:
        reasons = _suite(tried, golden, first, WHOLE).reasons
        rule = next(reason["case"].partition("[")[0] for reason in reasons if reason["word"] == "FAIL")
        words = ("--why=known", "--until=2999-01-01", "--who=kim", f"--file={file}")
        tried.seatrial("waive", str(first), rule, *words)
        said = _suite(tried, golden, tmp_path / "run", WHOLE, f"--waive={file}")
    found = said.verdict["endpoints"]["e"]
    hold(found["verdict"] == word, f"{word}, for the operator has waived {rule}", f"{found['verdict']}: {said.block}")


def test_a_refused_request_is_the_fail_of_one_rule_alone(tried: Tried, tmp_path: Path):
    with Golden(["server-error"]) as golden:
        said = _suite(tried, golden, tmp_path / "run", f"{WHOLE}/test_chat.py")
    failed = {case.partition("[")[0] for case, word in said.verdict["outcomes"].items() if word == "FAIL"}
    hold(failed == {ANSWERED}, f"a chat that is answered 500 is the FAIL of {ANSWERED}", f"{sorted(failed)}")


@pytest.mark.long
def test_what_hangs_on_a_cause_says_so_everywhere(tried: Tried, tmp_path: Path):
    """In verdict.json, in JUnit, in the results of Allure; and judged offline as it was judged at once."""
    path, junit = tmp_path / "run", tmp_path / "junit.xml"
    with Golden(["server-error"]) as golden:
        said = _suite(tried, golden, path, f"{WHOLE}/test_chat.py", "-k", "plain", f"--junitxml={junit}")
    because = said.verdict.get("because", {})
    hanging = [case for case, word in said.verdict["outcomes"].items() if word != "PASS" and ANSWERED not in case]
    must = "each case that lacks the answer names the case that says there was none"
    hold(set(because) == set(hanging) and len(hanging) > 3, must, f"{because or said.verdict['outcomes']}")
    told = [p.get("value", "") for p in ElementTree.parse(junit).iter("property") if p.get("name") == "because"]
    hold(sorted(told) == sorted(because.values()), "JUnit tells of each", told)
    results = "".join(file.read_text() for file in (path / "allure-results").glob("*-result.json"))
    hold(results.count('"because of ') + results.count("INCONCLUSIVE: because of") >= len(because), "Allure too", "not")
    again = tried.seatrial("judge", str(path), "--write", path=path)
    same = again.code == said.code and '"because"' in (path / "verdict-rejudged.json").read_text()
    hold(same, "the same offline", again.out)


def test_the_cause_of_a_named_case_is_judged_too(tried: Tried, tmp_path: Path):
    with Golden(["server-error"]) as golden:
        said = _suite(
            tried, golden, tmp_path / "run", WHOLE, "--case", "errors/next-request-is-answered[empty-messages]"
        )
    outcomes = said.verdict["outcomes"]
    must = "the request after a faulty one was answered no better before, and that is the reason"
    words = {case.partition("@")[0]: word for case, word in outcomes.items()}
    held = words.get("errors/next-request-is-answered[empty-messages]") == "INCONCLUSIVE"
    hold(held and words.get(f"{ANSWERED}[one-token]") == "FAIL", must, f"{words} {said.block}")


def test_a_request_that_was_refused_before_as_well_blames_no_client(tried: Tried, tmp_path: Path):
    """``max_tokens: 1`` is refused whatever came before it."""
    with Golden(["one-token-refused"]) as golden:
        said = _suite(tried, golden, tmp_path / "run", *FEW, "-k", "next-request or one-token or empty-messages")
    hold("one bad client" not in said.out, "nobody takes the server from others", said.out[-3000:])
    reasons = "".join(_reasons(said))
    hold(ANSWERED in reasons and NEXT not in reasons, "the refusal is a reason, the next request is none", said.block)
    words = said.outcomes(NEXT)
    hold(set(words) == {"INCONCLUSIVE"}, "a next request that is refused anyway shows nothing", words)


@pytest.mark.long
def test_usage_that_is_missing_is_one_cause(tried: Tried, tmp_path: Path):
    faults = ["usage-missing", "stream-usage-missing"]
    with Golden(faults) as golden:
        said = _suite(
            tried, golden, tmp_path / "run", f"{WHOLE}/test_sse.py", f"{WHOLE}/test_chat.py", "-k", "usage or one-token"
        )
    reasons = _reasons(said)
    hold(len(reasons) == 1 and "chat/usage-adds-up" in reasons[0], "one reason: there is no usage", reasons)


def test_findings_that_differ_in_a_body_alone_are_one_line(tried: Tried, tmp_path: Path):
    with Golden(["bad-messages-500"]) as golden:
        said = _suite(tried, golden, tmp_path / "run", f"{WHOLE}/test_errors.py", "-k", "messages")
    reasons = [reason for reason in _reasons(said) if reason.startswith("FAIL")]
    hold(len(reasons) == 1, "a fault of the client that gets 500 is one reason", reasons)
    hold(said.verdict["endpoints"]["e"]["counts"]["FAIL"] == 1, "and one FAIL", said.block)


def test_what_should_be_otherwise_stands_on_the_terminal(tried: Tried, tmp_path: Path):
    with Golden(["wrong-types-accepted"]) as golden:
        said = _suite(tried, golden, tmp_path / "run", f"{WHOLE}/test_params.py", "-k", "wrong-types")
    lines = [line for line in said.block.splitlines() if "params/wrong-types-are-refused" in line]
    hold(len(lines) == 1 and "advisory" in lines[0], "one line says what is advised", said.block)


@pytest.mark.long
def test_reasons_stand_by_what_they_do_to_clients(tried: Tried, tmp_path: Path):
    """That a request is not answered at all comes before any deviation of an answer."""
    with Golden(["one-token-refused", "role-in-every-chunk"]) as golden:
        said = _suite(tried, golden, tmp_path / "run", f"{WHOLE}/test_sse.py", "-k", "stream-one-token or stream-usage")
    reasons = _reasons(said)
    hold(reasons and ANSWERED in reasons[0], "the unanswered request comes first", reasons)
