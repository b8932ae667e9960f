"""Whether a client works: its needs weigh as a MUST, what is declined is lacking, and nothing empty is READY."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from seatrial.records import Endpoint, EndpointVerdict, Finding, Judged, Outcome, Ready, Reason, Record
from seatrial.verdict import clients
from seatrial.verdict.summary import Beside, summarise

PAGE = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), context=8192)


@dataclass(frozen=True)
class Need:
    what: str
    rules: tuple[str, ...]
    so: str = "it falls over"
    of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    may_lack: bool = False
    at_hand: bool = False


@dataclass(frozen=True)
class Room:
    least: int
    so: str = "it is cut"


@dataclass(frozen=True)
class Client:
    name: str
    needs: tuple[Need, ...]
    context: Room | None = None

    @property
    def judged_by(self):
        return self.needs


STREAMS, USAGE = (
    Need("streams", ("sse/x*",), of=("stream",), unless=("n",)),
    Need("usage", ("sse/usage",), so="it counts 0"),
)
TOOLS = Need("tools", ("tools/*",))
ONE = Client("one", (STREAMS, USAGE))


def case(rule, outcome=Outcome.PASS, scenario="s", traits=("stream",), **more) -> Judged:
    findings = (Finding("violation", "chunk 1", "a", "b"),) if outcome in clients.BROKEN else ()
    return Judged(
        case=f"{rule}[{scenario}]@e", endpoint="e", rule=rule, scenario=scenario, suite="conformance", outcome=outcome,
        traits=traits, findings=more.pop("findings", findings), **more,
    )  # fmt: skip


def told(*cases, client=ONE, endpoint=PAGE, stopped=()):
    return clients.told(client, cases, endpoint, stopped)


BOTH = (case("sse/x1"), case("sse/usage"))


def test_all_needs_that_hold_are_ready():
    found = told(*BOTH)
    assert (found.verdict, found.held, found.needs, found.reasons) == (Ready.READY, 2, 2, ())


@pytest.mark.parametrize("word", [Outcome.FAIL, Outcome.ADVISORY])
def test_what_it_needs_weighs_as_a_must_whatever_its_level(word):
    found = told(case("sse/x1"), case("sse/usage", word, level="SHOULD"))
    assert found.verdict is Ready.NOT_READY
    assert found.broken == {"usage": "it counts 0"}
    assert found.reasons[0].text == "chunk 1: b; it counts 0"


@pytest.mark.parametrize(("rule", "traits"), [("sse/x1", ()), ("sse/x1", ("stream", "n")), ("sse/y", ("stream",))])
def test_what_it_does_not_send_or_need_leaves_it_alone(rule, traits):
    assert told(*BOTH, case(rule, Outcome.FAIL, "other", traits)).verdict is Ready.READY


def test_what_hangs_on_a_fail_is_decided_by_it():
    cause = case("http/answered", Outcome.FAIL, findings=(Finding("violation", "the status", "200", "500 no"),))
    hanging = case("sse/usage", Outcome.INCONCLUSIVE, because=cause.case, findings=())
    found = told(case("sse/x1"), hanging, cause)
    assert found.verdict is Ready.NOT_READY
    assert found.reasons[0].cases == (cause.case,)


def test_a_cause_is_told_once_however_much_hangs_on_it():
    cause = case("http/answered", Outcome.FAIL)
    hanging = [case(rule, Outcome.INCONCLUSIVE, because=cause.case, findings=()) for rule in ("sse/x1", "sse/usage")]
    found = told(*hanging, cause)
    assert len(found.reasons) == 1
    assert list(found.broken) == ["streams", "usage"]


def test_what_is_not_judged_is_not_proven():
    assert told(case("sse/x1")).verdict is Ready.NOT_PROVEN
    assert told(case("sse/x1")).reasons[0].text == "usage: no case of it was judged"
    doubtful = told(case("sse/x1"), case("sse/usage", Outcome.INCONCLUSIVE, why="it was gone"))
    assert doubtful.verdict is Ready.NOT_PROVEN
    assert "it was gone" in doubtful.reasons[0].text
    assert told().verdict is Ready.NOT_PROVEN


def test_a_waived_case_is_the_operators_word():
    assert told(case("sse/x1"), case("sse/usage", Outcome.WAIVED, findings=())).verdict is Ready.READY


LACK = Finding("refusal", "the status", "200", "501 no tools", capability="tools")


def test_what_is_declined_as_a_whole_is_lacking_and_in_part_is_not():
    declined = [case(f"tools/{n}", Outcome.UNSUPPORTED, findings=(LACK,)) for n in "ab"]
    found = told(*declined, client=Client("two", (TOOLS,)))
    assert found.verdict is Ready.NOT_READY
    assert [reason.word for reason in found.reasons] == ["UNSUPPORTED"]
    assert "501 no tools" in found.reasons[0].text
    assert told(*declined, case("tools/c"), client=Client("two", (TOOLS,))).verdict is Ready.READY
    without = Client("two", (Need("tools", ("tools/*",), may_lack=True),))
    assert told(*declined, client=without).verdict is Ready.READY


@pytest.mark.parametrize(("context", "word"), [(4096, Ready.NOT_READY), (8192, Ready.READY), (None, Ready.READY)])
def test_a_context_that_is_known_to_be_too_short_decides(context, word):
    page = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), context=context)
    assert told(*BOTH, client=Client("one", ONE.needs, Room(8000)), endpoint=page).verdict is word


def test_a_short_context_is_a_need_that_does_not_hold_and_the_line_names_it():
    page = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), context=4096)
    found = told(*BOTH, client=Client("one", ONE.needs, Room(8000)), endpoint=page)
    lacks = "lacks a longer context: its context is 4096 tokens, at least 8000 are needed; it is cut"
    assert clients.figures({"one": found})["one"] == f"NOT READY: 2 of 3 needs hold; {lacks}"
    assert clients.line({"one": found}) == "NOT READY for one (a longer context)"
    long = told(*BOTH, client=Client("one", ONE.needs, Room(4000)), endpoint=page)
    assert clients.figures({"one": long})["one"] == "READY: 3 of 3 needs hold"


@pytest.mark.parametrize("context", [None, 4096])
@pytest.mark.parametrize("cases", [BOTH, BOTH[:1], (), (BOTH[0], case("sse/usage", Outcome.INCONCLUSIVE, why="gone"))])
def test_the_line_of_a_client_says_why_wherever_it_is_not_ready(context, cases):
    page = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), context=context)
    found = told(*cases, client=Client("one", ONE.needs, Room(8000)), endpoint=page)
    assert bool(clients.deciding(found)) is (found.verdict is not Ready.READY)
    assert (found.held == found.needs) is (found.verdict is Ready.READY)


def test_nobody_works_on_a_server_that_stopped():
    found = told(*BOTH, stopped=[Reason(word="SILENT STOP", text="WEDGED")])
    assert found.verdict is Ready.NOT_READY
    assert clients.figures({"one": found})["one"] == "NOT READY: 2 of 2 needs hold; the server stopped: WEDGED"


def test_the_line_names_the_worst_first_and_what_they_lack():
    verdicts = {"a": told(*BOTH), "b": told(case("sse/x1", Outcome.FAIL), case("sse/usage")), "c": told()}
    assert clients.line(verdicts) == "NOT READY for b (streams); NOT PROVEN for c; READY for a"


def endpoint(cases, chosen=()) -> EndpointVerdict:
    beside = Beside(answered={"e": {"streamed": True}}, clients=(ONE,), chosen=chosen)
    found = summarise(
        run="r",
        endpoints={"e": PAGE},
        cases=cases,
        stops=(),
        record=Record(()),
        waived=(),
        not_tested=(),
        beside=beside,
    )
    assert found.clients == tuple(chosen)
    return found.endpoints["e"]


def test_without_a_client_chosen_its_verdict_is_told_and_changes_none():
    found = endpoint([*BOTH, case("sse/usage", Outcome.ADVISORY, "other")])
    assert found.verdict is Ready.READY
    assert found.clients["one"].verdict is Ready.NOT_READY
    assert found.figures["clients"] == "NOT READY for one (usage)"


def test_the_verdict_of_the_clients_chosen_is_the_endpoints():
    unrelated = case("http/z", Outcome.FAIL, "z", ())
    found = endpoint([*BOTH, unrelated], chosen=("one",))
    assert found.verdict is Ready.READY
    broken = endpoint([unrelated, case("sse/x1"), case("sse/usage", Outcome.FAIL)], chosen=("one",))
    assert broken.verdict is Ready.NOT_READY
    assert [reason.case for reason in broken.reasons] == ["sse/usage[s]@e"]
    assert [(reason.word, reason.case) for reason in broken.advisories] == [("FAIL", "http/z[z]@e")]
    assert broken.figures["one"] == "NOT READY: 1 of 2 needs hold; lacks usage: it counts 0"
