"""The plan shows a server's own texts harmlessly."""

from __future__ import annotations

from seatrial.given.options import Options
from seatrial.records import Endpoint
from seatrial.trial.plan import announcement
from seatrial.trial.resolve import Resolved


def test_what_a_server_calls_itself_reaches_no_terminal_raw():
    odd = "x\x1b]0;owned\x07\u202e"
    endpoint = Endpoint(
        name="e", url="http://h/v1", kind="generic", model=odd, models=(odd,), build="b" * 5000, template=odd
    )
    options = Options(endpoints={"e": endpoint.url})
    lines = list(announcement(options, {"e": endpoint}, Resolved(options, no_gpu="none"), [], []))
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 1000
    assert "x\\x1b]0;owned" in lines[1]
