"""E: READY is earned. Beside it, of K, what changed since the last run of an endpoint."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Said, Tried, hold

MODELS = "suites/conformance/test_models.py"
STREAMS = "suites/conformance/test_sse.py"
CHATS = "suites/conformance/test_chat.py"
ADDS_UP = "chat/usage-adds-up"


def words(said: Said) -> str:
    """The verdict of a run's endpoints, and its exit code."""
    return f"{' '.join(e['verdict'] for e in said.verdict['endpoints'].values())} {said.code}"


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("suite", "options", "why"),
    [
        ("behaviour", ("--budget=2s",), "--budget=2s is too little"),
        pytest.param("soak", ("--hazard=polite",), "--hazard=polite allows none of its cases", marks=pytest.mark.long),
        pytest.param("behaviour", ("--budget=2s", "-n2"), "--budget=2s is too little", marks=pytest.mark.long),
    ],
)
def test_a_suite_that_was_asked_for_and_did_not_run_is_not_proven(
    tried: Tried, tmp_path: Path, suite: str, options: tuple[str, ...], why: str
):
    with Golden(token_ms=40 if suite == "behaviour" else 0) as golden:
        said = tried.suite(tmp_path / "run", CHATS, f"suites/{suite}", f"--endpoint={golden.url}", *options)
        text = f"suite {suite} was asked for and did not run: {why}"
        told = words(said) == "NOT PROVEN 10" and text in flat(said.block)
        hold(told, f"NOT PROVEN, exit 10, and: {text}", f"{words(said)}: {said.block}")
        again = tried.seatrial("judge", str(said.path))
        hold(again.code == 10 and text in flat(again.out), "offline the same", f"{again.code}: {again.out}")
        narrow = (f"--case={ADDS_UP}", f"--endpoint={golden.url}", *options)
        said = tried.suite(tmp_path / "narrowed", CHATS, f"suites/{suite}", *narrow)
        hold(words(said) == "READY 0", "a suite that is narrowed away was not asked for: READY", said.block)


def test_a_soak_says_what_it_is_too_short_for(tried: Tried, tmp_path: Path):
    with Golden() as golden:
        asked = ("suites/soak", f"--endpoint={golden.url}", "--dry-run")
        short = tried.suite(tmp_path / "run", *asked, "--soak=1m").out
        longer = tried.suite(tmp_path / "run", *asked, "--soak=31m").out
    must = "a soak of a minute is too short for growth, one of half an hour for drift: not tested, and what it takes"
    hold(re.search(r"growth, decay, rising errors \(needs --soak=10m\)", flat(short)), must, short)
    hold(re.search(r"drift of latency \(needs 120 canaries", flat(longer)), must, longer)
    hold("rising errors" not in longer, "half an hour is enough for growth", longer)


def test_what_is_not_tested_is_counted_from_the_rules_that_there_are(tried: Tried, tmp_path: Path):
    page = tmp_path / "rules.md"
    tried.seatrial("cases", "--markdown", str(page))
    rows = page.read_text().partition("## NOT YET")[2].count("\n| ") - 1
    with Golden() as golden:
        out = tried.suite(tmp_path / "run", "suites/conformance", f"--endpoint={golden.url}", "--dry-run").out
    must = f"{rows} rows without a rule are not tested, as seatrial cases lists them"
    lines = [line for line in out.splitlines() if "no rules yet" in line]
    hold(any(f" {rows} rows of the catalogue" in line for line in lines), must, lines)


def test_the_first_screen_says_how_much_of_the_catalogue_was_asked(tried: Tried, tmp_path: Path):
    """A run of one rule was READY, and nothing said how little that is."""
    with Golden() as golden:
        said = tried.suite(tmp_path / "run", CHATS, "--case", ADDS_UP, f"--endpoint={golden.url}")
    places = {"block": said.block, "report.md": (said.path / "report.md").read_text()}
    for where, text in places.items():
        asked = r"coverage +rows: [1-3] of \d+ asked \([^)]*chat 1 of \d+\); did not apply: 0; not asked: "
        told = re.search(asked, flat(text))
        hold(told, f"{where}: how few rows were asked, of so many, and which areas were not", text[-1500:])
        hold(all(area in flat(text) for area in ("tools", "embeddings", "streams")), "areas are named", text[-1500:])


