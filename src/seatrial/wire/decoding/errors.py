"""Why an exchange ended otherwise than its framing says: one closed set of words."""

from __future__ import annotations

ERRORS = frozenset(
    {
        "refused",  # nothing listens
        "unreachable",  # no such name, no route
        "tls",  # handshake, certificate, or a broken record
        "reset",  # the peer broke the connection
        "cut",  # end of file before the framing's end
        "deadline",  # the total deadline passed
        "idle",  # no byte came for the idle deadline
        "too-large",  # the byte cap was reached
        "left",  # our own client left, as it was told to
        "not-http",  # what came is not HTTP, or breaks its framing
    }
)


class WireError(Exception):
    """An exchange could not be finished: ``word`` is one of :data:`ERRORS`, ``detail`` a sentence for a person."""

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(f"{word}: {detail}")
        self.word = word
        self.detail = detail
