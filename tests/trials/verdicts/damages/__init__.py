"""Run directories as they are found after a bad disk, a bad copy, a bad editor or a bad stranger: a table of damages.

Each damage takes a copy of a whole run directory and a seeded draw, and says in a few words what it did. ``Foreign`` is
a whole run of somebody else, and a file outside that nobody may read.
"""

from __future__ import annotations

from tests.trials.verdicts.damages import content, places
from tests.trials.verdicts.damages.table import SECRET, Damage, Foreign

__all__ = ["DAMAGES", "SECRET", "Foreign"]

DAMAGES: dict[str, Damage] = {**content.damage, **places.damage}
