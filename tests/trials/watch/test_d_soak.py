"""What a soak finds wrong is told with what /health did in that second."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

import pytest

from tests.golden.server import Golden
from tests.trials.tried import Said, Tried, hold

SOAK = ("suites/soak", "--soak=8s")
RULES = ("soak/streams-terminate", "soak/requests-are-answered")


def findings(said: Said) -> list[str]:
    """What the reasons of verdict.json say of broken requests."""
    return [reason["text"] for reason in said.reasons if reason.get("case", "").startswith(RULES)]


@pytest.mark.parametrize(
    "fault", ["cut:0.2", *(pytest.param(each, marks=pytest.mark.long) for each in ("server-error:0.2", "stall:0.1"))]
)
def test_each_finding_names_what_health_did_in_that_second(tried: Tried, tmp_path, fault):
    with Golden([fault]) as golden:
        said = tried.suite(tmp_path / "run", *SOAK, f"--endpoint={golden.url}")
    told = findings(said)
    for where, text in (("verdict.json", " ".join(told)), ("the closing lines", " ".join(said.block.split()))):
        hold(re.search(r"then /health 200 in [0-9]", text), f"{where}: /health answered 200 in that second", text)
    again = tried.seatrial("judge", str(tmp_path / "run"), path=tmp_path / "run")
    hold("then /health 200 in" in " ".join(again.out.split()), "judged again the record says so too", again.out[-900:])
    page = (tmp_path / "run" / "report.md").read_text()
    hold("then /health 200 in" in page, "the report says so too", page[:900])


@pytest.mark.long
def test_a_silent_health_is_told_as_that(tried: Tried, tmp_path):
    """/health hangs all along while streams are cut: the golden server behind a door that swallows that page."""
    with Golden(["cut:0.3"]) as golden, Swallowing(golden.port) as port:
        said = tried.suite(tmp_path / "run", *SOAK, f"--endpoint=http://127.0.0.1:{port}")
    told = " ".join(findings(said))
    hold("then /health silent" in told, "/health was silent in that second", told or said.block)


class Swallowing:
    """A door in front of a port that hands each connection on, and answers none that asks for /health."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._hand_on, args=(taken,), daemon=True).start()

    def _hand_on(self, taken: socket.socket) -> None:
        with taken:
            head = taken.recv(65536)
            if head.startswith(b"GET /health "):
                taken.recv(1)  # until the other side leaves
                return
            with socket.create_connection(self._to) as other:
                other.sendall(head)
                back = threading.Thread(target=_pump, args=(other, taken), daemon=True)
                back.start()
                _pump(taken, other)
                back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
