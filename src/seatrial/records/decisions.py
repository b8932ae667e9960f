"""Whether to cut over: what a comparison of two endpoints comes to, and the content of decision.json."""

from __future__ import annotations

import enum

import msgspec

from seatrial.records.sameness import Lossless, OddsDrift
from seatrial.records.verdicts import Reason
from seatrial.records.words import VERSION, Outcome, Ready


class Ruling(enum.StrEnum):
    """What to do with a candidate."""

    CUT_OVER = "CUT OVER"
    """It is READY, and no worse than the incumbent by more than the margin in anything that blocks."""
    DO_NOT = "DO NOT"
    """Something blocks: it is NOT READY, or worse than the incumbent beyond the margin."""
    NOT_PROVEN = "NOT PROVEN"
    """Nothing blocks, and not everything that would has been shown."""


class Standing(enum.StrEnum):
    """How a candidate stands to the incumbent in one probe, by the interval of the difference of their rates."""

    BETTER = "better"
    """The whole interval lies above zero, and not by chance even though several probes were asked (Holm)."""
    HOLDS = "no worse"
    """The whole interval lies above the margin below zero."""
    WORSE = "worse"
    """Beyond the margin, and not by chance even though several probes were asked (Holm)."""
    OPEN = "open"
    """The interval reaches over the margin, or too few questions were answered by both."""


class ClaimWord(enum.StrEnum):
    """What became of a claim."""

    CONFIRMED = "confirmed"
    """The whole interval lies where the claim says."""
    REFUTED = "refuted"
    """None of it does."""
    UNRESOLVED = "unresolved"
    """Some of it does, or nothing was measured."""


class Measure(enum.StrEnum):
    """What a claim can be about."""

    BAD_ANSWERS = "bad answers"
    """The share of a probe's answers that were bad, 0 to 1."""
    TOKENS_PER_SECOND = "tokens per second"
    """Tokens of one stream after its first, by the seconds from its first word to its end."""
    FIRST_WORD_S = "seconds to first word"
    """From sending to the first word."""
    SPEED_RATIO = "speed ratio"
    """Tokens per second of the candidate by those of the incumbent, of the same questions at the same time."""


class OperatorClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[claim]]`` of an operator's file: what somebody says of an endpoint.

    Attributes:
        says: the claim in their words.
        probe: of bad answers, the rule that judges them.
        of: the endpoint that it is about; empty: the candidate.
        must: it keeps a candidate from production that does not bear it out.
    """

    says: str
    measure: Measure
    at_least: float | None = None
    at_most: float | None = None
    probe: str = ""
    of: str = ""
    must: bool = False
    source: str = ""


class PolicyWord(enum.StrEnum):
    """What ought to become of a question of an operator's policy."""

    REFUSED = "refused"
    """The model declines it, whatever it would know."""
    ANSWERED = "answered"
    """The model answers it, however it sounds."""


class PolicyQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[ask]]`` of an operator's policy: its name, what is asked, and what is wanted of the model."""

    name: str
    question: str
    wanted: PolicyWord


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model ought to refuse and to answer, in the operator's own questions.

    Attributes:
        system: what the operator's client says before each talk; empty: nothing.
        declines: words by which a refusal is known, in any case, beside those that are known anyway.
    """

    ask: tuple[PolicyQuestion, ...] = ()
    system: str = ""
    declines: tuple[str, ...] = ()


class ClaimTold(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, and what was measured."""

    says: str
    word: ClaimWord
    measured: str
    resolve: str = ""  # of an unresolved one: what would resolve it
    must: bool = False
    source: str = ""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Good answers of those that could be judged, with Wilson's 95 % interval."""

    good: int
    n: int
    low: float
    high: float


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A question that one of two endpoints answers well and the other does not."""

    item: str
    family: str
    lost: bool  # good on the incumbent alone
    why: str  # what is wrong with the bad one
    incumbent: str = ""  # exchange ids
    candidate: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One probe on both endpoints, question by question. Rates and differences are fractions.

    Attributes:
        blocks: a candidate that is worse in it must not go into production.
        low, high: Tango's 95 % interval of the difference, or that of whole families where it reaches further.
        silent: questions that the incumbent answered, and the candidate was asked and gave no word on.
        at_worst: the low end of the interval were all of those bad answers; ``low`` where there are none.
        p: McNemar's exact p value that the two rates are equal; ``q`` is it adjusted over the probes
            (Benjamini-Hochberg).
        worse: the p value that it is worse beyond the margin is chance, adjusted over what blocks (Holm).
        better: the p value that it is better at all is chance, adjusted over all probes (Holm).
        self_flips: how often the incumbent flips against itself, where it was asked twice: flips, questions.
        smallest: the smallest margin that so many questions can show to be kept, four times in five.
        needed: how many questions the margin needs; 0 where it is decided, or nothing but ``silent`` leaves it open.
        more_s: how long the questions that lack would take on both, in seconds.
        beside: questions that make no pair, by reason.
    """

    probe: str
    blocks: bool
    standing: Standing
    incumbent: Rate
    candidate: Rate
    both: int
    lost: int
    gained: int
    neither: int
    difference: float
    low: float
    high: float
    silent: int = 0
    at_worst: float
    margin: float
    p: float
    q: float = 1.0
    worse: float = 1.0
    better: float = 1.0
    by_family: bool = False
    self_flips: tuple[int, int] | None = None
    smallest: float = 1.0
    needed: int = 0
    more_s: float = 0.0
    beside: dict[str, int] = {}
    flips: tuple[Flip, ...] = ()

    @property
    def n(self) -> int:
        return self.both + self.lost + self.gained + self.neither


class CaseFlip(msgspec.Struct, frozen=True, kw_only=True):
    """A case of a rule that came out otherwise on the candidate."""

    case: str  # rule[scenario]
    level: str
    incumbent: Outcome
    candidate: Outcome
    why: str = ""


class SpeedRatio(msgspec.Struct, frozen=True, kw_only=True):
    """Decoding speed over the same questions: tokens a second, and their ratio with its 95 % interval."""

    n: int
    incumbent: float
    candidate: float
    ratio: float
    low: float
    high: float
    same_load: bool  # of one run, in which the questions were asked in turn


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of a comparison, and what it is."""

    name: str
    run: str
    verdict: Ready
    demo: bool = False
    url: str = ""
    model: str = ""
    told: dict[str, str] = {}  # by label: server and build, context, slots, sampling ...
    reasons: tuple[Reason, ...] = ()
    known: tuple[str, ...] = ()  # what is known of its model, or of its model with its build
    untested: tuple[tuple[str, str], ...] = ()
    narrowed: tuple[str, ...] = ()  # options of its run that decide which questions are asked, as they were given


class FailingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A short failing answer, and how to ask for it again."""

    head: str
    why: str
    asked: str
    got: str
    curl: str
    show: str  # the command that shows the recorded exchange


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate against the incumbent.

    Attributes:
        why: one sentence.
        blockers: what decides a DO NOT, the gravest first.
        lacking: what a NOT PROVEN lacks.
        back: how to go back to the incumbent.
    """

    cut: Ruling
    why: str
    incumbent: Party
    candidate: Party
    blockers: tuple[Reason, ...] = ()
    lacking: tuple[Reason, ...] = ()
    probes: tuple[Compared, ...] = ()
    cases: tuple[CaseFlip, ...] = ()
    same_cases: int = 0  # cases of both with one outcome
    speed: SpeedRatio | None = None
    odds: OddsDrift | None = None  # it rules nothing: an alarm where the two should be one model
    claims: tuple[ClaimTold, ...] = ()
    same: Lossless | None = None  # under --same
    evidence: tuple[FailingAnswer, ...] = ()
    back: tuple[str, ...] = ()


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """decision.json: each candidate against the one incumbent."""

    v: int = VERSION
    exit: int
    margin: float
    decisions: tuple[Decision, ...]
    notices: tuple[str, ...] = ()
