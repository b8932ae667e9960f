"""The guard between a run directory and its readers: regular files below it are read, and nothing else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from seatrial.run import files


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


THINGS = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": _socket,
    "a symbolic link": lambda path: path.symlink_to("there"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run" / "writers" / "main-1").mkdir(parents=True)
    (tmp_path / "run" / "there").write_bytes(b"0123456789")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.jsonl").write_bytes(b"secret")
    return tmp_path / "run"


@pytest.mark.parametrize("what", THINGS)
def test_what_is_no_regular_file_is_named_and_not_opened(root, what):
    THINGS[what](root / "writers" / "main-1" / "x.jsonl")
    with pytest.raises(files.UnfitError, match=what):
        files.read(root, "writers/main-1/x.jsonl")
    heard = []
    assert files.matching(root, "writers/**/*.jsonl", lambda name, why: heard.append((name, why))) == []
    assert heard == [("writers/main-1/x.jsonl", what)]


def test_no_folder_leads_out(root):
    (root / "writers" / "gw0-2").symlink_to(root.parent / "outside")
    heard = []
    assert files.matching(root, "writers/**/*.jsonl", lambda name, why: heard.append((name, why))) == []
    assert heard == [("writers/gw0-2", "a symbolic link")]
    for name in ("writers/gw0-2/x.jsonl", "../outside/x.jsonl", "/etc/passwd", "writers//x", "a\0b"):
        with pytest.raises(files.UnfitError):
            files.read(root, name)


def test_a_whole_file_is_read_up_to_its_bound(root):
    assert files.read(root, "there") == b"0123456789"
    assert files.read(root, "there", 10) == b"0123456789"
    with pytest.raises(files.UnfitError, match="longer than 9 bytes"):
        files.read(root, "there", 9)
    assert files.tail(root, "there", 3) == b"789"
    with pytest.raises(files.MissingError):
        files.read(root, "writers/nobody-1/x.jsonl")


def test_a_crowd_of_names_and_of_folders_has_an_end(root, monkeypatch):
    deep = root / "writers" / "/".join("d" * 30)
    deep.mkdir(parents=True)
    (deep / "x.jsonl").write_bytes(b"")
    heard = []
    assert files.matching(root, "writers/**/*.jsonl", lambda *told: heard.append(told)) == []
    assert heard == []
    monkeypatch.setattr(files, "ENTRIES", 3)
    files.matching(root, "writers/**/*.jsonl", lambda *told: heard.append(told))
    assert "more than 3 names" in heard[0][1]


def test_patterns_stand_for_names_and_for_folders(root):
    for name in ("writers/main-1/x.jsonl", "writers/main-1/deeper/y.jsonl", "writers/z.jsonl", "writers/main-1/x.json"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")

    def found(pattern):
        return files.matching(root, pattern, lambda *_: None)

    assert found("writers/*/*.jsonl") == ["writers/main-1/x.jsonl"]
    assert found("writers/**/*.jsonl") == [
        "writers/main-1/deeper/y.jsonl",
        "writers/main-1/x.jsonl",
        "writers/z.jsonl",
    ]
    assert found("load/*.jsonl") == []
