"""Outcomes, levels, hazards, findings: the words that every room speaks; and the numbers that a line may hold."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec

VERSION = 2
"""2 adds the lines threads, ask, meter, log and noted, fields of sample, probe, gpu and stop, and more families of
stops. Version 1 stays readable."""

SECOND = 1_000_000_000
"""Nanoseconds of a second: every time of a record is in nanoseconds."""

HIGHEST = 1 << 34
"""The highest number of a line: its writer would have written a terabyte. The length of its file is no bound, for a
writer counts through all of its files, and the lines before may be lost."""

_FAR = 1 << 62
_BOUND = msgspec.Meta(ge=-_FAR, le=_FAR)
Whole = Annotated[int, _BOUND]
"""A whole number of ours: no time, length or count of a record is farther from 0 than nanoseconds of 146 years. What a
server said is a plain ``int``: it may say anything."""
Real = Annotated[float, _BOUND]
""":data:`Whole`, with a fraction."""
Number = Annotated[int, msgspec.Meta(ge=-_FAR, le=HIGHEST)]
"""The number of a line, which its writer counts from 1."""

LEFT = "left"
"""The error of an exchange whose client left before the answer's end, as its request said: our own doing."""

OUR_ERROR = "our_error"
"""The outcome of a soak request whose answer was not read to its end for an error of ours."""

BUSY = frozenset({429, 503})
"""Statuses by which a server asks to come later: no evidence of what it would have answered."""

NAME_SHOWN = 200
"""Characters of a model's name that are kept of an answer: names that differ only beyond them are one."""


class Outcome(enum.StrEnum):
    """What became of a case. The only words; ARCHITECTURE.md has the table of their effects."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    FAIL = "FAIL"
    ADVISORY = "ADVISORY"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNSUPPORTED = "UNSUPPORTED"
    WAIVED = "WAIVED"
    NOT_EXECUTED = "NOT_EXECUTED"


class Ready(enum.StrEnum):
    """The verdict over an endpoint or a run."""

    READY = "READY"
    NOT_READY = "NOT READY"
    NOT_PROVEN = "NOT PROVEN"


class Level(enum.StrEnum):
    """How binding a rule is: the specification or an SDK crash (MUST), prose or named clients (SHOULD), or neither."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Hazard(enum.IntEnum):
    """How dangerous a request is to the server. Sent in this order; HEAVY and above hold the endpoint alone."""

    POLITE = 0
    CARELESS = 1
    HEAVY = 2
    HOSTILE = 3


class Depth(enum.IntEnum):
    """How much of a row is asked. FULL is what costs a server long prompts or many items, beside its small form."""

    SMALL = 0
    FULL = 1


class Leaving(enum.StrEnum):
    """When a client of ours leaves its own request. It closes its connection then, as one does that is closed."""

    NEVER = ""
    """It stays to the end."""
    WORDS = "after the first words"
    """Some events of a stream have come."""
    PAST = "after dozens of words"
    """More events of a stream have come than a small cap lets an answer have tokens."""
    SOON = "after a moment"
    """A fraction of a second after the request was sent, whatever has come."""
    SENT = "as soon as all is sent"
    """No byte of the answer is read."""
    OPEN = "before anything is sent"
    """It connects, and leaves."""


class Width(enum.StrEnum):
    """How many requests leave at the same time."""

    ONE = "one"
    SPARE = "one less than slots"
    """At least one."""
    SLOTS = "as many as slots"
    TWICE = "twice as many as slots"
    FOUR = "four times as many as slots"
    EACH = "each once"
    """As many as names are given."""


class Happening(enum.StrEnum):
    """What has happened once, as an event says it."""

    FOUND = "found"
    """An incarnation of a server was seen for the first time."""
    START = "start"
    """A process of ours was started."""
    READY = "ready"
    """A server of ours answers."""
    REPLACED = "replaced"
    """Another process is the server now; the one before it lives."""
    EXIT = "exit"
    """A process ended, and its end was seen."""
    LOST = "lost"
    """A process is gone, and how it ended was not seen."""
    PLANNED_STOP = "planned-stop"
    """An end is announced: it is no stop."""
    REPEATED = "repeated"
    """A request that was in flight at a death was sent again, alone."""
    SHORTENED = "shortened"
    """A request was given less time to stay silent: several of its sort before it had stayed silent to their end."""
    QUEUED = "queued"
    """A request waited for others of this run, which were answered meanwhile, and is not judged; it was sent again."""
    BEHIND = "behind"
    """An endpoint, named in the text, stands behind this one, as the operator said."""
    PHASE = "phase"
    """A phase of the load began."""
    PRICE = "price"
    """A page of a server turned out to cost something, and is asked no more; or nothing can tell what it costs."""
    TROUBLE = "trouble"
    """A source of evidence fails; said once."""
    XID = "xid"
    """The GPU driver reported an error."""
    GPU_LOST = "gpu-lost"
    """The GPU driver does not find a card any more."""
    LOG_CUT = "log-cut"
    """A log of ours outgrew its bound, and its middle is not kept."""
    SEAL = "seal"
    """The record ends."""


