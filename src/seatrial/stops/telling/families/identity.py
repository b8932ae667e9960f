"""What is said of OTHER MODEL, OTHER BUILD and TWO OWNERS alone. Their readers state what is known (``identity``)."""

from __future__ import annotations

from seatrial.records import Family
from seatrial.stops.telling.families.family_words import FamilyWords

STATED = FamilyWords(stated=True)
WORDS: dict[Family, FamilyWords] = {"OTHER MODEL": STATED, "OTHER BUILD": STATED, "TWO OWNERS": STATED}
