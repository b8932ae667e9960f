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
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seatrial.wire.sockdiag import Connection, SockDiag

WITHIN_S = 0.5
"""What ends so soon after a question may have been ended by it."""

AT_ONCE_S = 0.1
"""What ends so soon most likely was."""

MOMENT_S = 0.02
"""Longer than a question about a server's health takes, and shorter than any stream."""

WATCHED = (50, 80)
"""It is watched what ends by itself by so many looks, one each ``AT_ONCE_S``: at random within these, for requests may
be of one length."""

WATCHES, PER_S = 2, 60.0
"""At most so many such watches in so many seconds: meanwhile nothing is asked, and whoever looks for a stop waits."""

STEP_S = 2.0
"""A question that may end others is asked at random within so long."""

DROPS = (0.5, 0.45, 0.05)
"""How often a server that drops others does so at once, within the half second, or not: what is held for likely."""

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

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SAID = (
    "others' connections ended within half a second of each of {cuts} questions of ours: this server seems to serve "
    "one request at a time; nothing more is asked of it while a connection is open"
)

Peers = frozenset[str]
"""The far ends of connections."""


def others(port: int) -> Peers | None:
    """Who else is connected to a local port; None: that cannot be read.

    Another thread of ours may close its connection between two readings, and it is nobody else's for that: only who is
    there a moment later too counts.
    """
    found = _others(port)
    if found:
        time.sleep(MOMENT_S)
        found &= _others(port) or frozenset()
    return found


def _others(port: int) -> Peers | None:
    ends = _ends(port)
    if ends is None:
        return None
    near = {end.inode: end.here for end in ends if end.there == port}  # what is connected to it from this host
    mine = {near[inode] for inode in _our_sockets() & near.keys()} if near else set()
    return frozenset(end.peer for end in ends if end.here == port and end.there not in mine)


def _ends(port: int) -> list[Connection] | None:
    """Every end of a connection in which the port stands, as the kernel tells; None: nobody tells."""
    try:
        with contextlib.closing(SockDiag()) as diag:
            return diag.touching(port)
    except OSError:
        return _read_ends(port)


def _read_ends(port: int) -> list[Connection] | None:
    """The same from /proc, for a kernel that answers no questions."""
    found: list[Connection] = []
    read = False
    for table in TABLES:
        try:
            text = table.read_text("ascii", "replace")
        except OSError:
            continue
        read = True
        for fields in map(str.split, _rows(text, port)):
            if len(fields) >= 10 and fields[3] == _ESTABLISHED:
                here, there = (_number(end.rpartition(":")[2]) for end in fields[1:3])
                found.append(Connection(here, there, fields[2], _number(fields[9], 10)))
    return found if read else None


def _rows(text: str, port: int) -> Iterator[str]:
    """The rows in which the port stands: a table may be long."""
    mark = f":{port:04X} "
    return (row for row in text.splitlines() if mark in row)


def looking_at(host: str, port: int) -> Callable[[], Peers | None]:
    """Who else is connected to a server, asked again and again; nobody can say where it is on another host."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return lambda: None
    here = any(is_ours(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found)
    return (lambda: others(port)) if here else (lambda: None)


def is_ours(address: Address) -> bool:
    """Whether an address is one of this machine: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((str(address), 0))
    except OSError:
        return False
    return True


def _number(digits: str, base: int = 16) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return -1


def _our_sockets() -> set[int]:
    """Inodes of this process's sockets."""
    found = set()
    with contextlib.suppress(OSError):
        for handle in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(handle.readlink())
                if target.startswith("socket:["):
                    found.add(_number(target[8:-1], 10))
    return found


