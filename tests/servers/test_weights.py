"""The file behind an endpoint: found by what the server or its process names, hashed once, and never trusted."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from seatrial.records import FILE_SUM, Endpoint
from seatrial.servers.weights import found, gguf, hashing
from tests.waiting import until

DEADLINE_S = 60.0


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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # the process that reads keeps what it found, too
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


def summed(path: Path) -> str:
    """Its hash, whenever that comes."""
    held = hashing.Hashing(path, silent)
    held.wait(DEADLINE_S)
    held.end()
    assert held.sum, held.lacks
    return held.sum


class Slow:
    """A reader that never comes to the end of its file, and says so once."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = written(folder / "large.gguf")
        read = "import sys; print(1, 4, flush=True); sys.exit(sys.stdin.buffer.read() == b'')"
        real = subprocess.Popen
        self.begun: list[subprocess.Popen[bytes]] = []

        def begin(_command: list[str], **how: object) -> subprocess.Popen[bytes]:
            self.begun.append(real([sys.executable, "-c", read], **how))  # type: ignore[call-overload]
            return self.begun[-1]

        monkeypatch.setattr(hashing.subprocess, "Popen", begin)


def test_a_file_is_hashed_once_and_again_when_it_changed(tmp_path, cache, monkeypatch):
    path, begun, real = written(tmp_path / "m.gguf"), [], subprocess.Popen
    monkeypatch.setattr(hashing.subprocess, "Popen", lambda *given, **how: begun.append(1) or real(*given, **how))
    assert summed(path) == summed(path) == hashlib.sha256(WHOLE).hexdigest()
    assert len(begun) == 1
    assert hashlib.sha256(WHOLE).hexdigest() in cache.read_text()
    os.utime(path, ns=(1, 1))
    summed(path)
    cache.write_bytes(b"[broken")
    assert summed(path) == hashlib.sha256(WHOLE).hexdigest()
    assert len(begun) == 3


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"regular|No such"):
            hashing.Hashing(path, silent)


def test_a_hash_that_is_not_there_in_time_is_not_yet_known_and_holds_up_nobody(tmp_path, monkeypatch):
    slow, said = Slow(tmp_path, monkeypatch), []
    files = found.Weights(said.append)
    page = files.known(endpoint(str(slow.path)))
    assert page.facts["weights"].startswith("its hash: not yet known")
    assert FILE_SUM not in page.facts
    held = files._files[slow.path]
    until(lambda: held.lacks.startswith("not yet known: 25 % of"), "it says how far it is")
    (late,) = files.settled({"it": page}, go_on=True)
    assert late.facts["weights"].startswith("its hash: not yet known: 25 % of")
    assert late.facts["quantisation"] == "Q4_K_M"
    assert said[-1].strip().startswith("hash of large.gguf: not yet known: 25 %")
    assert "for the next run to find" in said[-1]
    files.close()
    assert slow.begun[0].wait(DEADLINE_S) == 0, "it was told to go on, and not that we are gone"


def test_a_reader_that_nobody_tells_to_go_on_ends_with_the_run(tmp_path, monkeypatch):
    slow = Slow(tmp_path, monkeypatch)
    files = found.Weights(silent)
    page = files.known(endpoint(str(slow.path)))
    assert next(files.settled({"it": page}, go_on=False)).facts["weights"].startswith("its hash: not yet known")
    files.close()
    assert slow.begun[0].poll() is not None


def test_a_hash_that_came_in_the_course_of_the_run_stands_on_the_page_at_its_end(tmp_path):
    path = written(tmp_path / "m.gguf")
    files = found.Weights(silent)
    page = files.known(endpoint(str(path)))
    files._files[path].wait(DEADLINE_S)
    (late,) = files.settled({"it": page, "other": page}, go_on=True)
    assert late.facts == {"file": "m.gguf", FILE_SUM: hashlib.sha256(WHOLE).hexdigest(), "quantisation": "Q4_K_M"}
    assert list(files.settled({"it": late}, go_on=True)) == []
    assert list(files.settled({}, go_on=True)) == []
    files.close()


