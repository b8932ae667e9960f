"""The look for processes of the tests that live on sees one, and sees no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import MARK, marked
from tests.ending import ending


def test_a_process_that_bears_the_mark_is_found_and_no_other():
    code = "print(flush=True); import sys; sys.stdin.read()"
    for mark, seen in (("mine", True), ("another", False)):
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env={**os.environ, MARK: mark})  # fmt: skip
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            assert (process.pid in marked("mine")) is seen
            process.communicate()


def test_what_a_failed_block_has_started_ends_with_it():
    """A plain ``with`` waits for its end instead: for a minute here."""
    code = "import threading; threading.Event().wait(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    with pytest.raises(ZeroDivisionError), ending(process):
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
