"""Whole runs, recorded by the tree on trial: what is damaged later."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import zlib
from pathlib import Path

from tests.ending import ending
from tests.golden.server import Golden
from tests.trials.tried import ROOT, hold, tried
from tests.waiting import until

WAIVED = """[[waive]]
case = "params/n-gives-n-choices"
who = "kim"
why = "known"
until = 2099-01-01
"""
LINE_SUM = re.compile(rb',"crc":"[0-9a-f]{8}"\}')
PAGE_SUM = re.compile(rb',\s*"crc": "[0-9a-f]{8}"\s*\}\s*\Z')
LARGE = 1 << 26
"""Bytes of a file that nobody reads as a whole."""
FEW = ("suites/conformance/test_params.py", "-k", "max-tokens or n-gives")


def suite(path: Path, *more: str, faults: tuple[str, ...] = (), selected: tuple[str, ...] = FEW) -> Path:
    """A run of cases against a golden server with such faults."""
    with Golden(faults) as golden:
        said = tried().suite(path, *selected, f"--endpoint=gold={golden.url}", *more)
    hold((path / "verdict.json").is_file(), "a run is recorded", said.out[-2000:])
    return path


def watch(path: Path, *, kill: bool) -> Path:
    """A watch of a golden server for some seconds; it is killed in the midst of it, or lives."""
    command = [sys.executable, "-m", "tests.golden"]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)) as server:
        assert server.stdout
        url = server.stdout.readline().strip()
        arguments = ("watch", f"--endpoint=gold={url}", "--for=6s", f"--record={path}")
        with ending(tried().start("-m", "seatrial.cli", *arguments)) as process:
            until(lambda: _is_seen(path), "the watch sees the server", 30)
            if kill:
                server.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
    return path


def _is_seen(path: Path) -> bool:
    samples = path / "watch" / "samples.jsonl"
    return samples.is_file() and samples.read_text().count('"health":200') > 1


def unsigned(path: Path, target: Path) -> Path:
    """A run as a version without sums would have recorded it."""
    shutil.copytree(path, target)
    for each in (*target.rglob("*.jsonl"), *target.rglob("*.json")):
        each.write_bytes(PAGE_SUM.sub(b"\n}\n", LINE_SUM.sub(b"}", each.read_bytes())))
    return target


def resigned(run: Path) -> None:
    """Give what stands in a run its sums, as whoever wants to could; a run without sums is left as it is."""
    page = (run / "run.json").read_bytes()
    if not PAGE_SUM.search(page):
        return
    begin = zlib.crc32(json.loads(page)["id"].encode())
    for path in (each for each in run.rglob("*.jsonl") if each.is_file() and not each.is_symlink()):
        if path.stat().st_size > LARGE:
            continue
        lines = [LINE_SUM.sub(b"}", line).rstrip() for line in path.read_bytes().split(b"\n") if line]
        path.write_bytes(b"".join(_signed(line, b',"crc":"%08x"}\n', begin) for line in lines))
    for path in (run / "run.json", *run.glob("endpoints/*.json")):
        body = PAGE_SUM.sub(b"", path.read_bytes())
        path.write_bytes(_signed(body + b"}", b',\n  "crc": "%08x"\n}\n', 0 if path.parent == run else begin))


def _signed(line: bytes, end: bytes, begin: int) -> bytes:
    return line[:-1] + end % zlib.crc32(line[:-1], begin)
