"""What the suites send and which rules judge it, as the self-test needs it."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.records import Scenario
from suites.behaviour.test_identity import IDENTITY
from suites.conformance import test_chat, test_errors, test_http, test_models, test_params, test_sse

TABLES: tuple[Mapping[str, Scenario], ...] = (
    test_models.MODELS,
    test_chat.CHATS,
    test_sse.STREAMS,
    test_params.PARAMS,
    test_errors.FAULTS,
    test_http.REQUESTS,
)

SCENARIOS: dict[str, Scenario] = {name: scenario for table in TABLES for name, scenario in table.items()}
"""Every scenario of the conformance suite, by name."""

if len(SCENARIOS) != sum(map(len, TABLES)):
    raise ValueError("two scenarios of the conformance suite have one name")

SENT = SCENARIOS | IDENTITY
"""What is sent as it stands; answers and soak are asked for in their own way."""
