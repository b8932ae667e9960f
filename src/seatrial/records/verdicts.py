"""What is concluded: stops, judged cases, and the content of verdict.json."""

from __future__ import annotations

import enum

import msgspec

from seatrial.records.families import NO_STOP, STREAMS, Family
from seatrial.records.nights import NightFigure
from seatrial.records.words import VERSION, Finding, Outcome, Ready

OWN_SUITE = "own"
"""The suite of the operator's own tests, beside conformance, behaviour and soak."""

OWN_SETTING = "own"
"""The setting of a judgement that holds the test's report of itself."""


class OwnWord(enum.StrEnum):
    """How a test of the operator's ended."""

    HELD = "held"
    """It ran to its end."""
    BROKE = "broke"
    """An assertion did not hold, or what it had sent was not answered as it had to be."""
    FELL = "fell"
    """It ended with an error that says nothing of the server."""
    SKIPPED = "skipped"
    """It says itself that it does not apply, or that it is not expected to hold."""


class OwnTold(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one test on itself: masked and bounded texts.

    Attributes:
        test: its file and its name.
        where: of a test that did not hold, the function and the line.
        expected: the statement on that line.
        got: what it raised.
    """

    word: OwnWord
    test: str
    where: str = ""
    expected: str = ""
    got: str = ""


class ItemWord(enum.StrEnum):
    """What one item of a probe came to."""

    GOOD = "good"
    """The verifier found what was asked for."""
    BAD = "bad"
    """It did not."""
    THOUGHT = "thinking ate the budget"
    """All of the cap went into reasoning: no word about the answer."""
    DECLINED = "declined"
    """The server said that it lacks what the item needs."""
    SILENT = "no evidence"
    """Nobody answered, the answer was broken off or cut by us, or its bytes are not there."""


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One item of one probe on one endpoint. Reckoned from the recorded bytes whenever a case is judged.

    Items of one seed have the same names on every endpoint, so that two of them pair by ``probe`` and ``item``.
    """

    probe: str  # the id of the rule that judges it
    item: str  # maker and number: ``json-004``
    family: str  # items of one family are alike, and no independent samples
    seed: int
    endpoint: str
    word: ItemWord
    why: str = ""  # of a word other than good: what is wrong, in a strangers' text made harmless
    answer: str = ""  # what the verifier read, normalised: equal where two answers agree; empty: it reads none
    figures: dict[str, float] = {}  # tokens, seconds (to the end), first_s (to the first word), and what a probe adds
    likely: dict[str, float] = {}  # log probabilities of the likeliest first tokens, where the probe asks for them
    exchanges: tuple[str, ...] = ()
    counted: bool = True  # False: sent beyond the item by which the sequential test had decided


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """One silent stop, from the fold over the record. Times are monotonic; ``*_wall`` are labels."""

    id: str = ""  # name and number: an update of a stop (its end, sharper times) keeps it
    name: str
    family: Family
    alive_at: int  # last proof of life
    dead_at: int  # first proof of death
    kind: str = ""  # signal, exit, crash, oom, unknown
    until: int | None = None  # it came back; None: it did not while we watched
    proof: str = ""  # what the last proof of life was
    rung: str = ""  # first broken rung
    pid: int = 0
    incarnation: str = ""
    successor: str = ""
    signal: int | None = None
    code: int | None = None
    source: str = ""  # how the exit status was learned, or why it was not
    pidfd_at: int | None = None
    uptime_s: float | None = None
    evidence: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    cause: str = "UNKNOWN"
    hypotheses: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()  # exchange ids in flight
    sent: dict[str, str] = {}  # what they were: id -> scenario
    log: tuple[str, ...] = ()  # the last lines
    planned: bool = False
    seen_at: int = 0  # when the record sufficed to say it: detection delay = seen_at - dead_at
    alike: tuple[str, ...] = ()  # public reports of the same shape
    streams: int = 0  # of a family told from traffic: how many streams
    restarts: int = 0  # of a crash loop: how many successors there were, none of which answered but perhaps the last
    looped_ns: int = 0  # from its first end to its latest
    lives: str = ""  # "each life 2.1 s, exit 1"
    step_ns: int = 0  # of CLOCK STEPPED: how far, forward is positive
    doubt: str = ""  # why it is told and not counted: the record that tells it is damaged

    @property
    def silent(self) -> bool:
        """Whether it counts as a silent stop: what was planned does not, nor a gap in our own record or a clock."""
        return not self.planned and not self.doubt and self.family not in NO_STOP and self.family not in STREAMS


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its outcome, its findings and what stands behind them."""

    case: str
    endpoint: str
    rule: str
    scenario: str
    suite: str
    outcome: Outcome
    level: str = ""
    findings: tuple[Finding, ...] = ()
    exchanges: dict[str, str] = {}
    known: str = ""  # the profile's word on a known deviation
    waiver: str = ""
    figures: dict[str, str] = {}
    why: str = ""  # of INCONCLUSIVE and NOT_EXECUTED
    because: str = ""  # the case whose FAIL alone keeps this one from being judged
    traits: tuple[str, ...] = ()  # of its scenario, as the plan has them
    of_run: str = ""  # the run in which it was asked, and whose answers it is judged on; empty: this one
    items: tuple[ItemOutcome, ...] = ()  # of a probe: what became of each item


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an endpoint is not READY, in the words the first screen prints. Cases that fail alike are one reason.

    Attributes:
        word: SILENT STOP, FAIL, INCONCLUSIVE, NOT_EXECUTED, NOT PROVEN; ADVISORY, which is no reason but told alike.
        case: the first of ``cases``.
        because: how many further cases only this keeps from being judged.
    """

    word: str
    text: str
    case: str = ""
    level: str = ""
    cases: tuple[str, ...] = ()
    because: int = 0


class ClientVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one client will work on an endpoint, by what it needs.

    Attributes:
        reasons: what decides, in the order in which the client's table has its needs.
        needs: how many things it needs.
        held: how many of them are proven to hold.
        broken: which of them do not hold, in the words of its table, and what becomes of it.
    """

    verdict: Ready
    reasons: tuple[Reason, ...]
    needs: int
    held: int
    broken: dict[str, str] = {}


class EndpointVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's part of verdict.json.

    Attributes:
        counts: cases by outcome. Of FAIL it counts causes: cases of one rule that fail alike are one. Cases that only
            another case's FAIL keeps from being judged are counted under ``because``, and nowhere else.
        figures: a line's name (conformance, behaviour ...) and its text.
        advisories: what SHOULD or MAY be otherwise, told as reasons are. They keep nobody from READY.
        clients: by name, of each client that is known; none where nothing of the API was judged.
        measured: figures of a soak as numbers, by ``records.Measure``.
    """

    verdict: Ready
    reasons: tuple[Reason, ...]
    counts: dict[str, int]
    figures: dict[str, str]
    advisories: tuple[Reason, ...] = ()
    clients: dict[str, ClientVerdict] = {}
    measured: dict[str, NightFigure] = {}


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """A FAIL that the operator's own word covers."""

    case: str
    who: str
    why: str
    until: str


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a watch kept by hand: a question's answer, how it is reckoned, and what would overturn it."""

    word: str  # NO RESTART, DRIFT, ... of byhand.conclusions
    text: str
    n: str  # how many readings it rests on, of what
    arithmetic: tuple[str, ...] = ()
    against: tuple[str, ...] = ()  # what would overturn it, and what would tell


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """verdict.json, the one authority: terminal, Allure's gate and the Markdown page repeat it."""

    v: int = VERSION
    run: str
    exit: int
    endpoints: dict[str, EndpointVerdict]
    outcomes: dict[str, Outcome]  # "rule[scenario]@NAME" -> word
    because: dict[str, str] = {}  # case -> the case whose FAIL, waived or not, alone keeps it from being judged
    stops: tuple[Stop, ...] = ()
    not_tested: tuple[tuple[str, str], ...] = ()  # what, why
    waived: tuple[Waived, ...] = ()
    notices: tuple[str, ...] = ()
    concluded: tuple[Conclusion, ...] = ()  # from a watch kept by hand
    clients: tuple[str, ...] = ()  # those that the run was asked for: their verdicts are the endpoints'
    joined: dict[str, tuple[str, ...]] = {}  # another run -> the cases that were asked there, and not again
