"""SIGTERM while cases run, and the line that says what it does."""

from __future__ import annotations

import contextlib
import io
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures import signals
from fixtures.lifecycle import VOYAGE
from fixtures.terminal import Terminal


class Config:
    """Stands in for pytest's: with a voyage, perhaps with workers."""

    def __init__(self, *, workers: bool = False) -> None:
        self.stash = {VOYAGE: object()}
        self.pluginmanager = SimpleNamespace(has_plugin=lambda name: workers and name == "dsession")


def looping(config: Any) -> Any:
    """The hook up to its yield: what stands in for SIGTERM while cases run."""
    session: Any = SimpleNamespace(config=config)
    hook = signals.pytest_runtestloop(session)
    next(hook)
    during = signal.getsignal(signal.SIGTERM)
    with contextlib.suppress(StopIteration):
        hook.send(True)
    return during


def test_sigterm_is_ours_while_cases_run_and_no_longer() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert isinstance(looping(Config()), signals.Interrupter)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_sigterm_is_left_alone_with_workers_and_where_it_is_taken() -> None:
    assert looping(Config(workers=True)) is signal.SIG_DFL
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert looping(Config()) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_two_signals_at_once_interrupt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    interrupt = signals.Interrupter()
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGTERM, None)
    now = 100.01
    interrupt(signal.SIGTERM, None)
    now = 105.0
    with pytest.raises(KeyboardInterrupt):
        interrupt(signal.SIGTERM, None)


def test_what_is_said_is_not_lost_between_lines_of_progress() -> None:
    out = io.StringIO()
    reporter = SimpleNamespace(
        isatty=False, ensure_newline=lambda: None, write_line=lambda text: out.write(text + "\n"), flush=out.flush
    )
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin={"terminalreporter": reporter}.get))
    terminal = Terminal(config)
    terminal.progress("one")
    terminal.progress("two")
    terminal.say("draining")
    assert out.getvalue() == "one\ndraining\n"