OF_LIVES = frozenset({Happening.START, Happening.FOUND, Happening.REPLACED, Happening.EXIT, Happening.LOST})
"""These tell how a process of a server began or ended."""

OF_A_CARD = frozenset({Happening.XID, Happening.GPU_LOST})
"""These are of a device and not of an endpoint."""


class Stage(enum.StrEnum):
    """Where a soak stands."""

    START = "start"
    """The first user is about to send."""
    PHASE = "phase"
    """A phase begins, and with it the one before it is over."""
    MEASURED = "measured"
    """A phase has shown how many requests a second the server answers."""
    ASKED = "asked"
    """Whoever runs it asks for its end before its time, and says why."""
    DRAIN = "drain"
    """No user sends another request; those in flight are waited for."""
    END = "end"
    """All users are gone."""


class CrewWord(enum.StrEnum):
    """What became of a worker of a load."""

    JOINED = "joined"
    """It has the plan, and waits for the first phase."""
    ALIGNED = "aligned"
    """Its clock was held against ours: from here on its times are moved by this much."""
    GAP = "gap"
    """Lines that it wrote are not here."""
    LOST = "lost"
    """Nothing was heard of it any more, and it had not said that it was done."""
    DONE = "done"
    """It has ended, and all that it wrote is here."""


class PhaseSort(enum.StrEnum):
    """What is sent in a phase of a soak, and when."""

    WARM_UP = "warm-up"
    """Closed users; what a server does at first is no sign of what it does later."""
    BASELINE = "baseline"
    """The canary alone, on a server that does nothing else."""
    CLOSED = "closed"
    """So many users, each of whom sends when its last answer has ended."""
    OPEN = "open"
    """Requests arrive at random (Poisson) at one rate, whatever becomes of those before them."""
    RAMP = "ramp"
    """The same, at a rate that grows or falls from one to another."""
    STEPS = "steps"
    """The same, at one rate after another."""
    SWEEP = "sweep"
    """The same, at ever higher rates, up to the first that the server does not keep up with."""
    FILL = "fill"
    """A long prompt in every slot."""
    REST = "rest"
    """Nothing is sent: what a server still holds then, it does not give back."""


class NoteWord(enum.StrEnum):
    """What one fact of a watch kept by hand says."""

    SINCE = "since"
    """Value: the start time shown, seconds since midnight."""
    SHARE = "share"
    """Value: percent shown; label: what it was called."""
    PID = "pid"
    """The pid that was shown."""
    STOPPED = "stopped"
    """Value: when a process stopped, as told."""
    STARTED = "started"
    """Value: when a process started, as told."""
    LOG = "log"
    """Text: what the note says of the log."""
    ANSWERED = "answered"
    """The process answered then."""
    RUNS = "runs"
    """The process ran then."""
    DATE = "date"
    """Text: the date; label: the day of the week."""
    ENTRY = "entry"
    """An entry without such facts."""


class Finding(msgspec.Struct, frozen=True):
    """One diagnosis of a rule: what, where, expected, got, and what it does to a client."""

    kind: Literal["violation", "refusal", "no-evidence"]
    where: str
    expected: str
    got: str
    consequence: str = ""
    grave: bool = False  # FAIL whatever the rule's level: "200 and ignored", no answer within the deadline
    optional: bool = False  # of a refusal: of a request for an optional capability; UNSUPPORTED whatever the rule
    about: str = ""  # the request of the scenario, by its name, whose answer it judges; empty: it does not say
    capability: str = ""  # of a refusal: what the server lacks, because of which nothing of an area applies
    causes: tuple[str, ...] = ()  # rules that judge what is wrong or missing here: the FAIL of one of them is its cause
    meanwhile: str = ""  # what the recorder saw of the server in the seconds that it tells of
    ignores: str = ""  # the parameter of the request that was accepted and made no difference

    @property
    def seen(self) -> str:
        """What was got, and what was seen of the server meanwhile."""
        return f"{self.got}; {self.meanwhile}" if self.meanwhile else self.got
