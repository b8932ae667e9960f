"""Tests of the operator's own, as he runs them: from a folder of his, with workers; and beside the suites."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET

import pytest

from seatrial.records import Judgement, Received
from seatrial.run.directory import RunDir
from tests.e2e.driving import ROOT, command, start
from tests.ending import ending
from tests.golden.server import Golden
from tests.waiting import until
from tests.wire.test_shortened import left_of

pytestmark = pytest.mark.e2e

KEY = "sk-Th1sKeyMustNeverBeWritten.0815"

PAUSE_MS = 40
"""Between two tokens: who leaves a stream at its first line has not been sent all of it by then."""

MINE = """
import allure
import os
import pytest
import warnings

HELLO = [{"role": "user", "content": "Say hello."}]

@pytest.mark.parametrize("word", ["chat", "a b/[c]@d"])
def test_word(client, endpoint, word):
    answer = client.post("/chat/completions", json={"model": endpoint.model, "messages": HELLO, "max_tokens": 5})
    assert word in answer.json()["object"]

def test_tells(client):
    client.get("/models", headers={"Authorization": "Bearer another-secret-9876"})
    print(os.environ["OWN_KEY"])
    pytest.fail(os.environ["OWN_KEY"] + "\\x1b]0;owned\\x07" + "long" * 9999)

def test_fell(client):
    client.get("/models").json()["nothing"]

def test_refused(openai_client):
    openai_client.chat.completions.create(model="nobody", messages=HELLO)

def test_elsewhere(client):
    client.get("http://example.invalid/v1/models")

def test_silent(client):
    pass

async def test_waits(client):
    pass

@pytest.mark.skip(reason="not here")
def test_skipped(client):
    pass

@pytest.mark.xfail(reason="known")
def test_known(client):
    client.get("/models")
    assert False

@pytest.fixture
def late(client):
    yield
    raise ValueError("late")

def test_late(late, client):
    client.get("/models")

def test_leaves(client, endpoint):
    body = {"model": endpoint.model, "messages": HELLO, "max_tokens": 50, "stream": True}
    with client.stream("POST", "/chat/completions", json=body) as answer:
        assert next(answer.iter_lines()).startswith("data:")

def test_ordinary():
    assert False

def test_parts(client, subtests):
    for n in range(3):
        with subtests.test(n=n):
            assert client.get("/models").status_code == (200 if n != 1 else 404)

def test_parts_hold(client, subtests):
    for path in ("/models", "/models"):
        with subtests.test(path):
            assert client.get(path).status_code == 200

def test_parts_fall(client, subtests):
    with subtests.test():
        client.get("/models").json()["nothing"]

def test_parts_skipped(client, subtests):
    client.get("/models")
    with subtests.test():
        pytest.skip("not here")

@pytest.mark.xfail(reason="known")
def test_parts_known(client, subtests):
    client.get("/models")
    with subtests.test():
        assert False
    pytest.skip("and no more")

def test_torn(late, client):
    assert client.get("/models").status_code == 404

def test_torn_in_parts(late, client, subtests):
    with subtests.test():
        assert client.get("/models").status_code == 404

def test_skipped_late(late, client):
    pytest.skip("not here")

@pytest.mark.parametrize("given", [os.environ["OWN_KEY"]])
def test_given(client, given, record_property):
    record_property("given", given)
    allure.dynamic.parameter("also", given)
    allure.attach(f"it is {given}", "said")
    with allure.step(f"with {given}"):
        warnings.warn(given)
        assert client.get("/models").text + "x" * 300 + given + "y" * 300 == given[4:]

def test_given_in_parts(client, subtests):
    client.get("/models")
    with subtests.test(os.environ["OWN_KEY"], given=os.environ["OWN_KEY"]):
        print(os.environ["OWN_KEY"])
        assert [os.environ["OWN_KEY"]] * 30 == "x" * 40 + os.environ["OWN_KEY"]

@pytest.fixture
def raises():
    raise ValueError(f"no {os.environ['OWN_KEY']!r}")

def test_raises(client, raises):
    pass

def test_built_in(client, cache, tmp_path):
    client.get("/models")
    cache.set("mine/it", 1)

def test_reads_to_done(client, seatrial_endpoint):
    body = {"model": seatrial_endpoint.model, "messages": HELLO, "max_tokens": 5, "stream": True}
    with client.stream("POST", "/chat/completions", json=body) as answer:
        for line in answer.iter_lines():
            if line == "data: [DONE]":
                break
"""

HIS = """
import pytest

def taken():
    raise RuntimeError("a fixture of the operator's is taken for one of ours")

for name in {names}:
    globals()[name] = pytest.fixture(taken, name=name)
"""

COMMON = ("answers", "guard", "interviews", "judge", "offer", "run", "send", "sender", "soak", "stopped")
"""Names that an operator's own fixtures may well have, and that none of ours stands on."""

