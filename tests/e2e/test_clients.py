"""``--client`` as an operator uses it: what its table needs decides, and settings are what the results support."""

from __future__ import annotations

import json

import pytest

from seatrial.records import Received
from seatrial.run.directory import RunDir
from tests import nodes, toolset
from tests.e2e.driving import Ran, command, suite
from tests.golden.server import Golden

pytestmark = pytest.mark.e2e


def tried(path, *faults: str, **more: str) -> Ran:
    options = [f"--{name}={value}" for name, value in ({"client": "openclaw"} | more).items()]
    with Golden(faults=faults) as golden:
        return suite(path, "suites", f"--endpoint=g={golden.url}", *options)


def again(ran: Ran) -> None:
    """The record alone gives the same verdict, cases and reasons."""
    judged = command("judge", str(ran.path), "--write")
    assert judged.returncode == ran.code, judged.stdout
    assert json.loads((ran.path / "verdict-rejudged.json").read_text()) == ran.verdict


@pytest.fixture(scope="module")
def honest(tmp_path_factory) -> Ran:
    return tried(tmp_path_factory.mktemp("honest") / "run")


def test_an_honest_server_is_ready_for_it_and_only_its_cases_are_run(honest):
    assert honest.code == 0, honest.out
    verdict = honest.verdict
    assert verdict["clients"] == ["openclaw"]
    assert verdict["endpoints"]["g"]["clients"]["openclaw"]["verdict"] == "READY"
    assert "READY: 12 of 12 needs hold" in honest.out
    assert "other cases (--client)" in honest.out
    sent = [line for line in RunDir.open(honest.path).lines("writers/*/exchanges.jsonl") if isinstance(line, Received)]
    assert 0 < len(sent) < 150  # the tools of its own, each called once, among them
    assert any(line.scenario == "tools_given/own-tools" for line in sent)
    again(honest)


def test_its_settings_are_those_that_the_results_support(honest):
    printed = command("client", "openclaw", str(honest.path))
    assert printed.returncode == 0, printed.stderr
    provider = json.loads(printed.stdout)["models"]["providers"]["seatrial"]
    model = provider["models"][0]
    assert provider["baseUrl"].startswith("http://127.0.0.1:")
    assert provider["api"] == "openai-completions"
    assert model["id"] == "golden-1"
    assert model["contextWindow"] == 8192
    assert model["compat"] == {
        "supportsStore": True,
        "supportsDeveloperRole": True,
        "supportsReasoningEffort": True,
        "supportsUsageInStreaming": True,
        "supportsTools": True,
        "supportsStrictMode": True,
        "supportsJsonSchemaResponseFormat": True,
        "maxTokensField": "max_completion_tokens",
    }
    assert "OpenClaw on g: READY" in printed.stderr


def test_a_fault_of_its_table_flips_the_verdict_and_the_setting(tmp_path):
    ran = tried(tmp_path / "run", "stream-usage-missing")
    assert ran.code == 1, ran.out
    found = ran.verdict["endpoints"]["g"]
    assert found["verdict"] == "NOT READY"
    assert list(found["clients"]["openclaw"]["broken"]) == ["usage at the end of a stream"]
    assert "it takes the context for empty" in ran.out
    assert found["reasons"][0]["case"].startswith(("sse/usage-comes-last", "chat/usage-adds-up"))
    again(ran)
    told = command("client", "openclaw", str(ran.path))
    printed = json.loads(told.stdout)
    assert printed["models"]["providers"]["seatrial"]["models"][0]["compat"]["supportsUsageInStreaming"] is False
    assert "  supportsUsageInStreaming: false, for INCONCLUSIVE sse/usage-comes-last[" in told.stderr
    assert "because of chat/usage-adds-up[" in told.stderr


def test_what_it_needs_weighs_as_a_must(tmp_path):
    ran = tried(tmp_path / "run", "arguments-null-first")
    case = "tools/no-piece-of-arguments-is-null[tool-named-stream]@g"
    assert ran.code == 1, ran.out
    assert ran.verdict["outcomes"][case] == "FAIL"
    again(ran)


def test_a_fault_that_it_does_not_feel_changes_nothing(tmp_path):
    ran = tried(tmp_path / "run", "max-completion-tokens-ignored", "n-ignored")
    assert ran.code == 0, ran.out
    found = ran.verdict["endpoints"]["g"]
    assert found["verdict"] == "READY"
    assert found["reasons"] == []
    assert any("no client that was asked for needs it" in each["text"] for each in found["advisories"])
    printed = json.loads(command("client", "openclaw", str(ran.path)).stdout)
    assert printed["models"]["providers"]["seatrial"]["models"][0]["compat"]["maxTokensField"] == "max_tokens"


def test_several_clients_are_ready_together_or_the_worst_decides(tmp_path):
    with Golden(faults=("call-index-missing",)) as golden:
        ran = suite(
            tmp_path / "run", "suites/conformance", f"--endpoint=g={golden.url}",
            "--client=langchain", "--client=litellm", "-n", "2",
        )  # fmt: skip
    assert ran.code == 1, ran.out
    words = {name: each["verdict"] for name, each in ran.verdict["endpoints"]["g"]["clients"].items()}
    assert words == {"langchain": "NOT READY", "litellm": "NOT READY"}
    again(ran)


def test_the_sdk_for_node_reads_what_was_recorded_and_its_word_is_kept(tmp_path):
    case = "sdk/node-gives-the-answer-that-was-sent[stream-usage]@g"
    more = {"client": "openai-node", "openai-node": str(nodes.folder()), "case": case.removesuffix("@g")}
    ran = tried(tmp_path / "run", "stream-usage-without-id", **more)
    assert ran.code == 1, ran.out
    assert ran.verdict["outcomes"][case] == "FAIL"
    assert ran.verdict["endpoints"]["g"]["clients"]["openai-node"]["verdict"] == "NOT READY"
    assert "answers that its SDK gives as they were sent" in ran.out
    again(ran)  # what the SDK said is in the record: nobody asks it again


def test_keywords_that_the_server_refuses_are_named_in_the_settings(tmp_path):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(toolset.forty(task_17=toolset.PATTERN)))
    more = {"case": "tools/own-tools-are-accepted", "tools": str(file)}
    ran = tried(tmp_path / "run", "tool-pattern-refused", **more)
    printed = command("client", "openclaw", str(ran.path))
    compat = json.loads(printed.stdout)["models"]["providers"]["seatrial"]["models"][0]["compat"]
    assert compat["unsupportedToolSchemaKeywords"] == ["pattern"]
    assert "supportsTools" not in compat  # nothing of it was judged
    assert "NOT PROVEN" in printed.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("suites", "--client=opnclaw", "--dry-run"), "--client=opnclaw: no such client is known; nearest: openclaw"),
        (("suites", "--client=", "--dry-run"), "no such client is known"),
    ],
)
def test_a_client_that_is_not_known_is_wrong_usage(tmp_path, arguments, says):
    with Golden() as golden:
        ran = suite(tmp_path / "run", *arguments, f"--endpoint={golden.url}")
    assert ran.code == 4
    assert says in ran.out


def test_wrong_usage_of_the_command_is_one_line(honest):
    wrong = [("nobody", str(honest.path)), ("openai-node", str(honest.path)), ("openclaw", "no-such-run")]
    for arguments in [*wrong, ("openclaw", str(honest.path), "--endpoint=other")]:
        ran = command("client", *arguments)
        assert (ran.returncode, ran.stdout) == (4, "")
        assert ran.stderr.startswith("ERROR: ")
        assert ran.stderr.count("\n") == 1
