"""The sources there are, found by walking this folder, and those of one target."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from seatrial.monitor import sources
from seatrial.monitor.sources.source import Place, Source

OpenSource = Callable[[Place], Source | None]


@functools.cache
def found() -> tuple[OpenSource, ...]:
    """How each source is opened, in order of the modules' names."""
    return tuple(_found())


def _found() -> Iterator[OpenSource]:
    for module in pkgutil.iter_modules(sources.__path__, f"{sources.__name__}."):
        open_source = getattr(importlib.import_module(module.name), "open_source", None)
        if open_source is not None:
            yield open_source


def opened(place: Place) -> tuple[Source, ...]:
    """Every source that a target has."""
    return tuple(source for open_source in found() if (source := open_source(place)) is not None)