EXPECTED = {
    "mine.test_word:chat": "PASS",
    "mine.test_word:a-b/-c-d": "FAIL",
    "mine.test_tells": "FAIL",
    "mine.test_fell": "INCONCLUSIVE",
    "mine.test_refused": "FAIL",
    "mine.test_elsewhere": "INCONCLUSIVE",
    "mine.test_silent": "INCONCLUSIVE",
    "mine.test_waits": "INCONCLUSIVE",
    "mine.test_skipped": "UNSUPPORTED",
    "mine.test_known": "UNSUPPORTED",
    "mine.test_late": "INCONCLUSIVE",
    "mine.test_leaves": "PASS",
    "mine.test_parts": "FAIL",
    "mine.test_parts_hold": "PASS",
    "mine.test_parts_fall": "INCONCLUSIVE",
    "mine.test_parts_skipped": "UNSUPPORTED",
    "mine.test_parts_known": "UNSUPPORTED",
    "mine.test_torn": "FAIL",
    "mine.test_torn_in_parts": "FAIL",
    "mine.test_skipped_late": "INCONCLUSIVE",
    "mine.test_given:-": "FAIL",
    "mine.test_given_in_parts": "FAIL",
    "mine.test_raises": "INCONCLUSIVE",
    "mine.test_built_in": "PASS",
    "mine.test_reads_to_done": "PASS",
    "example.test_the_model_is_listed": "PASS",
    "example.test_an_answer_keeps_its_cap:1": "PASS",
    "example.test_an_answer_keeps_its_cap:16": "PASS",
    "example.test_a_stream_says_something": "PASS",
}


def installed(folder):
    """A folder of metadata that says of Seatrial what its installation would: pytest11."""
    told = folder / "seatrial_here-0.dist-info"
    told.mkdir(parents=True)
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: seatrial-here\nVersion: 0\n")
    (told / "entry_points.txt").write_text("[pytest11]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()))
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """One run of a folder of the operator's, called from there with two workers: its output, and its folder."""
    home = tmp_path_factory.mktemp("home")
    (home / "mine").mkdir()
    (home / "mine" / "test_mine.py").write_text(MINE)
    (home / "mine" / "conftest.py").write_text(HIS.format(names=COMMON))
    shutil.copy(ROOT / "docs" / "own-tests" / "test_example.py", home / "mine")
    path = f"{ROOT / 'src'}:{installed(home / 'packages')}"
    with Golden(key=KEY, token_ms=PAUSE_MS) as golden:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "mine", f"--endpoint=g={golden.url}", "--api-key-env=OWN_KEY",
             "-n2", "--junitxml=told.xml", "--alluredir=allure", "-rA"],
            cwd=home, env={**os.environ, "PYTHONPATH": path, "OWN_KEY": KEY},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
            check=False,
        )  # fmt: skip
    assert done.returncode == 1, done.stdout
    return done.stdout, home


def own(verdict, name="g"):
    """Outcomes of the operator's tests on an endpoint, by the test."""
    told = {case: word for case, word in verdict["outcomes"].items() if case.startswith("own/test-holds[")}
    return {case[15:].rpartition("]@")[0]: word for case, word in told.items() if case.endswith(f"@{name}")}


def test_each_has_an_outcome_of_ours(elsewhere):
    told, home = elsewhere
    out = " ".join(told.split())
    run = home / "reports" / "runs" / "latest"
    verdict = json.loads((run / "verdict.json").read_text())
    assert own(verdict) == EXPECTED
    assert verdict["endpoints"]["g"]["figures"]["your tests"].startswith("9 of 29 hold; of what they sent, ")
    assert "29 of your own tests (requests: not known beforehand)" in out
    assert "asynchronous tests are not run: client is an httpx.Client; write def in place of async def" in out
    assert "this client sends to http://127.0.0.1" in out
    assert "1 test that took no client failed beside the cases: exit 1, and no part of the verdict" in out


def test_what_they_send_is_recorded_and_read_by_the_rules(elsewhere):
    run = RunDir.open(elsewhere[1] / "reports" / "runs" / "latest")
    sent = {}
    for line in run.lines("writers/*/exchanges.jsonl"):
        if isinstance(line, Received):
            sent.setdefault(line.scenario.removeprefix("own/"), []).append(line)
    (stream,) = sent["example.test_a_stream_says_something"]
    request, response, wrong = run.exchange_of(stream)
    assert b'"stream":true' in request
    assert response.endswith(b"0\r\n\r\n"), "the chunk behind [DONE], which the SDK does not read, is recorded"
    assert (wrong, stream.error, sent["mine.test_leaves"][0].error) == ("", "", "left")
    assert "mine.test_elsewhere" not in sent
    lines = [line for line in run.lines("writers/*/judgements.jsonl") if isinstance(line, Judgement)]
    read = {line.case for line in lines if not line.case.startswith("own/")}
    assert "sse/usage-comes-last[example.test_a_stream_says_something]@g" in read
    assert "chat/usage-adds-up[mine.test_word:chat]@g" in read
    assert sent["mine.test_reads_to_done"][0].error == ""
    assert "sse/role-is-sent-once[mine.test_reads_to_done]@g" in read
    assert not any("test_leaves" in case or "test_refused" in case for case in read)


