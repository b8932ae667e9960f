"""The tree on trial: its command line, run as a user runs it, and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TREE = "SEATRIAL_TRIED"
"""Names the checkout on trial; this one where it is not set."""


class Wrong(AssertionError):
    """What was said is not what must be said. Any other failure of a trial shows nothing."""


def hold(held: object, must: str, said: object) -> None:
    """The assertion of a trial: what must be so, and what was said in its place.

    Raises:
        Wrong: it is not so.
    """
    if not held:
        raise Wrong(f"{must}; what was said: {said}")


@dataclass(frozen=True)
class Said:
    """A command that has ended: its exit code, and what it printed on both streams."""

    code: int
    out: str
    path: Path

    @property
    def block(self) -> str:
        """The verdict as it stands at the end of the terminal; all that was printed where there is none."""
        return self.out[self.out.rfind("= verdict =") :] if "= verdict =" in self.out else self.out[-3000:]

    @property
    def verdict(self) -> dict[str, Any]:
        """verdict.json of the run.

        Raises:
            Wrong: there is none, or it cannot be read.
        """
        try:
            return json.loads((self.path / "verdict.json").read_text())
        except (OSError, ValueError) as error:
            raise Wrong(f"a verdict.json is written; what was said: {error}\n{self.out[-2000:]}") from None

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """The reasons of all endpoints."""
        return [reason for endpoint in self.verdict["endpoints"].values() for reason in endpoint["reasons"]]

    def outcomes(self, rule: str) -> list[str]:
        """The outcomes of a rule's cases."""
        return [word for case, word in self.verdict["outcomes"].items() if case.startswith(f"{rule}[")]


@dataclass(frozen=True)
class Tried:
    """A checkout of Seatrial on trial."""

    root: Path

    def suite(self, path: Path, *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 300) -> Said:
        """``pytest ARGUMENTS --run-dir=PATH``, to its end.

        Raises:
            Wrong: it is not at its end after ``timeout_s``.
        """
        return self._run(path, [sys.executable, "-m", "pytest", *arguments, f"--run-dir={path}"], env, timeout_s)

    def seatrial(
        self, *arguments: str, path: Path = Path(), env: Mapping[str, str] | None = None, timeout_s: float = 120
    ) -> Said:
        """``seatrial ARGUMENTS``; ``path`` is the run that it is about.

        Raises:
            Wrong: it is not at its end after ``timeout_s``.
        """
        return self._run(path, [sys.executable, "-m", "seatrial.cli", *arguments], env, timeout_s)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command in the tree, still running: ``start("-m", "pytest", ...)``. Output of both streams in a pipe."""
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.root,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Of a command in the tree: its own code comes before what is installed."""
        code = os.pathsep.join([str(self.root / "src"), str(self.root)])
        return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": code, **(env or {})}

    def _run(self, path: Path, command: list[str], env: Mapping[str, str] | None, timeout_s: float) -> Said:
        with self.start(*command[1:], env=env) as process:
            try:
                out, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.terminate()
                try:
                    out, _ = process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    out, _ = process.communicate()
                raise Wrong(f"it ends within {timeout_s} s; what was said until then: {out[-2000:]}") from None
        return Said(process.returncode, out, path)


def tried() -> Tried:
    """The checkout that the environment names, else this one."""
    return Tried(Path(os.environ.get(TREE, ROOT)))
