"""A pace is kept by all who name the same file."""

from __future__ import annotations

import threading
import time

import pytest

from seatrial.wire.transports.http import Client
from seatrial.wire.transports.prepare import Prepared
from seatrial.wire.transports.turns import STALE_S, Turns
from tests.golden.server import Golden


@pytest.fixture
def slept(monkeypatch):
    """Time that passes only by sleeping."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_turns_are_an_interval_apart_whoever_takes_them(slept, tmp_path):
    one, other = Turns(tmp_path / "p", 4), Turns(tmp_path / "p", 4)
    at = []
    for pace in (one, other, one, other):
        pace.wait()
        at.append(slept[0])
    assert at == pytest.approx([1000, 1000.25, 1000.5, 1000.75], abs=1e-5)


def test_who_comes_late_owes_nothing_and_saves_nothing(slept, tmp_path):
    pace = Turns(tmp_path / "p", 1)
    pace.wait()
    slept[0] += 50
    for _ in range(3):
        pace.wait()
    assert slept[0] == pytest.approx(1052, abs=1e-5)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"nan", b"inf", b"\xff\xff", b"99999999999999"])
def test_a_file_of_another_boot_or_of_nonsense_holds_nobody_up(slept, tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    Turns(tmp_path / "p", 2).wait()
    assert slept[0] == 1000
    assert STALE_S > 60


def test_threads_of_a_client_each_keep_to_it(tmp_path):
    with Golden() as golden:

        def ask():
            with Client(golden.url, pace=Turns(tmp_path / "p", 20)) as client:
                client.turn()
                client.turn()  # the same turn: it is not used yet
                assert client.exchange(Prepared("GET", "/models")).response

        threads = [threading.Thread(target=ask) for _ in range(6)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began >= 5 / 20
