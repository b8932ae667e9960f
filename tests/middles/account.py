"""What a watch said of a deed, held against what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.middles.watches import BEHIND, DIRECT, MIDDLE
from tests.trials.tried import Said
from tests.trials.watch.watched import spoken

ENDED = ("STOPPED", "RESTARTED")
POINTS = "the endpoint behind the gateway"
"""A line of the middle that names what stands behind it is right, once: the stop itself is told there."""
CHILD = (*ENDED, "RUNNER REPLACED")


@dataclass(frozen=True)
class Struck:
    """What was done, and what clients saw of it. ``since`` and ``until``: about the moment, monotonic ns."""

    since: int
    until: int
    sees: dict[str, str] = field(default_factory=dict)
    died_by: int = 0  # the middle ended itself, of the strike at its backend, before this time (monotonic ns)
    middle_lives_on: bool = False  # it takes its settings anew without an end
    child: bool = False  # the backend is a child of the middle


@dataclass(frozen=True)
class Account:
    """One watch of one deed. ``wrong``: what was said too much, too little, or falsely."""

    deed: str
    view: str
    told: str
    code: int
    sees: dict[str, str]
    wrong: list[str]


def account(deed: str, view: str, said: Said, struck: Struck | None = None) -> Account:
    """Of a deed without a strike nothing may be said."""
    objects = spoken(said.out)
    stops = list({each["id"]: each for each in objects if each["kind"] == "stop"}.values())  # each as it was told last
    wrong = [f"said: {_short(each)}" for each in objects if each["kind"] not in ("stop", "over")]
    if struck is None:
        wrong += [f"false alarm: {_short(each)}" for each in stops]
    else:
        wrong += _against(deed, view, stops, struck)
        over = {each["id"] for each in objects if each["until"] is not None}
        wrong += [f"never over: {_short(x)}" for x in stops if x["id"] not in over and not _gone(deed, x, struck)]
    if said.code != (1 if stops else 0):
        wrong.append(f"exit {said.code} after {len(stops)} stops")
    told = "; ".join(map(_short, stops)) or "nothing"
    return Account(deed, view, told, said.code, struck.sees if struck else {}, wrong)


def _against(deed: str, view: str, stops: list[dict[str, Any]], struck: Struck) -> list[str]:
    """What is wrong with the stops that were told of a strike."""
    wrong, left = [], list(stops)
    for want in _wanted(deed, view, struck):
        found = next(filter(want.fits, left), None)
        if found is None:
            wrong += [f"not told: {' or '.join(want.families)} at {want.door}"] * want.must
            continue
        left.remove(found)
        interval = found["interval"]
        if not (interval["alive_at"] <= (want.by or struck.until) and interval["dead_at"] >= struck.since):
            ends = " to ".join(f"{(interval[end] - struck.since) / 1e9:.1f} s" for end in ("alive_at", "dead_at"))
            wrong.append(f"the interval, {ends} after the strike, does not hold it: {_short(found)}")
    return wrong + [f"too much: {_short(each)}" for each in left]


class _Want(NamedTuple):
    """A stop that is to be told, or that may be told beside because it is true as well."""

    door: str
    families: tuple[str, ...]
    must: bool = True
    by: int = 0  # where it happened later than the strike: the time before which it did
    rung: str = ""  # the first broken rung; empty: any

    def fits(self, stop: dict[str, Any]) -> bool:
        told = stop["name"] == self.door and stop["verdict"] in self.families
        return told and self.rung in ("", stop["rung"])


def _wanted(deed: str, view: str, struck: Struck) -> list[_Want]:
    if deed.startswith("middle"):
        lives_on = deed == "middle reloaded" and struck.middle_lives_on
        both = struck.child and view == BEHIND  # the child ends with its parent
        return [] if lives_on else [_Want(MIDDLE, ENDED), *[_Want(DIRECT, ENDED, must=False)] * both]
    died = [_Want(MIDDLE, ENDED, by=struck.died_by)] if struck.died_by else []
    child = struck.child and deed != "backend stopped"  # the parent's door tells of the end of a child too
    if view == BEHIND:
        families = {"backend stopped": ("FROZEN",), "backend restarted": (*ENDED, "DEAF")}.get(deed, ENDED)
        points = _Want(MIDDLE, ("WEDGED",), must=False, rung=POINTS)
        return [_Want(DIRECT, families), *died, *[_Want(MIDDLE, CHILD, must=False)] * child, points]
    families = (*CHILD, "WEDGED") if child else ("WEDGED", "FROZEN") if struck.child else ("WEDGED",)
    return died or [_Want(MIDDLE, families, must=deed != "backend restarted")]


def _gone(deed: str, stop: dict[str, Any], struck: Struck) -> bool:
    """Whether it is right that it lasts: the port of a router's child is given to nobody again."""
    return struck.child and stop["name"] == DIRECT and deed != "backend stopped"


def _short(stop: dict[str, Any]) -> str:
    signal = f" by {stop['signal']}" if stop.get("signal") else ""
    rung = f"; {stop['rung']}" if stop.get("rung") else ""
    return f"{stop['verdict']}{signal} at {stop['name']} ({stop['interval']['ms'] / 1000:.1f} s{rung}; {stop['cause']})"
