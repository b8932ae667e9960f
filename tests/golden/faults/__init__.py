"""All faults of the golden server, by name: ``FAULTS``. A module holds one family or area."""

from __future__ import annotations

import importlib
import pkgutil

from tests.golden.registry import FAULTS, Call, Chosen, Fault, UnknownFaultError

__all__ = ["FAULTS", "Call", "Chosen", "Fault", "UnknownFaultError"]

for module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(module.name)
