"""A server of a master and its workers, as nginx and gunicorn are built: run as a script, steered by signals.

The master holds the LISTEN socket and waits; two workers answer. A worker that ends is followed by another. For
SIGUSR1 a worker waits where it stands, as for a slow backend; for SIGUSR2 it looks again and again whether it may go
on. The script says its port and its pids, as JSON. A worker may outlive its master, and nobody lives for long.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import time

from pace import pace

LIVES_S = 180
WAITS_S = 7.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def listening(port: int) -> socket.socket:
    """A LISTEN socket; others may share its port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(64)
    return sock


def work(sock: socket.socket) -> None:
    """Answer for ever, one connection after another."""
    signal.alarm(LIVES_S)
    signal.signal(signal.SIGUSR1, lambda *_: pace(WAITS_S))
    signal.signal(signal.SIGUSR2, lambda *_: poll())
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        peer, _ = sock.accept()
        with peer:
            try:
                peer.recv(4096)
                peer.sendall(ANSWER)
            except OSError:
                pass


def poll() -> None:
    """Wait, and look twenty times a second."""
    end = time.monotonic() + WAITS_S
    while time.monotonic() < end:
        pace(0.05)


def main() -> None:
    """The master."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="each worker has a LISTEN socket, and the master none")
    parser.add_argument("--alone", action="store_true", help="one process is the server")
    options = parser.parse_args()
    first = listening(options.port)
    port = first.getsockname()[1]

    def started() -> int:
        sock = listening(port) if options.own else first
        pid = os.fork()
        if not pid:
            if options.own:
                first.close()  # nobody accepts from it: who connected there would wait for ever
            work(sock)
        if options.own:
            sock.close()
        return pid

    workers = [] if options.alone else [started(), started()]
    if options.own:
        first.close()
    print(json.dumps({"port": port, "pid": os.getpid(), "workers": workers}), flush=True)
    if options.alone:
        work(first)
    signal.alarm(LIVES_S)
    while True:
        os.wait()
        started()


if __name__ == "__main__":
    main()
