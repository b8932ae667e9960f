"""Optional areas: a server may lack them, and says so once, when it is asked for the first time.

Each has one request that asks for it, sent once per endpoint: the scenario :attr:`Capability.asked`, which stands as
``before`` in every other scenario of the area. Where that one was declined honestly, no case of the area applies. Where
it was answered, a refusal is judged as that of any other valid request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from seatrial.checks import causes, look
from seatrial.checks.answering import refused, silent
from seatrial.checks.findings import refusal
from seatrial.checks.rules import Evidence
from seatrial.reading import fields, reasoning
from seatrial.reading.chat import answers
from seatrial.records import Exchange, Finding
from seatrial.text import shorten

SERVER_FAULT, NO_ROUTE = 500, 501
NOT_OF_IT = frozenset({401, 407, 408, 425, 429})
"""Statuses of the 4xx that say something of the caller or of the hour, and nothing of what the server can do."""

ABSENT = re.compile(
    r"not (?:\w+ ){0,2}(?:support|implement|enabl|availab|allow|configur)|unsupported|unimplemented|unavailable"
    r"|disabled|requires?\b|needs?\b|must be (?:started|enabled)|\bwithout\b|\bonly\b|\bcannot\b|(?:^|[\s`'\"])--\w",
    re.IGNORECASE,
)
"""How a server says that it lacks something, or names the switch that would give it."""

CRASHED = re.compile(
    r"Traceback|\b(?!NotImplemented|NotSupported|Unsupported|API|BadRequest|OpenAI)[A-Za-z]+(?:Error|Exception)\b|panicked|[Ss]egfault|[Aa]ssert"
)
"""How a crash is told: it may hold the name of what was asked for, and is no refusal. A gateway that passes on what a
server said in words names an exception too (LiteLLM's APIError, BadRequestError, OpenAIException): that is none."""


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What a server may lack.

    Attributes:
        area: the area of rules.
        title: what it is called where a report says that it did not apply.
        named: matches a text that names it, or the switch for it.
        route: how the path ends that is its own: without it a server may decline there whatever it is sent.
        shown: whether an answer of 200 shows it, where a 200 alone does not; what a caller asked for by name and did
            not get is for a rule to judge, never for this.
    """

    area: str
    title: str
    named: re.Pattern[str]
    route: str = ""
    shown: Callable[[Exchange], bool] | None = None

    @property
    def asked(self) -> str:
        """The name of the scenario that asks for it."""
        return f"{self.area}-asked"

    def declined(self, x: Exchange) -> str:
        """How the server declined it in the answer to the first request for it; empty where it did not."""
        status = x.status or 0
        text = x.body[:4000].decode("utf-8", "replace")
        if status == 200:
            if self.shown is None or x.error or not answers(x) or self.shown(x):
                return ""
            return "200, and nothing of it in the answer"
        if 400 <= status < 500 and status not in NOT_OF_IT:
            return f"{status} {shorten(text[:400])}"
        if status == NO_ROUTE or (status >= SERVER_FAULT and self._names(_message(x) or text)):
            return f"{status} {shorten(text[:400])}"
        return ""

    def _names(self, text: str) -> bool:
        """Whether the text of a 5xx says that just this is lacking."""
        return bool(self.named.search(text) and ABSENT.search(text) and not CRASHED.search(text))


def _message(x: Exchange) -> str:
    """What a refusal says in words; empty where it has none."""
    told = fields.mapping(x.json)
    error = told.get("error", told)
    said = (fields.mapping(error).get(key) for key in ("message", "detail"))
    return next((text[:4000] for text in (fields.string(error), *map(fields.string, said)) if text), "")


CAPABILITIES = (
    Capability(
        area="tools",
        title="tools",
        named=re.compile(r"\btools?\b|\btool_c(?:hoice|alls?)\b|function.call|--jinja|tool.call.parser", re.IGNORECASE),
    ),
    Capability(
        area="structured",
        title="JSON answers",
        named=re.compile(r"response_format|json_(?:schema|object)|structured|grammar|guided|constrain", re.IGNORECASE),
    ),
    Capability(
        area="reasoning",
        title="reasoning",
        named=re.compile(r"reasoning|thinking|enable_thinking|chat_template_kwargs", re.IGNORECASE),
        shown=reasoning.is_shown,
    ),
    Capability(
        area="embeddings",
        title="embeddings",
        named=re.compile(r"embedding|pooling", re.IGNORECASE),
        route="/embeddings",
    ),
)

BY_SCENARIO = {each.asked: each for each in CAPABILITIES}


def asked_in(x: Exchange) -> Capability | None:
    """The capability that an exchange is the first request for."""
    return BY_SCENARIO.get(x.scenario.rpartition("/")[2])


def declined_route(x: Exchange) -> bool:
    """Whether a server said that it lacks the whole route: of what was wrong with the request that tells nothing."""
    return any(each.route and x.path.endswith(each.route) and each.declined(x) for each in CAPABILITIES)


def declined_by_5xx(x: Exchange) -> bool:
    """Whether a 5xx says that the server lacks what a request, odd or not, asks for."""
    return (x.status or 0) >= SERVER_FAULT and any(each.declined(x) for each in CAPABILITIES)


def declined_of(x: Exchange, parameter: str) -> bool:
    """Whether a 5xx says that the server lacks a parameter by its name, or anything that it does not implement."""
    text = _message(x) or x.body[:4000].decode("utf-8", "replace")
    word = re.search(rf"(?<![\w\\]){re.escape(parameter)}(?!\w)", text)  # n is in any text, as a letter
    named = word and ABSENT.search(text) and not CRASHED.search(text)
    return x.status == NO_ROUTE or bool((x.status or 0) >= SERVER_FAULT and named)


def lacking(exchanges: Mapping[str, Exchange]) -> Finding | None:
    """Why nothing of a scenario applies, or None: the capability that it is about was declined when asked for first."""
    for x in exchanges.values():
        capability = asked_in(x)
        if capability is not None and (said := capability.declined(x)):
            found = refusal(f"{capability.title}, asked for once", expected="an answer", got=said, optional=True)
            return msgspec.structs.replace(found, capability=capability.title)
    return None


def hanging(findings: Iterable[Finding], evidence: Evidence) -> Iterator[Finding]:
    """Findings on answers of an optional area, whose first request was answered no better: that one is their cause.

    What a faulty request is answered is none of them: a refusal is right there.
    """
    xs = evidence if isinstance(evidence, Mapping) else {}
    first = xs.get("before")
    if not isinstance(first, Exchange) or asked_in(first) is None or not (silent(first) or refused(first)):
        yield from findings
        return
    cause = f"{causes.ANSWERED}[{first.scenario.rpartition('/')[2]}]"
    faulty = look.bad(xs) if look.GOOD in xs else {}
    later = {name: x for name, x in xs.items() if name != "before" and name not in faulty}
    for finding in findings:
        judged = [x for name, x in later.items() if finding.about in ("", name)]
        hangs = judged and not finding.capability and cause not in finding.causes
        failed = hangs and all(silent(x) or refused(x) for x in judged)
        yield msgspec.structs.replace(finding, causes=(*finding.causes, cause)) if failed else finding


def own(exchanges: Mapping[str, Exchange]) -> dict[str, Exchange]:
    """Without the first request for a capability where it only stands before: its own scenario is judged on it."""
    return {name: x for name, x in exchanges.items() if name != "before" or asked_in(x) is None}
