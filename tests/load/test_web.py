"""Locust's own page serves a run by hand: what it shows is what stands in the rows."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from seatrial.records import Phase, Stage
from seatrial.run.directory import RunDir
from seatrial.wire.listening import free_port
from tests.golden.server import Golden
from tests.load.children import PATIENCE_S, locust, rows
from tests.waiting import until

GOOD = frozenset({"ok", "left", "declined"})
"""What is no failure of the server (load.pool, which may not be imported here: Locust patches its process)."""


class Page:
    """What a browser asks of Locust."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def text(self) -> str:
        try:
            with urlopen(self._url, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def press(self, what: str, **fields: int) -> dict[str, Any]:
        with urlopen(Request(f"{self._url}/{what}", data=urlencode(fields).encode()), timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def shown(self) -> dict[str, Any]:
        with urlopen(f"{self._url}/stats/requests", timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())


def totals(page: Page) -> tuple[int, int]:
    """Requests and failures of the chats, as the page shows them."""
    return next(((each["num_requests"], each["num_failures"]) for each in page.shown()["stats"]
                 if each["name"] == "chat"), (0, 0))  # fmt: skip


def stop(page: Page, child: subprocess.Popen[str]) -> None:
    """Press stop, and wait for the end of the last stream."""
    assert page.press("stop")["success"]
    until(lambda: page.shown()["state"] == "stopped" or child.poll() is not None, "the end", PATIENCE_S)


def test_a_run_by_hand_shows_what_its_rows_count(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    page, place = Page(port), ("--web-host", "127.0.0.1", "--web-port", str(port))
    run = tmp_path / "run"
    with Golden(["error_in_200:0.2"], token_ms=1) as golden:
        with locust(golden.url.removesuffix("/v1"), run, *place, headless=False) as child:
            until(lambda: page.text() or child.poll() is not None, "a page", PATIENCE_S)
            assert '"num_users": 4' in page.text(), "as many as the settings say"
            assert page.press("swarm", user_count=4, spawn_rate=4)["success"]
            until(lambda: totals(page)[0] > 20 and totals(page)[1] > 0, "requests", PATIENCE_S)
            stop(page, child)
            until(lambda: totals(page) == counted(run), "the figures of the rows", PATIENCE_S)
            assert {each["error"] for each in page.shown()["errors"]} == {"OutcomeError('sse_error')"}
            before = len(rows(run))
            page.press("swarm", user_count=6, spawn_rate=6)  # once more, by more users
            until(lambda: len(rows(run)) > before + 20, "more requests", PATIENCE_S)
            stop(page, child)
            whole, bad = counted(run)
            until(lambda: totals(page)[0] == whole - before, "the figures of the later rows", PATIENCE_S)
            child.send_signal(signal.SIGTERM)
            text, _ = child.communicate(timeout=PATIENCE_S)
        assert golden.truth()["chats"] == whole
    stages = [line for line in RunDir.open(run).lines("load/*.jsonl") if isinstance(line, Phase)]
    assert [line.facts["users"] for line in stages if line.what == Stage.START] == ["4", "6"]
    assert [line.facts["how"] for line in stages if line.what == Stage.END] == ["drained"] * 2
    assert bad
    assert f"seatrial: {whole} requests: " in text
    assert "Traceback" not in text


def counted(run: Path) -> tuple[int, int]:
    """Requests and failures, as the rows have them."""
    found = rows(run)
    return len(found), sum(row.outcome not in GOOD for row in found)


def test_ctrl_c_ends_the_page_too_and_a_master_whose_page_has_no_port_is_one_line(tmp_path: Path) -> None:
    port = free_port()
    place = ("--web-host", "127.0.0.1", "--web-port", str(port))
    with Golden(token_ms=1) as golden, locust(golden.url, tmp_path / "run", *place, headless=False) as child:
        until(lambda: Page(port).text() or child.poll() is not None, "a page", PATIENCE_S)
        bind = ("--master", "--master-bind-port", str(free_port()))
        with locust(golden.url, tmp_path / "other", *place, *bind, headless=False) as other:
            said, _ = other.communicate(timeout=PATIENCE_S)
        child.send_signal(signal.SIGINT)
        text, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, text
    assert "Traceback" not in text + said
    assert other.returncode == 4
    assert f"ERROR: --web-port={port}: " in said
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.rglob("*.spare"))
