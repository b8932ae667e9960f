"""Faults that show over hours, each looked at by itself; and faults that are held back until they are switched on."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace
from typing import cast

import pytest

from tests.ending import ending
from tests.golden.answers import Answer
from tests.golden.client import ask, chat, exchange, request
from tests.golden.faults import FAULTS, Call, lasting
from tests.golden.http1 import Request
from tests.golden.items import Pause, Piece
from tests.golden.registry import Shot
from tests.golden.server import Golden
from tests.golden.truth import Truth
from tests.waiting import PassingTime, until

COUNT = "Count from one to forty, and say each number twice."


def shot(name: str, memory: dict[str, object], truth: Truth, path: str = "/v1/chat/completions") -> Shot:
    call = Call(Request("POST", path, "HTTP/1.1", {}, b""))
    return Shot(FAULTS[name], call, memory, random.Random(0), truth)


def sent(name: str, pieces: list[Piece], memory: dict[str, object], truth: Truth) -> list[Piece]:
    drawn = shot(name, memory, truth)
    return list(drawn.fault.function(iter(pieces), drawn))


def test_a_megabyte_a_request_is_kept_and_no_word_changes() -> None:
    truth, memory, answer = Truth(), dict[str, object](), Answer((" hello",), ())
    tracemalloc.start()
    for _ in range(30):
        drawn = shot("keeps-a-megabyte", memory, truth)
        assert drawn.fault.function(answer, drawn) is answer
        assert drawn.fault.function(answer, drawn) is answer  # a second choice of the same request
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken > 29 << 20
    assert truth.snapshot()["fired"] == {"keeps-a-megabyte": 30}


def test_all_pauses_are_longer() -> None:
    truth = Truth()
    assert sent("slower", [b"a", Pause(2.0), b"b"], {}, truth) == [b"a", Pause(2.3), b"b"]
    assert truth.snapshot()["fired"] == {"slower": 1}
    assert sent("slower", [b"a"], {}, truth) == [b"a"]
    assert truth.snapshot()["fired"] == {"slower": 1}


def test_it_stands_still_once_and_the_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, truth, memory = PassingTime(), Truth(), dict[str, object]()
    monkeypatch.setattr(lasting, "time", clock)
    assert sent("stands-still", [b"a"], memory, truth) == [Pause(60.0), b"a"]
    clock.now = 45.0
    assert sent("stands-still", [b"a"], memory, truth) == [Pause(15.0), b"a"]
    clock.now = 61.0
    assert sent("stands-still", [b"a"], memory, truth) == [b"a"]
    asked = {
        path: FAULTS["stands-still"].when(shot("stands-still", {}, truth, path).call) for path in ("/slots", "/health")
    }
    assert asked == {"/slots": True, "/health": False}


def test_ten_thousand_lines_a_second_are_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, truth, memory = PassingTime(), Truth(), dict[str, object]()
    monkeypatch.setattr(lasting, "time", clock)
    for clock.now in (5.0, 5.5, 6.25):
        assert sent("floods-its-log", [b"a"], memory, truth) == [b"a"]
    assert capsys.readouterr().err.count("\n") == 12_500
    assert truth.snapshot()["fired"] == {"floods-its-log": 2}


def test_what_was_known_of_a_prompt_is_not() -> None:
    def known(golden: Golden) -> int:
        return [ask(golden, chat(COUNT))[1]["usage"]["prompt_tokens_details"]["cached_tokens"] for _ in range(2)][1]

    with Golden() as plain, Golden(faults=("forgets-prompts",)) as forgetful:
        assert known(plain) > 5
        assert known(forgetful) == 0
        assert forgetful.truth()["fired"] == {"forgets-prompts": 1}
        assert forgetful.truth()["cached_tokens"] == 0


def test_faults_that_are_held_back_wait_for_their_release() -> None:
    with Golden(faults=("server-error",), held=True) as golden:
        assert ask(golden, chat())[0] == 200
        golden.release()
        assert ask(golden, chat())[0] == 500
        assert golden.truth()["fired"] == {"server-error": 1}


def test_a_signal_switches_them_on() -> None:
    command = [sys.executable, "-m", "tests.golden", "--held", "--fault=server-error"]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().removesuffix("/v1").rpartition(":")[2])
        there = cast("Golden", SimpleNamespace(port=port))
        sent = request("POST", "/v1/chat/completions", chat())
        assert b" 200 " in exchange(there, sent, patience_s=60.0).partition(b"\r\n")[0]
        process.send_signal(signal.SIGUSR1)
        until(lambda: b" 500 " in exchange(there, sent).partition(b"\r\n")[0], "the fault")
