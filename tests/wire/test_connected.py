"""Who else is connected to a server of this host: by the kernel's answer, or by its table."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from seatrial.wire import connected
from seatrial.wire.connected import looking_at, others
from tests.waiting import until

CLIENT = (
    "import socket, sys; s = socket.create_connection(('{host}', {port})); print('in', flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_others_are_counted_and_we_are_not(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        port = listening.getsockname()[1]
        assert others(port) == frozenset()
        with socket.create_connection((host, port)):
            assert others(port) == frozenset()
            code = CLIENT.format(host=host, port=port)
            with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
                assert one.stdout is not None
                assert one.stdout.readline() == b"in\n"
                look = looking_at(host, port)
                until(lambda: len(look() or ()) == 1, "one other is connected")
                one.kill()
            until(lambda: look() == frozenset(), "nobody is any more")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_where_the_kernel_answers_no_questions_its_table_is_read(family, host, monkeypatch):
    def refused(_):
        raise PermissionError(13, "Permission denied")

    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        code = CLIENT.format(host=host, port=port)
        with (
            socket.create_connection((host, port)),
            subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one,
        ):
            assert one.stdout is not None
            assert one.stdout.readline() == b"in\n"
            until(lambda: len(others(port) or ()) == 1, "one other is connected, by the kernel's answer")
            monkeypatch.setattr(connected.SockDiag, "__init__", refused)
            until(lambda: len(others(port) or ()) == 1, "one other is connected, by its table")
            one.kill()


def test_nobody_can_say_who_is_connected_to_another_host():
    assert looking_at("192.0.2.1", 80)() is None
    assert looking_at("no such name.invalid", 80)() is None
    assert looking_at("x" * 300, 80)() is None


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"head\n0: 1 2\n", b"head\n" + b"x " * 12 + b"\n" + b"0 a:ZZ b:ZZ 01 " * 3]
)
def test_a_table_that_is_none_tells_of_nobody(text, tmp_path, monkeypatch):
    def refused(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(connected.SockDiag, "__init__", refused)
    (tmp_path / "tcp").write_bytes(text)
    monkeypatch.setattr(connected, "TABLES", (tmp_path / "tcp", tmp_path / "none"))
    assert others(8080) == frozenset()
    monkeypatch.setattr(connected, "TABLES", (tmp_path / "none",))
    assert others(8080) is None
