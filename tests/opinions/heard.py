"""Both verifiers asked about the same outputs: how often they agree, and why where they do not."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from seatrial.behaviour.answers import read
from seatrial.behaviour.items import ProbeItem, user
from seatrial.behaviour.probe import probes
from seatrial.behaviour.probes.form import instructions, tools
from seatrial.checks import schemas
from seatrial.records import Exchange, ItemWord
from tests.behaviour.specimens import said, streamed
from tests.opinions import calls, ifeval, validator
from tests.opinions.explained import EXPLAINED
from tests.opinions.opinion import Opinions, Output, Unheard

RULES = {
    "json": "json/answers-follow-the-schema-they-are-shown",
    "calls": "calling/calls-are-those-that-the-question-needs",
    "language": "language/answers-are-in-the-language-that-is-asked-for",
}


@dataclass
class Heard:
    """What was heard of one area.

    Attributes:
        parted: disagreements by the place of their reason in ``EXPLAINED``.
        unexplained: those of which nobody knows why.
        unheard: outputs of which the other verifier had no word, by why.
    """

    n: int = 0
    both_good: int = 0
    by_how: Counter[str] = field(default_factory=Counter)
    parted: dict[int, list[Opinions]] = field(default_factory=dict)
    unexplained: list[Opinions] = field(default_factory=list)
    unheard: Counter[str] = field(default_factory=Counter)

    @property
    def agreed(self) -> int:
        return self.n - len(self.unexplained) - sum(map(len, self.parted.values()))


def hear(outputs: Iterable[Output], areas: Iterable[str]) -> dict[str, Heard]:
    """Ask both about every output of these areas."""
    found = {area: Heard() for area in areas}
    for output in outputs:
        if (heard := found.get(output.area)) is None:
            continue
        try:
            other = theirs(output)
        except Unheard as error:
            heard.unheard[str(error)] += 1
            continue
        opinions = Opinions(output, ours(output), other)
        heard.n += 1
        heard.by_how[output.how] += 1
        heard.both_good += opinions.ours and opinions.other
        if opinions.ours != opinions.other:
            place = next((n for n, each in enumerate(EXPLAINED) if _is(each, opinions)), None)
            (heard.unexplained if place is None else heard.parted.setdefault(place, [])).append(opinions)
    return found


def _is(each: Any, opinions: Opinions) -> bool:
    of = opinions.output
    return each.area == of.area and each.kind in {"", of.kind} and bool(each.holds(opinions))


def ours(output: Output) -> bool:
    """Whether our own verifier holds it for good."""
    if output.area == "instructions":
        return not instructions.unkept([(output.kind, output.truth)], output.value)
    if output.area == "schemas":
        return schemas.fits(output.truth, output.value)
    truth = output.kind if output.area == "language" else output.truth
    item = ProbeItem(output.kind, user("?", max_tokens=1), truth)
    x = called(output) if output.area == "calls" else said(output.value)
    return probes()[RULES[output.area]].verify(item, read(x), x).word is ItemWord.GOOD


def theirs(output: Output) -> bool:
    """Whether the other one does.

    Raises:
        Unheard: it has no word on it.
    """
    if output.area == "instructions":
        return ifeval.kept(output.kind, output.truth, output.value)
    if output.area == "schemas":
        return validator.valid(output.truth, output.value)
    if output.area == "language":
        return ifeval.spoken(output.kind, output.value)
    if output.area == "json":
        return validator.follows(output.kind, output.truth["schema"], output.value)
    if told := output.truth.get("told"):
        return not output.value and told in re.findall(r"-?\d+(?:\.\d+)?", output.said.replace("\u2212", "-"))
    return calls.matches(tools.TOOLS, output.truth["calls"], output.value)


def called(output: Output) -> Exchange:
    """The calls of an output as a stream brings them."""
    made = [
        {"index": i, "id": f"c{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for i, (name, arguments) in enumerate(output.value)
    ]
    delta = {"role": "assistant", "content": output.said, **({"tool_calls": made} if made else {})}
    x = streamed({"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls" if made else "stop"}]})
    x.request_json["stream"] = True
    return x
