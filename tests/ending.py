"""Ending what a test has started, whatever becomes of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import AnyStr


@contextmanager
def ending(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """The process, which ends with the block: a plain ``with`` waits for it, for ever where the block has failed."""
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
