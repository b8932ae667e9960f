"""Allure results: the words, what stands behind each case, and that secrets and hostile bytes stay out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from seatrial.records import Outcome
from seatrial.report.allure import httpjson
from seatrial.report.allure import results as allure
from seatrial.report.run import Report
from seatrial.run.writer import RunDirError
from tests.report.sample import HOSTILE, NAME
from tests.report.test_diagnosis import ENDPOINT, exchange


@pytest.fixture(scope="module")
def folder(sunk, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("results") / "allure-results"
    assert allure.write(Report(sunk), path) == len(sunk.cases) + 1
    return path


@pytest.fixture(scope="module")
def results(folder) -> dict[str, dict]:
    read = (json.loads(path.read_text()) for path in folder.glob("*-result.json"))
    return {result["fullName"]: result for result in read}


def labels(result: dict) -> dict[str, str]:
    return {label["name"]: label["value"] for label in result["labels"]}


def test_every_case_and_stop_has_one(sunk, results):
    assert {case.case for case in sunk.cases} <= set(results)
    assert len(results) == len(sunk.cases) + 1


@pytest.mark.parametrize(
    ("case", "status", "word"),
    [
        ("sse/role-is-sent-once[usage]", "failed", "API_DEVIATION: chunk 2: assistant"),
        ("models/list-has-its-shape[s0]", "broken", "INCONCLUSIVE: the server was gone"),
        ("params/n-gives-n-choices[n]", "failed", "WAIVED: choices: "),
        ("params/logprobs-are-given[logprobs]", "passed", "ADVISORY: choices[0]: null"),
        ("params/wrong-types-are-refused[n]", "unknown", "NOT_EXECUTED: the run ended before"),
        ("params/max-tokens-caps[cap]", "skipped", "UNSUPPORTED: 400 not here"),
    ],
)
def test_statuses_and_the_first_word(results, case, status, word):
    result = results[f"{case}@{NAME}"]
    assert result["status"] == status
    assert result["statusDetails"]["message"].startswith(word)
    assert result["statusDetails"].get("known", False) is (status == "failed" and word.startswith("WAIVED"))


def test_a_pass_says_nothing(results):
    assert "statusDetails" not in results[f"sse/done-comes-once-and-last[plain]@{NAME}"]


def test_the_title_is_the_requirement(results):
    result = results[f"sse/role-is-sent-once[usage]@{NAME}"]
    assert result["name"].startswith("The first chunk of a choice carries")
    assert result["name"].endswith("[usage]")
    assert labels(result)["severity"] == "critical"
    assert labels(result)["endpoint"] == NAME
    assert (labels(result)["epic"], labels(result)["feature"]) == ("Conformance", "sse")
    parameters = {p["name"]: p["value"] for p in result["parameters"]}
    assert parameters["row"] == "sse/6"
    assert parameters["source"]
    assert result["links"] == [
        {
            "type": "issue",
            "url": "https://github.com/ollama/ollama/pull/17485",
            "name": "https://github.com/ollama/ollama/pull/17485",
        }
    ]


def test_times_are_of_the_wall_clock(results):
    result = results[f"sse/role-is-sent-once[usage]@{NAME}"]
    assert (result["start"], result["stop"]) == (1_795_554_005_000, 1_795_554_005_400)


def test_the_stop_is_a_blocker_with_its_evidence(results, folder):
    result = next(r for name, r in results.items() if name.startswith("stop/"))
    assert result["status"] == "failed"
    assert result["statusDetails"]["message"].startswith("SILENT_STOP: STOPPED by SIGKILL")
    assert labels(result)["severity"] == "blocker"
    held = {a["name"]: (folder / a["source"]).read_text() for a in result["attachments"]}
    assert held["timeline"].startswith("<svg")
    assert held["requests in flight"].count("POST /chat/completions") == 4
    assert "an ordinary slot line" in held["log tail"]
    assert "\x1b" not in held["log tail"]


def test_unobserved_time_is_broken_and_no_blocker(sunk, tmp_path):
    stop = msgspec.structs.replace(sunk.stops[0], family="UNOBSERVED")
    verdict = msgspec.structs.replace(sunk.verdict, stops=(stop,))
    allure.write(Report(type(sunk)(**{**vars(sunk), "cases": (), "verdict": verdict})), tmp_path / "r")
    result = json.loads(next((tmp_path / "r").glob("*-result.json")).read_text())
    assert (result["status"], labels(result)["severity"]) == ("broken", "normal")
    assert result["statusDetails"]["message"].startswith("INCONCLUSIVE: UNOBSERVED")


def test_nothing_hostile_is_markup_or_drives_a_terminal(folder):
    for path in folder.iterdir():
        text = path.read_text()
        assert "\x1b" not in text
        if path.name.endswith("-result.json"):
            assert "<script" not in json.loads(text).get("descriptionHtml", "")


def test_failing_cases_carry_their_exchange(results, folder):
    result = results[f"params/n-gives-n-choices[n]@{NAME}"]
    (attached,) = result["attachments"]
    assert attached["type"] == "application/vnd.allure.http+json"
    assert attached["source"].endswith(".httpexchange")
    document = json.loads((folder / attached["source"]).read_text())
    assert document["request"]["url"] == "http://127.0.0.1:8080/v1/chat/completions"
    assert {"name": "authorization", "value": "__ALLURE_REDACTED__"} in document["request"]["headers"]
    body = document["response"]["body"]
    assert body["truncated"]
    assert body["contentType"] == "text/plain"
    assert body["size"] == 400 * len(HOSTILE)
    assert len(body["value"]) < 2 * (httpjson.HEAD + httpjson.TAIL)
    assert re.search(r"\.\.\.\(\d+ bytes left out\)\.\.\.", body["value"])


def test_a_stream_that_stopped_is_not_complete():
    headers = (("content-type", "text/event-stream"), ("set-cookie", "session=1"), ("X-Api-Key", "k"))
    x = exchange(headers=headers, body=b"data: 1\n\n", error="cut", detail="closed\x1b[0m")
    document = json.loads(httpjson.attachment(x, ENDPOINT, 1, 2))
    assert document["response"]["body"]["stream"] == {"type": "sse", "complete": False, "chunkCount": 0}
    assert [h["value"] for h in document["response"]["headers"][1:]] == ["__ALLURE_REDACTED__"] * 2
    assert document["error"] == {"name": "cut", "message": "closed\\x1b[0m"}


def test_a_starred_header_is_redacted():
    x = exchange(request_headers=(("X-Tenant", "****"), ("Accept", "*/*")))
    document = json.loads(httpjson.attachment(x, ENDPOINT, 1, 2))
    assert [h["value"] for h in document["request"]["headers"]] == ["__ALLURE_REDACTED__", "*/*"]


def test_no_answer_is_an_error_without_a_response():
    document = json.loads(httpjson.attachment(exchange(status=None, error="reset"), None, 1, 2))
    assert "response" not in document
    assert document["error"]["name"] == "reset"


def test_readable_keeps_lines_and_shows_the_rest():
    assert httpjson.readable(b"a\r\nb\tc\x1b[2J\x00\xff") == "a\nb\tc\\x1b[2J\\x00\\xff"
    assert httpjson.readable("\u202eabc".encode()) == "\\u202eabc"


def test_writing_again_replaces_and_spares_what_is_not_ours(sunk, tmp_path):
    path = tmp_path / "results"
    allure.write(Report(sunk), path)
    assert allure.write(Report(sunk), path) == len(list(path.glob("*-result.json")))
    (path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunDirError, match="no Allure results"):
        allure.write(Report(sunk), path)
    assert (path / "thesis.tex").exists()


def test_a_folder_that_cannot_be_written_is_one_line(sunk, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirError):
        allure.write(Report(sunk), tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("suite", "word"), [("soak", "SOAK_FAILURE"), ("behaviour", "MISBEHAVIOUR"), ("", "API_DEVIATION")]
)
def test_a_failure_is_named_after_its_suite(sunk, suite, word):
    failed = next(case for case in sunk.cases if case.outcome is Outcome.FAIL)
    assert allure.message(msgspec.structs.replace(failed, suite=suite)).startswith(f"{word}: ")
