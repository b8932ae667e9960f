"""How requests come in the phases of a soak: a module for each way, found by walking. ``SORTS`` and ``sail`` are its.

``sail`` sends what a phase sends until its time is over, or ours, and waits for no answer at its end.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from load.shapes.helm import Helm
from seatrial.given.phases import SoakPhase
from seatrial.records import PhaseSort

Shape = Callable[[SoakPhase, Helm, float], None]
"""Called with the phase, and the time at which it is over."""


def shapes() -> dict[PhaseSort, Shape]:
    """Each sort of phase and who sends it."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    return {sort: module.sail for module in modules for sort in getattr(module, "SORTS", ())}
