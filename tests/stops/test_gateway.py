"""A gateway and what stands behind it, on simulated runs: whose fault it is that the gateway's canary fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from seatrial.records import Ask, Clock, Event, Line, Stop
from seatrial.stops import fold
from seatrial.stops.state.case import Statement
from seatrial.stops.state.cases import open_case
from seatrial.stops.state.incarnations import Exit, Main, Proof
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Life, Pulse, Server, State
from seatrial.stops.state.sights import Sight
from seatrial.stops.state.streams import Broken, Streams, Trouble
from seatrial.stops.state.work import Asked, Canaries, Flow, Look, Looks, Waits, Wellness, Work
from seatrial.stops.telling import silence
from seatrial.stops.telling.stop import stop_of
from seatrial.stops.work import gateway, wedged
from tests.stops.simulation import S
from tests.stops.simulation_work import Engine, Mode, Rig, lasting

SEEDS = range(20)
FRONT = Rig(scheduler=False, clients=0, elsewhere=True, name="gate")
BACK = Rig(clients=0, name="back")

TROUBLE = Trouble(Broken("TRUNCATED", "b1", "cut", 80 * S, 81 * S, 81 * S, 81 * S), streams=1, ids=("b1",), until=None)


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

    back = Server("back", work=Work(asked=Asked(rights=(before,))))
    (unknown,) = gateway.ticked({"gate": gate, "back": back}, 88 * S, limits).values()
    answers = Server("back", work=Work(asked=Asked(rights=(before, after))))
    (blamed,) = gateway.ticked({"gate": unknown, "back": answers}, 89 * S, limits).values()
    stop = stop_of(blamed.cases[-1], blamed, State())
    assert (stop.family, stop.kind, stop.hypotheses) == ("WEDGED", "gateway", ())
    assert stop.cause.startswith("the gateway: back behind it answers directly")
    assert stop.dead_at == unknown.cases[-1].dead_at
    assert not gateway.ticked({"gate": blamed, "back": answers}, 90 * S, limits), "it is told once"
    died = unknown.cases[-1].dead_at
    for since, kind in ((died + S, "gateway"), (died, "")):
        passed = replace(back, streams=Streams(whole_from=since))
        kinds_now = [
            x.cases[-1].statement.kind
            for x in gateway.ticked({"gate": unknown, "back": passed}, 89 * S, limits).values()
        ]
        assert kinds_now == [kind] * bool(kind), "a stream that is whole tells of the time since it was asked for"
    broke = replace(passed, streams=Streams(whole_from=died + S, troubles={"TRUNCATED": TROUBLE}))
    assert not gateway.ticked({"gate": unknown, "back": broke}, 89 * S, limits), "others break there too"
    early = replace(back, streams=Streams(whole_from=82 * S))
    assert not gateway.ticked({"gate": gate, "back": early}, 83 * S, limits), "it convicts nobody before its time"
    serves = replace(unknown, work=replace(work, flow=Flow()))
    assert not gateway.ticked({"gate": serves, "back": answers}, 89 * S, limits), "it fails no more"


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


def refusing(*times: int, status: int = 503, outcome: str = "busy") -> tuple[Ask, ...]:
    """Canaries of the gateway that were over at these seconds."""
    return tuple(
        Ask(v=2, w="r", n=n, t=t * S, name="gate", rung="canary", id=str(n), asked_at=t * S - S // 10, ended_at=t * S,
            status=status, outcome=outcome, detail="no available workers")
        for n, t in enumerate(times)
    )  # fmt: skip


def dead(at: float, **fields: object) -> Server:
    """The server behind it, killed at a second."""
    back = Server("back", life=Life(main=Main(pid=9, found_at=S), lives=False))
    return open_case(
        back, "STOPPED", int(at * S), int(at * S), exit=Exit(at=int(at * S), status=9, source="waitid"), **fields
    )


def judged(work: Work, back: Server, now: int, life: Life | None = None) -> Server | None:
    gate = Server("gate", work=replace(work, behind=("back",)), life=life or Life())
    return gateway.ticked({"gate": gate, "back": back}, now * S, Limits()).get("gate")


WELL = Wellness(health=200, health_at=85 * S, well_at=85 * S)
ILL_NOW = Wellness(health=503, health_at=85 * S, well_at=70 * S, ill_from=81 * S)
CUT = Pulse(
    answered=Proof(79 * S, "/health", "health"), closed=3, closed_since=81 * S, closed_at=84 * S,
    closed_by=frozenset({"cut"}),
)  # fmt: skip
MUTE = Pulse(answered=Proof(70 * S, "/health", "health"), mute=12, mute_since=73 * S)
SIGNS = {
    "turned away": (Work(canaries=Canaries(busy=refusing(81, 84)), wellness=WELL), Life()),
    "ill": (Work(wellness=ILL_NOW), Life()),
    "ill, and taken for loading": (Work(wellness=ILL_NOW, waits=Waits(excused_at=85 * S)), Life()),
    "cut": (Work(), Life(pulse=CUT)),
    "mute": (Work(), Life(pulse=MUTE)),
    "failed": (Work(flow=Flow(failed=refusing(81, 84, status=504, outcome="http_5xx")), wellness=WELL), Life()),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_whatever_a_gateway_says_its_dead_backend_is_named(sign):
    work, life = SIGNS[sign]
    found = judged(work, dead(80), 85, life)
    assert found is not None
    (case,) = found.cases
    assert (case.family, case.shown) == ("WEDGED", Sight.BEHIND)
    assert case.statement.cause == "back, which stands behind it: STOPPED (see its own stop)"
    assert case.evidence[0].startswith("back STOPPED by SIGKILL ")
    assert case.evidence[0].endswith(": the fault is behind it")
    assert case.alive.at <= case.dead_at


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign != "failed"])
def test_the_same_of_a_gateway_whose_backend_is_well_is_no_stop(sign):
    """It may be busy, for minutes."""
    work, life = SIGNS[sign]
    assert judged(work, Server("back"), 85, life) is None


@pytest.mark.parametrize("sign", ["ill", "cut", "mute"])
def test_a_token_that_came_through_a_gateway_cuts_its_silence_short(sign):
    """What stands behind it was stopped and goes on: for some seconds its /health waits behind what piled up."""
    work, life = SIGNS[sign]
    assert judged(replace(work, flow=Flow(progress_at=84 * S, progress="a token")), dead(80), 85, life) is None


def test_a_gateway_that_serves_on_while_one_behind_it_is_dead_is_no_stop():
    once = Work(canaries=Canaries(busy=refusing(84)), asked=Asked(rights=((82 * S, 83 * S),)), wellness=WELL)
    assert judged(once, dead(80), 85) is None
    assert judged(Work(wellness=WELL), dead(80), 85) is None


def test_a_gateway_that_has_ended_or_is_being_ended_is_not_judged_by_what_stands_behind_it():
    work, main = SIGNS["turned away"][0], Main(pid=7, found_at=S)
    assert judged(work, dead(80), 85, Life(main=main, lives=False)) is None
    assert judged(work, dead(80), 85, Life(main=main, lives=True, planned_at=80 * S)) is None


def test_a_child_that_ended_under_the_server_behind_counts_as_its_stop():
    assert judged(SIGNS["turned away"][0], dead(80, of_child=True), 85) is not None


def test_a_gateways_stop_of_unknown_cause_is_joined_with_the_stop_behind_it_once():
    """The server behind it is found to be dead a moment later."""
    server = Server("gate", work=Work(behind=("back",)), life=Life(main=Main(pid=7, found_at=S), lives=True))
    for family, shown, after in (("WEDGED", Sight.ILL, Sight.BEHIND), ("STOPPED", Sight.CUT, Sight.CUT)):
        gate = open_case(server, family, 80 * S, 84 * S, shown=shown, statement=Statement(cause="UNKNOWN"))
        (found,) = gateway.ticked({"gate": gate, "back": dead(79)}, 85 * S, Limits()).values()
        stop = stop_of(found.cases[0], found, State())
        assert stop.cause == "back, which stands behind it: STOPPED (see its own stop)"
        assert stop.evidence[0] == "back STOPPED by SIGKILL 1.0 s before: the fault is behind it"
        assert stop.hypotheses == ()
        assert found.cases[0].shown is after
        assert not gateway.ticked({"gate": found, "back": dead(79)}, 86 * S, Limits())


def test_a_gateways_own_death_keeps_its_own_cause():
    gate = open_case(Server("gate", work=Work(behind=("back",))), "STOPPED", 80 * S, 80 * S,
                     exit=Exit(at=80 * S, status=256, source="waitid"))  # fmt: skip
    back = dead(79.6)
    assert not gateway.ticked({"gate": gate, "back": back}, 85 * S, Limits())
    stop = stop_of(gate.cases[0], gate, State(servers={"gate": gate, "back": back}))
    assert stop.cause.startswith("UNKNOWN: it ended itself with status 1")
    assert "back STOPPED by SIGKILL 0.4 s before: it stands behind this one" in stop.evidence
    later = State(servers={"gate": gate, "back": dead(81)})
    assert not any("stands behind" in text for text in stop_of(gate.cases[0], gate, later).evidence)


def test_a_busy_server_behind_it_acquits_a_gateway_that_waits():
    """A canary through the gateway waits; the server behind it is not asked, and works."""
    looks = (
        Look(at=30 * S, cpu=0, waits=True),
        Look(at=60 * S, cpu=1, waits=True),
        Look(at=199 * S, cpu=2, waits=True),
    )
    waits = Waits(waits_from=60 * S, waited_at=199 * S)
    canary = Ask(v=2, w="r", n=1, t=60 * S, name="gate", rung="canary", id="1", asked_at=60 * S)
    work = Work(asked=Asked(canary=canary), waits=waits, busy=Looks(looks))
    worked = Work(busy=Looks((Look(at=180 * S, cpu=0), Look(at=199 * S, cpu=19 * S))))
    idle = Work(busy=Looks((Look(at=180 * S, cpu=0), Look(at=199 * S, cpu=0))))
    assert judged(work, Server("back", work=worked), 200) is None
    assert judged(work, Server("back", work=idle), 200) is not None


def test_without_a_canary_a_gateways_stop_is_over_when_health_is_well_again():
    gate = judged(*SIGNS["ill"][:1], dead(80), 85)
    before = gate.work
    well = replace(gate, work=replace(before, wellness=Wellness(health=200, health_at=90 * S, well_at=90 * S)))
    assert wedged.sharpened(well, before).cases[0].until == 90 * S
    told = replace(before, canaries=Canaries(busy=refusing(81, 84)))
    still = replace(gate, work=replace(told, wellness=well.work.wellness))
    assert wedged.sharpened(still, told).cases[0].until is None


def test_a_status_of_an_intermediary_is_evidence_without_a_list_of_programs():
    for status, says in ((502, True), (504, True), (500, False), (503, False)):
        work = Work(flow=Flow(failed=refusing(81, 84, status=status, outcome="http_5xx")), wellness=WELL)
        said = silence.statement(Server("gate", work=work), 80 * S, Sight.CANARY, 0)
        assert said.cause.startswith("UNKNOWN")
        assert (f"by status {status} it says itself" in said.cause) is says
