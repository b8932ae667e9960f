"""What is put beside the items of probes: the settings that a model's maker recommends, and how a cache is passed by.

A model is judged as its maker says it is to be run, where it is one of those that are known; at temperature 0 it is put
under stress, and an item that says its own temperature gets no other settings. What the operator says by
``--extra-body`` goes before all of it. Fields that only some kinds of server know are sent to those alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seatrial.behaviour.items import Maker
from seatrial.candidates import sets
from seatrial.kinds import profile
from seatrial.records import Endpoint

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
    """

    sampling: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    uncached: Mapping[str, Any] = field(default_factory=dict)

    def of(self, maker: Maker, number: int, seed: int) -> dict[str, Any]:
        """The fields beside one item."""
        own = maker.item(seed, number).body
        put: dict[str, Any] = dict(self.uncached) if maker.uncached else {}
        return put if "temperature" in own else put | dict(self._sampling(maker.use))

    def settings(self, makers: list[Maker]) -> dict[str, Any]:
        """What rules must know of it: in words, by use."""
        said = {maker.use: self.said.get(maker.use, self.said.get(GENERAL, "")) for maker in makers}
        return {"sampling": {use: words for use, words in said.items() if words}, "uncached": bool(self.uncached)}

    def _sampling(self, use: str) -> Mapping[str, float]:
        return self.sampling.get(use, self.sampling.get(GENERAL, {}))


def of(endpoint: Endpoint) -> BesideItems:
    """What is sent beside the items of an endpoint."""
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
    return BesideItems(sampling, said, uncached)
