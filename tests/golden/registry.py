"""How a fault is written down, found by name, and fired.

A fault belongs to one or more *stages*, the places an answer passes on its way out:

==========  ===================================================  =======================
stage       what the function gets                               what it may touch
==========  ===================================================  =======================
``door``    whether the caller has a right to be answered        who is let in
``head``    what is done about a request's head, before its      :class:`~tests.golden.http1.Heard`
            body is read
``body``    the request's JSON, before it is checked             what the server heard
``draft``   an :class:`~tests.golden.answers.Answer`, unlimited  what it has to say
``known``   how many tokens of the prompt it has kept            what it knows
``answer``  the answer within caps and stop strings              what it says
``whole``   the JSON of a chat answer that is no stream          fields
``embedding`` the JSON of an answer of vectors                   fields
``chunk``   the JSON of one chunk of a stream                    fields
``events``  an iterator over the items of a stream               events
``reply``   any :class:`~tests.golden.items.Reply`               status, headers, body
``metrics`` the numbers of ``/metrics`` by name                  counters
``left``    a :class:`~tests.golden.app.slots.Left`            how long its slot is kept
``wire``    an iterator over the bytes of the whole answer       framing, connection
==========  ===================================================  =======================

A function that gets a value returns another one when it fires and *the same object* when it has nothing to spoil; it
never changes what it was given. A function that gets an iterator says ``shot.fire()`` at the moment it does something.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from seatrial.text import docstring
from tests.golden.http1 import Request
from tests.golden.truth import Told, Truth

STAGES = (
    "head",
    "door",
    "body",
    "draft",
    "known",
    "answer",
    "whole",
    "embedding",
    "chunk",
    "events",
    "reply",
    "metrics",
    "left",
    "wire",
)


@dataclass
class Call:
    """One request on its way through the server. ``body`` is None where the request has none.

    ``others`` are the latest chats before it, ``drafts`` what it was to be told before anything limited it, ``key`` the
    key that is asked for.
    """

    request: Request
    body: Any = None
    told: Told | None = None
    shots: tuple[Shot, ...] = ()
    others: tuple[Call, ...] = ()
    drafts: list[Any] = field(default_factory=list)
    key: str = ""

    @property
    def path(self) -> str:
        return self.request.path

    def says(self, name: str) -> Any:
        """A parameter of the request, if its body is an object."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    def change(self, stage: str, value: Any) -> Any:
        """A value after the faults of a stage."""
        for shot in self.shots:
            if stage in shot.fault.stages:
                spoiled = shot.fault.function(value, shot)
                if spoiled is not value:
                    shot.fire()
                    value = spoiled
        return value

    def pass_through(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        """An iterator after the faults of a stage."""
        for shot in self.shots:
            if stage in shot.fault.stages:
                items = shot.fault.function(items, shot)
        return iter(items)


When = Callable[[Call], bool]


def always(_call: Call) -> bool:
    return True


def chat(call: Call) -> bool:
    """A request for a chat answer, streamed or not, well-formed or not."""
    return call.path == "/v1/chat/completions" and call.request.method == "POST"


def embedding(call: Call) -> bool:
    """A request for vectors, well-formed or not."""
    return call.path == "/v1/embeddings" and call.request.method == "POST"


def streaming(call: Call) -> bool:
    return chat(call) and call.says("stream") is True


@dataclass(frozen=True)
class Fault:
    """One way to be wrong.

    Attributes:
        caught_by: the rule that names it; empty where no rule of ours should (see ``family``).
        text: what is wrong, in one sentence.
        family: conformance, soak, behaviour, hygiene (what must not harm the client), legal (unusual and right: no rule
            may find anything), watch (what no rule sees, and the watch tells apart).
        strict: only the strict reading calls it wrong.
        of: of what is legal, what is left open there: of two faults with one word here a server has one at most.
        source: the line that leaves it open, or who has it so.
        turn: of several on one server, who has the lower one goes first: bytes are cut up after they are written.
    """

    name: str
    caught_by: str
    text: str
    stages: tuple[str, ...]
    when: When
    function: Callable[[Any, Any], Any] = field(repr=False)
    family: str = "conformance"
    strict: bool = False
    of: str = ""
    source: str = ""
    turn: int = 0


@dataclass
class Shot:
    """A fault that was drawn for one call."""

    fault: Fault
    call: Call
    memory: dict[str, Any]  # of the fault on this server, across calls
    draw: random.Random
    truth: Truth
    scratch: dict[str, Any] = field(default_factory=dict)  # of this call
    fired: bool = False

    def fire(self) -> None:
        """The fault does something now; counted once a call."""
        if not self.fired:
            self.fired = True
            self.truth.fired(self.fault.name, self.call.told)


FAULTS: dict[str, Fault] = {}
"""Every fault by name; filled by importing :mod:`tests.golden.faults`."""


def fault(
    name: str,
    *,
    caught_by: str = "",
    stage: str | tuple[str, ...],
    when: When = always,
    family: str = "conformance",
    strict: bool = False,
    of: str = "",
    source: str = "",
    turn: int = 0,
) -> Callable[[Callable[[Any, Any], Any]], Callable[[Any, Any], Any]]:
    """Register a function as a fault; its docstring says what is wrong.

    Raises:
        ValueError: the name is taken, the docstring is missing, or a stage is unknown.
    """

    def register(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        stages = (stage,) if isinstance(stage, str) else stage
        text = docstring(function)
        if name in FAULTS or not text or not set(stages) <= set(STAGES):
            raise ValueError(f"the fault {name} is there already, has no docstring, or names an unknown stage")
        FAULTS[name] = Fault(
            name, caught_by, " ".join(text.split()), stages, when, function, family, strict, of, source, turn
        )
        return function

    return register


def freedom(
    name: str, *, of: str, source: str, stage: str | tuple[str, ...], when: When = always, turn: int = 0
) -> Callable[[Callable[[Any, Any], Any]], Callable[[Any, Any], Any]]:
    """Register what is unusual and right.

    Raises:
        ValueError: see :func:`fault`.
    """
    return fault(name, stage=stage, when=when, family="legal", of=of, source=source, turn=turn)


class UnknownFaultError(ValueError):
    """No such fault, or no such rate; the message is one line for the user."""


class Chosen:
    """The faults of one server, each with its rate.

    Args:
        specs: ``NAME`` or ``NAME:RATE``; ``_`` and ``-`` in names are the same.
        held: no call gets any until ``held`` is set to False.

    Raises:
        UnknownFaultError: a name nobody registered, or a rate that is no number from 0 to 1.
    """

    def __init__(self, specs: Iterable[str], truth: Truth, *, seed: int = 0, held: bool = False) -> None:
        self.held = held
        self._rates = sorted((_parse(spec) for spec in specs), key=lambda each: each[0].turn)
        self._truth, self._seed = truth, seed
        self._asked: dict[str, int] = {}
        self._memory: dict[str, dict[str, Any]] = {each.name: {} for each, _ in self._rates}

    def draw(self, call: Call, *, head: bool = False) -> tuple[Shot, ...]:
        """The faults this call gets: the k-th call a fault could apply to has a fixed draw, whoever sends it.

        Args:
            head: those that act on a head whose body has not come yet; else all others.
        """
        if self.held:
            return ()
        shots = []
        for each, rate in self._rates:
            if ("head" in each.stages) is not head or not each.when(call):
                continue
            k = self._asked[each.name] = self._asked.get(each.name, 0) + 1
            draw = random.Random(f"{self._seed}\0{each.name}\0{k}")
            if draw.random() < rate:
                shots.append(Shot(each, call, self._memory[each.name], draw, self._truth))
        return tuple(shots)


def _parse(spec: str) -> tuple[Fault, float]:
    written, colon, rate = spec.partition(":")
    name = written.replace("_", "-").lower()
    if name not in FAULTS:
        near = difflib.get_close_matches(name, FAULTS, n=3, cutoff=0.4)
        hint = f"nearest: {', '.join(near)}" if near else "--list-faults names them"
        raise UnknownFaultError(f"no fault is called {written!r}; {hint}")
    try:
        value = float(rate) if colon else 1.0
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UnknownFaultError(f"the rate of {written} is {rate!r}; it must be a number from 0 to 1, as in {name}:0.2")
    return FAULTS[name], value
