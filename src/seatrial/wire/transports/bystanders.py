"""Whether a question of ours ends what a server says to others: a server of one request at a time may drop the other.

Only where the server's port is on this host can others be counted: by their connections, ESTABLISHED and not ours. A
question that is asked while there are some is a trial. Two trials, each followed within half a second by the end of at
least half of them, convict, where connections do not end as often by themselves: from then on nothing is asked while
one is open. Whoever drops a stream mostly does so at once, so that an end within a tenth of a second weighs more.

A trial that ends nothing speaks for the server. After one that ended something it is first watched for some seconds
how often as many end by themselves, in spans of the same lengths, one from each look. Then two accounts of all that
was seen are held against each other, by how likely each makes it (a Bayes factor): that questions drop others, as
``DROPS`` says, or that what follows a question is what befalls any span of time, however often that is. Users whose
short requests come and go convict nobody.

Connections that have just begun seldom end by themselves, so that their end tells most. A suspect is asked when the
next has just begun, where such were seen to begin and to last; these trials are held against such spans alone.
"""

from __future__ import annotations

import contextlib
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from seatrial.records.targets import Harm
from seatrial.wire.connected import Peers

WITHIN_S = 0.5
"""What ends so soon after a question may have been ended by it."""

AT_ONCE_S = 0.1
"""What ends so soon most likely was."""

WATCHED = (50, 80)
"""It is watched what ends by itself by so many looks, one each ``AT_ONCE_S``: at random within these, for requests may
be of one length."""

WATCHES, PER_S = 2, 60.0
"""At most so many such watches in so many seconds: meanwhile nothing is asked, and whoever looks for a stop waits."""

STEP_S = 2.0
"""A question that may end others is asked at random within so long."""

DROPS = (0.5, 0.45, 0.05)
"""How often a server that drops others does so at once, within the half second, or not: what is held for likely."""

NEXT_S = 4.0
"""So long is waited for the next connection, where such were seen to begin, and none of them to end soon."""

AGES = 2
"""Soon is so many times the time within which a question may have ended it: a moment's delay must not tell."""

CONVICTS = math.log(60)
TRUSTS = -6.0
"""Limits of the evidence: the odds at which a server is convicted, and at which it is looked at more seldom."""

SURPRISES = 0.5
"""Of one trial: it tells so much against the server that it is worth while to watch what ends by itself."""

MANY = 20
"""Trials after which more is asked for, and ever more: who is looked at all day long once looks guilty by chance."""

MOST = 3.9
"""Of one trial: it alone convicts nobody."""

RARE = 4
"""Of a server that is trusted every so many questions are trials: a look at all connections of a busy host is dear."""

FADES = 0.95
"""What a trial weighs after the next: connections that nobody uses survive anything, and must not speak for ever."""

PRIOR = (0.1, 0.1, 0.8)
"""What is taken for seen before anything was, of one span: ends at once, within the half second, or later."""

SAID = (
    "others' connections ended within half a second of each of {cuts} questions of ours: this server seems to serve "
    "one request at a time; nothing more is asked of it while a connection is open"
)


