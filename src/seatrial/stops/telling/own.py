"""The own words of each family, found by walking ``families``."""

from __future__ import annotations

import importlib
import pkgutil

from seatrial.records import Family
from seatrial.stops.state.case import Case
from seatrial.stops.telling import families
from seatrial.stops.telling.families.family_words import FamilyWords

OWN: dict[Family, FamilyWords] = {}
for _module in pkgutil.iter_modules(families.__path__, f"{families.__name__}."):
    OWN |= getattr(importlib.import_module(_module.name), "WORDS", {})
NOTHING = FamilyWords()


def own_of(case: Case) -> FamilyWords:
    """What is said of the stops of a case's family alone."""
    return OWN.get(case.family, NOTHING)
