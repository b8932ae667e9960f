"""The last run of an endpoint is found among its neighbours, whatever lies there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seatrial.records import Endpoint
from seatrial.run import previous

IT = Endpoint(name="new", url="http://h:1/v1", kind="generic", model="m", models=("m",))
OUTCOMES = {"a/x[s]@old": "PASS", "a/y[s]@old": "FAIL"}


def neighbour(folder: Path, name: str, started: str, **changes: object) -> Path:
    """A run of an endpoint called ``old``, judged."""
    page = {"name": "old", "url": IT.url, "kind": "vllm", "model": "n", "build": "b"} | changes
    path = folder / name
    (path / "endpoints").mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"started": started, "id": name, "options": {}}))
    (path / "endpoints" / "old.json").write_text(json.dumps(page))
    verdict = {"v": 2, "endpoints": {"old": {"verdict": "READY", "reasons": []}}, "outcomes": OUTCOMES}
    (path / "verdict.json").write_text(json.dumps(verdict))
    return path


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own"
    path.mkdir()
    (path / "run.json").write_text('{"started": "2026-11-28T10:00:00Z"}')
    return path


def found(own: Path, it: Endpoint = IT) -> str:
    return next((earlier.run for earlier in previous.find(own, {it.name: it}).values()), "")


def test_it_is_the_newest_of_the_same_address_that_began_before(own):
    neighbour(own.parent, "oldest", "2026-11-01T00:00:00Z")
    neighbour(own.parent, "older", "2026-11-27T00:00:00Z")
    neighbour(own.parent, "elsewhere", "2026-11-28T00:00:00Z", url="http://h:2/v1")
    neighbour(own.parent, "later", "2026-11-28T11:00:00Z")
    (own.parent / "latest").symlink_to("later")
    previous.keep(own, {"new": IT})
    kept = previous.kept(own)
    assert list(kept) == ["new"]
    assert (kept["new"].run, kept["new"].verdict, kept["new"].kind, kept["new"].build) == (
        "older",
        "READY",
        "vllm",
        "b",
    )
    assert kept["new"].outcomes == {"a/x[s]": "PASS", "a/y[s]": "FAIL"}


def test_the_embedded_server_is_one_whatever_its_port(own):
    neighbour(own.parent, "older", "2026-11-27T00:00:00Z", embedded=True, url="http://127.0.0.1:9/v1")
    ours = Endpoint(name="embedded", url=IT.url, kind="llama.cpp", model="m", models=("m",), embedded=True)
    assert found(own, ours) == "older"
    assert not found(own)


def spoil(path: Path, how: str) -> None:
    verdict = path / "verdict.json"
    match how:
        case "none":
            verdict.unlink()
        case "fifo":
            verdict.unlink()
            os.mkfifo(verdict)
        case "link":
            verdict.rename(path / "elsewhere.json")
            verdict.symlink_to("elsewhere.json")
        case "folder":
            (path / "run.json").unlink()
            (path / "run.json").mkdir()
        case "run-fifo":
            (path / "run.json").unlink()
            os.mkfifo(path / "run.json")
        case "nothing judged":
            verdict.write_text('{"endpoints": {"old": {"verdict": "READY"}}, "outcomes": {}}')
        case "huge":
            with verdict.open("ab") as file:
                file.truncate(previous.FILE_CAP + 1)
        case "unreadable endpoints":
            (path / "endpoints" / "old.json").unlink()
            (path / "endpoints").rmdir()
            (path / "endpoints").write_text("")
        case _:
            verdict.write_bytes(how.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "how",
    [
        "none", "fifo", "link", "folder", "run-fifo", "nothing judged", "huge", "unreadable endpoints",
        "", "[]", "null", "{", '{"endpoints": 5, "outcomes": []}', '{"endpoints": {}, "outcomes": {"a@old": "PASS"}}',
        '{"endpoints": {"old": {"verdict": "READY"}}, "outcomes": {"a/x[s]@old": "LIES"}}', "[" * 90_000, "\udcff",
    ],
)  # fmt: skip
def test_a_damaged_neighbour_is_passed_over(own, how):
    neighbour(own.parent, "sound", "2026-11-01T00:00:00Z")
    spoil(neighbour(own.parent, "broken", "2026-11-27T00:00:00Z"), how)
    assert found(own) == "sound"


def test_where_nothing_was_found_nothing_is_written(own):
    (own.parent / "file").write_text("")
    previous.keep(own, {"new": IT})
    assert previous.kept(own) == {}
    assert [path.name for path in own.iterdir()] == ["run.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"new": 5}', '{"new": {"run": "r"}}'])
def test_what_was_kept_and_is_damaged_is_nothing(own, text):
    (own / previous.FILE).write_text(text)
    assert previous.kept(own) == {}


def test_a_name_that_is_no_utf_8_is_told_as_it_can_be(own):
    path = neighbour(own.parent, "older", "2026-11-27T00:00:00Z")
    path.rename(os.fsdecode(os.fsencode(own.parent) + b"/\xff"))
    previous.keep(own, {"new": IT})
    assert previous.kept(own)["new"].run == "\ufffd"
