"""What the recorder costs with one server at 1 Hz, beside a psutil sampler of the same figures in the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from seatrial.records import RunInfo, Sample
from seatrial.rundir import RunDir

SECONDS = 20.0
WARM_S = 3.0
CPU_LIMIT = 1.0
"""Percent of one core."""
RSS_LIMIT = 60.0
"""MB."""

SERVER = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
for _ in range(14):
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
    """Measure both side by side; 1 when the recorder takes more than its figure."""
    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo(id="bench", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        run = RunDir.create(Path(folder) / "run", info)
        server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        recorder = subprocess.Popen(
            [sys.executable, "-m", "seatrial.monitor.recorder", str(run.path)], stdin=subprocess.PIPE
        )
        naive = subprocess.Popen([sys.executable, "-c", NAIVE, str(port), f"http://127.0.0.1:{port}/health"])
        try:
            assert recorder.stdin is not None
            url = f"http://127.0.0.1:{port}"
            recorder.stdin.write(json.dumps({"watch": "a", "host": "127.0.0.1", "port": port, "base": url}).encode())
            recorder.stdin.write(b"\n")
            recorder.stdin.flush()
            shares = _shares(recorder.pid, naive.pid)
            rss = {pid: _rss_mb(pid) for pid in (recorder.pid, naive.pid)}
            recorder.stdin.write(b'{"seal": true}\n')
            recorder.stdin.close()
            recorder.wait(5)
        finally:
            for process in (recorder, naive, server):
                process.kill()
                process.wait()
        samples = sum(isinstance(line, Sample) for line in run.lines("watch/samples.jsonl"))
    return _report(shares, rss, samples, (recorder.pid, naive.pid))


def _report(shares: dict[int, float], rss: dict[int, float], samples: int, pids: tuple[int, int]) -> int:
    ours, theirs = pids
    print(f"recorder       {shares[ours]:.2f} % of one core, {rss[ours]:.0f} MB, {samples} samples in {SECONDS:.0f} s")
    print(
        f"psutil sampler {shares[theirs]:.2f} % of one core, {rss[theirs]:.0f} MB; {shares[theirs] / shares[ours]:.1f}x"
    )
    if samples < SECONDS - 2:
        print(f"FAIL: {samples} samples of at least {SECONDS - 2:.0f}: it did not keep its second")
        return 1
    if shares[ours] > CPU_LIMIT or rss[ours] > RSS_LIMIT:
        print(f"FAIL: more than {CPU_LIMIT:.0f} % of one core or {RSS_LIMIT:.0f} MB")
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
