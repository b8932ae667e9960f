"""G: rules that were too mild, too strict, or passed on nothing."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from tests.golden.server import Golden
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import Said, Tried, hold

CHATS = "suites/conformance/test_chat.py"
STREAMS = "suites/conformance/test_sse.py"
HTTP = "suites/conformance/test_http.py"
MODELS = "suites/conformance/test_models.py"


def run(tried: Tried, path: Path, suite: str, fault: str, *options: str) -> Said:
    with Golden(faults=(fault,)) as golden:
        return tried.suite(path, suite, f"--endpoint={golden.url}", *options)


def of(said: Said, word: str) -> list[str]:
    return sorted(case for case, outcome in said.verdict["outcomes"].items() if outcome == word)


@pytest.mark.parametrize("fault", ["created-in-milliseconds", pytest.param("created-zero", marks=pytest.mark.long)])
def test_created_that_is_no_time_in_seconds_fails(tried: Tried, tmp_path: Path, fault: str):
    said = run(tried, tmp_path / "run", CHATS, fault, "-k", "plain")
    reasons = [reason for reason in said.reasons if "created" in reason["text"] and reason["word"] == "FAIL"]
    hold(said.code == 1 and reasons, "created is not in seconds: a FAIL that says so", said.block)


@pytest.mark.long
def test_created_at_another_time_than_the_answers_date_is_advisory(tried: Tried, tmp_path: Path):
    said = run(tried, tmp_path / "run", CHATS, "created-an-hour-ago", "-k", "plain")
    told = [case for case in of(said, "ADVISORY") if "created" in case]
    hold(told and said.code == 0, "ADVISORY: created lies an hour from the Date header", said.verdict["outcomes"])
    strict = run(tried, tmp_path / "strict", CHATS, "created-an-hour-ago", "-k", "plain", "--strict")
    hold([case for case in of(strict, "FAIL") if "created" in case], "under --strict a FAIL", strict.block)


@pytest.mark.long
def test_a_finish_reason_that_is_missing_before_the_end_is_advisory_and_one_failure_under_strict(
    tried: Tried, tmp_path: Path
):
    fault, options = "finish-reason-only-at-the-end", ("-k", "stream-usage")
    said = run(tried, tmp_path / "run", STREAMS, fault, *options)
    hold(of(said, "ADVISORY") and said.code == 0, "ADVISORY, and no FAIL", said.verdict["outcomes"])
    strict = run(tried, tmp_path / "strict", STREAMS, fault, *options, "--strict")
    hold(len(of(strict, "FAIL")) == 1, "under --strict one FAIL, for one cause", of(strict, "FAIL"))


def test_an_announced_end_of_the_connection_is_no_fault(tried: Tried, tmp_path: Path):
    said = run(tried, tmp_path / "run", HTTP, "closes-each-connection", "--case=http/connection-is-reusable")
    words = said.outcomes("http/connection-is-reusable")
    hold(words == ["PASS"], "each answer says Connection: close, and means it: PASS", f"{words} {said.block}")


def test_422_for_broken_json_is_a_4xx(tried: Tried, tmp_path: Path):
    said = run(tried, tmp_path / "run", HTTP, "malformed-json-422-refused", "--case=http/malformed-json-is-a-400")
    words = said.outcomes("http/malformed-json-is-a-400")
    hold(set(words) == {"PASS"}, "422 with an error object is a refusal: PASS", f"{words} {said.block}")


def test_a_404_for_an_unknown_path_without_an_error_object_weighs_once(tried: Tried, tmp_path: Path):
    said = run(tried, tmp_path / "run", HTTP, "unknown-path-html", "-k", "unknown-path")
    told = of(said, "ADVISORY") + of(said, "FAIL")
    once = ["http/unknown-path-is-a-404-with-an-error-object"]
    hold([case.partition("[")[0] for case in told] == once, "one finding, a SHOULD", told)
    hold(said.code == 0, "a SHOULD keeps nobody from READY", said.block)


def test_the_rule_on_an_unknown_model_does_not_pass_where_no_model_has_a_page(tried: Tried, tmp_path: Path):
    said = run(tried, tmp_path / "run", MODELS, "lists-models-only")
    words = said.outcomes("models/unknown-id-is-a-404")
    hold(words == ["UNSUPPORTED"], "each id gets the 404 of a path that is not there: nothing is shown", words)
    hold(not of(said, "FAIL"), "and no rule holds that against the server", of(said, "FAIL"))


FIRST = 1
"""Chats before the first scenario: by one a server is got to know."""

MESSAGE = {"role": "assistant", "content": "Hello.", "refusal": None}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Lost(Small):
    """Lists a model, answers the chats by which it is got to know, and from then on has no other route."""

    protocol_version = "HTTP/1.1"
    known: ClassVar[list[bytes]]
    lost: ClassVar[list[bytes]]

    def get(self) -> None:
        found = self.path == "/v1/models"
        self.answer(200 if found else 404, listed("m") if found else {"detail": "Not Found"})

    def post(self) -> None:
        asked = self.asked_for()
        if len(self.known) < FIRST:
            self.known.append(asked)
            self.answer(200, ANSWER)
        else:
            self.lost.append(asked)
            no_route = {"message": "no such route", "type": "not_found", "param": None, "code": None}
            self.answer(404, {"error": no_route})


@pytest.mark.long
def test_no_rule_on_refusals_passes_on_a_route_that_is_not_there(tried: Tried, tmp_path: Path):
    """404 is a 4xx: rules that ask for a refusal passed on a server that has no chat at all."""
    suites = ("suites/conformance/test_errors.py", HTTP, "suites/conformance/test_params.py")
    server = type("Server", (Lost,), {"known": [], "lost": []})
    with serving(server) as url:
        said = tried.suite(tmp_path / "run", *suites, f"--endpoint={url}/v1", "-k", "refused or 5xx or shape or 400")
    assert len(server.lost) > 20
    words = list(said.verdict["outcomes"].values())
    hold(len(words) > 20, "the rules on refusals are asked all the same", words)
    passed = [case for case in of(said, "PASS") if "unknown-path" not in case]
    hold(not passed, "no rule on a refusal passes: there is no route that could refuse", passed)
