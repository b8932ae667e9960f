"""What a rule is, how it is registered, and how it is run.

A rule is a function that yields findings. Its id is its area and the function's name (``sse/role-is-sent-once``), its
docstring the requirement in one sentence. The area is the module or folder below ``checks/areas``; elsewhere it is
said. The annotation of the first parameter tells what the rule reads:

- ``x: Exchange``: *single*, usable on any one answer, soak traffic included;
- ``xs: Mapping[str, Exchange]``: compares the answers of a scenario by their names;
- ``run: SoakRun``: reads the rows of a soak.

:func:`run` guards what every rule would otherwise repeat: no evidence where the server was gone or busy, no answer
within the deadline, a valid request refused, and a rule that crashes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import msgspec

from seatrial.checks import traits
from seatrial.checks.traits import Traits
from seatrial.records import BUSY, Exchange, Expect, Finding, Level, Scenario, SoakRun

Evidence = Exchange | Mapping[str, Exchange] | SoakRun
Figures = Callable[[Any, Expect], dict[str, str]]

GONE = frozenset({"refused", "unreachable"})
"""Errors of an exchange that say nothing about the answer: nobody was there to give one."""

AREAS = "seatrial.checks.areas."

FINDINGS = 50
"""Findings of one case that are kept: a stream may break a rule in every chunk, and nobody reads on."""

LATE = frozenset({"deadline", "idle"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement.

    Attributes:
        of: traits a scenario must have for the rule to apply.
        unless: traits that keep the rule away.
        optional: an honest 4xx means UNSUPPORTED, not FAIL.
        answer: the rule is about a 200; anything else is judged by :func:`run` before it.
        sampled: a compare rule that counts over many answers, and says itself what one that never came means.
        figures: what to print of the evidence whatever the outcome (``k of n``, an interval).
    """

    id: str
    row: str
    level: Level
    source: str
    text: str
    shape: Literal["single", "compare", "soak"]
    function: Callable[[Any, Expect], Iterable[Finding]] = field(repr=False)
    of: Traits = traits.NONE
    unless: Traits = traits.NONE
    optional: bool = False
    answer: bool = True
    figures: Figures | None = field(default=None, repr=False)
    sampled: bool = False

    @property
    def area(self) -> str:
        """The first half of its id."""
        return self.id.partition("/")[0]

    def applies(self, scenario: Scenario) -> bool:
        """Whether a scenario has what the rule needs, nothing that keeps it away, and is not for other rules alone."""
        borne = scenario.traits
        own = {t for t in borne - self.of if isinstance(t, traits.Trait) and t.own}
        return self.of <= borne and not self.unless & borne and not own


REGISTRY: dict[str, Rule] = {}
"""Every rule by id; filled by importing the modules that hold them (:func:`load_all`)."""


def rule(
    *,
    row: str,
    level: Level,
    of: Traits = traits.NONE,
    unless: Traits = traits.NONE,
    source: str,
    area: str = "",
    optional: bool = False,
    answer: bool = True,
    figures: Figures | None = None,
    sampled: bool = False,
) -> Callable[[Callable[..., Iterable[Finding]]], Rule]:
    """Register a function as a rule; its area and the function's name make its id.

    Args:
        area: of a rule that stands outside ``checks/areas``; there the module or folder is the area.

    Raises:
        ValueError: the id is taken, no area is said, the docstring is missing, a trait is declared nowhere, or the
            first parameter's annotation is none of the three.
    """

    def register(function: Callable[..., Iterable[Finding]]) -> Rule:
        identity = f"{area or _area(function.__module__)}/{function.__name__.replace('_', '-')}"
        if identity in REGISTRY:
            raise ValueError(f"two rules are called {identity}")
        text = inspect.getdoc(function)
        if not text:
            raise ValueError(f"{identity} has no docstring: the requirement in one sentence")
        if strange := sorted(word for word in of | unless if not isinstance(word, traits.Trait)):
            raise ValueError(f"{identity}: no trait {strange[0]!r} is declared; a trait is made by traits.trait()")
        made = Rule(
            id=identity,
            row=row,
            level=level,
            source=source,
            text=" ".join(text.partition("\n\n")[0].split()),
            shape=_shape(function, identity),
            function=function,
            of=of,
            unless=unless,
            optional=optional,
            answer=answer,
            figures=figures,
            sampled=sampled,
        )
        REGISTRY[identity] = made
        return made

    return register


def violation(where: str, *, expected: str, got: Any, so: str = "", grave: bool = False) -> Finding:
    """A requirement is broken. ``grave``: FAIL whatever the level ("200 and ignored", no answer)."""
    return Finding("violation", where, expected, shorten(got), so, grave)


def refusal(where: str, *, expected: str, got: Any, optional: bool = False) -> Finding:
    """The server declined honestly, with a 4xx. ``optional``: what it declined is a capability it may lack."""
    return Finding("refusal", where, expected, shorten(got), optional=optional)


def no_evidence(where: str, *, expected: str, got: Any) -> Finding:
    """There is nothing to judge."""
    return Finding("no-evidence", where, expected, shorten(got))


