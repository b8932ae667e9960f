"""CUT OVER, DO NOT or NOT PROVEN: one candidate held against the incumbent, and the one sentence why.

What blocks is what the candidate's own verdict holds against it, a blocking probe in which it is worse beyond the
margin, and a claim that must hold and does not. Where nothing blocks, all of that must have been shown: a probe that
blocks and was not asked of one of the two is as open as one with few questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from seatrial.comparing import claims as claiming
from seatrial.comparing import odds, speeds
from seatrial.comparing.flips import flips
from seatrial.comparing.margins import MARGIN, PAIRED, compare
from seatrial.comparing.pairs import ONE_ALONE, Key, Matched, items, match
from seatrial.records import (
    FILE_SUM,
    ClaimTold,
    ClaimWord,
    Compared,
    Decision,
    ItemOutcome,
    ItemWord,
    Judged,
    Level,
    Lossless,
    LosslessWord,
    OperatorClaim,
    Party,
    Ready,
    Reason,
    Ruling,
    Standing,
)

_GRAVE = frozenset({"SILENT STOP", "STREAMS", "STOP", "FAIL"})
"""Words of a verdict's reasons that say that something is broken, and not that something lacks."""


WORSE_ALONE = "worse by itself, and open among all that are held against it at once"
"""What is said of a probe whose whole interval lies below the margin, and whose test, adjusted, does not."""

SETTINGS = ("server", "file", FILE_SUM, "context", "slots", "template")
"""What of an endpoint is to be kept for the way back."""


@dataclass(frozen=True, slots=True)
class Side:
    """One endpoint of a comparison: what it is, and its judged cases."""

    party: Party
    cases: Sequence[Judged] = field(repr=False)
    load: str = ""  # what it shared the time with: endpoints of one load were asked in turn; empty: with nobody

    def items(self) -> dict[Key, ItemOutcome]:
        """Its probes' items."""
        return items(self.cases)


def decide(
    incumbent: Side,
    candidate: Side,
    *,
    again: Side | None = None,
    claims: Sequence[OperatorClaim] = (),
    margin: float = MARGIN,
    same: Lossless | None = None,
) -> Decision:
    """Decide about one candidate.

    Args:
        again: the incumbent asked a second time.
        same: what ``--same`` came to, where that was asked.
        margin: by how much a candidate may be worse in a blocking probe, as a fraction.
    """
    before, now = incumbent.items(), candidate.items()
    seconds = speeds.asking(before.values()) + speeds.asking(now.values())
    cases = (*incumbent.cases, *candidate.cases)
    blocking = {item.probe for case in cases if case.level == Level.MUST for item in case.items}
    matched = match(before, now)
    probes = compare(
        matched,
        blocking=blocking,
        margin=margin,
        again=match(before, again.items()) if again is not None else None,
        seconds=seconds,
    )
    ratio = speeds.ratio(before, now, same_load=bool(incumbent.load) and incumbent.load == candidate.load)
    parties = {incumbent.party.name: before, candidate.party.name: now}
    told = claiming.all_of(claims, parties, candidate.party.name, ratio)
    unpaired = _unpaired([matched[probe] for probe in sorted(blocking)], before, now)
    blockers = _blockers(candidate.party, incumbent.party, probes, told, same)
    lacking = _lacking(candidate.party, probes, told, unpaired)
    lacking = tuple(reason for reason in lacking if reason.word != "OPEN" or reason.case not in broken(blockers))
    if same is not None and same.word is LosslessWord.OPEN:
        lacking += (Reason(word="NOT KNOWN", text=f"whether it is the incumbent made faster: {same.why}"),)
    cut = Ruling.DO_NOT if blockers else Ruling.NOT_PROVEN if lacking else Ruling.CUT_OVER
    changed, alike = flips(incumbent.cases, candidate.cases)
    return Decision(
        cut=cut,
        why=_why(cut, candidate.party, incumbent.party, blockers or lacking, probes),
        incumbent=incumbent.party,
        candidate=candidate.party,
        blockers=blockers,
        lacking=lacking,
        probes=probes,
        cases=changed,
        same_cases=alike,
        speed=ratio,
        odds=odds.drift(before, now),
        claims=told,
        same=same,
        back=_back(incumbent.party),
    )


