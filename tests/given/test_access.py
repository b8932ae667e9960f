"""The key is read when it is needed, is held by no object, and goes to the server and to the recorder alone."""

from pathlib import Path

import pytest

from seatrial.given.access import Access, logs
from seatrial.given.errors import ConfigError
from seatrial.wire.transports.prepare import Prepared
from tests.golden.server import Golden


def test_the_key_is_read_each_time_and_shown_nowhere(monkeypatch):
    access = Access(key_env="SOME_KEY", headers={"X-Team": "nine"})
    assert access.key is None
    monkeypatch.setenv("SOME_KEY", "sk-first")
    assert access.key == "sk-first"
    monkeypatch.setenv("SOME_KEY", "sk-second")
    assert access.key == "sk-second"
    assert "sk-" not in repr(access)


def test_a_client_sends_the_key_and_records_it_masked(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-right-key")
    with Golden(key="sk-right-key") as golden:
        for key_env, status in ((None, b"401"), ("SOME_KEY", b"200")):
            with Access(key_env=key_env).client(golden.url, deadline_s=5) as client:
                got = client.exchange(Prepared("GET", "/models"))
            assert got.response.split()[1] == status
            assert b"sk-right-key" not in got.request


def test_the_recorder_is_told_where_and_with_what_to_ask(monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_KEY", "sk-1")
    access = Access(key_env="SOME_KEY", headers={"X-Team": "nine"}, ca=tmp_path)
    told = access.watched("a", "https://[::1]:8443/llm/v1", pid=7, canary_s=3)
    assert (told.name, told.host, told.port, told.base) == ("a", "::1", 8443, "https://[::1]:8443/llm")
    assert (told.api, told.key, told.headers, told.ca) == (
        "https://[::1]:8443/llm/v1",
        "sk-1",
        {"X-Team": "nine"},
        str(tmp_path),
    )
    assert (told.pid, told.canary_s, told.ours) == (7, 3, False)


def test_a_log_is_of_an_endpoint_of_the_run_and_need_not_be_there_yet():
    assert logs(["a=x.log", "b=/var/log/b=c.log"], ("a", "b")) == {
        "a": Path.cwd() / "x.log",
        "b": Path("/var/log/b=c.log"),
    }


@pytest.mark.parametrize("given", [["c=x"], ["a"], ["a="], ["=x"], ["a=x", "a=y"]])
def test_a_log_of_nobody_and_one_too_many_are_wrong_usage(given):
    with pytest.raises(ConfigError, match=r"--log=.*: say NAME=FILE, an endpoint of this run \(a\), each once"):
        logs(given, ("a",))
