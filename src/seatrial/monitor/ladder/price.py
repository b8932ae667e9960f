"""What a look at the health page of an unknown server costs: found out before the page is asked again and again.

Of a known kind the price is known. Of another one three things tell that a look is a call of a model: its answer lists
the models that it called; the engine behind it works at each look and at no other time; it never takes less time than
a chat. The page is not asked any more then. Where nothing of that can be seen from outside, the price stays unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum

from seatrial.kinds import detect
from seatrial.kinds.kind import HEALTH, Heard
from seatrial.records import SECOND, Ask, Line, Meter
from seatrial.wire.transports.probe import ProbeAnswer

LAG_NS = 300_000_000
"""A reading so long after the end of a look has counted what the look made the engine do."""

RESTS, PAIRS = 3, 3
"""An engine that works at so many looks, and rests for so many readings after each of them, works for the looks. Of one
that others use half of the time, one in some hundreds does so by chance."""

EAGER, PAUSE_NS = 4, 10 * SECOND
"""After so many looks, and while others use the engine, they are so far apart."""

BLIND_NS = 20 * SECOND
"""While nothing is read of the engine behind for so long, nothing can be found out: the page is asked."""

AFTER_NS = SECOND
"""What the engine does so soon after a chat of ours, it may do for that."""

LOOKS, CHATS = 10, 2
"""So many times are held against each other, at least."""

AS_LONG = 0.7
"""Of the fastest chat: no look that only looks ever takes so long."""

SHORTEST_NS = 50_000_000
"""A chat that is faster than this cannot be told from a look by its time."""

CALLS = f"the answer of GET {HEALTH} lists the models that it called"
WORKS = f"the engine behind works at each look at {HEALTH} ({PAIRS} of {PAIRS}), and at no other time"
UNKNOWN = f"what GET {HEALTH} costs is not known: {{}}"
UNREAD = UNKNOWN.format("nothing can be read of the engine behind, meanwhile it is asked once a second")
UNASKED = UNKNOWN.format("nothing is asked of the engine behind")


class _Stage(StrEnum):
    """Where a trial of a look stands."""

    STILL = "waits until the engine rests"
    ASK = "a look may leave"
    ASKED = "waits for what the engine did"
    REST = "waits whether the engine rests without one"


class Pairs:
    """Looks against rests, by readings of the engine behind. Times are monotonic ns.

    Attributes:
        convicted: whether the engine works for the looks.
        free: whether a look left it at rest, by counts that show chats.
    """

    def __init__(self, now: int) -> None:
        self.convicted = self.free = False
        self._stage = _Stage.STILL
        self._last: tuple[int | None, ...] | None = None
        self._read_at = self._read_from = now
        self._source = ""  # whose counts are held against each other
        self._ours = 0  # until then the engine may work for a chat of ours
        self._heard: bool | None = None  # whether the counts moved for the last chat of ours; None: none was over
        self._dumb = 0  # chats of ours of which the counts showed nothing
        self._shown = False  # the counts have shown a chat of ours
        self._totals = False  # they are totals of tokens, which must
        self._asked = self._hits = self._rests = self._over_at = 0
        self._asked_at = now
        self._answered = self._moved = False

    def may_ask(self, now: int) -> bool:
        """Whether a look leaves now: then it must, and :meth:`over` is called."""
        late = now - self._asked_at >= PAUSE_NS
        rests = self._stage is _Stage.ASK and now >= self._ours
        if not (rests and self._asked < EAGER) and not (late and self._stage in (_Stage.ASK, _Stage.STILL)):
            return False
        self._stage, self._asked_at, self._over_at, self._moved = _Stage.ASKED, now, 0, False
        self._asked += 1
        return True

    def over(self, now: int, *, answered: bool) -> None:
        """A look is over."""
        if self._stage is _Stage.ASKED:
            self._over_at, self._answered = now, answered

    def chatted(self, since: int, until: int) -> None:
        """A chat of ours was, or is, under way. One that began before the first reading measures nothing."""
        self._ours = max(self._ours, until + AFTER_NS)
        if self._last is not None and self._read_from <= since:
            self._heard = self._heard or False

    def blind(self, now: int) -> bool:
        """Whether nothing can be read of it: no counts for long, or such that do not show our own chats."""
        return now - self._read_at >= BLIND_NS or (self._dumb >= CHATS and not self._shown)

    def read(self, meter: Meter, now: int) -> None:
        """One reading of the engine behind."""
        work = (meter.progress, meter.tokens, meter.prompt_tokens, meter.begun)
        if all(count is None for count in work) or not self._reads(meter):
            return
        moved = self._last is None or work != self._last or bool(meter.running)
        ours = self._read_at <= self._ours
        self._measure(moved=moved, ours=ours)
        self._read_from = now if self._last is None else self._read_from
        self._last, self._read_at = work, now
        if self._stage in (_Stage.STILL, _Stage.ASK):
            self._stage = _Stage.STILL if moved or ours else _Stage.ASK
        elif self._stage is _Stage.ASKED:
            self._looked(now, moved=moved, ours=ours)
        elif not ours:
            self._rested(moved=moved)

    @property
    def _shows(self) -> bool:
        """Whether a look that the counts do not show was no chat."""
        return self._shown or (self._totals and not self._dumb)

    def _reads(self, meter: Meter) -> bool:
        """Whether these are the counts that are read: of several pages those that tell totals of tokens."""
        if meter.source != self._source and (not self._source or meter.tokens is not None):
            self._source, self._last, self._totals = meter.source, None, meter.tokens is not None
        return meter.source == self._source

    def _measure(self, *, moved: bool, ours: bool) -> None:
        """Whether the counts show a chat of ours: those that do would show one for a look too."""
        if ours:
            self._heard = (self._heard is not None and moved) or self._heard
            self._shown = self._shown or bool(self._heard)
        elif self._heard is not None:
            self._dumb += not self._heard
            self._heard = None

    def _looked(self, now: int, *, moved: bool, ours: bool) -> None:
        self._moved = self._moved or moved
        if ours:
            self._stage = _Stage.STILL
        elif self._over_at and now - self._over_at >= LAG_NS:
            self.free = self.free or (self._answered and not self._moved and self._shows)
            self._rests = 0
            self._stage = _Stage.REST if self._moved else _Stage.STILL

    def _rested(self, *, moved: bool) -> None:
        if moved:
            self._stage = _Stage.STILL
            return
        self._rests += 1
        if self._rests == RESTS:
            self._hits += 1
            self.convicted = self._hits >= PAIRS
            self._stage = _Stage.ASK


class Times:
    """How long looks and chats take, ns."""

    def __init__(self) -> None:
        self._looks = self._chats = 0
        self._look = self._chat = 2**62  # the shortest

    def looked(self, answer: ProbeAnswer) -> None:
        """A look is over; of one that was given up nobody knows how long it would have taken."""
        if answer.status is not None and answer.error != "deadline":
            self._look = min(self._look, answer.took_ns)
        self._looks += answer.status is not None or answer.error == "deadline"

    def chatted(self, took: int) -> None:
        """A chat was answered."""
        self._chat = min(self._chat, took)
        self._chats += 1

    @property
    def alike(self) -> str:
        """What shows that a look takes as long as a chat; empty where nothing does."""
        if self._looks < LOOKS or self._chats < CHATS:
            return ""
        look, chat = self._look, self._chat
        if chat < SHORTEST_NS or look < AS_LONG * chat:
            return ""
        took = f"{look / 1e6:.0f} ms" if look < 2**62 else "longer than we wait"
        return f"no look at {HEALTH} takes less time than a chat ({took}, {chat / 1e6:.0f} ms): it may call the model"


class Price:
    """What the health page of one endpoint costs. Called from several threads.

    Args:
        name: of the endpoint.
        behind: what stands behind it, as the operator said; empty: it is not known.
        learns: whether the engine behind is asked what it does.
        say: takes what was found out, once.

    Attributes:
        why: why the page is not asked any more; empty: it is.
        instead: the page that is asked in its place; empty: none, only whether the port takes connections.
    """

    def __init__(self, name: str, behind: str = "", *, learns: bool = False,
                 say: Callable[[str], None] = lambda _: None) -> None:  # fmt: skip
        self.why = self.instead = ""
        self._name, self._behind, self._say = name, behind, say
        self._learns = learns and bool(behind)
        self._lock = threading.Lock()
        self._kind: bool | None = None  # a known one answers; None: not found out yet
        self._told: set[str] = set()
        self._settled = False
        self._pairs, self._times = Pairs(time.monotonic_ns()), Times()
        self._blind_by_choice = bool(behind) and not learns

    def forget(self) -> None:
        """Another server may answer now. What made its page dear is kept: mostly the same program comes again."""
        with self._lock:
            self._kind, self._settled = None, False
            self._pairs, self._times = Pairs(time.monotonic_ns()), Times()

    def met(self, *, known: bool) -> None:
        """It was found out what answers: a known kind, whose health page costs nothing, or none."""
        with self._lock:
            self._kind = known and not self._behind  # a gateway may speak the dialect of what stands behind it
            if self._kind and self.why != CALLS:
                self.why = ""

    def may_ask(self) -> bool:
        """Whether the health page is asked now."""
        with self._lock:
            if self.why:
                return False
            if self._kind or self._settled or not self._learns:
                self._admit()
                return True
            now = time.monotonic_ns()
            if self._pairs.blind(now):
                self._tell(UNREAD)
                return True
            return self._pairs.may_ask(now)

    def looked(self, answer: ProbeAnswer) -> None:
        """The health page was asked."""
        with self._lock:
            if detect.priced(Heard(answer.body, answer.headers)):
                self._convict(CALLS)
            self._pairs.over(time.monotonic_ns(), answered=answer.status is not None)
            self._times.looked(answer)
            self._weigh()

    def take(self, line: Line) -> None:
        """A line of the recorder's: what the engine behind counts, and chats of ours."""
        if isinstance(line, Meter) and line.name == self._behind:
            with self._lock:
                self._pairs.read(line, time.monotonic_ns())
                self._weigh()
        elif isinstance(line, Ask) and line.rung == "canary" and line.name in (self._name, self._behind):
            with self._lock:
                self._chatted(line)

    def _chatted(self, line: Ask) -> None:
        if line.skipped:
            return
        self._pairs.chatted(line.asked_at, line.ended_at or time.monotonic_ns())
        if line.name == self._name and line.outcome == "ok" and line.ended_at:
            self._times.chatted(line.ended_at - line.asked_at)
            self._weigh()

    def _weigh(self) -> None:
        if self._settled or self._kind or self.why:
            return
        if self._pairs.convicted:
            self._convict(WORKS)
        elif self._pairs.free:
            self._settled = True
        elif self._kind is False and self._times.alike:
            self._convict(self._times.alike)

    def _convict(self, why: str) -> None:
        if self.why:
            return
        self.why = why
        instead = f"GET {self.instead}" if self.instead else "whether its port takes connections"
        self._tell(f"{why}; it is not asked any more, but {instead}")

    def _admit(self) -> None:
        """Of a gateway, say once that nothing can tell what its page costs."""
        if self._blind_by_choice:
            self._tell(UNASKED)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)