def test_a_file_that_changed_while_it_was_read_has_no_hash(tmp_path, monkeypatch):
    path = written(tmp_path / "m.gguf")
    keys = iter(["before", "after"])
    monkeypatch.setattr(hashing, "_key", lambda _path: next(keys))
    held = hashing.Hashing(path, silent)
    held.wait(DEADLINE_S)
    held.end()
    assert (held.sum, held.lacks) == ("", "not hashed: it changed while it was read")


def test_the_reader_keeps_the_hash_itself_once_it_is_told_to_go_on(tmp_path, cache):
    """As the next run finds it: nobody listens any more when it comes to its end."""
    path = written(tmp_path / "m.gguf")
    home = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "seatrial.servers.weights.hashing", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=home) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdout.close()
        reader.stdin.write(hashing.GO_ON)
        reader.stdin.close()
        reader.wait(DEADLINE_S)
    (kept,) = (tmp_path / "home").rglob(hashing.CACHE)
    assert hashlib.sha256(WHOLE).hexdigest() in kept.read_text()


def test_a_reader_whose_starter_is_gone_reads_no_further(tmp_path):
    path = tmp_path / "large.gguf"
    with path.open("wb") as file:
        file.truncate(3 * hashing.CHUNK)
    command = [sys.executable, "-m", "seatrial.servers.weights.hashing", str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stdout) == (1, b"")


def known(told: Endpoint) -> dict[str, str]:
    """What stands on the page of an endpoint at the end of a run."""
    files = found.Weights(silent)
    page = files.known(told)
    for held in files._files.values():
        held.wait(DEADLINE_S)
    page = next(files.settled({page.name: page}, go_on=False), page)
    files.close()
    return page.facts


def test_the_file_that_the_server_names_is_told(tmp_path):
    facts = known(endpoint(str(written(tmp_path / "m.gguf"))))
    assert facts == {"file": "m.gguf", FILE_SUM: hashlib.sha256(WHOLE).hexdigest(), "quantisation": "Q4_K_M"}


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "/dev/zero", "relative.gguf", "/no/such.gguf", "/tmp\0x", "/" + "x" * 5000]
)
def test_a_file_that_is_none_of_weights_is_not_read(named):
    facts = known(endpoint(named))
    assert FILE_SUM not in facts
    assert facts["weights"].startswith("not readable from here")


def test_a_file_of_another_size_or_host_is_not_that_of_the_model(tmp_path):
    path = str(written(tmp_path / "m.gguf"))
    assert "another size" in known(endpoint(path, size="9000000000"))["weights"]
    assert known(endpoint(path, host="192.0.2.7")) == {"weights": "not readable from here"}


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
        assert known(endpoint(port=port))["file"] == "own.gguf"
        server.kill()


def test_a_listener_that_is_not_ours_to_see_is_not_taken_for_this_process(tmp_path, monkeypatch):
    """Whose socket it is, only its owner is told: a run that is called with a file's name is no server of it."""
    model, own = written(tmp_path / "m.gguf"), os.getpid()
    unseen = SimpleNamespace(laddr=("127.0.0.1", 8080), status=psutil.CONN_LISTEN, pid=None)
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: [unseen])
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: [f"--model={model}"] if self.pid == own else [])
    assert known(endpoint(port=8080)) == {found.WEIGHTS: "not readable from here"}


def test_a_name_that_nobody_knows_is_another_host(monkeypatch):
    def lost(*_given, **_more):
        raise socket.gaierror

    monkeypatch.setattr(found.socket, "getaddrinfo", lost)
    assert known(endpoint("/m.gguf")) == {"weights": "not readable from here"}


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("llama-server --mmproj p.gguf -m m.gguf -md d.gguf", ["m.gguf"]),
        ("llama-server --lora=l.gguf --model=m.gguf --model-draft d.gguf", ["m.gguf"]),
        ("llama-server -mv v.gguf --control-vector-scaled c.gguf 0.5", []),
        ("koboldcpp other.gguf --model m.gguf", ["m.gguf", "other.gguf"]),
        ("serve --model-path m.gguf", ["m.gguf"]),
        ("", []),
    ],
)
def test_what_stands_beside_a_model_is_not_taken_for_it(line, files):
    assert found.named(line.split()) == files
