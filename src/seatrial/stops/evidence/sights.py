"""The words for what a stop rests on where HTTP, a canary or /health shows it."""

from __future__ import annotations

PROBE_RUNGS = {
    "refused": "the connection: refused",
    "tls": "TLS: connections are taken, and no handshake succeeds",
    "reset": "HTTP answers: connections are taken, and each is broken unanswered",
    "cut": "HTTP answers: connections are taken, and each is closed unanswered",
    "not-http": "HTTP answers: connections are taken, and what comes is no HTTP",
}
"""The rung that breaks by each word of a probe that proves that no server answers; the lowest first."""
PROBE_WORDS = {
    "refused": "connections refused",
    "tls": "TLS failed",
    "reset": "connections taken and broken unanswered",
    "cut": "connections taken and closed unanswered",
    "not-http": "connections taken, and no HTTP came",
}


def words(by: frozenset[str]) -> str:
    """What was seen, in words; the lowest broken rung first."""
    return ", ".join(PROBE_WORDS[word] for word in PROBE_WORDS if word in by)


FAILING = ("canary", "errors")
"""Canaries that failed show it."""
BY_HEALTH = ("ill", "closed")
"""/health alone shows it, whether anybody waits or not."""
