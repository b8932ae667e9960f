"""The memory of the recorder and of who follows its record, over as many looks as an eight-hour night has."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recorder import CHILD, SERVER
from seatrial.given.soak import AfterStop
from seatrial.records import Clock, Endpoint, RunInfo
from seatrial.run.directory import RunDir
from seatrial.run.follow import Growing
from seatrial.trial.progress import Progress
from seatrial.trial.soaking.fallen import Fallen

LOOKS = 8 * 3600
FASTER = 100
"""So many looks in the time of one."""
WARM = 0.05
"""Part of them after which growth counts."""
LIMIT_MB = 10.0
LONGEST_S = 1200.0

RECORDER = f"""
import sys
from seatrial.monitor import recorder
recorder.SECOND //= {FASTER}
sys.exit(recorder.main())
"""


def main() -> int:
    """Look so often at a server of two processes; 1 when one of them grows by too much, or does not come to its end."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        info = RunInfo(id="bench", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        run = RunDir.create(Path(folder) / "run", info)
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, "1", CHILD],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # at such a pace some answers come late
            start_new_session=True,
        )
        stack.callback(os.killpg, server.pid, signal.SIGKILL)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        url = f"http://127.0.0.1:{port}"
        page = Endpoint(name="a", url=f"{url}/v1", kind="generic", model="m", models=("m",))
        run.write_endpoint(page)
        recorder = subprocess.Popen([sys.executable, "-c", RECORDER, str(run.path)], stdin=subprocess.PIPE)
        stack.callback(recorder.kill)
        assert recorder.stdin is not None
        recorder.stdin.write(json.dumps({"name": "a", "host": "127.0.0.1", "port": port, "base": url}).encode() + b"\n")
        recorder.stdin.flush()
        grown = _followed(run, page, recorder.pid, stack)
        recorder.stdin.close()
        recorder.wait(10)
    for name, growth in grown.items():
        print(f"  {name:9} {growth:+.1f} MB in {LOOKS} looks")
    if not grown or max(grown.values()) >= LIMIT_MB:
        print(f"FAIL: {LIMIT_MB:.0f} MB or more, or not at the end of the night in {LONGEST_S:.0f} s")
        return 1
    return 0


def _followed(run: RunDir, page: Endpoint, recorder: int, stack: contextlib.ExitStack) -> dict[str, float]:
    """By how many MB recorder and follower have grown since the warm-up; none where the looks do not come."""
    fallen = stack.enter_context(Fallen(run, page, AfterStop.ABORT))
    progress = stack.enter_context(contextlib.closing(Progress(run.path, page.name, "load1", recorder, 1.0)))
    beats = Growing(run.path / "watch" / "samples.jsonl")
    looks, warm = 0, dict[str, float]()
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        assert not fallen.abort()
        progress.line(time.monotonic_ns())
        looks += sum(isinstance(line, Clock) for line in beats.lines())
        if looks >= LOOKS * WARM and not warm:
            warm = _used(recorder)
        if looks >= LOOKS:
            return {name: now - warm[name] for name, now in _used(recorder).items()}
        time.sleep(0.1)
    return {}


def _used(recorder: int) -> dict[str, float]:
    """Resident memory in MB."""
    gc.collect()
    pages = {"recorder": f"/proc/{recorder}/statm", "follower": "/proc/self/statm"}
    size = os.sysconf("SC_PAGE_SIZE") / 1e6
    return {name: int(Path(path).read_text().split()[1]) * size for name, path in pages.items()}


if __name__ == "__main__":
    sys.exit(main())
