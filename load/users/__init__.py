"""Who asks: a module a kind of traffic, found by walking. Each has ``KIND`` and ``ask``, which makes its k-th request.

Requests depend on the seed and on their number alone, and not on what was answered before: a night can be repeated.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from random import Random

from load.users.asked import AskedOf, Sending
from seatrial.given.workload import TrafficPart

Maker = Callable[[TrafficPart, AskedOf, Random, int], Sending]


def makers() -> dict[str, Maker]:
    """Each kind of traffic and who makes its requests."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    return {module.KIND: module.ask for module in modules if hasattr(module, "KIND")}
