"""The file behind an endpoint: found by what the server or its process names, hashed once, and never trusted."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.records import FILE_SUM, Endpoint
from seatrial.servers.weights import found, gguf, hashing


def head(*pairs: tuple[bytes, int, bytes]) -> bytes:
    body = b"".join(struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value for key, kind, value in pairs)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


NAME = (b"general.name", 8, text(b"A model"))
TAGS = (b"general.tags", 9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"b"))
SIZES = (b"some.sizes", 9, struct.pack("<IQ", 4, 3) + bytes(12))
KIND = (b"general.file_type", 4, struct.pack("<I", 15))
WHOLE = head(NAME, TAGS, SIZES, KIND)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(hashing.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return tmp_path / "cache" / "seatrial" / hashing.CACHE


def written(path: Path, content: bytes = WHOLE) -> Path:
    path.write_bytes(content)
    return path


def endpoint(file: str = "", port: int = 1, host: str = "127.0.0.1", **marks: str) -> Endpoint:
    told = {"name": "it", "kind": "llama.cpp", "model": "m", "models": ("m",)}
    return Endpoint(url=f"http://{host}:{port}/v1", file=file, marks=marks, **told)


def silent(_line: str) -> None:
    pass


def test_the_head_says_how_the_weights_are_quantised(tmp_path):
    assert gguf.quantisation(written(tmp_path / "m.gguf")) == "Q4_K_M"
    odd = head((b"general.file_type", 4, struct.pack("<I", 999)))
    assert gguf.quantisation(written(tmp_path / "m.gguf", odd)) == "file type 999"


@pytest.mark.parametrize("content", [
    WHOLE[:40], WHOLE[:8], b"GGUF", head(NAME), head((b"a", 77, b"")), b"GGUF" + b"\xff" * 400,
    head((b"a", 8, struct.pack("<Q", 1 << 62))), head((b"a", 9, struct.pack("<IQ", 8, 1 << 60))),
    head((b"a", 9, struct.pack("<IQ", 4, 1 << 61))), head((b"a", 9, struct.pack("<IQ", 9, 1))),
])  # fmt: skip
def test_a_head_that_is_cut_or_hostile_says_nothing(tmp_path, content):
    assert gguf.quantisation(written(tmp_path / "m.gguf", content)) == ""


def test_a_file_is_hashed_once_and_again_when_it_changed(tmp_path, cache, monkeypatch):
    path, read = written(tmp_path / "m.gguf"), []
    real = hashing._read
    monkeypatch.setattr(hashing, "_read", lambda *given: read.append(given[0]) or real(*given))
    assert hashing.sha256(path, silent) == hashing.sha256(path, silent) == hashlib.sha256(WHOLE).hexdigest()
    assert read == [path]
    assert cache.exists()
    os.utime(path, ns=(1, 1))
    hashing.sha256(path, silent)
    cache.write_bytes(b"[broken")
    assert hashing.sha256(path, silent) == hashlib.sha256(WHOLE).hexdigest()
    assert len(read) == 3


def test_what_is_no_file_or_takes_too_long_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"regular|No such"):
            hashing.sha256(path, silent)
    with pytest.raises(TimeoutError):
        hashing.sha256(written(tmp_path / "m.gguf"), silent, limit_s=0.0)


def test_the_file_that_the_server_names_is_told(tmp_path):
    known = found.known(endpoint(str(written(tmp_path / "m.gguf"))), silent).facts
    summed = hashlib.sha256(WHOLE).hexdigest()
    assert known == {"file": "m.gguf", FILE_SUM: summed, "quantisation": "Q4_K_M"}


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "/dev/zero", "relative.gguf", "/no/such.gguf", "/tmp\0x", "/" + "x" * 5000]
)
def test_a_file_that_is_none_of_weights_is_not_read(named):
    known = found.known(endpoint(named), silent).facts
    assert FILE_SUM not in known
    assert known["weights"].startswith("not readable from here")


def test_a_file_of_another_size_or_host_is_not_that_of_the_model(tmp_path):
    path = str(written(tmp_path / "m.gguf"))
    assert "another size" in found.known(endpoint(path, size="9000000000"), silent).facts["weights"]
    assert found.known(endpoint(path, host="192.0.2.7"), silent).facts == {"weights": "not readable from here"}


def test_the_command_line_of_who_listens_names_it_too(tmp_path):
    written(tmp_path / "own.gguf")
    listen = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); "
        "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", listen, "--model=own.gguf"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        assert found.known(endpoint(port=port), silent).facts["file"] == "own.gguf"
        server.kill()


def test_a_name_that_nobody_knows_is_another_host(monkeypatch):
    def lost(*_given, **_more):
        raise socket.gaierror

    monkeypatch.setattr(found.socket, "getaddrinfo", lost)
    assert found.known(endpoint("/m.gguf"), silent).facts == {"weights": "not readable from here"}
