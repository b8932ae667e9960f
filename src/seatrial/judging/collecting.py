"""A record is kept whole while it is judged."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it nobody looks for garbage in cycles: of a night that is a walk over a million lines, time and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if not gc.get_freeze_count():  # of others
                gc.freeze()  # what was made is kept, and as old as all else: nor is it walked at the end
                gc.unfreeze()
            gc.enable()
