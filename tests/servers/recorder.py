"""A stand-in for the recorder: writes down what the keeper tells it, and when.

``python -m tests.servers.recorder RUN``.
Environment ``RECORDER_DEAF=1``: it ignores the seal and the end of its stdin, as a hung one would.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

with (Path(sys.argv[1]) / "told.jsonl").open("a", buffering=1) as told:
    told.write(json.dumps({"began": os.getpid(), "at": time.monotonic_ns()}) + "\n")
    for line in sys.stdin:
        told.write(json.dumps({**json.loads(line), "at": time.monotonic_ns()}) + "\n")
        if "seal" in line and not os.environ.get("RECORDER_DEAF"):
            break
    else:
        told.write(json.dumps({"orphaned": True, "at": time.monotonic_ns()}) + "\n")
while os.environ.get("RECORDER_DEAF"):
    signal.pause()
