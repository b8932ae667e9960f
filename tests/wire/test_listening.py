"""Why nobody can listen at a place, whatever was written for it."""

from __future__ import annotations

import socket

import pytest

from seatrial.wire import listening


@pytest.mark.parametrize(
    ("host", "port"),
    [("127.0.0.1", 99_999), ("127.0.0.1", -1), ("192.0.2.7", 5557), ("a" * 300, 5557), ("no.such.host.invalid", 5557)],
)
def test_a_place_at_which_nobody_can_listen_is_told_why(host: str, port: int) -> None:
    assert listening.taken(host, port).startswith("nobody can listen there: ")


def test_a_free_place_is_free_and_a_held_one_is_taken() -> None:
    assert listening.taken("127.0.0.1", listening.free_port()) == ""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert listening.taken("127.0.0.1", port) == f"port {port} is in use: name another"
