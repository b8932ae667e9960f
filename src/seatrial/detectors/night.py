"""The door: all detectors over one night, each p corrected for the others (Holm)."""

from __future__ import annotations

from dataclasses import replace

from seatrial.detectors import counted, drift, errors, leak
from seatrial.detectors.words import LEVEL, Call, Detector, Glance, Night, Sighting
from seatrial.statistics.several import holm

SHAPES = ((Detector.LATENCY, Detector.LATENCY_STEP), (Detector.DECODE, Detector.DECODE_STEP))
"""A series that got worse is uneven for that: where the one is found, the other has nothing more to see."""


def judge(night: Night) -> dict[Detector, Sighting]:
    """A reading of each detector."""
    looks = [look for part in (leak, drift, errors, counted) for look in part.looks(night)]
    chances = {look.detector: look.p for look in looks if look.p is not None}
    tested = dict(zip(chances, holm([*chances.values()]), strict=True))
    readings = {look.detector: _reading(look, tested.get(look.detector)) for look in looks}
    for one, other in (*SHAPES, *(pair[::-1] for pair in SHAPES)):
        if readings[one].word is Call.FOUND and readings[other].word is Call.UNEVEN:
            readings[other] = replace(readings[other], word=Call.CLEAR, told=readings[other].got)
    return readings


def _reading(look: Glance, p: float | None) -> Sighting:
    word = look.called if p is not None and p < LEVEL and look.large else look.word
    onset = look.onset_s if word in {Call.FOUND, Call.BOUNDED} else None
    told = look.got if look.word is Call.UNEVEN and word is not look.word else look.told
    told += look.chance if look.large and word is look.word else ""
    return Sighting(look.detector, word, look.got, told, onset)
