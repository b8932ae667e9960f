"""All faults of the golden server, by name: ``FAULTS``. Each module holds one family or area."""

from __future__ import annotations

from tests.golden.registry import FAULTS, Call, Chosen, Fault, UnknownFaultError

__all__ = ["FAULTS", "Call", "Chosen", "Fault", "UnknownFaultError"]
