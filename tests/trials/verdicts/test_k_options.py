"""K: a server that loads is waited for, a gateway is spared, private prompts go, a gateway's faults are told apart."""

from __future__ import annotations

import functools
import json
import time

import pytest

from tests.ending import ending
from tests.golden.server import Golden
from tests.trials.servers import Small, listed, serving
from tests.trials.tried import hold

SECRET = "Say hello"
"""What many prompts of the suite hold."""


@functools.cache
def known(tried):
    """The help of pytest in the tree on trial."""
    with ending(tried.start("-m", "pytest", "suites", "--help")) as process:
        return process.communicate(timeout=60)[0]


def options(tried, *wanted):
    """The new options; none where the commit on trial does not know them: then the harm without them shows."""
    return [each for each in wanted if f"{each.partition('=')[0]}=" in known(tried)]


class Loading(Small):
    """503 to the first requests, then a list of one model and chats of one word."""

    loads = 0
    times: list[float]

    def get(self):
        self.reply(200 if self.path.endswith("/models") else 404, listed("m"))

    def post(self):
        self.asked_for()
        choice = {"index": 0, "message": {"role": "assistant", "content": "5"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = {"id": "a", "object": "chat.completion", "created": int(time.time()), "model": "m"}
        self.reply(200, {**answer, "choices": [choice], "usage": usage})

    def reply(self, status, body):
        if not self.path.endswith("/health"):
            self.times.append(time.monotonic())
        if len(self.times) <= self.loads:
            status, body = 503, {"error": {"message": "Loading model"}}
        self.answer(status, body)


@pytest.fixture
def loading():
    handler = type("Server", (Loading,), {"times": []})
    with serving(handler) as handler.url:
        yield handler


def test_a_server_that_still_loads_is_waited_for(tried, loading, tmp_path):
    loading.loads = 2
    case = "--case=models/list-has-its-shape"
    said = tried.suite(
        tmp_path / "run", "suites/conformance", case, f"--endpoint=e={loading.url}", *options(tried, "--wait=2m"),
        timeout_s=120,
    )  # fmt: skip
    hold(
        said.code in {0, 10},
        "a server that loads is waited for, and then tried",
        f"exit {said.code}: {said.out[-300:]}",
    )
    hold("waiting for it" in said.out, "that it is waited for is told", said.out[-300:])


@pytest.mark.long
def test_a_gateway_is_spared(tried, loading, tmp_path):
    wanted = options(tried, "--max-rps=3")
    case = ("--case=models/list-has-its-shape", "--case=chat/usage-adds-up")
    tried.suite(
        tmp_path / "run", "suites/conformance", "-n2", *case, f"--endpoint=e={loading.url}", *wanted, timeout_s=200
    )
    times = sorted(loading.times)
    assert len(times) > 2 * 3 + 1  # fewer would be few enough however fast they leave
    most = max(sum(1 for t in times if start <= t < start + 2.0) for start in times)
    hold(most <= 2 * 3 + 1, "at most 3 requests a second leave, over all workers", f"{most} within 2 s")


def test_private_prompts_go_and_the_verdict_stays(tried, tmp_path):
    path = tmp_path / "run"
    with Golden(["role-in-every-chunk"]) as golden:
        said = tried.suite(
            path, "suites/conformance", "-q", "--case=sse/role-is-sent-once", "--case=chat/usage-adds-up",
            f"--endpoint=g={golden.url}", *options(tried, "--keep-bytes=failures"),
        )  # fmt: skip
    before = said.verdict
    again = tried.seatrial("judge", str(path), "--write", path=path)
    after = json.loads((path / "verdict-rejudged.json").read_text())
    hold(after["outcomes"] == before["outcomes"] and again.code == said.code, "the verdict stays", again.block)
    lines = [json.loads(line) for each in path.glob("writers/main-*/exchanges.jsonl") for line in each.open()]
    failed = {case.partition("[")[2].partition("]")[0] for case, word in before["outcomes"].items() if word == "FAIL"}
    planned = [json.loads(line) for line in (path / "planned.jsonl").open()]
    failed |= {line["before"] for line in planned if line.get("scenario") in failed and line.get("before")}
    answered = [line for line in lines if line["kind"] == "received"]
    kept = [line for line in answered if line["response"][1]]
    others = [line["scenario"] for line in kept if line["scenario"].rpartition("/")[2] not in failed]
    hold(kept and len(kept) < len(answered) and not others, "the bytes of failures alone are kept", others or len(kept))
    (store,) = path.glob("writers/main-*/bytes.bin")
    stored = sum(line["request"][1] + line["response"][1] for line in kept)
    found = len(store.read_bytes().replace(b"\0", b""))
    hold(found <= stored, "no byte of any other exchange is left", f"{found} bytes for {stored}")
    gone = next(line["id"] for line in answered if not line["response"][1])
    told = tried.seatrial("show", str(path), gone, path=path)
    hold("not stored" in told.out and SECRET not in told.out, "a look at one says that it is not stored", told.out)


def test_where_nothing_failed_every_prompt_goes_and_ready_stays(tried, tmp_path):
    path = tmp_path / "run"
    cases = ("--case=chat/usage-adds-up", "--case=sse/done-comes-once-and-last")
    with Golden() as golden:
        said = tried.suite(
            path, "suites/conformance", "-q", *cases, f"--endpoint=g={golden.url}",
            *options(tried, "--keep-bytes=failures"),
        )  # fmt: skip
    again = tried.seatrial("judge", str(path), path=path)
    words = (said.code, again.code, "READY" in again.block)
    hold(words == (0, 0, True), "what was READY is READY again, without its bytes", again.block[-900:])
    stored = b"".join(store.read_bytes() for store in path.glob("writers/main-*/bytes.bin")).replace(b"\0", b"")
    hold(not stored, "no byte of any exchange is left", f"{len(stored)} bytes")


def test_a_gateway_s_faults_are_told_from_those_behind_it(tried, tmp_path):
    with Golden(["role-in-every-chunk"]) as direct, Golden(["role-in-every-chunk", "done-missing"]) as gateway:
        said = tried.suite(
            tmp_path / "run", "suites/conformance", "-q", "--case=sse/role-is-sent-once",
            "--case=sse/done-comes-once-and-last", f"--endpoint=gw={gateway.url}", f"--endpoint=direct={direct.url}",
            *options(tried, "--behind=gw=direct"),
        )  # fmt: skip
    outcomes, gateway = said.verdict["outcomes"], said.verdict["endpoints"]["gw"]
    causes = [reason.get("cases", ()) for reason in gateway["reasons"] if reason["word"] == "FAIL"]
    both = [names for names in causes if any(outcomes.get(f"{n.rpartition('@')[0]}@direct") == "FAIL" for n in names)]
    line = f"{len(both)} of {len(causes)} FAILs are the backend's too"
    hold(0 < len(both) < len(causes) and line in said.block, f"the verdict says: {line}", said.block[-700:])
    hold(gateway["counts"]["FAIL"] == len(causes), "it counts them as the first screen does", gateway["counts"])
