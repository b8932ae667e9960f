"""What somebody says of a model or a server, held against what was measured: confirmed, refuted or unresolved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seatrial.comparing import speeds
from seatrial.comparing.margins import PAIRED
from seatrial.comparing.pairs import JUDGED, Key
from seatrial.records import ClaimTold, ClaimWord, ItemOutcome, ItemWord, Measure, OperatorClaim, SpeedRatio
from seatrial.statistics import clusters
from seatrial.statistics.intervals import MOST, size_to_pass, wilson

APART = "both endpoints in one run: pytest suites/behaviour --endpoint=A=... --endpoint=B=..."
ALONE = f"answers that are asked one at a time: a --budget that has room for {speeds.PACE}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval, and how many answers it rests on."""

    value: float
    low: float
    high: float
    n: int
    unit: str
    alone: bool = True  # of speeds: the answers were asked one at a time, as a speed is claimed

    def told(self) -> str:
        """In words."""
        if self.unit == "%":
            return f"{100 * self.value:.1f} % of {self.n} (95 %: {100 * self.low:.1f} to {100 * self.high:.1f} %)"
        beside = "" if self.alone else ", beside other answers"
        return f"{self.value:.2f}{self.unit} over {self.n} (95 %: {self.low:.2f} to {self.high:.2f}){beside}"


def tell(claim: OperatorClaim, items: Mapping[Key, ItemOutcome], ratio: SpeedRatio | None) -> ClaimTold:
    """Hold one claim against the items of the endpoint that it is about.

    Args:
        ratio: of the candidate's speed to the incumbent's.
    """
    found, lacks = _measured(claim, items, ratio)
    if found is None:
        return _told(claim, ClaimWord.UNRESOLVED, "not measured", lacks)
    word = _word(claim, found)
    if not found.alone and word is not ClaimWord.UNRESOLVED and not _tells_of_one(claim, found, word):
        return _told(claim, ClaimWord.UNRESOLVED, found.told(), ALONE)
    resolve = _resolve(claim, found) if word is ClaimWord.UNRESOLVED else ""
    if claim.measure is Measure.SPEED_RATIO and ratio is not None and not ratio.same_load:
        return _told(claim, ClaimWord.UNRESOLVED, f"{found.told()}, not at the same time", APART)
    return _told(claim, word, found.told(), resolve)


def _measured(
    claim: OperatorClaim, items: Mapping[Key, ItemOutcome], ratio: SpeedRatio | None
) -> tuple[Measured | None, str]:
    """The figure; or what lacks for it."""
    few = f"at least {clusters.FEWEST} answers of {speeds.FEWEST_TOKENS} tokens: a longer --budget"
    if claim.measure is Measure.BAD_ANSWERS:
        words = [item.word for item in items.values() if item.probe == claim.probe and item.word in JUDGED]
        if not words:
            return None, f"a run of suites/behaviour that asks {claim.probe}"
        bad = words.count(ItemWord.BAD)
        return Measured(bad / len(words), *wilson(bad, len(words)), len(words), "%"), ""
    if claim.measure is Measure.SPEED_RATIO:
        if ratio is None:
            return None, f"{APART}, with {few}"
        return Measured(ratio.ratio, ratio.low, ratio.high, ratio.n, " times"), ""
    decoded, (asked, alone) = claim.measure is Measure.TOKENS_PER_SECOND, speeds.alone(items.values())
    values = speeds.decoding(asked) if decoded else speeds.first_words(asked)
    found = speeds.overall(values)
    if found is None:
        return None, few
    return Measured(*found, len(values), " tok/s" if decoded else " s", alone), ""


def _word(claim: OperatorClaim, found: Measured) -> ClaimWord:
    low, high = claim.at_least, claim.at_most
    if (low is None or found.low >= low) and (high is None or found.high <= high):
        return ClaimWord.CONFIRMED
    if (low is not None and found.high < low) or (high is not None and found.low > high):
        return ClaimWord.REFUTED
    return ClaimWord.UNRESOLVED


def _tells_of_one(claim: OperatorClaim, found: Measured, word: ClaimWord) -> bool:
    """Whether what was measured beside other answers tells of one that is asked alone, which is no slower."""
    fast, slow = claim.at_least, claim.at_most
    if claim.measure is Measure.FIRST_WORD_S:
        fast, slow = slow, fast
    if word is ClaimWord.CONFIRMED:
        return slow is None
    if slow is None:
        return False
    return found.high < slow if claim.measure is Measure.FIRST_WORD_S else found.low > slow


def _resolve(claim: OperatorClaim, found: Measured) -> str:
    """How many answers would tell, if what was seen so far goes on."""
    if claim.measure is Measure.BAD_ANSWERS and claim.at_most:
        bad = round(found.value * found.n)
        try:
            enough = size_to_pass(bad, claim.at_most)
        except ValueError:
            enough = MOST
        if enough < MOST:
            most = "a longer --budget" if enough <= PAIRED else f"several runs, of which each asks {PAIRED}"
            return f"{enough} answers, if no further one is bad; {found.n} were judged: {most}"
    limits = [limit for limit in (claim.at_least, claim.at_most) if limit is not None]
    away = min(abs(found.value - limit) for limit in limits)
    wide = (found.high - found.low) / 2
    if away <= 0 or wide <= 0 or wide / away > 100:
        return "no number of answers, for it lies at the limit itself"
    size = math.ceil(found.n * (wide / away) ** 2)
    return f"about {size} answers, if they go on like these {found.n}: a longer --budget"


def all_of(
    claims: Iterable[OperatorClaim],
    parties: Mapping[str, Mapping[Key, ItemOutcome]],
    candidate: str,
    ratio: SpeedRatio | None,
) -> tuple[ClaimTold, ...]:
    """Every claim on a candidate, or on nobody in particular; what is about an endpoint that is not here is left out.

    Args:
        parties: items by the name of the endpoint.
        candidate: whom a claim is about that names nobody.
    """
    told = []
    for claim in claims:
        about = claim.of or candidate
        if about in parties and (about == candidate or claim.measure is not Measure.SPEED_RATIO):
            told.append(tell(claim, parties[about], ratio))
    return tuple(told)


def _told(claim: OperatorClaim, word: ClaimWord, measured: str, resolve: str) -> ClaimTold:
    return ClaimTold(
        says=claim.says, word=word, measured=measured, resolve=resolve, must=claim.must, source=claim.source
    )
