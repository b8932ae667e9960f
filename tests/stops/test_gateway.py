"""A gateway and what stands behind it, on simulated runs: whose fault it is that the gateway's canary fails."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from seatrial.records import Ask, Clock, Event, Line, Stop
from seatrial.stops import fold
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.work import Asked, Flow, Look, Looks, Waits, Wellness, Work
from seatrial.stops.work import gateway
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Mode, Rig, lasting

SEEDS = range(20)
FRONT = Rig(scheduler=False, clients=0, elsewhere=True, name="gate")
BACK = Rig(clients=0, name="back")


def both(seed: int, front: Mode, back: Mode, seconds: float = 60) -> tuple[tuple[Stop, ...], Engine]:
    """The two at once: one recorder, so that one of the two clocks is left out."""
    gate, server = (lasting(seed, mode, seconds, replace_rig) for mode, replace_rig in ((front, FRONT), (back, BACK)))
    said = Event(what="behind", name="gate", at=gate.start, text="back", v=1, w="recorder", n=1, t=gate.start)
    lines = [said, *_pids(gate.seal()), *(x for x in server.seal() if not isinstance(x, Clock))]
    return fold.fold(sorted(lines, key=lambda line: line.t)), gate


def _pids(lines: tuple[Line, ...]) -> Iterator[Line]:
    """The gateway is another process."""
    for line in lines:
        moved = {"pid": 77} if getattr(line, "pid", 0) else {}
        moved |= {"owner": 77} if getattr(line, "owner", 0) else {}
        yield replace(line, **moved) if moved else line


def test_a_gateway_that_fails_alone_is_at_fault():
    for seed in SEEDS:
        for mode in ("wedged", "cuda error"):
            found, gate = both(seed, mode, "serve")
            assert [(s.name, s.family, s.kind) for s in found] == [("gate", "WEDGED", "gateway")]
            (stop,) = found
            assert stop.cause.startswith("the gateway: back behind it answers directly (canary right ")
            assert stop.hypotheses == ()
            assert stop.rung.startswith("the gateway")
            assert stop.until is not None
            assert gate.began - S <= stop.dead_at <= gate.began + 12 * S
            assert stop.seen_at <= stop.dead_at + 26 * S


def test_of_two_that_fail_together_the_one_behind_is_the_cause():
    for seed in SEEDS:
        for mode in ("wedged", "cuda error"):
            found, _ = both(seed, mode, mode, 100)
            kinds = {s.name: (s.family, s.kind) for s in found}
            assert kinds == {"back": ("WEDGED", ""), "gate": ("WEDGED", "behind")}
            gate = next(s for s in found if s.name == "gate")
            assert gate.cause == "back, which stands behind it: WEDGED (see its own stop)"


def test_a_prefill_behind_a_gateway_is_no_stop_of_either():
    """The gateway idles while what is behind it works."""
    for seed in SEEDS:
        assert both(seed, "wedged", "prefill", 70)[0] == ()


def test_both_well_is_nothing():
    for seed in SEEDS:
        assert both(seed, "serve", "serve")[0] == ()


def test_without_the_operators_word_nothing_joins_the_two():
    for seed in SEEDS:
        gate, server = lasting(seed, "wedged", 160, FRONT), lasting(seed, "serve", 160, BACK)
        lines = [*_pids(gate.seal()), *(x for x in server.seal() if not isinstance(x, Clock))]
        (stop,) = fold.fold(sorted(lines, key=lambda line: line.t))
        assert (stop.name, stop.kind) == ("gate", "")
        assert stop.cause.startswith("UNKNOWN")


def test_a_token_within_the_silence_only_cuts_it_short():
    """A client of the gateway got its last token shortly before the canary got its own: both wait from then on."""
    looks = (Look(at=89 * S, waits=True),)
    flow = Flow(silence=(81 * S, 89 * S), progress_at=82 * S)
    quiet = Work(behind=("back",), flow=flow, waits=Waits(waited_at=89 * S), busy=Looks(looks))
    servers = {
        "gate": Server("gate", work=quiet),
        "back": Server("back", work=Work(asked=Asked(rights=((83 * S, 84 * S),)))),
    }
    (found,) = gateway.ticked(servers, 89 * S, Limits(wedged_silent=4 * S)).values()
    assert [(case.family, case.dead_at, case.statement.kind) for case in found.cases] == [("WEDGED", 82 * S, "gateway")]
    assert not gateway.ticked(servers, 89 * S, Limits(wedged_silent=8 * S))


def test_before_a_gateways_failure_is_called_unknown_what_stands_behind_it_is_asked_again():
    """Its last canary was right a moment before the gateway's own began to fail."""
    failed = tuple(
        Ask(
            v=2,
            w="r",
            n=n,
            t=t * S,
            name="gate",
            rung="canary",
            id=str(n),
            asked_at=t * S - 1,
            ended_at=t * S,
            outcome="reset",
        )
        for n, t in enumerate((81, 82, 83))
    )
    looks = (Look(at=83 * S, waits=True),)
    asked, well = Asked(rights=((70 * S, 71 * S),)), Wellness(health=200, health_at=83 * S)
    work = Work(behind=("back",), flow=Flow(failed=failed), asked=asked, wellness=well, busy=Looks(looks))
    gate = Server("gate", work=work)
    before, after, limits = (80 * S, 81 * S), (81 * S, 82 * S), Limits(wedged=6 * S)

    def kinds(now: int, *rights: tuple[int, int]) -> list[str]:
        back = Server("back", work=Work(asked=Asked(rights=rights)))
        found = gateway.ticked({"gate": gate, "back": back}, now, limits)
        return [server.cases[-1].statement.kind for server in found.values()]

    assert kinds(83 * S, before) == []
    assert kinds(83 * S, before, after) == ["gateway"]
    assert kinds(88 * S, before) == [""]


def test_streams_that_break_at_the_gateway_alone_are_its_fault():
    for seed in SEEDS:
        gate, server = lasting(seed, "serve", 40, FRONT), lasting(seed, "serve", 40, BACK)
        said = Event(what="behind", name="gate", at=gate.start, text="back", v=1, w="recorder", n=1, t=gate.start)
        for behind in (True, False):
            lines = [_cut(x, gate.began) for x in _pids(gate.seal())]
            lines += [x for x in server.seal() if not isinstance(x, Clock)] + ([said] if behind else [])
            (stop,) = fold.fold(sorted(lines, key=lambda line: line.t))
            assert (stop.name, stop.family) == ("gate", "TRUNCATED")
            cause = "the gateway: what back behind it gives directly is whole" if behind else "UNKNOWN"
            assert stop.cause == cause


def _cut(line: Line, since: int) -> Line:
    """Canaries that had their token and no end."""
    over = isinstance(line, Ask) and line.rung == "canary" and line.ended_at and line.t > since
    return replace(line, outcome="truncated") if over else line
