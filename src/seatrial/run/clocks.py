"""The clocks of this machine, and the id of its boot."""

from __future__ import annotations

import time
from pathlib import Path

from seatrial.records import Clock


def read_clocks() -> Clock:
    """The four clocks that witness steps (wall), suspends (boot) and slews (raw)."""
    return Clock(
        wall_ns=time.time_ns(),
        boot_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        raw_ns=time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW),
    )


def boot_id() -> str:
    """The kernel's id of this boot; empty where there is no /proc."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
