"""What is said of a LOG STORM alone. Its reader states what is known (``process.storms``)."""

from __future__ import annotations

from seatrial.records import Family
from seatrial.stops.telling.families.family_words import FamilyWords

WORDS: dict[Family, FamilyWords] = {"LOG STORM": FamilyWords(stated=True)}
