"""What is known of a kind of server, as data: one TOML file a kind beside its module.

A known deviation annotates a FAIL and never changes an outcome: else this list would whiten an operator's gate.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.kinds import prometheus
from seatrial.records import Judged, Outcome

FOLDER = Path(str(files("seatrial.kinds")))
_SEEN = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY})


class Detect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells the kind: an ``owned_by`` in the list of models, or keys of ``/props`` with a build of this form."""

    owned_by: tuple[str, ...] = ()
    props: tuple[str, ...] = ()
    build: str = ""  # a regular expression for build_info


class Thinking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bodies that may switch thinking off, tried in this order when reasoning is seen."""

    off: tuple[dict[str, Any], ...] = ()


class CountersSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server counts for itself, in Prometheus text, and what it calls its totals; empty: not counted.

    Attributes:
        path: below its root.
        name: the source in the record.
        tokens: generated since its start; empty: it has no counters that are known.
        prompt_tokens: of whole prompts, as ``usage`` counts them.
        prompt_read: of prompts, without those that were cached, as ``usage`` tells of them.
        requests: chats, whatever became of them.
        busy: requests being worked on: 0 once all of them are counted.
    """

    path: str = "/metrics"
    name: str = ""
    tokens: str = ""
    prompt_tokens: str = ""
    prompt_read: str = ""
    requests: str = ""
    busy: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The names by which these counters are known."""
        return tuple(filter(None, (self.tokens, self.requests)))


class Statuses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words by which a list of models says what becomes of a request for one.

    Attributes:
        answers: it is answered, if the model has to wake up for it.
        others: it waits, or fails.
    """

    answers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class ClaimPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a server claims something of itself.

    Attributes:
        of: what is claimed: true or false, but for the context, which is in tokens.
        page: as in :class:`Routes`.
        at: a dotted path in its JSON; ``0`` is the first of a list.
        member: what a list there must hold for the claim to be made; empty: it is no list.
    """

    of: Literal["tools", "images", "thought", "parts", "context"]
    page: str
    at: str
    member: str = ""


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Routes beside those of the API, as ``GET /path`` below the root, below the API where it begins with ``/v1/``.

    Attributes:
        infer: they work the model; asked with a body that holds nothing.
        command: they run commands on the host.
        proxy: they fetch for whoever asks.
        delete: they take something from others: models, keys, what is kept for them.
        show: they may show what others asked and were answered.
    """

    infer: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    proxy: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    show: tuple[str, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A known deviation of a rule or a case, ``rule[scenario]``, with ``*`` and ``?``, on builds ``<b6000,>=b5000``."""

    case: str
    reason: str
    builds: str = ""
    link: str = ""

    def covers(self, case: str, build: str) -> bool:
        """Whether a case (``rule[scenario]@NAME``) on a build is meant. An unreadable build counts as covered."""
        name = case.partition("@")[0]
        pattern = re.escape(self.case).replace(r"\*", ".*").replace(r"\?", ".")
        tail = "" if "[" in self.case else r"(\[.*\])?"
        return re.fullmatch(pattern + tail, name) is not None and _within(self.builds, build)

    def __str__(self) -> str:
        return self.reason + (f" ({self.link})" if self.link else "")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of server.

    Attributes:
        kind: its name in the record; the name of the file where that is all there is to it.
        met: such a server has been tried. False: what is known of it was read in published source.
        engine: who answers runs the model itself: while that process lives, it is the same engine. False: it may stand
            in front of another.
        prompt_cache: bytes of RAM that it keeps of prompts at most, where it is not told otherwise; 0: none is known.
        uncached: what a request says so that its prompt is read afresh; empty: none can say so, as far as is known.
    """

    kind: str = ""
    met: bool = True
    engine: bool = False
    detect: Detect = Detect()
    thinking: Thinking = Thinking()
    counters: CountersSource = CountersSource()
    routes: Routes = Routes()
    claims: tuple[ClaimPlace, ...] = ()
    statuses: Statuses = Statuses()
    known: tuple[Known, ...] = ()
    prompt_cache: int = 0
    uncached: dict[str, Any] = {}

    def known_word(self, case: str, build: str) -> str:
        """What is known of a case on a build; empty where nothing is."""
        return next((str(known) for known in self.known if known.covers(case, build)), "")

    def known_unseen(self, cases: Iterable[Judged], build: str) -> tuple[str, ...]:
        """Known deviations whose cases were judged and all hold: the list is to be cut."""
        listed = [case for case in cases if case.outcome in _SEEN]
        unseen = []
        for known in self.known:
            mine = [case for case in listed if known.covers(case.case, build)]
            if mine and all(case.outcome is Outcome.PASS for case in mine):
                unseen.append(f"{self.kind}: {known.case} is known to deviate and holds now: {known}")
        return tuple(unseen)


def kinds() -> tuple[str, ...]:
    """The names of the kinds of server there are."""
    return tuple(sorted(_all()))


def routes() -> Routes:
    """The routes of all kinds: many servers have another's, and an unknown one may have any."""
    held = [profile.routes for profile in _all().values()]
    names = Routes.__struct_fields__
    return Routes(**{name: tuple(dict.fromkeys(r for each in held for r in getattr(each, name))) for name in names})


def statuses() -> Statuses:
    """The words of all kinds for what a listed model is ready for."""
    held = [profile.statuses for profile in _all().values()]
    return Statuses(
        answers=tuple(dict.fromkeys(word for each in held for word in each.answers)),
        others=tuple(dict.fromkeys(word for each in held for word in each.others)),
    )


def claims() -> tuple[ClaimPlace, ...]:
    """Where any kind claims something of itself: many servers speak another's dialect."""
    return tuple(dict.fromkeys(claim for profile in _all().values() for claim in profile.claims))


def load(kind: str) -> Profile:
    """The profile of a kind; an unknown kind (of a newer version's run) is a generic one.

    Raises:
        ConfigError: with file, line and key, of any profile.
    """
    return _all().get(kind, _all()["generic"])


def counted(body: bytes) -> tuple[CountersSource, dict[str, int]] | None:
    """Whose counters a Prometheus text holds, and its whole totals by name; None: nobody's.

    Told by what is there, not by the kind: many servers speak another's dialect. Who is known by most names goes first.
    """
    totals = prometheus.wholes(body)
    mine = [source for source in _sources() if totals.keys() >= set(source.needed)]
    return (mine[0], totals) if mine else None


@functools.cache
def _all() -> dict[str, Profile]:
    return {profile.kind: profile for profile in map(read, sorted(FOLDER.glob("*.toml")))}


@functools.cache
def _sources() -> tuple[CountersSource, ...]:
    sources = [profile.counters for profile in _all().values() if profile.counters.tokens]
    return tuple(sorted(sources, key=lambda source: -len(source.needed)))


def read(path: Path) -> Profile:
    """Read a profile from a file; its kind is the file's name unless it gives another.

    Raises:
        ConfigError: with file, line and key.
    """
    profile = tables.read(path, Profile)
    for index, known in enumerate(profile.known):
        if _bounds(known.builds) is None:
            line = tables.line_of(path.read_text("utf-8"), "known", index, "builds")
            raise ConfigError(
                f"{tables.shown(path)} line {line}: builds: {known.builds} is no range: say >=b5000,<b6000"
            )
    return msgspec.structs.replace(profile, kind=profile.kind or path.stem)


def _bounds(text: str) -> list[tuple[str, int]] | None:
    parts = [re.fullmatch(r"(<=|>=|<|>)b(\d+)", part.strip()) for part in text.split(",") if part.strip()]
    return None if None in parts else [(m[1], int(m[2])) for m in parts if m is not None]


def _within(builds: str, build: str) -> bool:
    number = re.match(r"b(\d+)", build)
    if number is None or not int(number[1]):
        return True
    n = int(number[1])
    holds = {"<": n.__lt__, "<=": n.__le__, ">": n.__gt__, ">=": n.__ge__}
    return all(holds[sign](bound) for sign, bound in _bounds(builds) or ())
