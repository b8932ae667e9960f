"""The rows of the fault matrix, found by walking: a module ``faults_*`` may bring faults, twins and simulated rows."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import Any, Literal

Kind = Literal["FAULTS", "TWINS", "SIMULATED"]
"""What is struck, what looks like it and must not alarm, and either of them on a simulated clock."""


@functools.cache
def brought(kind: Kind) -> tuple[Any, ...]:
    """All rows of one kind, in order of the modules' names."""
    stems = sorted(path.stem for path in Path(__file__).parent.glob("faults_*.py"))
    modules = [importlib.import_module(f"{__package__}.{stem}") for stem in stems]
    return tuple(row for module in modules for row in getattr(module, kind, ()))
