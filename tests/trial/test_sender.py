"""A scenario is sent once, recorded before it is judged, and never to a server that is known to be gone."""

import pytest

from seatrial.checks import traits
from seatrial.given.options import Options
from seatrial.records import Endpoint, Received, Request, RunInfo, Scenario, Sent
from seatrial.run.directory import RunDir
from seatrial.trial.sending.guard import Guard, ServerGone
from seatrial.trial.sending.sender import Sender
from seatrial.trial.trial import Trial
from tests.golden.server import Golden

BODY = {"model": None, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4}
HELLO = Scenario(
    requests={name: Request(method="POST", path="/chat/completions", body=BODY) for name in ("one", "two")},
    traits=traits.CHAT,
)


@pytest.fixture
def trial(tmp_path):
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    RunDir.create(tmp_path / "run", info)
    made = Trial(Options(timeout_s=10.0), tmp_path / "run", role="gw1")
    yield made
    made.writer.close()


def sender_to(trial, golden):
    endpoint = Endpoint(
        name="it", url=golden.url, kind="generic", model=golden.model, models=(golden.model,), cap_factor=3.0
    )
    trial.rundir.write_endpoint(endpoint)
    return Sender(trial, Guard(trial))


def test_it_is_sent_once_whoever_asks(trial):
    with Golden() as golden:
        sender = sender_to(trial, golden)
        first = sender.once("chat/hello", HELLO, "it")
        assert sender.once("chat/hello", HELLO, "it") is first
        assert golden.truth()["chats"] == 2
    assert {name: x.status for name, x in first.items()} == {"one": 200, "two": 200}
    lines = [x for x in trial.rundir.in_time() if isinstance(x, Sent | Received)]
    assert [type(x).__name__ for x in lines] == ["Sent", "Received", "Sent", "Received"]
    assert [x.id for x in first.values()] == [x.id for x in lines if isinstance(x, Received)]


def test_caps_grow_for_a_valid_chat_alone(trial):
    faulty = Scenario(requests=HELLO.requests, traits=traits.CHAT | traits.FAULTY)
    with Golden() as golden:
        sender = sender_to(trial, golden)
        sent = [sender.once(name, each, "it")["one"].request_json for name, each in (("c/a", HELLO), ("c/b", faulty))]
    assert [body["max_tokens"] for body in sent] == [12, 4]


def test_a_server_that_is_gone_is_a_suspects_end_and_later_cases_are_told_at_once(trial):
    with Golden() as golden:
        sender = sender_to(trial, golden)
    for name in ("chat/hello", "chat/hello", "chat/other"):
        with pytest.raises(ServerGone, match=r"the server was gone after gw1-\d+ \(chat/hello\): no connection"):
            sender.once(name, HELLO, "it")
    assert len([x for x in trial.rundir.in_time() if isinstance(x, Sent)]) == 1


def test_the_parts_of_a_request_are_sent_where_it_was_refused_and_nowhere_else(trial):
    bad, good = ({**BODY, "n": n} for n in (0, 1))
    parts = {f"{whole}: {part}": Request(body=good) for whole in ("bad", "good") for part in "ab"}
    asked = {"bad": Request(body=bad), "good": Request(body=good)}
    with Golden() as golden:
        sent = sender_to(trial, golden).once(
            "chat/parts", Scenario(requests=asked, traits=traits.NONE, apart=parts), "it"
        )
    assert [(name, x.status) for name, x in sent.items()] == [
        ("bad", 400), ("good", 200), ("bad: a", 200), ("bad: b", 200),
    ]  # fmt: skip