def shorten(value: Any, limit: int = 200) -> str:
    """A value as a person reads it in a diagnosis: one line, bounded, control characters escaped."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (RecursionError, ValueError):  # nested deep, or an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit * 2])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def run(rule: Rule, evidence: Evidence, expect: Expect) -> tuple[tuple[Finding, ...], str]:
    """Judge evidence by a rule: its findings, and the error of a rule that crashed (empty otherwise).

    A single rule given several exchanges judges each; its findings then name the exchange. Beyond the first 50 the
    first of each sort is kept that is not among them, and one more counts the rest: the outcome is the same as of all.
    """
    try:
        return _bounded(_findings(rule, evidence, expect)), ""
    except Exception as error:  # noqa: BLE001 - a rule that falls over must not end the run
        return (), f"{type(error).__name__}: {shorten(str(error))}"


def _area(module: str) -> str:
    """The area of a module below ``checks/areas``: its own name, or that of its folder.

    Raises:
        ValueError: it stands elsewhere.
    """
    below = module.partition(AREAS)[2]
    if not below:
        raise ValueError(f"{module} is not below {AREAS[:-1]}: say its area")
    return below.partition(".")[0]


def _shape(function: Callable[..., Any], identity: str) -> Literal["single", "compare", "soak"]:
    first = next(iter(inspect.signature(function).parameters.values()), None)
    annotation = "" if first is None else str(first.annotation)
    if annotation == "Exchange":
        return "single"
    if annotation.startswith("Mapping["):
        return "compare"
    if annotation == "SoakRun":
        return "soak"
    raise ValueError(f"{identity}: its first parameter must be Exchange, Mapping[str, Exchange] or SoakRun")


def _findings(rule: Rule, evidence: Evidence, expect: Expect) -> Iterator[Finding]:
    if isinstance(evidence, SoakRun):
        yield from rule.function(evidence, expect)
        return
    exchanges = {"": evidence} if isinstance(evidence, Exchange) else dict(evidence)
    if not exchanges:
        yield no_evidence("the recording", expected="at least one exchange", got="none")
        return
    if rule.of >= traits.FAULTY and not exchanges.keys() - {"good"}:  # what the good request tells counts beside it
        yield no_evidence("the recording", expected="a faulty request", got="none")
    if rule.sampled:
        yield from rule.function(exchanges, expect)
        return
    before = {name: list(_precondition(rule, x)) for name, x in exchanges.items()}
    if rule.shape == "compare":
        found = [f for each in before.values() for f in each]
        yield from found or rule.function(exchanges, expect)
        return
    for name, x in exchanges.items():
        for finding in before[name] or rule.function(x, expect):
            yield _named(finding, name if len(exchanges) > 1 else "")


def _bounded(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first findings, of the others the first of each sort not among them, and one that counts these others.

    A sort is what the outcome hangs on: :func:`seatrial.verdict.outcomes.outcome` asks no more of a finding.
    """
    kept = list(islice(findings, FINDINGS))
    sorts = {_sort(finding) for finding in kept}
    more = 0
    for finding in findings:
        more += 1
        if _sort(finding) not in sorts:
            sorts.add(_sort(finding))
            kept.append(finding)
    if more:
        expected = f"none beyond the first {FINDINGS}"
        kept.append(msgspec.structs.replace(kept[-1], where="further findings", expected=expected, got=f"{more} more"))
    return tuple(kept)


def _sort(finding: Finding) -> tuple[str, bool, bool]:
    return finding.kind, finding.grave, finding.optional


def _named(finding: Finding, name: str) -> Finding:
    return msgspec.structs.replace(finding, where=f"{name}: {finding.where}") if name else finding


def _precondition(rule: Rule, x: Exchange) -> Iterator[Finding]:
    """What keeps an exchange from being judged by what the rule says."""
    if x.error in GONE:
        yield no_evidence("the connection", expected="a server", got=x.detail or x.error)
    elif x.error in LATE:
        yield violation(
            "the answer",
            expected="an answer within the deadline",
            got=f"{x.detail or x.error} after {(x.ended_at - x.sent_at) / 1e9:.1f} s, {len(x.raw)} bytes",
            so="a client waits as long as its own time-out lets it",
            grave=True,
        )
    elif x.dropped:
        yield no_evidence("the recording", expected="bytes", got="not stored: the byte budget of the run was used up")
    elif x.status is None:
        yield violation(
            "the answer",
            expected="a status line and headers",
            got=x.detail or x.error or "nothing",
            so="a client reports a broken connection and retries",
        )
    elif x.status in BUSY:
        yield no_evidence("the status", expected="an answer", got=f"{x.status} {x.reason}, {x.retries} retries")
    elif rule.answer and 400 <= x.status < 500:
        got = f"{x.status} {_body(x)}"
        yield refusal("the status", expected="200: the request is valid", got=got, optional=_asks_for_an_option(x))
    elif rule.answer and x.status != 200:
        yield violation("the status", expected="200: the request is valid", got=f"{x.status} {_body(x)}")


def _asks_for_an_option(x: Exchange) -> bool:
    """Whether the request asks for what a server may honestly decline: several choices, log probabilities."""
    asked = x.request_json if isinstance(x.request_json, dict) else {}
    return asked.get("n", 1) not in (None, 1) or asked.get("logprobs") is True


def _body(x: Exchange) -> str:
    return shorten(x.body[:400].decode("utf-8", "replace"))