def broken(blockers: Sequence[Reason]) -> frozenset[str]:
    """The rules that decide a DO NOT: of these more questions would tell nothing that matters."""
    return frozenset(reason.case.partition("[")[0] for reason in blockers)


def shared(reason: Reason, incumbent: Party) -> bool:
    """Whether the incumbent fails the same case: that is no reason to keep the one rather than the other."""
    failed = {each.case.rpartition("@")[0] for each in incumbent.reasons if each.word == "FAIL"}
    return reason.word == "FAIL" and reason.case.rpartition("@")[0] in failed


def _blockers(
    party: Party, incumbent: Party, probes: Sequence[Compared], claims: Sequence[ClaimTold], same: Lossless | None
) -> tuple[Reason, ...]:
    """What blocks a candidate, the gravest first; but what the incumbent fails as well comes last."""
    found = [reason for reason in party.reasons if reason.word in _GRAVE] if party.verdict is Ready.NOT_READY else []
    failed = {reason.case.partition("[")[0] for reason in found}  # its FAIL says it already
    for row in probes:
        if row.blocks and row.standing is Standing.WORSE and row.probe not in failed:
            beyond = f"worse than the incumbent by more than {points(row.margin)[1:]}"
            text = f"{points(row.difference)} ({span(row)}): {beyond}"
            found.append(Reason(word="WORSE", case=row.probe, level=str(Level.MUST), text=text))
    found += [
        Reason(word="REFUTED", case=claim.says, text=f"it must hold, and {claim.measured} was measured")
        for claim in claims
        if claim.must and claim.word is ClaimWord.REFUTED
    ]
    if party.verdict is Ready.NOT_READY and not found:
        found.append(Reason(word="NOT READY", text="its own verdict; the run's report says why"))
    if same is not None and same.word is LosslessWord.LOSSY:
        found.append(Reason(word="LOSSY", text=same.why))
    too = f"; {incumbent.name} fails it too"
    marked = [replace(each, text=each.text + too) if shared(each, incumbent) else each for each in found]
    return tuple(sorted(marked, key=lambda each: shared(each, incumbent)))


def _lacking(
    party: Party,
    probes: Sequence[Compared],
    claims: Sequence[ClaimTold],
    unpaired: Sequence[Reason],
) -> tuple[Reason, ...]:
    found = [
        *(reason for reason in party.reasons if reason.word not in _GRAVE),
        *(_open(row) for row in probes if row.blocks and row.standing is Standing.OPEN),
        *unpaired,
    ]
    found += [
        Reason(
            word="UNRESOLVED",
            case=claim.says,
            text=f"it must hold; {claim.measured}; would resolve it: {claim.resolve}",
        )
        for claim in claims
        if claim.must and claim.word is ClaimWord.UNRESOLVED
    ]
    if party.verdict is Ready.NOT_PROVEN and not found:
        found.append(Reason(word="NOT PROVEN", text="its own verdict; the run's report says why"))
    return tuple(found)


def _unpaired(
    blocking: Sequence[Matched], before: Mapping[Key, ItemOutcome], now: Mapping[Key, ItemOutcome]
) -> list[Reason]:
    """The probes that block and hold no pair of answers, each by its name; one reason where none of them holds one.

    What the incumbent itself declines, whole, is not among them: there is nothing to lose, and the candidate's own
    verdict judges what it does there.
    """
    if not any(each.pairs for each in blocking):
        lone = "the candidate answered no question" if before else "the incumbent answered no question"
        why = _apart(blocking, before, now) if before and now else lone
        text = f"no probe that blocks has a pair of answers: {why}; run suites/behaviour over both"
        return [Reason(word="NO PAIRS", text=text)]
    found = []
    for each in (each for each in blocking if not each.pairs):
        mine = {item.word for item in before.values() if item.probe == each.probe}
        if mine == {ItemWord.DECLINED}:
            continue
        if not mine or all(item.probe != each.probe for item in now.values()):
            why = f"it was not asked of the {'candidate' if mine else 'incumbent'}"
        else:
            why = ", ".join(f"{number} {said}" for said, number in each.beside.items())
        text = f"no question that both answered: {why}; run suites/behaviour over both"
        found.append(Reason(word="NO PAIRS", case=each.probe, level=str(Level.MUST), text=text))
    return found


