"""The rhythm of a simulated server, in a process of its own: how long a token takes, how fast a log or a memory grows.

It is what is measured. No test waits by it: tests wait for what they look for, with a deadline.
"""

from __future__ import annotations

import time


def pace(seconds: float) -> None:
    """Let a simulated server's next step come so much later."""
    time.sleep(seconds)
