"""B: a finding shows what it judged, and what it says it does to a client is so."""

from __future__ import annotations

import json
import re
import shlex
import urllib.error
import urllib.request
from pathlib import Path

import httpx2
import openai
import pytest

from tests.golden.server import Golden
from tests.trials.tried import Said, Tried, hold

PARAMS = "suites/conformance/test_params.py"
CASE = "errors/client-fault-is-never-5xx[stop-number]"
FAULT = '"stop":5'


def failed(tried: Tried, path: Path, golden: Golden) -> Said:
    return tried.suite(path, PARAMS, f"--case={CASE}", f"--endpoint={golden.url}")


def pasted(line: str) -> int:
    """The status of what a curl line sends."""
    words = shlex.split(line)
    url = next(word for word in words if word.startswith("http"))
    body = words[words.index("-d") + 1] if "-d" in words else None
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    request = urllib.request.Request(url, body.encode() if body is not None else None, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_curl_line_pasted_gives_the_answer_that_is_found_wrong(tried: Tried, tmp_path: Path):
    with Golden(faults=("client-fault-500",)) as golden:
        said = failed(tried, tmp_path / "run", golden)
        line = next(iter(re.findall(r"sent +(curl .*)", said.out)), "")
        status = pasted(line) if line else None
    hold(status == 500, "the finding is a 500, and the line that is to be pasted gives 500", f"{status}: {line}")


def test_what_is_shown_is_the_exchange_that_was_judged(tried: Tried, tmp_path: Path):
    with Golden(faults=("client-fault-500",)) as golden:
        said = failed(tried, tmp_path / "run", golden)
    name = next(iter(re.findall(r"seatrial show \S+ (\S+)", said.out)), "")
    shown = tried.seatrial("show", str(said.path), name).out
    hold(FAULT in shown.replace(" ", ""), f"seatrial show {name} shows the faulty request", shown)
    text = next(iter(re.findall(r"got +(\d+) ", said.out)), "")
    hold(text == "500", "got is the answer that is found wrong", text)


def test_the_report_holds_the_exchange_that_was_judged(tried: Tried, tmp_path: Path):
    with Golden(faults=("client-fault-500",)) as golden:
        said = failed(tried, tmp_path / "run", golden)
    folder = said.path / "allure-results"
    results = [json.loads(page.read_text()) for page in folder.glob("*-result.json")]
    mine = [r for r in results if r["fullName"].startswith(CASE)]
    attached = [(folder / a["source"]).read_text() for r in mine for a in r.get("attachments", ())]
    told = [text.replace(" ", "").replace("\\", "") for text in attached]
    hold(
        any(FAULT in text for text in told),
        "the attachment is the faulty request",
        attached or [r["name"] for r in mine],
    )
    page = (said.path / "report.md").read_text()
    hold(FAULT in page, "report.md shows the faulty request", page[-1500:])


@pytest.mark.parametrize(
    ("fault", "rule", "suite", "scenario"),
    [
        ("role-late", "sse/role-is-sent-once", "test_sse.py", "stream"),
        ("stream-usage-beside-a-choice", "sse/usage-comes-last", "test_sse.py", "stream-usage"),
    ],
    ids=["role", "usage"],
)
def test_what_is_said_of_the_sdk_is_not_denied_by_the_rule_that_asks_it(
    tried: Tried, tmp_path: Path, fault: str, rule: str, suite: str, scenario: str
):
    """The SDK was said to raise, or to join roles, where the SDK given the same bytes passes."""
    sdk = "sdk/accumulator-accepts-the-stream"
    cases = [f"--case={name}[{scenario}]" for name in (rule, sdk)]
    with Golden(faults=(fault,)) as golden:
        said = tried.suite(tmp_path / "run", f"suites/conformance/{suite}", *cases, f"--endpoint={golden.url}")
    assert said.outcomes(sdk) == ["PASS"]
    assert said.outcomes(rule) in (["FAIL"], ["ADVISORY"])
    claims = [line for line in re.findall(r"^(?:E +)?so +(.*)", said.out, re.MULTILINE) if "SDK" in line]
    hold(not claims, "the SDK takes this stream: nothing it does is held against it", claims)


def test_what_the_sdk_is_said_to_say_it_says(tried: Tried, tmp_path: Path):
    case = "http/unknown-path-is-a-404-with-an-error-object[unknown-path]"
    with Golden(faults=("unknown-path-html",)) as golden:
        out = tmp_path / "run"
        said = tried.suite(
            out, "suites/conformance/test_http.py", f"--case={case}", f"--endpoint={golden.url}", "--strict"
        )
        transport = httpx2.Client(trust_env=False)
        client = openai.OpenAI(base_url=golden.url, api_key="none", max_retries=0, http_client=transport)
        with client, pytest.raises(openai.NotFoundError) as raised:
            client.get("/seatrial-no-such-path", cast_to=object)
    claim = next(iter(re.findall(r"^(?:E +)?so +(.*)", said.out, re.MULTILINE)), "")
    hold(str(raised.value) in claim, f"the SDK says {str(raised.value)!r}", claim)
