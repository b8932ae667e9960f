"""A deed that could not be acted out is no deed: without its load or its stream nothing is shown."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from tests.faults.processes import TrialError
from tests.middles import client, scene, watches
from tests.middles.scene import Deed, Stage
from tests.middles.watches import ALONE
from tests.trials.tried import Said


@pytest.fixture
def on(tmp_path, monkeypatch):
    """A stage on which nothing stands, and watches that say nothing."""

    @contextmanager
    def pair(*_):
        watched = MagicMock()
        watched.ended.return_value = watched.end.return_value = {ALONE: Said(0, "", Path())}
        yield watched

    monkeypatch.setattr(watches, "pair", pair)
    monkeypatch.setattr(client, "chat", lambda *_: "200")
    return Stage(MagicMock(), MagicMock(), tmp_path)


def loads(monkeypatch, answered):
    load = SimpleNamespace(answered=answered, ends=["cut"] * 3, close=lambda: None)
    monkeypatch.setattr(client, "Load", lambda *_: load)


def test_a_load_that_nobody_answers_is_none(on, monkeypatch):
    loads(monkeypatch, scene.ANSWERED - 1)
    with pytest.raises(TrialError, match=r"3 streams of the load were answered, not 4: .*cut"):
        scene.act(on, Deed.LOADED, 1)


def test_a_load_that_is_answered_and_none_where_none_is_due(on, monkeypatch):
    loads(monkeypatch, scene.ANSWERED)
    (loaded,) = scene.act(on, Deed.LOADED, 1)
    assert loaded.wrong == []
    loads(monkeypatch, 0)
    (idle,) = scene.act(on, Deed.IDLE, 1)
    assert idle.wrong == []


def test_a_load_counts_the_streams_that_came_to_their_end(monkeypatch):
    ends = iter(("ended as if whole", "cut", "ended as if whole"))
    load = client.Load(0, "m", clients=0)

    def stream(*_):
        end = next(ends, "")
        if not end:
            load.close()
        return SimpleNamespace(end=end, join=lambda: None)

    monkeypatch.setattr(client, "Stream", stream)
    monkeypatch.setattr(client, "PAUSE_S", 0)
    load._run()
    assert load.answered == 2


def test_no_strike_is_made_once_the_stream_has_ended(on, monkeypatch):
    monkeypatch.setattr(client, "Stream", lambda *_: SimpleNamespace(events=9, end="ended as if whole"))
    with pytest.raises(TrialError, match="ended before the strike: ended as if whole"):
        scene.act(on, Deed.BACKEND_KILLED, 1)
    on.backend.kill.assert_not_called()
