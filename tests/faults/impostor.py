"""Another program that takes a port as soon as it is free, and answers 200 to everything. A script of its own."""

from __future__ import annotations

import contextlib
import sys
import threading

from fixture import end_with_stdin  # beside this script
from http1 import Gone, Peer, listen
from pace import pace


def main() -> None:
    """The process: the port is its first argument."""
    end_with_stdin()
    print("{}", flush=True)
    listener = None
    while listener is None:
        try:
            listener = listen(int(sys.argv[1]))
        except OSError:
            pace(0.01)  # nobody tells that a port is free
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_answer, args=(sock,), daemon=True).start()


def _answer(sock) -> None:
    with sock, contextlib.suppress(OSError, Gone, ValueError):
        peer = Peer(sock)
        peer.request()
        peer.answer(200, {"status": "ok", "object": "list", "data": []})


if __name__ == "__main__":
    main()
