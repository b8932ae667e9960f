"""What a server says of itself after a restart, held against before; two servers at one port; and what is like it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seatrial.records import Clock, Event, Happening, Identity, Line, Offered, Probe, Stop
from seatrial.stops import fold
from seatrial.stops.state.limits import Limits
from seatrial.verdict.watched import weight, word
from tests.stops.simulation import S

BEGIN = 100 * S
OLD, NEW = 4123, 4999


def one(name: str, *aliases: str, **marks: str) -> Offered:
    return Offered(id=name, aliases=aliases, marks=marks)


Told = tuple[Offered, ...]
QWEN = one("qwen-7b")
SMALL = one("chat", size="100", n_params="7")
LARGE = one("chat", size="900", n_params="7")


def record(
    *lives: Told, model: str = "", builds: Sequence[str] = (), planned: bool = True, rest: int = 20
) -> list[Line]:
    """A server in one life after another, ten seconds each, that says in each what it serves."""
    lines: list[Line] = []
    t = BEGIN
    for life, told in enumerate(lives):
        pid = OLD + life
        who = {"name": "a", "pid": pid, "incarnation": f"boot-ns-{pid}-1"}
        lines.append(Event(what=Happening.FOUND, at=t, t=t, facts={"exe": "/opt/server"}, **who))
        build = builds[life] if builds else ""
        for second in range(10 if life < len(lives) - 1 else rest):
            t += S
            lines.append(Clock(w="recorder", wall_ns=t, boot_ns=t, raw_ns=t, t=t))
            lines.append(Probe(name="a", listens=True, owner=pid, health=200, t=t + 1))
            if second == 3 and (told or build):
                lines.append(Identity(name="a", at=t + 2, t=t + 2, model=model, models=told, build=build))
        if life < len(lives) - 1:
            t += S
            if planned:
                lines.append(Event(what=Happening.PLANNED_STOP, name="a", at=t - 5, t=t - 5))
            lines.append(Event(what=Happening.EXIT, at=t, t=t, status=15, source="pidfd-info", **who))
            t += S // 2
    return lines


def told(*lives: Told, **more: object) -> list[Stop]:
    return list(fold.fold(record(*lives, **more)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "model"),
    [
        ((QWEN,), (one("qwen-1b"),), ""),
        ((QWEN,), (one("qwen-1b"),), "qwen-7b"),
        ((SMALL,), (LARGE,), ""),
        ((SMALL,), (LARGE,), "chat"),
        ((one("a"), one("b")), (one("c"), one("d")), ""),
        ((one("a"), one("b")), (one("b"), one("c")), "a"),
        ((one("chat", root="Qwen2-7B"),), (one("chat", root="Llama-3-8B"),), ""),
        ((one("chat", size="9", file="qwen.gguf"),), (one("chat", size="9", file="coder.gguf"),), "chat"),
        ((one("qwen", size="9"),), (one("coder", size="9"),), ""),
    ],
)
def test_another_model_after_a_planned_restart_is_a_stop_and_no_ready(old, new, model):
    (stop,) = told(old, new, model=model)
    assert (stop.family, weight(stop), stop.silent, stop.until) == ("OTHER MODEL", "stop", True, None)
    assert stop.evidence[0].startswith("it listed ")
    assert stop.alive_at <= BEGIN + 12 * S
    assert stop.alive_at < stop.dead_at
    assert word([stop], seen=True) == "NOT READY"
    assert stop.excluded == ()
    assert stop.cause.startswith("UNKNOWN")


@pytest.mark.parametrize(
    ("old", "new", "model"),
    [
        ((QWEN,), (QWEN,), ""),
        ((SMALL,), (SMALL,), "chat"),
        ((one("a"), one("b")), (one("b"), one("a")), ""),
        ((one("a"), one("b")), (one("b"), one("a")), "a"),
        ((one("a"), one("b")), (one("a"), one("c"), one("d")), ""),
        ((one("a"), one("b")), (one("a"), one("c")), "a"),
        ((one("qwen-7b"),), (one("chat", "qwen-7b"),), ""),
        ((one("chat", "qwen-7b"),), (one("qwen-7b"),), "qwen-7b"),
        (
            (one("/models/qwen.gguf", size="9", file="qwen.gguf"),),
            (one("chat", size="9", file="qwen.gguf"),),
            "/models/qwen.gguf",
        ),
        ((QWEN,), (one("qwen-7b", size="9"),), ""),
        ((QWEN,), (), ""),
        ((), (QWEN,), ""),
        ((QWEN,), (QWEN,), "never-listed"),
    ],
)
def test_the_same_model_however_it_is_listed_is_nothing(old, new, model):
    assert told(old, new, model=model) == []


def test_it_is_told_by_what_differs():
    for old, new, words in (
        ("/models/qwen.gguf", "/models/phi.gguf", "it listed qwen.gguf, and lists phi.gguf since its restart"),
        ("/a/m.gguf", "/b/m.gguf", "it listed /a/m.gguf, and lists /b/m.gguf since its restart"),
        ("Qwen/Qwen2-7B", "phi", "it listed Qwen/Qwen2-7B, and lists phi since its restart"),
    ):
        assert told((one(old),), (one(new),))[0].evidence[0] == words
    assert told((SMALL,), (LARGE,))[0].evidence[0] == (
        "it listed chat (size 100, n_params 7), and lists chat (size 900, n_params 7) since its restart"
    )


def test_the_model_of_before_ends_it():
    (stop,) = told((QWEN,), (one("qwen-1b"),), (one("qwen-2b"),), (QWEN,))
    assert stop.family == "OTHER MODEL"
    assert stop.until is not None
    assert stop.evidence[-1] == "it lists qwen-7b again"


def test_an_unplanned_restart_is_told_beside_it_each_time():
    found = told((QWEN,), (one("qwen-1b"),), (one("qwen-1b"),), planned=False)
    assert [stop.family for stop in found] == ["RESTARTED", "OTHER MODEL", "RESTARTED"]
    assert [stop.until is None for stop in found] == [False, True, False]


def test_another_build_is_a_notice_and_the_same_one_is_nothing():
    assert told((QWEN,), (QWEN,), builds=("b6000", "b6000")) == []
    (stop,) = told((QWEN,), (QWEN,), (QWEN,), builds=("b6000", "b6100", "b6100"))
    assert (stop.family, weight(stop), stop.silent) == ("OTHER BUILD", "notice", False)
    assert stop.evidence == ("its build was b6000, and is b6100",)
    assert word([stop], seen=True) == "READY"


@pytest.mark.parametrize("quiet", [20, 300])
def test_planned_maintenance_does_not_excuse_another_model_that_it_leaves(quiet):
    limits = Limits(quiet_until=BEGIN + quiet * S)
    (stop,) = fold.fold(record((QWEN,), (one("qwen-1b"),)), limits)
    assert not stop.planned
    (stop,) = fold.fold(record((QWEN,), (one("qwen-1b"),), (QWEN,)), limits)
    assert stop.planned is (quiet == 300)


def test_a_name_of_a_stranger_spoils_no_line():
    (stop,) = told((one("a\x1b[2J"),), (one("b\n" * 90),))
    assert "\x1b" in stop.evidence[0], "the record keeps it; who shows it makes it harmless"


# two owners


def port(*seconds: tuple[int, ...] | None, owner: int = OLD) -> list[Stop]:
    """The stops of a server of which each look sees these strangers at its port; None: they are not known yet."""
    who = {"name": "a", "pid": OLD, "incarnation": "boot-ns-4123-1"}
    lines: list[Line] = [Event(what=Happening.FOUND, at=BEGIN, t=BEGIN, facts={"exe": "/opt/server"}, **who)]
    for n, strangers in enumerate(seconds):
        t = BEGIN + (n + 1) * S
        lines.append(Clock(w="recorder", wall_ns=t, boot_ns=t, raw_ns=t, t=t))
        owners = (owner, *(strangers or ()))
        lines.append(
            Probe(name="a", listens=True, owner=owner, owners=owners, strangers=strangers, health=200, t=t + 1)
        )
    return list(fold.fold(lines))


def test_two_servers_at_one_port_are_told_until_one_of_them_is_gone():
    (stop,) = port((), (), *[(NEW,)] * 30)
    assert (stop.family, weight(stop), stop.until) == ("TWO OWNERS", "stop", None)
    assert f"pid {OLD}, and by pid {NEW}" in stop.evidence[0]
    assert (stop.alive_at - BEGIN) // S == 2
    assert (stop.dead_at - BEGIN) // S == 3
    (stop,) = port((), None, None, *[(NEW,)] * 16, None, (NEW,), (), ())
    assert (stop.alive_at - BEGIN) // S == 1, "the last look that found nobody else"
    assert stop.until is not None
    assert (stop.until - BEGIN) // S == 22


def test_two_servers_that_were_there_at_the_first_look_are_told_too():
    (stop,) = port(*[(NEW,)] * 20)
    assert stop.family == "TWO OWNERS"
    assert stop.alive_at <= stop.dead_at


@pytest.mark.parametrize("seconds", [[(), *[(NEW,)] * 12, ()] * 3, [()] * 40, [None] * 40])
def test_a_server_that_hands_its_port_over_in_order_is_none(seconds):
    assert port(*seconds) == []