@pytest.mark.long
def test_a_row_whose_capability_is_declined_did_not_apply(tried: Tried, tmp_path: Path):
    with Golden(["refuses-logprobs"]) as golden:
        params = ("suites/conformance/test_params.py", "-k", "logprobs", f"--endpoint={golden.url}")
        said = tried.suite(tmp_path / "run", *params)
    told = re.search(r"coverage +rows: .* did not apply: (\d+) \(", flat(said.block))
    hold(told and int(told[1]) > 0, "rows that did not apply are counted", said.block)


@pytest.mark.parametrize(
    "fault",
    [
        "stream-without-content",
        pytest.param("stream-with-usage-alone", marks=pytest.mark.long),
        pytest.param("stream-of-blanks", marks=pytest.mark.long),
    ],
)
def test_a_stream_without_content_where_the_plain_answer_has_some_is_a_fail(tried: Tried, tmp_path: Path, fault: str):
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", CHATS, STREAMS, f"--endpoint={golden.url}")
    hold(words(said) == "NOT READY 1", "streams say nothing: NOT READY", f"{words(said)}: {said.block}")
    causes = {reason["case"].partition("[")[0] for reason in said.reasons if reason["word"] == "FAIL"}
    must = "the reason is that a stream has no content"
    hold(causes == {"sse/stream-has-content-where-a-plain-answer-has"}, must, said.block)


@pytest.mark.parametrize(
    "fault",
    [
        "another-model-answers",
        pytest.param("another-model-later", marks=pytest.mark.long),
        pytest.param("another-model-streams", marks=pytest.mark.long),
    ],
)
def test_answers_from_another_model_are_a_fail(tried: Tried, tmp_path: Path, fault: str):
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", CHATS, STREAMS, f"--endpoint={golden.url}")
        again = tried.seatrial("judge", str(said.path))
    must = "answers came from another model: NOT READY"
    hold(words(said) == "NOT READY 1", must, f"{words(said)}: {said.block}")
    causes = {reason["case"].partition("[")[0] for reason in said.reasons if reason["word"] == "FAIL"}
    hold(causes == {"models/answers-name-one-model"}, "that is the one cause", said.block)
    hold(again.code == 1 and "golden-0-mini" in again.out, "offline the same", again.out)


@pytest.mark.long
def test_a_name_that_is_another_and_stays_is_told_and_is_no_fault(tried: Tried, tmp_path: Path):
    with Golden(["constant-alias"]) as golden:
        said = tried.suite(tmp_path / "run", CHATS, STREAMS, f"--endpoint={golden.url}")
    told = "/models/golden-1.gguf" in " ".join(said.verdict["notices"])
    hold(told, "a notice tells what answers call the model", said.block)
    hold(words(said) == "READY 0", "a constant name is no fault", said.block)


@pytest.mark.long
@pytest.mark.parametrize(
    ("suite", "option", "fault", "rule"),
    [
        ("behaviour", "--budget=50s", "another-model-talks", "models/probes-name-one-model"),
        ("soak", "--soak=5s", "another-model-under-load", "soak/streams-name-one-model"),
    ],
    ids=["behaviour", "soak"],
)
def test_another_model_in_a_talk_or_under_load_is_a_fail(
    tried: Tried, tmp_path: Path, suite: str, option: str, fault: str, rule: str
):
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", f"suites/{suite}", f"--endpoint={golden.url}", option)
    hold(words(said) == "NOT READY 1", "some answers came from another model: NOT READY", said.block)
    hold(said.outcomes(rule) == ["FAIL"], f"{rule} says so", said.block)


@pytest.mark.long
def test_what_changed_since_the_last_run_is_a_line(tried: Tried, tmp_path: Path):
    """The second run of an address, where the server is another since and a rule is broken that was not."""
    with Golden() as golden:
        port = int(golden.url.rpartition(":")[2].partition("/")[0])
        first = tried.suite(tmp_path / "first", MODELS, f"--endpoint={golden.url}")
    hold(words(first) == "READY 0", "the first is READY", first.block)
    with Golden(["models-object-wrong"], port=port) as golden:
        said = tried.suite(tmp_path / "second", MODELS, f"--endpoint={golden.url}")
    text = "since run first (READY): broke models/list-has-its-shape[models]"
    hold(text in flat(said.block), f"the first screen says: {text}", said.block)
    line = said.verdict["endpoints"][next(iter(said.verdict["endpoints"]))]["figures"].get("since", "")
    shutil.rmtree(tmp_path / "first")
    again = tried.seatrial("judge", str(said.path))
    hold(text in flat(again.out) and line, "offline the same, though the first run is gone", again.out)
