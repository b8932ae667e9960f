"""What a model is asked: items made from a seed, so that runs need not share them and any can be asked again.

A *maker* makes the items of one kind, without end, each from ``Random(f"{seed}/{maker}/{number}")``; its families take
turns. An item is known by its maker and number (``json-004``), and whoever judges it makes it again: what the verifier
must know beside the request is never sent. A maker may ask the operator's own questions in place of those of its own: a
policy, which is handed in. Sampling is not an item's, unless it is what is asked about: whoever sends
it puts beside it what a model's maker recommends, where that is known.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from seatrial.checks import traits
from seatrial.records import Policy, PolicyQuestion, PolicyWord, Request, Scenario
from seatrial.text import visible

TRAITS = traits.STREAM | traits.ANSWERS

READ_FASTER = 10
"""So many tokens of a prompt are read in the time that one token of an answer takes; for the plan alone."""

OWN_TOKENS = 200
"""The cap of an answer to a question of the operator's: a refusal comes first."""

WAIT_TOKENS = 2
"""What the way to the server and back costs, in tokens of an answer; for the plan alone."""


@dataclass(frozen=True, slots=True)
class ProbeItem:
    """One question.

    Attributes:
        family: items of one family are alike.
        body: fields of the request beside its model, seed and stream.
        truth: what the verifier must know; of the family's own type.
    """

    family: str
    body: Mapping[str, Any]
    truth: Any = None

    @property
    def mark(self) -> int:
        """A number by which an item whose text is not ours is told from another of its name."""
        return zlib.crc32(repr(self.body["messages"]).encode("utf-8", "backslashreplace"))


OURS = Policy()
"""No policy of an operator's: each maker asks its own questions."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes the items of one kind.

    Attributes:
        name: the first part of the name of each item.
        turn: its place in the order in which makers ask.
        families: in the order in which they take turns; one may come twice.
        make: an item of a family, from what is drawn.
        tokens: of an answer, as it is where a model does what is asked; for the plan, before anything is measured.
        reads: tokens of a prompt, likewise.
        of_context: share of the endpoint's context that a prompt fills.
        within: its items are made for the endpoint's context, where that is known and no longer than this; 0: for any.
        alone: one item at a time.
        group: so many items in a row are drawn alike, but for their families.
        use: what its items are like, of the uses for which a model's maker recommends settings.
        thought: its cap for a model whose thought cannot be switched off; 0: its own, which is large enough to grow.
        uncached: asked past the prompt cache, where the kind of server knows a way.
        wanted: of an operator's policy it asks the questions of which this is wanted, in turn; None: it asks none.
    """

    name: str
    turn: int
    families: Sequence[str]
    make: Callable[[str, Random], ProbeItem] = field(repr=False)
    tokens: int
    reads: int = 60
    of_context: float = 0.0
    within: int = 0
    alone: bool = False
    group: int = 1
    use: str = "general"
    thought: int = 0
    uncached: bool = False
    wanted: PolicyWord | None = None

    def item(self, seed: int, number: int, policy: Policy = OURS) -> ProbeItem:
        """The item of that number."""
        if own := self.own(policy):
            asked = own[number % len(own)]
            before = [{"role": "system", "content": policy.system}] if policy.system else []
            messages = [*before, {"role": "user", "content": asked.question}]
            return ProbeItem(visible(asked.name), {"messages": messages, "max_tokens": OWN_TOKENS}, policy.declines)
        return self.make(self.family(number), self._draw(seed, number))

    def own(self, policy: Policy) -> tuple[PolicyQuestion, ...]:
        """The operator's questions that it asks, in their order."""
        return tuple(each for each in policy.ask if each.wanted is self.wanted)

    def family(self, number: int) -> str:
        return self.families[number % len(self.families)]

    def request(
        self,
        seed: int,
        number: int,
        beside: Mapping[str, Any] | None = None,
        *,
        thinks: bool = False,
        policy: Policy = OURS,
    ) -> Request:
        """What is sent. The seed is sent too, for servers that can repeat an answer.

        Args:
            beside: further fields; an item's own go before them.
            thinks: the model's thought cannot be switched off.
            policy: of the operator, whose questions may stand in place of ours.
        """
        body: dict[str, Any] = {"model": None, **(beside or {}), **self.item(seed, number, policy).body, "stream": True}
        if thinks and self.thought:
            body["max_tokens"] = self.thought
        body.setdefault("seed", Random(f"{seed}/{self.name}/{number}/sampling").randrange(2**31))  # noqa: S311
        body["stream_options"] = {"include_usage": True}
        return Request(body=body)

    def scenario(
        self,
        seed: int,
        number: int,
        *,
        deadline_s: float | None = None,
        beside: Mapping[str, Any] | None = None,
        thinks: bool = False,
        policy: Policy = OURS,
    ) -> Scenario:
        """The scenario of one item."""
        asked = self.request(seed, number, beside, thinks=thinks, policy=policy)
        most = asked.body["max_tokens"]
        named = {self.named(number): asked}
        return Scenario(requests=named, traits=TRAITS, deadline_s=deadline_s, tokens=most, alone=self.alone)

    def named(self, number: int) -> str:
        """The name of an item."""
        return f"{self.name}-{number:03d}"

    def cost(self, cap_factor: float, context: int | None = None) -> float:
        """What an item takes, in tokens of an answer."""
        reads = self.reads + self.of_context * (context or 0)
        made = self.tokens if cap_factor == 1.0 else max(self.tokens, self.thought) * cap_factor
        return made + reads / READ_FASTER + WAIT_TOKENS

    def _draw(self, seed: int, number: int) -> Random:
        return Random(f"{seed}/{self.name}/{number // self.group}")  # noqa: S311 - repeatable on purpose


def user(text: str, **fields: Any) -> dict[str, Any]:
    """The fields of a request whose only message is a user's."""
    return {"messages": [{"role": "user", "content": text}], **fields}


def number_of(name: str) -> int | None:
    """The number in the name of an item; None where it bears none."""
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 7 else None
