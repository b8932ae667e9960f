"""The conformance suite against the embedded server, beside a bare sender of the same requests in the same run.

The server is started once. The suite asks it; then what was sent is read off the run directory and sent again on bare
sockets, one after the other, and so on in turn: what the server remembers of prompts helps both alike. Time runs from
the first request to the last answer, so that a start of pytest and a report are in neither.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from seatrial.records import SECOND, Received
from seatrial.run.directory import RunDir
from seatrial.servers.embedded import model_file

ROOT = Path(__file__).parents[1]
ROUNDS = 2
MOST = 1.15
PATIENCE_S = 60.0
CLOSE = (b"\r\nConnection: keep-alive\r\n", b"\r\nConnection: close\r\n")


def asked(url: str, run_dir: Path) -> tuple[float, list[bytes]]:
    """Seconds from the first request of a run of the suite to its last answer, and the requests in order."""
    command = [sys.executable, "-m", "pytest", "suites/conformance", f"--endpoint={url}", f"--run-dir={run_dir}"]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
    if ran.returncode not in (0, 1):  # READY, or not: all was asked and judged
        raise SystemExit(f"  MISSED: the suite ended with {ran.returncode}; a run that proves nothing has no figure")
    run = RunDir.open(run_dir)
    lines = sorted((line for line in run.lines("writers/**/*.jsonl") if isinstance(line, Received)), key=_sent)
    span = max(line.ended_at for line in lines) - lines[0].sent_at
    return span / SECOND, [run.exchange_of(line)[0] for line in lines]


def _sent(line: Received) -> int:
    return line.sent_at


def sent(url: str, requests: list[bytes]) -> float:
    """Seconds that a bare sender takes for the same."""
    parts = urlsplit(url)
    began = time.monotonic()
    for request in requests:
        with (
            contextlib.suppress(OSError),  # what the server does to a careless request is no matter here
            socket.create_connection((parts.hostname or "", parts.port or 80), timeout=PATIENCE_S) as sock,
        ):
            sock.sendall(request.replace(*CLOSE, 1))
            while sock.recv(65536):
                pass
    return time.monotonic() - began


def main() -> int:
    """Time both in turn; 1 when the suite takes more than its share of the bare sender's time."""
    command = [sys.executable, "-m", "seatrial.servers.embedded", "--with-parent", f"--model={model_file()}"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server,
    ):
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        suite, bare = [], []
        try:
            for n in range(ROUNDS):
                seconds, requests = asked(url, Path(folder) / str(n))
                suite.append(seconds)
                bare.append(sent(url, requests))
                print(
                    f"  {len(requests)} requests: suite {suite[-1]:6.1f} s, bare sender {bare[-1]:6.1f} s", flush=True
                )
        finally:
            server.terminate()
    ratio = min(suite) / min(bare)
    kept = ratio <= MOST
    print(f"  the suite takes {ratio:.2f} times as long; at most {MOST} asked: {'ok' if kept else 'MISSED'}")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
