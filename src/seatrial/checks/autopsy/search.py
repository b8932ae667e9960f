"""The search for what is refused of a set of tools: a conversation in which every question rests on the answers before.

Nothing is sent here. The search is a generator: it yields a question, is told whether the server took it, and at its
end returns what it found. Who asks a server drives it; who judges a record later drives it with the recorded answers,
and it finds the same.

Halving finds the smallest number of leading tools that is refused; its last tool is asked alone, and halved in the same
way into its pieces. The piece is asked alone, with what it needs: that is the smallest refused tool. Then the whole set
is asked without the piece, so that a second offender comes to light, and what to leave out is known to help. Where no
tool is refused alone, as many harmless tools of the same length tell whether the size of the set is all that is wrong.
"""

from __future__ import annotations

import contextlib
import enum
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from seatrial.checks.autopsy.cuts import BARE, Cut, Part, Tool, cut

FIRST, FURTHER, MOST_OFFENDERS = 20, 15, 3
"""Requests for one offender, the whole set and the set without it included; for each further one; offenders at most."""

EMPTY = {"type": "object", "properties": {}}


class Reception(enum.Enum):
    """What a server made of a set of tools."""

    TAKEN = enum.auto()
    REFUSED = enum.auto()
    SILENT = enum.auto()
    """Nothing can be said: it did not answer in time, or not for this reason."""


class Likeness(enum.Enum):
    """What a set is refused for, where no tool of it is refused alone."""

    NUMBER = "the number of tools"
    LENGTH = "the length of the set"
    COMPANY = "tools that do not go together"


