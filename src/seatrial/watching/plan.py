"""What is watched and what it costs, in a line a target, before the first look."""

from __future__ import annotations

from seatrial.kinds import detect
from seatrial.records import Endpoint
from seatrial.report.words.plain import duration
from seatrial.watching.settings import WatchSettings

DAY_S = 86_400

LOOKS = 86_400
"""A day's looks at the health page; as many again at most at pages that tell how the engine's loop goes."""

CANARY_TOKENS = 20
"""Of a canary, its prompt in a chat template included: the plan alone assumes it. A server may count some more."""

UNPRICED = "what a look at its health page costs is not known, and is found out where it can be seen"

UNOBSERVED = "the engine was not observed (--canary=off)"


def of_endpoint(name: str, page: Endpoint, settings: WatchSettings, *, answers: bool, trouble: str) -> str:
    """The line of an endpoint: who answers, as far as it was asked, and what a day of the watch sends to it."""
    words = what(page, settings, answers=answers)
    late = "" if answers or not trouble else f"; {trouble}"
    return f"{name}  {page.url}  {words}; a day: {price(settings, page)}{late}"


def what(page: Endpoint, settings: WatchSettings, *, answers: bool) -> str:
    """Who answers, and whether canaries go there."""
    if not settings.canary_s:
        return "nothing is asked of its engine, which is not observed (--canary=off)"
    canary = f"a canary every {duration(settings.canary_s)}"
    if answers and not page.model:
        canary += ", once it lists one model"
    return f"{page.kind}, model {page.model}, {canary}" if page.models else canary


def price(settings: WatchSettings, page: Endpoint) -> str:
    """Requests and tokens of a day. Of a server of no known kind nobody knows yet what a look costs."""
    known = page.kind != detect.GENERIC and page.name not in settings.behind  # a gateway may speak another's dialect
    chats = round(DAY_S / settings.canary_s) if settings.canary_s else 0
    if not chats:
        sent = f"{LOOKS:,} looks at its health page, 0 chats, 0 tokens"
    else:
        looks = f"up to {2 * LOOKS:,} looks at pages{' that cost nothing' if known else ''}"
        sent = f"{looks}, {chats:,} chats of one token each, about {chats * CANARY_TOKENS:,} tokens"
    return sent if known else f"{sent}; {UNPRICED}"
