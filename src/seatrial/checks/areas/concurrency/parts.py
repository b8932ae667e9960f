"""What the rules on company share: the scenarios' traits, the marks of requests, and what an answer says anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import causes, crowds, traits
from seatrial.checks.answering import refused, silent
from seatrial.checks.findings import no_evidence
from seatrial.checks.traits import trait
from seatrial.reading import chat, marks, tools
from seatrial.records import Exchange, Finding
from seatrial.statistics.rates import smallest

TOGETHER = traits.CHAT | trait("together", own=True)
"""Valid chats that leave at the same time, wave after wave."""

MARKED = TOGETHER | trait("marked")
"""Requests with marks, each of its own, whose answers repeat them."""

BEFORE = TOGETHER | trait("marked-before")
"""Requests with marks that come after others: over the same beginning, in the slots of who left, or as a next turn."""

BOUND = TOGETHER | trait("bound-beside-free")
"""Answers bound to a mark that stands in the schema alone, beside answers that are bound to nothing."""

UNLIKE = TOGETHER | trait("unlike-beside")
"""``cold``, greedy: alone first, twice, then beside ``hot`` ones, which are drawn; each kind has a cap of its own."""

CROWD = TOGETHER | trait("more-than-slots")
"""Several times as many requests at the same time as there are slots."""

LEAVING = TOGETHER | trait("leaving")
"""``before``, when nobody else is there; then clients that leave, and after each such wave ``after``, as many as
before. ``later`` comes behind ``after`` where some of that were kept waiting."""

OTHERWISE = TOGETHER | trait("leaving-otherwise")
"""The same with clients that leave without a stream, in the line, or while their prompt is read."""

DROPPED = TOGETHER | trait("dropped")
"""``good``, then connections that are opened and dropped, and ``good`` again, as often as it is asked."""

COUNTED = TOGETHER | trait("counted-by-the-server")
"""``counters``, chats, ``counters`` again: the server's own page of counters before and after."""

APART = "concurrency/no-answer-holds-anothers-secret"
"""The rule whose finding it is that answers are crossed."""

LEAVES_FREE = "concurrency/client-that-leaves-a-stream-frees-its-slot"
"""The rule whose finding it is that a server does not see that a client left."""

UNANSWERED = (causes.ANSWERED + causes.SOME,)


def said(x: Exchange) -> str:
    """All that an answer says, wherever it says it: content, thought, calls, and a plain body as it stands."""
    texts = [f"{answer.content}\n{answer.reasoning}" for answer in chat.answers(x).values()]
    texts += [f"{call.id}\n{call.name}\n{call.arguments}" for each in tools.calls(x).values() for call in each]
    return "\n".join([*texts, "" if x.is_stream else x.body.decode("utf-8", "replace")])


def owned(xs: Mapping[str, Exchange]) -> dict[str, frozenset[str]]:
    """The marks of each request."""
    return {name: marks.found(x.request_body.decode("utf-8", "replace")) for name, x in xs.items()}


def strangers(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, str, str]]:
    """(request, mark, whose it is) of each answer that holds a mark of other requests and not of its own."""
    own = owned(xs)
    of: dict[str, str] = {}
    for name, held in own.items():
        of.update({mark: name for mark in held if mark not in of})  # whoever had it first
    for name, x in xs.items():
        text = said(x)
        for mark, other in of.items():
            if mark not in own[name] and mark in text:
                yield name, mark, other


def shown(xs: Mapping[str, Exchange]) -> list[str]:
    """The requests whose answers hold their own mark: a crossed one would have been seen there."""
    own = owned(xs)
    return [name for name, x in xs.items() if own[name] and any(mark in said(x) for mark in own[name])]


def seen(xs: Mapping[str, Exchange]) -> dict[str, str]:
    """How many answers show whose they are, and how rare a crossed one may be and still be found."""
    marked = sum(map(bool, owned(xs).values()))
    held = len(shown(xs))
    return {"answers that show whose they are": f"{held} of {marked}", **rate("one crossed in", held)}


def rate(what: str, n: int) -> dict[str, str]:
    """The smallest rate at which a fault is found in 95 of 100 runs, as a figure."""
    return {"found in 95 of 100 runs": f"{what} {1 / smallest(n):.1f}"} if n else {}


def nothing_shown(xs: Mapping[str, Exchange]) -> Finding:
    """That no answer shows whose it is."""
    marked = [xs[name] for name, held in owned(xs).items() if held]
    if all(silent(x) or refused(x) for x in marked):
        got = ", ".join(sorted({str(x.error or x.status) for x in marked})) or "none"
        return no_evidence("the answers", expected="at least one", got=got, causes=UNANSWERED)
    got = f"none of {len(marked)} does: this model repeats nothing"
    return no_evidence("the answers", expected="some that hold the mark of their request", got=got)


def waves(xs: Mapping[str, Exchange]) -> dict[int, dict[str, Exchange]]:
    """The answers by the number of their wave, in order."""
    found: dict[int, dict[str, Exchange]] = {}
    for name, x in xs.items():
        found.setdefault(crowds.wave_of(name), {})[name] = x
    return dict(sorted(found.items()))