class Bystanders:
    """What became of others when one server was asked. For any thread, a question at a time.

    Args:
        look: who else is connected to it; None where nobody can say, and nothing is ever held back.
        cuts: trials that others' connections did not survive, known from before.

    Attributes:
        cuts: such trials by now.
        convicted: questions of ours end what others are being answered.
    """

    def __init__(self, look: Callable[[], Peers | None], cuts: int = 0) -> None:
        self._look = look
        self._by_itself = list(PRIOR)  # spans in which nothing was asked, by what ended in them: as in a trial
        self._ended = [0.0, 0.0]  # trials in which at least half ended: at once; within half a second
        self._survived: dict[str, float] = {}  # trials in which they did not, by what was asked for
        self._questions = 0
        self._trials: dict[str, int] = {}  # by what was asked for
        self._lock = threading.Lock()  # one question begins at a time
        self._open: threading.Thread | None = None  # the last trial
        self._asking: set[int] = set()  # threads that are within a block
        self.convicted = cuts > 1  # one alone is handed over of a server that is not
        self._weighed = 0  # cuts after which it was watched what ends by itself
        self._surprised = False  # by the last trial: by what is known, connections seldom end so by themselves
        self._watched: tuple[float, ...] = ()  # when that was, the latest ones
        self.cuts = 0
        for _ in range(cuts):
            self.judge("", 1)  # how soon it ended is not handed over

    @property
    def handed_over(self) -> int:
        """The cuts for somebody who does not know what they were weighed against: they alone convict nobody there."""
        return self.cuts if self.convicted else min(self.cuts, 1)

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
        there = frozenset() if trusted else self._look() or frozenset()
        if there and suspected:
            there = self._at_random()
        if not there:
            return None
        trial = threading.Thread(target=self._after, args=(path, there), name="bystanders", daemon=True)
        trial.start()
        return trial

    def judge(self, path: str, ended: int) -> None:
        """Weigh a trial.

        Args:
            path: what was asked for: what is survived speaks for this question alone.
            ended: 0: at least half of the connections ended at once; 1: within half a second; 2: they did not.
        """
        self._ended = [FADES * n for n in self._ended]
        self._survived[path] = FADES * self._survived.get(path, 0.0)
        before = self._evidence(path)
        if ended < 2:
            self.cuts += 1
            self._ended[ended] += 1
        else:
            self._survived[path] += 1
        self._trials[path] = self._trials.get(path, 0) + 1
        now, needed = self._evidence(path), CONVICTS + 2 * math.log1p(self._trials[path] / MANY)
        self._surprised = now - before > SURPRISES
        self.convicted = self.convicted or now >= needed

    def _evidence(self, path: str) -> float:
        """The logarithm of the odds that this question makes it drop others, by what is known now of other times."""
        trials = (*self._ended, self._survived.get(path, 0.0))
        dropped = sum(n * math.log(share) for n, share in zip(trials, DROPS, strict=True))
        odds = dropped - _likely(trials, self._by_itself)
        return min(odds, MOST * sum(self._ended))

    def _may_wait(self) -> bool:
        """Whether questions may wait once more. Where they may not, what is known of other ends has to do."""
        return len(self._watched) < WATCHES or time.monotonic() - self._watched[0] >= PER_S

    def _at_random(self) -> Peers:
        """Who is connected a while later: users may come in step with our questions, and seem to leave because of them.

        After each end it is watched first how often connections end by themselves.
        """
        if self.cuts > self._weighed and self._may_wait():
            self._by_themselves()
        else:
            time.sleep(random.uniform(0, STEP_S))  # noqa: S311 - no secret
        return self._look() or frozenset()

    def _by_themselves(self) -> None:
        """Count how often connections end though nobody asks."""
        self._weighed = self.cuts
        self._watched = (*self._watched, time.monotonic())[-WATCHES:]
        began = time.monotonic()
        looks = [self._look() or frozenset()]
        for n in range(1, random.randint(*WATCHED)):  # noqa: S311 - no secret
            time.sleep(max(0.0, began + n * AT_ONCE_S - time.monotonic()))
            looks.append(self._look() or frozenset())
        steps = round(WITHIN_S / AT_ONCE_S)
        for before, soon, later in zip(looks, looks[1:], looks[steps:], strict=False):
            if before:
                self._by_itself[0 if _half(before, soon) else 1 if _half(before, later) else 2] += 1

    def _after(self, path: str, there: Peers) -> None:
        """Look twice at what has become of them; where nobody can say any more, it was no trial."""
        began = time.monotonic()
        for ended, until in enumerate((AT_ONCE_S, WITHIN_S)):
            time.sleep(max(0.0, began + until - time.monotonic()))
            now = self._look()
            if now is None:
                return
            if _half(there, now):
                self.judge(path, ended)
                return
        self.judge(path, 2)


def _likely(trials: Sequence[float], spans: Sequence[float]) -> float:
    """The logarithm of how likely trials are that come as the spans did, whose rates are not known any better.

    A trial counts for the ones after it as a span does: a row of equal ends is what makes equal ends likely.
    """
    each = sum(math.lgamma(s + n) - math.lgamma(s) for n, s in zip(trials, spans, strict=True))
    return each + math.lgamma(sum(spans)) - math.lgamma(sum(spans) + sum(trials))


def _half(before: Peers, now: Peers) -> bool:
    """Whether at least half of some connections have ended."""
    return bool(before) and 2 * len(before - now) >= len(before)
