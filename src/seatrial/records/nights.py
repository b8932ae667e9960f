"""What is kept of a night: its figures, what changed since the one before, and the state of a nightly job."""

from __future__ import annotations

import enum

import msgspec

from seatrial.records.words import VERSION, Ready


class NightMeasure(enum.StrEnum):
    """A figure of a soak that nights are held against each other by."""

    REQUESTS = "requests"
    """Requests that left a row."""
    LOST = "lost"
    """Requests that did not come to an answer, of those that can be judged."""
    DISOWNED = "disowned"
    """Requests whose answer no client could use though the server had made some of it."""
    TTFT_P99 = "ttft_p99_s"
    """Seconds to the first token from when a request was meant to be sent, 99th percentile."""
    DECODE = "decode_tok_s"
    """Tokens a second of a stream after its first, median."""
    REST = "rest_bytes"
    """Memory (RSS and swap) of the server's processes when the load had ended, median."""


class NightFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what it rests on.

    Attributes:
        n: how many requests, or readings.
        low, high: its 95 % interval; of memory the least and the most that was read. None: it has no bound there.
        beyond: the figure lies above ``value``, the largest that was measured.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    beyond: bool = False


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is another than in the last judged run of the same endpoint.

    Attributes:
        against: the name of that run, and ``verdict`` its word.
        broke: cases that are FAIL now and were not. ``healed``: that were FAIL and are PASS. Without their endpoint.
        others: further changes of outcomes, ``ADVISORY to PASS``, and how many cases each.
        same: cases of the same outcome.
        stopped: families of silent stops that the last run had none of.
        worse: figures whose interval lies wholly beyond the last one's, to the worse, in words; ``better``.
        server: what is another of the server itself, ``build b1 -> b2``.
    """

    against: str
    verdict: str = ""
    broke: tuple[str, ...] = ()
    healed: tuple[str, ...] = ()
    others: dict[str, int] = {}
    same: int = 0
    stopped: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    server: tuple[str, ...] = ()


class NightWord(enum.StrEnum):
    """What a night came to for one endpoint."""

    READY = Ready.READY.value
    """Everything that was tried holds; nothing stopped."""
    NOT_PROVEN = Ready.NOT_PROVEN.value
    """Nothing was seen to fail, but not everything could be judged."""
    NOT_READY = Ready.NOT_READY.value
    """Something that a client relies on is broken, or the server went quiet."""
    NOT_TRIED = "NOT TRIED"
    """Nothing could be asked: the server was not there, or the run could not begin."""
    CUT = "CUT"
    """The run was cut off (power, SIGKILL) before its verdict was written."""
    RUNNING = "RUNNING"
    """The run goes on."""


class JobWord(enum.StrEnum):
    """Where a nightly job stands."""

    RUNNING = "running"
    """It has begun; where its process is gone, it was cut."""
    DONE = "done"
    """It ran to its end."""
    ENDED = "ended early"
    """A signal ended it in order: what was not tried is told."""


class NightRun(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's part of a night.

    Attributes:
        night: the night of which this is. In latest.json of a job that goes on it may be the one before.
        run: the name of its run directory; empty where none was made.
        ended_at: Unix seconds.
        why: of a word that is no verdict, why; else the first of its reasons.
        exit: of the run's process, None where it was killed or never started.
        seconds: how long it took.
        early: a signal to the job ended it: what it lacks is no change of the server.
        counts: cases by outcome, as verdict.json has them.
        stops: silent stops, by family.
    """

    endpoint: str
    word: NightWord
    night: str = ""
    run: str = ""
    ended_at: float = 0.0
    why: str = ""
    exit: int | None = None
    seconds: float = 0.0
    early: bool = False
    kind: str = ""
    model: str = ""
    build: str = ""
    counts: dict[str, int] = {}
    stops: dict[str, int] = {}
    measured: dict[str, NightFigure] = {}
    changes: Changes | None = None


class HookTold(msgspec.Struct, frozen=True, kw_only=True):
    """That the operator's command was run, for what, and what went wrong with it; empty: nothing."""

    about: tuple[str, ...]
    trouble: str = ""


class Nightly(msgspec.Struct, frozen=True, kw_only=True):
    """latest.json: the last night of a job. Times are Unix seconds; of a job that goes on what is not known is None.

    Attributes:
        job: the name of the job. ``night``: the name of this night, its start in UTC.
        endpoints: the last that is known of each; ``NightRun.night`` says of which night that is.
        exit: the exit status: 1 something is NOT READY, 4 something could not be tried, 10 something is not proven.
        worse: what is worse than at the last night that was judged, a line each; empty: nothing.
        cut: what is to be told of an earlier night that was cut.
        planned: the run directories of this night, by endpoint, as they are begun.
        process: pid, start (ticks since the boot) and boot id, by which it is known whether it still runs.
    """

    v: int = VERSION
    job: str
    night: str
    state: JobWord
    started_at: float
    ended_at: float | None = None
    exit: int | None = None
    endpoints: tuple[NightRun, ...] = ()
    worse: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    hook: HookTold | None = None
    planned: dict[str, str] = {}
    process: tuple[int, int, str] = (0, 0, "")


class NightKept(msgspec.Struct, frozen=True, kw_only=True):
    """A night that has ended, as its job remembers it: run directories and words, by endpoint."""

    night: str
    runs: dict[str, str] = {}
    words: dict[str, NightWord] = {}


class NightsKept(msgspec.Struct, frozen=True, kw_only=True):
    """nights.json: the nights whose runs a job may remove, the oldest first, and what it last said of each endpoint.

    Attributes:
        judged: the last verdict of each endpoint; ``last``: its last word, judged or not.
        taken: bytes that the last night took.
    """

    v: int = VERSION
    job: str
    nights: tuple[NightKept, ...] = ()
    judged: dict[str, NightWord] = {}
    last: dict[str, NightWord] = {}
    taken: int = 0
