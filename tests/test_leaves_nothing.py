"""The look for processes of the tests that live on sees one, and sees no other."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import MARK, marked


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
