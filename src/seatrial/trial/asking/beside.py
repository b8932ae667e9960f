"""What is put beside the items of probes: the settings that a model's maker recommends, and how a cache is passed by.

A model is judged as its maker says it is to be run, where it is one of those that are known; at temperature 0 it is put
under stress, and an item that says its own temperature gets no other settings. What the operator says by
``--extra-body`` goes before all of it. Fields that only some kinds of server know are sent to those alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from seatrial.behaviour import tally
from seatrial.behaviour.items import OURS, Maker
from seatrial.candidates import sets
from seatrial.kinds import profile
from seatrial.records import Endpoint, Policy, Scenario

STANDARD = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty"})
"""Settings that every server of this API knows."""

GENERAL = "general"


@dataclass(frozen=True, slots=True)
class BesideItems:
    """What is sent beside the items of one endpoint.

    Attributes:
        sampling: by use.
        said: by use, the same in words, with its source and what is left out.
        uncached: fields that pass the prompt cache by; empty: none are known.
        policy: the operator's own questions, which some makers ask.
        thinks: the model's thought cannot be switched off.
    """

    sampling: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    uncached: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = OURS
    thinks: bool = False

    @property
    def own(self) -> dict[str, Any]:
        """What rules must know of the operator's own questions, to make them again."""
        return {tally.POLICY: msgspec.to_builtins(self.policy)} if self.policy.ask else {}

    def scenario(self, maker: Maker, number: int, seed: int, deadline_s: float) -> Scenario:
        """The scenario of one item."""
        put, thinks = self.of(maker, number, seed), self.thinks
        return maker.scenario(seed, number, deadline_s=deadline_s, beside=put, thinks=thinks, policy=self.policy)

    def of(self, maker: Maker, number: int, seed: int) -> dict[str, Any]:
        """The fields beside one item."""
        own = maker.item(seed, number).body  # one of the operator's says no temperature either
        put: dict[str, Any] = dict(self.uncached) if maker.uncached else {}
        return put if "temperature" in own else put | dict(self._sampling(maker.use))

    def settings(self, makers: list[Maker]) -> dict[str, Any]:
        """What rules must know of it: in words, by use."""
        said = {maker.use: self.said.get(maker.use, self.said.get(GENERAL, "")) for maker in makers}
        told = {use: words for use, words in said.items() if words}
        return {"sampling": told, "uncached": bool(self.uncached), **self.own}

    def _sampling(self, use: str) -> Mapping[str, float]:
        return self.sampling.get(use, self.sampling.get(GENERAL, {}))


def of(endpoint: Endpoint, policy: Policy = OURS) -> BesideItems:
    """What is sent beside the items of an endpoint, of which some may be the operator's own."""
    kind, known = profile.load(endpoint.kind), sets.of(endpoint)
    taken = (STANDARD | frozenset(kind.sampling)) - endpoint.extra_body.keys()
    uncached = {name: value for name, value in kind.uncached.items() if name not in endpoint.extra_body}
    sampling, said = {}, {}
    for each in known.sampling if known is not None else ():
        sampling[each.use] = {name: value for name, value in each.body.items() if name in taken}
        left = sorted(each.body.keys() - taken)
        sent = ", ".join(f"{name} {value:g}" for name, value in sampling[each.use].items()) or "nothing"
        lacks = f"; not sent: {', '.join(left)}" if left else ""
        said[each.use] = f"{known.title if known is not None else ''}, {each.use}: {sent} ({each.source}){lacks}"
    return BesideItems(sampling, said, uncached, policy, endpoint.cap_factor > 1)
