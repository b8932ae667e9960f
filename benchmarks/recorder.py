"""What the recorder costs at 1 Hz with one process and with ten, beside a psutil sampler of the same figures."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from seatrial.records import RunInfo, Sample, Threads
from seatrial.run.directory import RunDir

SECONDS = 20.0
WARM_S = 3.0
CPU_LIMIT = 1.0
"""Percent of one core."""
RSS_LIMIT = 60.0
"""MB."""

CHILDREN = 9
"""Processes below the server in the second figure: with it, ten."""

CHILD = """
import threading, time
for _ in range(7):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
while True:
    time.sleep(0.1)
"""

SERVER = """
import http.server, subprocess, sys, threading
children = [subprocess.Popen([sys.executable, "-c", sys.argv[2]]) for _ in range(int(sys.argv[1]))]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
for _ in range(7 if children else 14):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

NAIVE = """
import sys, time, urllib.request, psutil
port, url = int(sys.argv[1]), sys.argv[2]
due = time.monotonic()
while True:
    for connection in psutil.net_connections("tcp"):
        if connection.status == "LISTEN" and connection.laddr.port == port and connection.pid:
            process = psutil.Process(connection.pid)
            for each in [process, *process.children(recursive=True)]:
                with each.oneshot():
                    each.status(), each.cpu_times(), each.memory_full_info(), each.num_threads()
                    each.num_fds(), each.num_ctx_switches(), each.create_time(), each.threads()
    urllib.request.urlopen(url, timeout=0.8).read()
    due += 1
    time.sleep(max(0, due - time.monotonic()))
"""


def main() -> int:
    """Measure both side by side, with one process and with ten; 1 when the recorder takes more than its figure."""
    return max(_measure(0), _measure(CHILDREN))


def _measure(children: int) -> int:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        info = RunInfo(id="bench", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        run = RunDir.create(Path(folder) / "run", info)
        server = _start(stack, "-c", SERVER, str(children), CHILD, stdout=subprocess.PIPE, start_new_session=True)
        stack.callback(_kill_group, server.pid)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        recorder = _start(stack, "-m", "seatrial.monitor.recorder", str(run.path), stdin=subprocess.PIPE)
        url = f"http://127.0.0.1:{port}"
        naive = _start(stack, "-c", NAIVE, str(port), f"{url}/health")
        assert recorder.stdin is not None
        command = {"name": "a", "host": "127.0.0.1", "port": port, "base": url}
        recorder.stdin.write(json.dumps(command).encode() + b"\n")
        recorder.stdin.flush()
        shares = _shares(recorder.pid, naive.pid)
        rss = {pid: _rss_mb(pid) for pid in (recorder.pid, naive.pid)}
        recorder.stdin.write(b'{"seal": true}\n')
        recorder.stdin.close()
        recorder.wait(5)
        samples = [line for line in run.lines("watch/samples.jsonl") if isinstance(line, Sample)]
        threads = {line.pid for line in run.lines("watch/samples.jsonl") if isinstance(line, Threads)}
    print(f"{children + 1} process{'es' if children else ''}:")
    return max(_report(shares, rss, (recorder.pid, naive.pid)), _complete(samples, threads, children + 1))


def _start(stack: contextlib.ExitStack, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, *arguments], **more)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _report(shares: dict[int, float], rss: dict[int, float], pids: tuple[int, int]) -> int:
    ours, theirs = pids
    ratio = shares[theirs] / shares[ours]
    print(f"  recorder       {shares[ours]:.2f} % of one core, {rss[ours]:.0f} MB")
    print(f"  psutil sampler {shares[theirs]:.2f} % of one core, {rss[theirs]:.0f} MB; {ratio:.1f}x")
    if shares[ours] > CPU_LIMIT or rss[ours] > RSS_LIMIT:
        print(f"FAIL: more than {CPU_LIMIT:.0f} % of one core or {RSS_LIMIT:.0f} MB")
        return 1
    return 0


def _complete(samples: list[Sample], threads: set[int], processes: int) -> int:
    """Whether it saw what it was to see: each process each second, and the threads of each."""
    pids = {sample.pid for sample in samples}
    fewest = min((sum(sample.pid == pid for sample in samples) for pid in pids), default=0)
    print(f"  {fewest} samples of each of {len(pids)} processes in {SECONDS:.0f} s, the threads of {len(threads)}")
    if len(pids) < processes or len(threads) < processes or fewest < SECONDS - 2:
        print(f"FAIL: of {processes} processes it was to give {SECONDS - 2:.0f} samples each, and their threads")
        return 1
    return 0


def _shares(*pids: int) -> dict[int, float]:
    """Percent of one core over the measured time, start-up left out."""
    time.sleep(WARM_S)
    before = {pid: _cpu_ns(pid) for pid in pids}
    start = time.monotonic_ns()
    time.sleep(SECONDS)
    passed = time.monotonic_ns() - start
    return {pid: (_cpu_ns(pid) - before[pid]) / passed * 100 for pid in pids}


def _cpu_ns(pid: int) -> int:
    """The CPU clock of another process, in ns."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
