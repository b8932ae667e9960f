"""Sights: in one word, what a stop rests on.

A reader that opens a stop gives it a sight (``Case.shown``). The telling reads the first broken rung of the ladder,
the evidence and the hypotheses from it. Most stops of processes need none: their end is reported by an event.
"""

from __future__ import annotations

import enum


class Sight(enum.StrEnum):
    """What a stop rests on. The words of probes (``refused`` to ``not-http``) are those of ``Probe.error``."""

    NONE = ""
    """An event of the process or its LISTEN socket shows the stop: no word is needed."""
    STOPPED = "stopped"
    """Every sample shows the process in state T, held by a signal or a debugger."""
    HELD = "held"
    """A freezer holds the process: its cgroup is frozen, or its threads stand where frozen ones stand."""
    REFUSED = "refused"
    """Connections are refused."""
    TLS = "tls"
    """Connections are taken, and no TLS handshake succeeds."""
    RESET = "reset"
    """Connections are taken, and each is broken before an answer."""
    CUT = "cut"
    """Connections are taken, and each is closed without an answer."""
    NOT_HTTP = "not-http"
    """Connections are taken, and the bytes that come are no HTTP."""
    LOST = "lost"
    """There is no way to the server, or all that can be seen of the server is silent."""
    HTTP = "http"
    """Work waits, the process idles, and /health is silent."""
    SCHEDULER = "scheduler"
    """Work waits, /health is well, and the engine's own loop does not answer."""
    ENGINE = "engine"
    """Work waits, the engine's own loop answers, and nothing progresses."""
    TOKENS = "tokens"
    """Work waits, /health is well, the process idles, and no token comes."""
    CANARY = "canary"
    """Canaries fail in a row while /health is well."""
    ERRORS = "errors"
    """Canaries fail in a row, and /health answers with an error."""
    MUTE = "mute"
    """Canaries fail in a row, and /health is silent."""
    SHARE = "share"
    """Of the latest canaries too many fail."""
    REFUSING = "turned away"
    """Canaries are turned away (429, 503) for longer than a server is busy or loads."""
    ILL = "ill"
    """/health answers with an error of the server."""
    SILENT = "silent"
    """/health was answered in this life and is silent now, and a process that once worked idles."""
    CLOSED = "closed"
    """The process lives, and every probe finds that no server answers."""
    BUSY = "busy"
    """Work waits, the process is busy, and no token comes for an hour."""
    UNSEEN = "unseen"
    """Work waits, no token comes, and neither process nor counters can be seen."""
    GATEWAY = "gateway"
    """The gateway's canary fails, and the server behind the gateway answers directly."""
    BEHIND = "behind"
    """The gateway's canary fails, and the server behind the gateway has a stop of its own."""


PROBE_RUNGS: dict[str, str] = {
    Sight.REFUSED: "the connection: refused",
    Sight.TLS: "TLS: connections are taken, and no handshake succeeds",
    Sight.RESET: "HTTP answers: connections are taken, and each is broken unanswered",
    Sight.CUT: "HTTP answers: connections are taken, and each is closed unanswered",
    Sight.NOT_HTTP: "HTTP answers: connections are taken, and what comes is no HTTP",
}
"""The rung that breaks by each word of a probe which proves that no server answers. The lowest rung stands first."""
PROBE_WORDS: dict[str, str] = {
    Sight.REFUSED: "connections refused",
    Sight.TLS: "TLS failed",
    Sight.RESET: "connections taken and broken unanswered",
    Sight.CUT: "connections taken and closed unanswered",
    Sight.NOT_HTTP: "connections taken, and no HTTP came",
}
WORK_RUNGS: dict[str, str] = {
    Sight.HTTP: "HTTP answers: /health is silent",
    Sight.SCHEDULER: "the scheduler: /health is well, and the engine's own loop does not answer",
    Sight.ENGINE: "the engine: its scheduler answers, and nothing progresses",
    Sight.TOKENS: "tokens: /health is well, and none arrives",
    Sight.CANARY: "tokens: /health is well, and the canary fails",
    Sight.ERRORS: "tokens: the canary fails, and /health answers with an error",
    Sight.MUTE: "HTTP answers: /health is silent, and the canary fails",
    Sight.SHARE: "tokens: too many canaries fail",
    Sight.REFUSING: "tokens: the canary is turned away for long",
    Sight.ILL: "HTTP answers: /health says that it is not well",
    Sight.CLOSED: "HTTP answers: connections are taken, and no answer comes",
    Sight.SILENT: "HTTP answers: /health is silent, and its process idles",
    Sight.BUSY: "tokens: its process is busy, and none arrives",
    Sight.UNSEEN: "tokens: none arrives, and what should give them is not observable",
    Sight.GATEWAY: "the gateway: what stands behind it answers directly",
    Sight.BEHIND: "the endpoint behind the gateway",
}
"""The rung that breaks in a WEDGED."""
FREEZES: dict[str, str] = {
    Sight.STOPPED: "state T in every sample, no CPU time used",
    Sight.HELD: "a freezer holds it: its cgroup is frozen, or its threads wait where frozen ones wait",
}
"""What was seen of a FROZEN."""
FAILING = frozenset({Sight.CANARY, Sight.ERRORS, Sight.MUTE})
"""Canaries that failed in a row show the stop."""
BY_CANARIES = FAILING | {Sight.SHARE, Sight.REFUSING}
"""Canaries that were sent and not answered show the stop."""
BY_HEALTH = frozenset({Sight.ILL, Sight.CLOSED, Sight.SILENT})
"""/health alone shows the stop, whether anybody waits or not."""


def probe_words(by: frozenset[str]) -> str:
    """What the probes saw, in words. The lowest broken rung stands first."""
    return ", ".join(PROBE_WORDS[word] for word in PROBE_WORDS if word in by)
