"""The golden server as a command: ready line, signals, death, wrong usage."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from tests.ending import ending
from tests.golden.client import chat, request

CHAT = "/v1/chat/completions"
COUNT = "Count from 1 to 100."


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.golden", *arguments], check=False, capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_its_url_and_ends_at_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.golden", "--token-ms=50"]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as started:
        assert started.stdout is not None
        url = started.stdout.readline().strip()
        port = int(url.removeprefix("http://127.0.0.1:").removesuffix("/v1"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as talking:
            talking.sendall(request("POST", CHAT, chat(COUNT, stream=True)))
            assert talking.recv(10)
            started.send_signal(number)
            assert started.wait(timeout=5) == 0


def test_a_server_that_dies_takes_its_process_along() -> None:
    command = [sys.executable, "-m", "tests.golden", "--fault=dies_on_wrong_type"]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as started:
        assert started.stdout is not None
        url = started.stdout.readline().strip()
        port = int(url.removeprefix("http://127.0.0.1:").removesuffix("/v1"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as talking:
            talking.sendall(request("POST", CHAT, chat(max_tokens="ten")))
            assert started.wait(timeout=5) == 139


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault=loops"], "no fault is called 'loops'; nearest: loop"),
        (["--fault=loop:2"], "the rate of loop is '2'"),
        (["--port=x"], "invalid int value"),
        (["--port=70000"], "cannot listen"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_4(arguments: list[str], words: str) -> None:
    ended = _command(*arguments)
    assert ended.returncode == 4
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_faults_are_listed() -> None:
    ended = _command("--list-faults")
    assert ended.returncode == 0
    line = next(line for line in ended.stdout.splitlines() if line.startswith("role-in-every-chunk "))
    assert "sse/role-is-sent-once" in line
