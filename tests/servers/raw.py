"""Servers of a few bytes, for what no proper server would say."""

import contextlib
import socket
import threading


@contextlib.contextmanager
def says(*answers, wait=True, hold=False):
    """A server that gives each connection the next of the answers (the last for good); yields its ``host:port``.

    Args:
        answers: bytes; or None, which keeps the connection open without a word.
        wait: read a request's head first.
        hold: keep the connection open after the answer.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    held, left = [], list(answers)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            answer = left.pop(0) if len(left) > 1 else left[0]
            held.append(connection)
            with contextlib.suppress(OSError):
                if wait:
                    connection.settimeout(5)
                    while b"\r\n\r\n" not in connection.recv(65536):
                        pass
                if answer is not None:
                    connection.sendall(answer)
                    if not hold:
                        connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in held:
            connection.close()


def reply(status, body=b"", *headers, kind="application/json"):
    """An HTTP answer as bytes."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {kind}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
