"""Servers and recorders that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.monitor.processes import Recording, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server; called again, another."""
    servers: list[Server] = []

    def start(port: int = 0, *more: str) -> Server:
        servers.append(Server(port, *more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = Recording(tmp_path).start()
    yield made
    made.close()