def test_the_key_and_what_a_terminal_obeys_are_in_no_file_and_no_line(elsewhere):
    out, home = elsewhere
    told = [path for path in home.rglob("*") if path.is_file() and "packages" not in path.parts]
    assert len(told) > 10
    for path in told:
        content = path.read_bytes()
        assert KEY.encode() not in content, path
        if path.parent.name != "mine" and path.suffix != ".pyc":
            assert left_of(content.decode("utf-8", "replace"), KEY, least=6) == set(), path
            if path.name != "told.xml" and path.parent.name != "allure":  # they show code of the operator's
                assert b"another-secret-9876" not in content, path
    assert KEY not in out
    assert "\x1b" not in out
    assert left_of(out, KEY, least=6) == set()
    assert "longlonglong" * 1700 not in out


def test_it_is_judged_again_without_the_server_and_told_to_other_reports(elsewhere):
    run = elsewhere[1] / "reports" / "runs" / "latest"
    before = json.loads((run / "verdict.json").read_text())
    judged = command("judge", str(run))
    assert judged.returncode == before["exit"] == 1, judged.stdout
    assert json.loads((run / "verdict.json").read_text())["outcomes"] == before["outcomes"]
    results = [json.loads(path.read_text()) for path in (run / "allure-results").glob("*-result.json")]
    status = {each["fullName"]: each["status"] for each in results}
    assert status["own/test-holds[mine.test_fell]@g"] == "broken"
    assert status["own/test-holds[mine.test_refused]@g"] == "failed"
    told = {case.get("name"): case for case in ET.parse(elsewhere[1] / "told.xml").iter("testcase")}
    of = {
        name: [each.get("value") for each in case.iter("property") if each.get("name") == "outcome"]
        for name, case in told.items()
    }
    assert of["test_torn[g]"] == ["FAIL"]
    assert of["test_late[g]"] == of["test_skipped_late[g]"] == ["INCONCLUSIVE"]
    assert of["test_parts[g]"] == ["FAIL"]


NEIGHBOUR = """
import pytest

@pytest.fixture
def client():
    return "theirs"

@pytest.fixture
def endpoint():
    return "theirs too"
"""

BESIDE = """
def test_theirs(client, endpoint):
    assert (client, endpoint) == ("theirs", "theirs too")

def test_dies(seatrial_client, seatrial_endpoint):
    body = {"model": seatrial_endpoint.model, "messages": [{"role": "user", "content": "a"}], "max_tokens": "ten"}
    assert seatrial_client.post("/chat/completions", json=body).status_code == 400

def test_then(seatrial_client):
    assert seatrial_client.get("/models").status_code == 200
"""


def test_beside_the_suites_on_two_endpoints_of_which_one_dies(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test_beside.py").write_text(BESIDE)
    (tmp_path / "neighbour.py").write_text(NEIGHBOUR)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT}:{tmp_path}")
    mortal = [sys.executable, "-m", "tests.golden", "--port", "0", "--fault", "dies-on-wrong-type"]
    with (
        Golden() as golden,
        ending(subprocess.Popen(mortal, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as process,
    ):
        url = until(process.stdout.readline, "the golden server's URL", 20).strip()
        run = start(
            tmp_path / "run", "suites/conformance/test_models.py", str(tmp_path / "mine"), "-p", "neighbour",
            "--case=models/list-has-its-shape", "--case=own/test-holds",
            f"--endpoint=good={golden.url}", f"--endpoint=bad={url}",
        )  # fmt: skip
        out, _ = run.communicate(timeout=300)
        process.wait(10)
    assert run.returncode in {1, 10}, out  # by whether the recorder saw the end of the server before that of the run
    assert "client is a fixture of neighbour here: Seatrial's is seatrial_client" in out
    assert "endpoint is a fixture of neighbour here: Seatrial's is seatrial_endpoint" in out
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert own(verdict, "good") == {"beside.test_dies": "PASS", "beside.test_then": "PASS"}
    assert own(verdict, "bad") == {"beside.test_dies": "INCONCLUSIVE", "beside.test_then": "INCONCLUSIVE"}
    suites = {w for case, w in verdict["outcomes"].items() if case.startswith("models/") and case.endswith("@bad")}
    assert suites == {"PASS"}
    reasons = [reason["text"] for reason in verdict["endpoints"]["bad"]["reasons"]]
    assert any("the server was gone after" in text and "(own/beside.test_dies)" in text for text in reasons)
