"""The models that are known, one TOML file each, and which of them an endpoint serves: told by its model's names.

What nobody here could try says so (``untried``): a fact with a source is somebody's word until a run bears it out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from seatrial.given import tables
from seatrial.records import Endpoint

CARDS = {"RTX 3090": 936.0, "RTX 6000 Ada": 960.0, "RTX 4090": 1008.0}
"""Bandwidth of a card's memory in gigabytes a second, by NVIDIA's data sheets; none was measured."""

FOLDER = Path(str(files("seatrial.candidates")))


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that its maker recommends for one use; a key is a field of the request."""

    use: str
    body: dict[str, float]
    source: str


class ModelFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact, and where it is to be read."""

    what: str
    source: str


class KnownTrouble(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A build, a file or a server that spoils it, and what to do.

    Attributes:
        kinds: kinds of server that it is about; none: any.
        rule: the rule that judges it, where one does; the others are for people.
    """

    what: str
    remedy: str
    source: str
    kinds: tuple[str, ...] = ()
    rule: str = ""


class CandidateSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model; ``name`` is the name of its file.

    Attributes:
        model: pattern of the model's id, file or name, whatever the case.
        context: tokens that it was made for.
        active_gb: gigabytes read for each token at about four bits a weight: with a card's bandwidth the speed that
            no server can exceed for one stream.
        thinking: how thought is switched off; empty: it has none.
        untried: what of this page was not borne out by a run here.
    """

    title: str
    model: str
    context: int
    context_source: str
    active_gb: float
    active_source: str
    thinking: ModelFact | None = None
    tools: ModelFact
    sampling: tuple[Sampling, ...]
    known: tuple[KnownTrouble, ...] = ()
    untried: tuple[str, ...]

    def fastest(self, bandwidth_gb_s: float) -> float:
        """Tokens a second of one stream that a memory of such a bandwidth allows, in gigabytes a second."""
        return bandwidth_gb_s / self.active_gb

    def serves(self, names: Iterable[str]) -> bool:
        """Whether one of an endpoint's names for its model means this one."""
        return any(re.search(self.model, name, re.IGNORECASE) for name in names)


@functools.cache
def known() -> Mapping[str, CandidateSet]:
    """Every model that is known, by the name of its file."""
    return {path.stem: tables.read(path, CandidateSet) for path in sorted(FOLDER.glob("*.toml"))}


def of(endpoint: Endpoint) -> CandidateSet | None:
    """The model that an endpoint serves; None where none of these is."""
    names = [endpoint.model, endpoint.named, *endpoint.facts.values()]
    return next((each for each in known().values() if each.serves(names)), None)


def told(endpoint: Endpoint) -> tuple[str, ...]:
    """What is known of the model of an endpoint and bears on it, a line each."""
    found = of(endpoint)
    if found is None:
        return ()
    lines = [f"{s.use}: {_settings(s.body)} ({s.source})" for s in found.sampling]
    lines = [f"its maker's sampling: {'; '.join(lines)}"]
    if endpoint.context and endpoint.context < found.context:
        lines.append(f"it has {endpoint.context} tokens a slot of the {found.context} that it was made for")
    fastest = ", ".join(f"{found.fastest(speed):.0f} tok/s on an {card}" for card, speed in CARDS.items())
    lines.append(
        f"one stream can reach at most {fastest}: {found.active_gb:g} GB are read a token ({found.active_source})"
    )
    lines.append(f"tools: {found.tools.what} ({found.tools.source})")
    lines += [
        f"known trouble: {each.what}; {each.remedy} ({each.source})"
        for each in found.known
        if not each.kinds or endpoint.kind in each.kinds
    ]
    return (*lines, f"not tried here: {'; '.join(found.untried)}")


def _settings(body: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in body.items())