class Bystanders:
    """What became of others when one server was asked. For any thread, a question at a time.

    Args:
        look: who else is connected to it; None where nobody can say, and nothing is ever held back.
        known: what became of them before.

    Attributes:
        cuts: trials that others' connections did not survive, by now.
        convicted: questions of ours end what others are being answered.
    """

    def __init__(self, look: Callable[[], Peers | None], known: Harm | None = None) -> None:
        known = known or Harm()
        self._look = look
        self._any, self._young = (_Held(ended, spans) for ended, spans in zip(known.ended, known.spans, strict=True))
        self._questions = 0
        self._trials: dict[str, int] = {}  # by what was asked for
        self._lock = threading.Lock()  # one question begins at a time
        self._open: threading.Thread | None = None  # the last trial
        self._asking: set[int] = set()  # threads that are within a block
        self.convicted = known.convicted
        self.cuts = known.cuts
        self._weighed = 0  # cuts after which it was watched what ends by itself
        self._surprised = known.cuts > 0  # by the last trial: by what is known, connections seldom end so by themselves
        self._watched: tuple[float, ...] = ()  # when that was, the latest ones

    @property
    def known(self) -> Harm:
        """What became of them so far, for somebody who asks on: all that it is weighed against goes with it."""
        held = (self._any, self._young)
        return Harm(
            cuts=self.cuts,
            convicted=self.convicted,
            ended=tuple(tuple(h.ended) for h in held),
            spans=tuple(tuple(h.spans) for h in held),
        )

    def held_back(self) -> bool:
        """Whether nothing may be asked now."""
        return self.convicted and bool(self._look())

    @contextlib.contextmanager
    def question(self, path: str) -> Iterator[None]:
        """Ask for a path within the block. It lasts longer where others are connected, to see what becomes of them.

        One that is asked within a block of the same thread is no trial of its own. Another thread waits until it is
        seen what became of the others: else its own question might end them, and nobody would know.
        """
        me = threading.get_ident()
        if me in self._asking:
            yield
            return
        self._asking.add(me)
        try:
            with self._lock:
                if self._open is not None:
                    self._open.join()
                self._open = trial = self._trial(path)
            try:
                yield
            finally:
                if trial is not None:
                    trial.join()
        finally:
            self._asking.discard(me)

    def _trial(self, path: str) -> threading.Thread | None:
        """Who looks at what becomes of others at a question that is asked now; None: it is no trial."""
        self._questions += 1
        suspected = self._surprised or self._evidence(path) > 0
        trusted = not suspected and self._evidence(path) <= TRUSTS and self._questions % RARE
        there, held = (Peers() if trusted else self._look() or Peers()), self._any
        if there and suspected:
            there, held = self._chosen()
        if not there:
            return None
        trial = threading.Thread(target=self._after, args=(path, there, held), name="bystanders", daemon=True)
        trial.start()
        return trial

    def judge(self, path: str, ended: int, *, young: bool = False) -> None:
        """Weigh a trial.

        Args:
            path: what was asked for: what is survived speaks for this question alone.
            ended: 0: at least half of the connections ended at once; 1: within half a second; 2: they did not.
            young: they had just begun.
        """
        for held in (self._any, self._young):
            held.fade(path)
        before = self._evidence(path)
        self.cuts += ended < 2
        (self._young if young else self._any).add(path, ended)
        self._trials[path] = self._trials.get(path, 0) + 1
        now, needed = self._evidence(path), CONVICTS + 2 * math.log1p(self._trials[path] / MANY)
        self._surprised = now - before > SURPRISES
        self.convicted = self.convicted or now >= needed

    def _evidence(self, path: str) -> float:
        """The logarithm of the odds that this question makes it drop others, by what is known now of other times."""
        both = (self._any, self._young)
        return min(sum(h.odds(path) for h in both), MOST * sum(sum(h.ended) for h in both))

    def _may_wait(self) -> bool:
        """Whether questions may wait once more. Where they may not, what is known of other ends has to do."""
        return len(self._watched) < WATCHES or time.monotonic() - self._watched[0] >= PER_S

    def _chosen(self) -> tuple[Peers, _Held]:
        """Who is connected when a suspect is to be asked: they have just begun, or it is at random.

        Users may come in step with our questions, and seem to leave because of them. After each end it is watched
        first how often connections end by themselves.
        """
        if self.cuts > self._weighed and self._may_wait():
            self._by_themselves()
        else:
            time.sleep(random.uniform(0, STEP_S))  # noqa: S311 - no secret
        there = self._look() or Peers()
        if self._young.spans[2] and not any(self._young.spans[:2]):
            until = time.monotonic() + NEXT_S
            while time.monotonic() < until:
                time.sleep(AT_ONCE_S)
                before, there = there, self._look() or Peers()
                if there and not there & before:
                    return there, self._young
        return there, self._any

    def _by_themselves(self) -> None:
        """Count how often connections end though nobody asks."""
        self._weighed = self.cuts
        self._watched = (*self._watched, time.monotonic())[-WATCHES:]
        began = time.monotonic()
        looks = [self._look() or Peers()]
        for n in range(1, random.randint(*WATCHED)):  # noqa: S311 - no secret
            time.sleep(max(0.0, began + n * AT_ONCE_S - time.monotonic()))
            looks.append(self._look() or Peers())
        steps = round(WITHIN_S / AT_ONCE_S)
        for before, soon, later in zip(looks, looks[1:], looks[steps:], strict=False):
            if before:
                self._any.spans[0 if _half(before, soon) else 1 if _half(before, later) else 2] += 1
        for last, before, later in zip(looks, looks[1:], looks[1 + AGES * steps :], strict=False):
            if before and not before & last:
                self._young.spans[1 if _half(before, later) else 2] += 1

    def _after(self, path: str, there: Peers, held: _Held) -> None:
        """Look twice at what has become of them; where nobody can say any more, it was no trial."""
        began = time.monotonic()
        ended = 2
        for n, until in enumerate((AT_ONCE_S, WITHIN_S)):
            time.sleep(max(0.0, began + until - time.monotonic()))
            now = self._look()
            if now is None:
                return
            if _half(there, now):
                ended = n
                break
        self.judge(path, ended, young=held is self._young)


class _Held:
    """Trials, and the spans that they are held against: of connections of one age."""

    def __init__(self, ended: Sequence[float], spans: Sequence[float]) -> None:
        self.ended = list(ended)  # trials in which at least half ended: at once; within half a second
        self.spans = list(spans)  # by what ended in them, as in a trial
        self._survived: dict[str, float] = {}  # trials in which they did not, by what was asked for

    def fade(self, path: str) -> None:
        """A trial follows."""
        self.ended = [FADES * n for n in self.ended]
        self._survived[path] = FADES * self._survived.get(path, 0.0)

    def add(self, path: str, ended: int) -> None:
        """A trial, by what became of them."""
        if ended < 2:
            self.ended[ended] += 1
        else:
            self._survived[path] += 1

    def odds(self, path: str) -> float:
        """The logarithm of how much likelier it is that a question makes it drop others."""
        trials = (*self.ended, self._survived.get(path, 0.0))
        return sum(n * math.log(share) for n, share in zip(trials, DROPS, strict=True)) - _likely(trials, self.spans)


def _likely(trials: Sequence[float], spans: Sequence[float]) -> float:
    """The logarithm of how likely trials are that come as the spans did, whose rates are not known any better.

    A trial counts for the ones after it as a span does: a row of equal ends is what makes equal ends likely.
    """
    seen = [n + prior for n, prior in zip(spans, PRIOR, strict=True)]
    each = sum(math.lgamma(s + n) - math.lgamma(s) for n, s in zip(trials, seen, strict=True))
    return each + math.lgamma(sum(seen)) - math.lgamma(sum(seen) + sum(trials))


def _half(before: Peers, now: Peers) -> bool:
    """Whether at least half of some connections have ended."""
    return bool(before) and 2 * len(before - now) >= len(before)
