"""A log storm is a notice with its rate and onset: no stop, and the exit code is unchanged."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.trials.tried import hold, tried
from tests.trials.watch.watched import watching
from tests.waiting import until

STORMS = """
import http.server, sys, threading, time
class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
rate = int(sys.stdin.readline())
with open(sys.argv[1], "a", buffering=1) as log:
    for n in range(14 * 10):
        log.write("slot 0: the prompt is read again\\n" * (rate // 10)); time.sleep(0.1)
sys.stdin.read()
"""


@contextlib.contextmanager
def writing(path: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that writes a log for 14 s, so many lines a second as it is told by a line."""
    command = [sys.executable, "-c", STORMS, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}", server
        finally:
            server.kill()


@pytest.mark.long
def test_a_log_storm_is_a_notice(tmp_path):
    log = tmp_path / "server.log"
    log.write_text("begin\n")
    run = tmp_path / "run"
    options = ("--canary=off", "--json", f"--log=a={log}")
    with writing(str(log)) as (url, server), watching(tried(), run, f"--endpoint=a={url}", *options) as watch:
        samples = run / "watch" / "samples.jsonl"
        until(lambda: samples.is_file() and samples.read_text().count('"health":') > 2, "it is seen to answer", 30)
        assert server.stdin is not None
        server.stdin.write("4000\n")
        server.stdin.flush()
        watch.until(lambda: watch.objects("kind", "notice"), "the storm is told", 25)
        said = watch.end()
    told = watch.objects()
    hold([each["verdict"] for each in told] == ["LOG STORM"], "one notice", told)
    rate = int(told[0]["evidence"][0].split(" ")[0].replace(",", ""))
    hold(2000 < rate < 6000, "with about its rate", told)
    hold(said.code == 0, "a notice changes no exit code", said.code)
