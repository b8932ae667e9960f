"""What a load is told: its headers are secrets, and what cannot be sent is said before anything is."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from load import session
from load.settings import SettingsError, nonsense, read
from seatrial.wire.transports.load import stream
from tests.load.scripted import CHUNKED, DONE, FINISH, LAST, chunk, delta, scripted

TOKEN = "gw-7f3a91c2"


def told(headers: dict[str, str], **more: str) -> dict[str, str]:
    return {"SEATRIAL_HEADERS": json.dumps(headers), **more}


def test_headers_are_starred_and_masked() -> None:
    settings = read(told({"X-Auth-Token": TOKEN, "X-Zone": "eu"}))
    with scripted(CHUNKED, chunk(delta(f"you are {TOKEN}")), chunk(FINISH), chunk(DONE), LAST) as server:
        seen = stream(settings.target(server.url), b"{}")
    assert b"X-Auth-Token: " + b"*" * len(TOKEN) in seen.request
    assert b"X-Zone: **" in seen.request
    assert TOKEN.encode() not in seen.request + seen.response
    assert b"you are ***" in seen.response


@pytest.mark.parametrize("value", ["日本", "a\nb"])
def test_what_cannot_be_sent_is_one_line_without_it(value: str) -> None:
    for env in (told({"X-A": value}), {"SEATRIAL_KEY_ENV": "MY_KEY", "MY_KEY": value}):
        with pytest.raises(SettingsError, match="cannot be sent") as caught:
            read(env)
        assert value not in str(caught.value)


@pytest.mark.parametrize("host", ["http://me:hunter2@h", "me:hunter2@h:80"])
def test_credentials_in_the_host_are_not_repeated(host: str) -> None:
    with pytest.raises(session.NoServerError, match="holds credentials") as caught:
        session.LoadSession(read({}), host)
    assert "hunter2" not in str(caught.value)


def test_names_of_models_are_harmless_on_a_terminal() -> None:
    body = json.dumps({"data": [{"id": "a\x1b[31m"}, {"id": "b" * 5000}]}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with scripted(head, body) as server, pytest.raises(session.NoServerError, match="name one with") as caught:
        session.LoadSession(read({}), server.url)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("USERS", "0"),
        ("USERS", "99999999"),
        ("USERS", "0000000000011111"),
        ("RPS", "1e-320"),
        ("CA", "n" * 5000),
        ("RPS", "1e9"),
        ("RPS", "nan"),
        ("RPS", "-1"),
        ("CANARY_S", "0.001"),
        ("ROLE", "../../x"),
        ("ROLE", "a/b"),
        ("LIFELINE", "abc"),
        ("LIFELINE", "99999"),
        ("MAX_TOKENS", "-4"),
        ("DEADLINE_S", "1e300"),
        ("IDLE_S", "0"),
        ("CANARY_S", "1e9"),
        ("SEED", "1e30"),
        ("SEED", "1.5"),
        ("SEED", "9" * 19),
        ("IDLE_S", "nan"),
    ],
)
def test_a_variable_that_makes_no_sense_is_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^SEATRIAL_{name}=") as caught:
        read({f"SEATRIAL_{name}": value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [0, -7, 2**53 + 1, 10**18 - 1])
def test_a_seed_is_read_to_its_last_digit(seed: int) -> None:
    assert read({"SEATRIAL_SEED": str(seed)}).seed == seed


@pytest.mark.parametrize("pace", ["there/is/none", ".", "nul\0"], ids=["no folder", "a folder", "no name"])
def test_a_limit_that_cannot_be_kept_to_is_one_line(pace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"^SEATRIAL_MAX_RPS=0: requests a second, more than 0$"):
        read({"SEATRIAL_MAX_RPS": "0", "SEATRIAL_PACE": "pace"})
    with pytest.raises(SettingsError, match=r"^SEATRIAL_PACE=.*: it cannot be kept to: "):
        read({"SEATRIAL_MAX_RPS": "5", "SEATRIAL_PACE": pace})
    assert read({"SEATRIAL_MAX_RPS": "5", "SEATRIAL_PACE": "pace"}).pace is not None


PLAIN: dict[str, Any] = {
    "num_users": None, "run_time": None, "spawn_rate": None, "processes": None, "expect_workers": 1,
    "master": False, "worker": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("num_users", 0, "--users=0"),
        ("num_users", -1, "--users=-1"),
        ("num_users", 99_999_999, "--users=99999999"),
        ("run_time", 0, "--run-time=0s"),
        ("run_time", 10**9, "--run-time=1000000000s"),
        ("spawn_rate", 0.0, "--spawn-rate=0"),
        ("spawn_rate", float("nan"), "--spawn-rate=nan"),
        ("processes", 0, "--processes=0"),
        ("processes", -5, "--processes=-5"),
        ("processes", 65, "--processes=65"),
        ("expect_workers", 0, "--expect-workers=0"),
        ("expect_workers", -1, "--expect-workers=-1"),
    ],
)
def test_an_option_of_locusts_that_makes_no_sense_is_named(option: str, value: float, told: str) -> None:
    assert nonsense(SimpleNamespace(**{**PLAIN, option: value})).startswith(f"{told}: ")


@pytest.mark.parametrize("role", ["master", "worker"])
def test_processes_have_a_master_and_workers_of_their_own(role: str) -> None:
    """Locust has the first as its own exit code; forks of the second would take this host for their master's."""
    wrong = nonsense(SimpleNamespace(**{**PLAIN, "processes": 2, role: True}))
    assert wrong == f"--processes=2: it has a master and workers of its own; leave it out, or --{role}"


@pytest.mark.parametrize("more", [{}, {"num_users": 1000, "run_time": 1, "processes": -1, "expect_workers": 64}])
def test_what_can_be_done_is_not_refused(more: dict[str, Any]) -> None:
    assert nonsense(SimpleNamespace(**{**PLAIN, **more})) == ""