def _apart(blocking: Sequence[Matched], before: Mapping[Key, ItemOutcome], now: Mapping[Key, ItemOutcome]) -> str:
    """Why two endpoints that were asked something have no pair of answers in what blocks."""
    if not blocking:
        return "none was asked of either"
    beside = Counter[str]()
    for each in blocking:
        beside.update(each.beside)
    if said := ", ".join(f"{number} {why}" for why, number in sorted(beside.items()) if why != ONE_ALONE):
        return said
    both = {item.probe for item in before.values()} & {item.probe for item in now.values()}
    if any(each.probe in both for each in blocking):
        return "no question of one is of the other's seed"
    return "none of them was asked of both"


def _open(row: Compared) -> Reason:
    more = f", about {minutes(row.more_s)} more" if row.more_s else ""
    lacks = [WORSE_ALONE] if row.high < -row.margin else []
    if row.needed > row.n:
        beyond = f"{row.needed - row.n} questions more"
        if row.needed > PAIRED:
            more = f": more than the {PAIRED} that one run asks, which show a wider --margin"
        lacks.append(f"{row.needed} in all ({beyond}) would show it, if the two are equal{more}")
    if row.silent:
        owed = f"{_many(row.silent, 'more question')} the candidate gave no word on, and the incumbent did"
        lacks.append(f"{owed}: were those lost, it reaches {points(row.at_worst)}")
    text = (
        f"{points(row.difference)} ({span(row)}) over {row.n} questions; the margin is {points(-row.margin)}; "
        f"{'; '.join(lacks) or 'what was seen does not tell it from a worse one'}"
    )
    return Reason(word="OPEN", case=row.probe, level=str(Level.MUST), text=text)


def _why(cut: Ruling, party: Party, incumbent: Party, reasons: Sequence[Reason], probes: Sequence[Compared]) -> str:
    """The one sentence."""
    if cut is Ruling.CUT_OVER:
        rows = [row for row in probes if row.blocks]
        return (
            f"{party.name} is READY, and in {_many(len(rows), 'blocking probe')} no worse than {incumbent.name} "
            f"by more than {points(rows[0].margin)[1:]}{_but(probes)}."
        )
    first = reasons[0]
    head = f"{first.case.rpartition('@')[0] or first.case}: " if first.case else ""
    more = f" (and {_many(len(reasons) - 1, 'more reason')})" if len(reasons) > 1 else ""
    return f"{first.word} {head}{first.text.rstrip('.')}{more}."


def _but(probes: Sequence[Compared]) -> str:
    """Where a candidate is worse beyond the margin and nothing blocks: that is for the operator to weigh."""
    worse = [row.probe for row in probes if row.standing is Standing.WORSE]
    return f"; but it is worse in {', '.join(worse)}, which does not block: weigh that" if worse else ""


def _back(incumbent: Party) -> tuple[str, ...]:
    """How to return to the incumbent; what a record holds of it, and nothing that it does not."""
    settings = {"model": incumbent.model, **{label: incumbent.told.get(label, "") for label in SETTINGS}}
    kept = ", ".join(f"{label} {value}" for label, value in settings.items() if value)
    url, model = incumbent.url, incumbent.model
    old = [f"{what} {value}" for what, value in (("the base URL", url), ("the model name", model)) if value]
    again = " and ".join(old) or "their old base URL and model name"
    return (
        f"Keep the incumbent with its file and command until the candidate has stood a night: {kept or 'not told'}.",
        f"To go back, give clients {again} again, and end the candidate after its last stream.",
        f"Then see that it is the old one: pytest suites/conformance --endpoint={incumbent.name}={url or 'URL'}",
    )


def points(difference: float) -> str:
    """A difference of two rates in points: ``-4.2 points``."""
    return f"{100 * difference:+.1f} points"


def span(row: Compared) -> str:
    """The interval of a difference, in points."""
    return f"95 %: {100 * row.low:+.1f} to {100 * row.high:+.1f}"


def minutes(seconds: float) -> str:
    """A time to be planned with: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
