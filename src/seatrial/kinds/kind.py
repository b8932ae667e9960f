"""What a module ``kinds/K.py`` says of its kind of server; ``K.toml`` beside it holds what is data.

The watch asks in three steps. It learns which kind answers: each kind names one page by which it is known
(:class:`Clue`). The kind then says what this server must be spared (:class:`Met`). Of the kind's questions those are
asked that only the engine's loop answers and that cost nothing that is to be spared (:func:`asked`).

The suites ask a kind for its page about itself (:class:`Page`), and take the rest from the data.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

HEALTH = "/health"
"""Asked of every server until its kind is known. A server that has no such page answers 404, and so is there."""

Forbidden = Literal["", "asleep", "would keep it awake", "would load the model"]
"""Why a server must not be given work now, as an :class:`~seatrial.records.Ask` that was skipped says it."""

ASLEEP: Forbidden = "asleep"
KEEPS_AWAKE: Forbidden = "would keep it awake"
UNLOADED: Forbidden = "would load the model"


class Cost(enum.Enum):
    """What a question does to a server beside being answered."""

    GAUGES = "it resets gauges that somebody else may be reading"
    AWAKE = "it counts as work: it wakes a server that sleeps, and keeps one awake that would sleep"
    LOADS = "it loads a model where a router answers, and may put out another"


class Heard(msgspec.Struct, frozen=True):
    """An answer 200, as a kind reads it."""

    body: bytes
    headers: Mapping[str, str] = {}  # names in lower case
    at_s: float = 0.0  # Unix time at which it came: what a server says of expiry is held against it


class Tells(msgspec.Struct, frozen=True):
    """What an answer tells: fields of a :class:`~seatrial.records.Meter`, and whether work may be given now."""

    meter: dict[str, Any]
    forbidden: Forbidden | None = None  # None: it does not say


Reader = Callable[[Heard], Tells]
"""Reads the answers to one question, one after another.

Raises:
    seatrial.kinds.prometheus.Nonsense: the answer does not say what it should.
"""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a server of a kind.

    Attributes:
        path: below the server's root; below the API where it begins with ``/v1/``.
        name: the source in the record. It never changes: recorded runs and verdicts name it.
        reader: makes a reader for one life of a server. Some readers add up what they read.
        beat: only the engine's own loop answers it, so that silence is evidence.
        costs: what it does to the server.
    """

    path: str
    name: str
    reader: Callable[[], Reader]
    beat: bool = True
    costs: frozenset[Cost] = frozenset()


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """How one server of a kind was met.

    Attributes:
        spares: costs that it must be spared.
        forbidden: why it must not be given work now.
        why: why none of its questions may be asked, for people; empty: some may.
    """

    spares: frozenset[Cost] = frozenset()
    forbidden: Forbidden = ""
    why: str = ""


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """How the watch knows a kind.

    Attributes:
        path: the page that tells it, as in :class:`Question`; it must cost nothing.
        turn: kinds are tried in this order. One that others imitate comes late, one that is known for certain early.
        meet: reads an answer 200, with the command line of the process where that is known; None: another kind.
    """

    path: str
    turn: int
    meet: Callable[[Heard, str], Met | None]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself; empty or None: it does not say."""

    build: str = ""
    slots: int | None = None  # requests that are worked on at once
    context: int | None = None  # tokens a slot
    template: str = ""  # the text of its chat template
    file: str = ""  # from which it loaded its one model
    sampling: str = ""  # its own, where a request says nothing, in words
    keys: frozenset[str] = frozenset()  # of the page, by which a kind may be told


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page on which a server tells of itself: its path below the root, and what reads it. None: another's page."""

    path: str
    read: Callable[[bytes], About | None]


def always_loaded(_models: bytes, _model: str) -> Forbidden:
    """The answer of a kind that has no router."""
    return ""


def says_no_price(_heard: Heard) -> bool:
    """Of a kind whose answers bear no mark of what they cost."""
    return False


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of server.

    Attributes:
        sign: how the watch knows it; None: the watch cannot tell it from any other.
        questions: what may be asked of it, in turn.
        about: its page about itself, which the suites ask every server for; None: it has none of its own.
        version: its page about its build, which the watch asks once in each life; None: ``about`` tells it, or nothing.
        health: where it says whether it is well. Where that is not the usual page, its sign stands there, and is looked
            for before the usual page is asked, which may have a price.
        priced: whether an answer of the usual page of health shows that models were called for it, whoever gives it.
        unloaded: reads ``/models`` of its router: why a model must not be asked for now; empty: it may.
        ends: a regular expression for the lines of its log that say that it ends in order, and nothing else; empty:
            its words are not known, and no line counts.
    """

    sign: Clue | None = None
    questions: tuple[Question, ...] = ()
    about: Page | None = None
    version: Page | None = None
    health: str = HEALTH
    priced: Callable[[Heard], bool] = says_no_price
    unloaded: Callable[[bytes, str], Forbidden] = always_loaded
    ends: str = ""

    def orderly(self, lines: Iterable[str]) -> tuple[str, ...]:
        """The lines of a log by which a server of this kind says that it ends in order."""
        return tuple(line for line in lines if self.ends and re.search(self.ends, line))


def asked(kind: Kind, spares: frozenset[Cost]) -> tuple[Question, ...]:
    """What to ask of a server of a kind that must be spared some costs.

    The engine's beat goes first. Where all of it would keep the server awake, the pages that cost nothing are looked
    at instead, to see whether it sleeps.
    """
    beats = tuple(q for q in kind.questions if q.beat and not q.costs & spares)
    if beats or Cost.AWAKE not in spares:
        return beats
    return tuple(q for q in kind.questions if not q.beat and not q.costs & spares)