@dataclass(frozen=True, slots=True)
class Offer:
    """A set of tools to be offered; ``name`` is unlike that of any other question."""

    name: str
    tools: tuple[Tool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """What of one tool is refused.

    Attributes:
        number: of the tool in the set, from 1.
        piece: the last piece without which the tool is taken.
        smallest: the smallest tool that was refused.
        shown_by: the question that shows it.
        least: whether less than ``smallest`` is known to be taken; False where the requests were used up.
        beside: a piece that must be there too.
    """

    number: int
    tool: str
    piece: Part
    smallest: Tool
    shown_by: str
    least: bool = True
    beside: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """A set that is refused though no tool of it is refused alone.

    Attributes:
        taken: so many leading tools are taken; one more is not.
        shown_by: the question that shows it.
        names: the tools that do not go together, as far as they are known.
    """

    why: Likeness
    taken: int
    shown_by: str
    length: int = 0  # bytes of the JSON of the leading tools that are refused
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Autopsy:
    """What is known of a set. ``asked`` counts the questions; ``helps`` is the one that shows the set taken at last."""

    tools: int
    taken: bool = False
    offenders: list[Offender] = field(default_factory=list)
    together: Together | None = None
    helps: str = ""
    more: bool = False  # it is refused still, and is searched no further
    unfinished: str = ""  # the question that nothing can be said of
    asked: int = 0


Search = Generator[Offer, Reception, Autopsy]


class _SilentError(Exception):
    pass


class _SpentError(Exception):
    pass


@dataclass(slots=True)
class _Asking:
    """The questions asked so far, and how many more there may be."""

    left: int
    asked: int = 0
    last: str = ""
    known: dict[str, tuple[bool, str]] = field(default_factory=dict)  # set -> whether it is refused, and who shows it

    def ask(self, what: str, tools: Sequence[Tool]) -> Generator[Offer, Reception, bool]:
        """Whether a set is refused.

        Raises:
            _SpentError: no request is left.
            _SilentError: nothing can be said.
        """
        key = json.dumps(tools)
        if key in self.known:
            refused, self.last = self.known[key]
            return refused
        if self.left < 1:
            raise _SpentError
        self.left -= 1
        self.asked += 1
        self.last = f"{self.asked}: {what}"
        answer = yield Offer(self.last, tuple(tools))
        if answer is Reception.SILENT:
            raise _SilentError
        self.known[key] = (answer is Reception.REFUSED, self.last)
        return answer is Reception.REFUSED

    def shown_by(self, tools: Sequence[Tool]) -> str:
        """The question that shows what became of a set; the last one where none did."""
        return self.known.get(json.dumps(tools), (True, self.last))[1]


def search(tools: Sequence[Tool]) -> Search:
    """The search in a set of tools, from its first question on, which is the whole set."""
    report = Autopsy(len(tools))
    asking = _Asking(FIRST)
    numbered, taken = list(enumerate(tools, 1)), 0
    try:
        report.taken = not (yield from asking.ask(f"all {len(tools)} tools", tools))
        while not report.taken:
            asking.left -= 1  # kept for the question whether it helps
            found = yield from _offender(numbered, asking, taken=taken)
            if isinstance(found, Together):
                report.together = found
                break
            report.offenders.append(found)
            taken = [number for number, _ in numbered].index(found.number)
            numbered = _mended(numbered, found)
            asking.left += 1
            left = [tool for _, tool in numbered]
            if not left or not (yield from asking.ask(f"all without {found.tool}, {found.piece}", left)):
                report.helps = asking.last if left else ""
                break
            if len(report.offenders) == MOST_OFFENDERS:
                report.more = True
                break
            asking.left = FURTHER
    except _SilentError:
        report.unfinished = asking.last
    except _SpentError:
        report.more = True
    report.asked = asking.asked
    return report


Numbered = list[tuple[int, Tool]]


def _mended(numbered: Numbered, found: Offender) -> Numbered:
    """The set without what is refused of one tool."""
    made = [(n, cut(tool).without(found.piece) if n == found.number else tool) for n, tool in numbered]
    return [(n, tool) for n, tool in made if tool is not None]


def _offender(numbered: Numbered, asking: _Asking, *, taken: int) -> Generator[Offer, Reception, Offender | Together]:
    """The tool that makes a set be refused, and what of it; so many leading tools are known to be taken."""
    tools = [tool for _, tool in numbered]
    few = yield from _fewest(len(tools), lambda n: (f"the first {n} tools", tools[:n]), asking, taken=taken)
    number, tool = numbered[few - 1]
    held = cut(tool)
    if few > 1 and not (yield from asking.ask(f"{held.name} alone", [tool])):
        return (yield from _together(tools[:few], asking))
    return (yield from _piece(number, held, asking))


def _fewest(
    n: int,
    made: Callable[[int], tuple[str, list[Tool]]],
    asking: _Asking,
    *,
    taken: int = 0,
    note: Callable[[list[Tool]], None] = lambda _tools: None,
) -> Generator[Offer, Reception, int]:
    """The smallest number that is refused, of 1 to n, which is known to be.

    Args:
        made: the set of so many, with its name.
        taken: so many are known to be taken.
        note: is told of each set that is refused.
    """
    while n - taken > 1:
        half = (taken + n) // 2
        what, tools = made(half)
        if (yield from asking.ask(what, tools)):
            n = half
            note(tools)
        else:
            taken = half
    return n


@dataclass(slots=True)
class _Narrowed:
    """How far a tool is narrowed down."""

    smallest: Tool
    piece: Part | None = None
    beside: Part | None = None

    def note(self, tools: list[Tool]) -> None:
        self.smallest = tools[0]


def _piece(number: int, held: Cut, asking: _Asking) -> Generator[Offer, Reception, Offender]:
    """The piece that makes a tool be refused; where the requests do not reach so far, the tool."""
    at, least = _Narrowed(held.tool), False
    with contextlib.suppress(_SpentError):
        least = yield from _narrow(held, at, asking)
    return Offender(
        number=number,
        tool=held.name,
        piece=at.piece or BARE,
        smallest=at.smallest,
        shown_by=asking.shown_by([at.smallest]),
        least=least,
        beside=at.beside,
    )


def _narrow(held: Cut, at: _Narrowed, asking: _Asking) -> Generator[Offer, Reception, bool]:
    """Narrow a tool down to what is refused of it; whether that is the least of it.

    Raises:
        _SpentError: no request is left.
    """
    name, n = held.name, len(held.pieces)

    def leading(k: int) -> tuple[str, list[Tool]]:
        return f"{name}, {k} of {n} pieces", [held.of(held.pieces[:k])]

    few = yield from _fewest(n, leading, asking, note=at.note)
    at.piece = piece = held.pieces[few - 1]
    if (yield from asking.ask(f"{name}, {piece} alone", [held.of([piece])])):
        at.smallest = held.of([piece])
        return True

    def with_it(k: int) -> tuple[str, list[Tool]]:
        return f"{name}, {piece} and {k} pieces", [held.of([*held.pieces[:k], piece])]

    before = yield from _fewest(few - 1, with_it, asking, note=at.note)
    at.beside = held.pieces[before - 1]
    pair = [held.of([at.beside, piece])]
    if (yield from asking.ask(f"{name}, {piece} beside {at.beside}", pair)):
        at.note(pair)
        return True
    return False


def _together(tools: list[Tool], asking: _Asking) -> Generator[Offer, Reception, Together]:
    """Why tools are refused of which none is refused alone: the last one is refused with those before it."""
    n, length, shown_by = len(tools), len(json.dumps(tools)), asking.shown_by(tools)
    like = [_like(tool, k) for k, tool in enumerate(tools)]
    if (yield from asking.ask(f"{n} harmless tools of the same length", like)):
        bare = [{"type": "function", "function": {"name": f"tool_{k}", "parameters": EMPTY}} for k in range(n)]
        number = yield from asking.ask(f"{n} tools without a word", bare)
        why = Likeness.NUMBER if number else Likeness.LENGTH
        return Together(why=why, taken=n - 1, shown_by=shown_by, length=length)
    last, names = tools[-1], [cut(tool).name for tool in tools]

    def after(k: int) -> tuple[str, list[Tool]]:
        return f"{names[-1]} after {k} tools", [*tools[:k], last]

    with contextlib.suppress(_SpentError):
        few = yield from _fewest(n - 1, after, asking)
        names = [*names[:few], names[-1]]
        if (yield from asking.ask(f"{names[-2]} and {names[-1]}", [tools[few - 1], last])):
            names = names[-2:]
    return Together(why=Likeness.COMPANY, taken=n - 1, shown_by=shown_by, length=length, names=tuple(names))


def _like(tool: Tool, number: int) -> Tool:
    """A tool without a schema that is as long as another one: what that one says stands in its description."""
    said = json.dumps(tool["function"], ensure_ascii=False).replace('"', "'").replace("\\", "/")
    made = {"name": f"tool_{number}", "description": said, "parameters": EMPTY}
    spare = len(json.dumps(made, ensure_ascii=False)) - len(said)
    return {"type": "function", "function": {**made, "description": said[: max(1, len(said) - spare)]}}
