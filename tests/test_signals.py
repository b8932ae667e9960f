"""SIGTERM while cases run, and the line that says what it does."""

from __future__ import annotations

import contextlib
import io
import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures import ending
from fixtures.lifecycle import VOYAGE
from fixtures.terminal import Terminal, say


class Config:
    """Stands in for pytest's: with a voyage, perhaps with workers."""

    def __init__(self, *, workers: bool = False) -> None:
        self.stash = {VOYAGE: object()}
        self.pluginmanager = SimpleNamespace(has_plugin=lambda name: workers and name == "dsession")


def looping(config: Any, number: signal.Signals = signal.SIGTERM) -> Any:
    """The hook up to its yield: what stands in for a signal while cases run."""
    session: Any = SimpleNamespace(config=config)
    hook = ending.pytest_runtestloop(session)
    next(hook)
    during = signal.getsignal(number)
    with contextlib.suppress(StopIteration):
        hook.send(True)
    return during


def test_sigterm_is_ours_while_cases_run_and_no_longer() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert isinstance(looping(Config()), ending.Interrupter)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_sigterm_is_left_alone_with_workers_and_where_it_is_taken() -> None:
    assert looping(Config(workers=True)) is signal.SIG_DFL
    assert isinstance(looping(Config(workers=True), signal.SIGHUP), ending.Interrupter)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert looping(Config()) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_two_signals_at_once_interrupt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    interrupt = ending.Interrupter()
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
        isatty=False,
        ensure_newline=lambda: None,
        write_line=lambda text: out.write(text + "\n"),
        line=out.write,
        rewrite=out.write,
        flush=out.flush,
    )
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin={"terminalreporter": reporter}.get))
    terminal = Terminal(config)
    terminal.progress("one")
    terminal.progress("two")
    terminal.say("draining")
    assert out.getvalue() == "one\ndraining\n"


def test_a_reporter_that_cannot_write_lines_is_done_without(capsys: pytest.CaptureFixture[str]) -> None:
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin={"terminalreporter": object()}.get))
    say(config, "verdict")
    assert capsys.readouterr().out == "verdict\n"


def test_an_interrupt_between_two_lines_is_told_like_any_other() -> None:
    between = compile("raise KeyboardInterrupt", "between", "exec").replace(co_linetable=b"")
    with pytest.raises(KeyboardInterrupt) as interrupted:
        exec(between)
    with pytest.raises(TypeError):
        interrupted.getrepr(funcargs=True)
    ending.pytest_keyboard_interrupt(interrupted)
    told = interrupted.getrepr(funcargs=True)
    assert "KeyboardInterrupt" in str(told)
    assert told.reprcrash is not None
    assert told.reprcrash.path == __file__


def settling(phase: Any) -> ending.Settling:
    found = ending.Settling()
    found.phase = phase
    return found


@pytest.fixture
def unspoilt() -> Iterator[None]:
    """Whoever started the tests may ignore or take some of the signals."""
    plain = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in plain.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("unspoilt")
def test_signals_wait_for_the_verdict_and_for_what_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGHUP)
    for phase in ("verdict", "printing"):
        with settling(phase) as held:
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.raise_signal(number)
            assert held.heard == 2
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) is before
    assert "the verdict first" in capfd.readouterr().err


@pytest.mark.usefixtures("unspoilt")
def test_a_report_is_given_up_for_a_signal() -> None:
    with settling("report"), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGHUP)


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with settling("verdict") as held:
            signal.raise_signal(signal.SIGHUP)
        assert held.heard == 0
    finally:
        signal.signal(signal.SIGHUP, before)
