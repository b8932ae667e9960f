"""All faults of the golden server, by name: ``FAULTS``. Each module holds one family or area."""

from __future__ import annotations

from tests.golden import (
    faults_behaviour,
    faults_chat,
    faults_errors,
    faults_framing,
    faults_http,
    faults_hygiene,
    faults_params,
    faults_soak,
    faults_sse,
    faults_watch,
    legal,
)
from tests.golden.registry import FAULTS, Call, Chosen, Fault, UnknownFaultError

MODULES = (
    faults_http,
    faults_chat,
    faults_sse,
    faults_framing,
    faults_errors,
    faults_params,
    faults_soak,
    faults_behaviour,
    faults_hygiene,
    faults_watch,
    legal,
)

__all__ = ["FAULTS", "MODULES", "Call", "Chosen", "Fault", "UnknownFaultError"]
