"""The middles: how each is started, reloaded and killed, and which process stands behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from tests.faults.processes import TrialError, until
from tests.middles.programs import Programs

START_S = 90.0
END_S = 20.0
DRAINS_S = 3.0
"""A supervisor's patience with a server that is to end, and waits for the end of its streams."""


class Middle(ABC):
    """A middle in front of a backend, at a port of its own. It is a session of its own, ended whole by its number."""

    title = ""
    program = ""  # whose version is told
    reloads = False  # whether it can be told to read its settings again without an end
    bears_backend = False  # whether it starts what stands behind it by itself

    def __init__(self, programs: Programs, folder: Path, port: int, model: str) -> None:
        self.folder, self.port, self.model = folder, port, model
        self.log = folder / f"{port}.log"
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self, backend: int) -> list[str]:
        """What starts it in front of the backend's port.

        Raises:
            NotTried: its program cannot be had.
        """

    def environment(self) -> dict[str, str]:
        """What is set for it beside our own environment."""
        return {}

    def start(self, backend: int) -> None:
        """Start it, and wait until it lists its models."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(backend), cwd=self.folder, stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, start_new_session=True,
                                             env={**os.environ, **self.environment()})  # fmt: skip
        until(self._ready, f"{self.title} answers; its log: {self.log}", START_S)

    @property
    def version(self) -> str:
        """Of its program; empty where it does not tell."""
        return self._programs.version(self.program) if self.program else ""

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its first process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, all processes of it."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(END_S)

    def reload(self, backend: int) -> None:
        """Have it read its settings again; where it cannot, it is ended in order and started again."""
        self._process.terminate()
        try:
            self._process.wait(DRAINS_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.start(backend)

    def close(self) -> None:
        """End what is left."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(END_S)

    def _ready(self) -> bool:
        if not self.alive:
            raise TrialError(f"{self.title} ended at its start: {self.log.read_text(errors='replace')[-600:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/models", timeout=2) as answer:
                return bool(json.load(answer)["data"])
        except (OSError, ValueError, KeyError):
            return False


class Nginx(Middle):
    """nginx: a master that owns the socket and never runs, and a worker that does the work."""

    title = "nginx"
    program = "nginx"
    reloads = True
    buffering = "on"

    def command(self, backend: int) -> list[str]:
        program = self._programs.nginx()
        places = " ".join(f"{kind}_temp_path {kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        user = "user root;" if os.geteuid() == 0 else ""  # the workers' own user could not enter a scratch folder
        self._file.write_text(
            f"{user} daemon off; worker_processes 1; pid {self.port}.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n server {{ listen 127.0.0.1:{self.port};\n"
            f"  location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_buffering {self.buffering};\n"
            "   proxy_http_version 1.1; proxy_set_header Connection ''; } } }\n"
        )
        return [program, "-p", str(self.folder), "-e", "stderr", "-c", str(self._file)]

    def reload(self, backend: int) -> None:
        os.kill(self.pid, signal.SIGHUP)

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.port}.conf"


class NginxUnbuffered(Nginx):
    """The same, which passes on each byte as it comes."""

    title = "nginx, buffering off"
    buffering = "off"


class HttpProxy(Middle):
    """http-proxy of npm, with an error handler that answers 502."""

    title = "node http-proxy"
    program = "http-proxy"
    handler = """proxy.on('error', (error, request, answer) => {
  if (!answer.headersSent && answer.writeHead) answer.writeHead(502);
  answer.end();
});"""

    def command(self, backend: int) -> list[str]:
        node, folder = self._programs.http_proxy()
        file = folder / f"{self.port}.js"
        target = json.dumps({"target": f"http://127.0.0.1:{backend}"})
        file.write_text(
            f"const proxy = require('http-proxy').createProxyServer({target});\n{self.handler}\n"
            f"proxy.listen({self.port}, '127.0.0.1');\n"
        )
        return [node, str(file)]


class HttpProxyBare(HttpProxy):
    """The same without one, as the first example of its README: it ends itself when its backend fails."""

    title = "node http-proxy, no error handler"
    handler = ""


class LiteLLM(Middle):
    """LiteLLM's proxy."""

    title = "LiteLLM"
    program = "litellm"

    def command(self, backend: int) -> list[str]:
        program = self._programs.litellm()
        file = self.folder / f"{self.port}.json"  # JSON is YAML
        of = {"model": f"openai/{self.model}", "api_base": f"http://127.0.0.1:{backend}/v1", "api_key": "none"}
        file.write_text(json.dumps({"model_list": [{"model_name": self.model, "litellm_params": of}]}))
        return [program, "--config", str(file), "--host", "127.0.0.1", "--port", str(self.port), "--telemetry", "False"]

    def environment(self) -> dict[str, str]:
        return {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


class Router(Middle):
    """llama.cpp's router: ``llama-server`` without a model, which starts a child for each one."""

    title = "llama.cpp router"
    bears_backend = True

    def command(self, backend: int) -> list[str]:
        return [self._programs.llama_server(), "--models-dir", str(self.folder / "models"), "--host", "127.0.0.1",
                "--port", str(self.port), "-c", "8192", "-np", "4", "-t", "1", "--slots"]  # fmt: skip

    def environment(self) -> dict[str, str]:
        return {"OMP_WAIT_POLICY": "passive"}

    def kill(self) -> None:
        """Of the router its first process alone: its children end when their input closes."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(END_S)

    def child(self) -> tuple[int, int]:
        """Pid and port of the child that serves the model; zeros where there is none."""
        for task in Path(f"/proc/{self.pid}/task").glob("*"):
            with suppress(OSError):
                for pid in (task / "children").read_text().split():
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
                    if "--port" in words:
                        return int(pid), int(words[words.index("--port") + 1])
        return 0, 0


MIDDLES: dict[str, type[Middle]] = {
    "nginx": Nginx,
    "nginx-unbuffered": NginxUnbuffered,
    "http-proxy": HttpProxy,
    "http-proxy-bare": HttpProxyBare,
    "litellm": LiteLLM,
    "router": Router,
}
"""Each middle by the name that ``--only`` takes."""
