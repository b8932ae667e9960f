"""What a rule is, and how it is registered.

A rule is a function that yields findings. Its id is its area and the function's name (``sse/role-is-sent-once``), its
docstring the requirement in one sentence. The area is the module or folder below ``checks/areas``; elsewhere it is
said. The annotation of the first parameter tells what the rule reads:

- ``x: Exchange``: *single*, usable on any one answer, soak traffic included;
- ``xs: Mapping[str, Exchange]``: compares the answers of a scenario by their names;
- ``run: SoakRun``: reads the rows of a soak.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seatrial.checks import traits
from seatrial.checks.traits import Traits
from seatrial.records import Exchange, Expect, Finding, ItemOutcome, Level, Scenario, SoakRun
from seatrial.text import docstring

Evidence = Exchange | Mapping[str, Exchange] | SoakRun
Figures = Callable[[Any, Expect], dict[str, str]]
Items = Callable[[Any, Expect], Iterable[ItemOutcome]]


AREAS = "seatrial.checks.areas."


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement.

    Attributes:
        of: traits a scenario must have for the rule to apply.
        unless: traits that keep the rule away.
        optional: an honest 4xx means UNSUPPORTED, not FAIL.
        answer: the rule is about a 200; anything else is judged by :func:`seatrial.checks.running.run` before it.
        parts: of a row that lists its parts, those that the rule stands for.
        sampled: a compare rule that counts over many answers, and says itself what one that never came means.
        figures: what to print of the evidence whatever the outcome (``k of n``, an interval).
        told: it takes the word of whoever sent the requests, and says itself what it means where there is no exchange.
        items: of a probe: what became of each of its items.
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
    parts: tuple[str, ...] = ()
    told: bool = False
    items: Items | None = field(default=None, repr=False)

    @property
    def area(self) -> str:
        """The first half of its id."""
        return self.id.partition("/")[0]

    def applies(self, scenario: Scenario) -> bool:
        """Whether a scenario has what the rule needs, nothing that keeps it away, and is not for other rules alone."""
        borne = scenario.traits
        if not self.of <= borne or self.unless & borne:
            return False
        return not any(isinstance(t, traits.Trait) and t.own for t in borne - self.of)


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
    part: str | tuple[str, ...] = (),
    items: Items | None = None,
) -> Callable[[Callable[..., Iterable[Finding]]], Rule]:
    """Register a function as a rule; its area and the function's name make its id.

    Args:
        area: of a rule that stands outside ``checks/areas``; there the module or folder is the area.
        part: of a row that lists its parts, the one that the rule stands for, or several.

    Raises:
        ValueError: the id is taken, no area is said, the docstring is missing, a trait is declared nowhere, or the
            first parameter's annotation is none of the three.
    """

    def register(function: Callable[..., Iterable[Finding]]) -> Rule:
        identity = f"{area or _area(function.__module__)}/{function.__name__.replace('_', '-')}"
        if identity in REGISTRY:
            raise ValueError(f"two rules are called {identity}")
        text = docstring(function)
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
            parts=(part,) if isinstance(part, str) else part,
            items=items,
        )
        REGISTRY[identity] = made
        return made

    return register


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
