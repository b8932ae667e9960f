"""Real servers, one at a time: llama.cpp embedded and as a program, and dasllama."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from seatrial.given.errors import EmbeddedMissing
from seatrial.servers import embedded
from tests.faults.processes import Process, TrialError, free_port, until
from tests.faults.rows import Trial

START_S = 90.0
PASSIVE = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait by spinning starve the trials beside them."""
KINDS = ("embedded", "llama-server", "dasllama")


class Real(Process):
    """A real server, somebody else's process to the recorder; it is ready once it tells its models."""

    real = True
    key = ""

    def __init__(self, folder: Path, port: int, command: list[str]) -> None:
        self.port, self.command = port, command
        self.log = folder / f"real-{port}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log,
                                            start_new_session=True, env=os.environ | PASSIVE)  # fmt: skip
        self.pid = self.process.pid
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self.model = until(self._model, f"{command[0]} tells its models", START_S)
            undo.pop_all()

    def _model(self) -> str:
        if self.process.poll() is not None:
            raise TrialError(f"{self.command[0]} does not start: {self.log.read_text(errors='replace')[-300:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/models", timeout=2) as answer:
                return str(json.load(answer)["data"][0]["id"])
        except (OSError, ValueError, KeyError, IndexError):
            return ""

    def again(self, folder: Path, *_: str) -> Process:
        return Real(folder, self.port, self.command)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def ways(llama_server: str | None = None, dasllama: str | None = None) -> dict[str, Callable[[int], list[str]]]:
    """Name -> the command that starts it at a port, for those that are here."""
    try:
        model = str(embedded.model_file(lambda text: print(text, file=sys.stderr)))
    except (EmbeddedMissing, OSError, ValueError) as error:
        print(f"no real server: {error}", file=sys.stderr)
        return {}
    found: dict[str, Callable[[int], list[str]]] = {}
    if find_spec("xllamacpp"):
        found["embedded"] = lambda port: [sys.executable, "-m", "seatrial.servers.embedded", "--with-parent",
                                          f"--model={model}", f"--port={port}"]  # fmt: skip
    if program := llama_server or shutil.which("llama-server"):
        found["llama-server"] = lambda port: [program, "-m", model, "--port", str(port), "-c", "8192", "-np", "4",
                                              "--slots", "-t", "1"]  # fmt: skip
    if other := dasllama or shutil.which("dasllama-server"):
        found["dasllama"] = lambda port: [other, "-m", model, "-p", str(port), "--ctx", "2048", "-s", "4", "-t", "1",
                                          "--gpu", "off"]  # fmt: skip
    return found


def servers(llama_server: str | None, dasllama: str | None) -> dict[str, Callable[[Trial], Real]]:
    """Name -> what starts it for a trial, for those that are here."""

    def starter(way: Callable[[int], list[str]]) -> Callable[[Trial], Real]:
        def start(trial: Trial) -> Real:
            port = free_port(trial.rng)
            return Real(trial.folder, port, way(port))

        return start

    return {name: starter(way) for name, way in ways(llama_server, dasllama).items()}
