"""A run that goes on with another: what is asked again, what is joined, and what keeps old answers out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from seatrial import __version__
from seatrial.checks.own.word import HOLDS
from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.given.soak import SoakAsked
from seatrial.judging.run import judge
from seatrial.oracles import node
from seatrial.records import (
    OWN_SETTING,
    OWN_SUITE,
    Endpoint,
    Event,
    Fact,
    Happening,
    Hazard,
    Judgement,
    Outcome,
    OwnTold,
    OwnWord,
    Planned,
    Ready,
    Received,
    RunInfo,
    Sample,
    Sent,
    Verdict,
)
from seatrial.run.clocks import boot_id
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.stops.fold import fold
from seatrial.trial.beginning import asked_with
from seatrial.trial.joining import before, join
from seatrial.trial.selection import Kept, Selection, repeat

ANSWERED, ROLE = "http/valid-request-is-answered", "sse/role-is-sent-once"
SOAK = "soak/every-stream-ends"
PAGE = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), build="b6123")
REQUEST = b'POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 15\r\n\r\n{"stream":true}'
EVENT = (
    b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}\n\n'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
GOOD, BAD = HEAD + EVENT + b"data: [DONE]\n\n", HEAD + EVENT + EVENT + b"data: [DONE]\n\n"
REFUSED = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
OPTIONS = Options(endpoints={"e": "http://h/v1"})


def plan(rule: str, scenario: str, suite: str = "conformance") -> Planned:
    return Planned(case=f"{rule}[{scenario}]@e", endpoint="e", rule=rule, scenario=scenario, suite=suite)


PLANS = [plan(rule, scenario) for scenario in ("good", "bad", "late") for rule in (ANSWERED, ROLE)]


def begun(path: Path, plans: list[Planned], options: Options = OPTIONS) -> RunDir:
    """A run with its page and its plan."""
    info = RunInfo(
        id=path.name,
        started="2026-11-24T22:51:03Z",
        started_ns=1,
        boot_id=boot_id(),
        arguments=(),
        versions={"seatrial": __version__},
        seed=0,
        options={"asked_with": asked_with(options)},
    )
    run = RunDir.create(path, info)
    run.write_endpoint(PAGE)
    run.write_planned(plans)
    return run


def asked(run: RunDir, answers: dict[str, bytes]) -> list[str]:
    """Each scenario sent, and its two rules judged on what came; the ids of the exchanges."""
    writer = run.writer("main")
    ids = []
    for scenario, answer in answers.items():
        told = {"endpoint": "e", "scenario": f"sse/{scenario}", "method": "POST", "path": "/v1/chat/completions"}
        request, response = writer.store(REQUEST), writer.store(answer)
        sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
        frames = ((2, len(answer)),)
        line = Received(id=sent.id, **told, request=request, response=response, frames=frames, sent_at=1, ended_at=2)
        writer.write("exchanges.jsonl", line)
        ids.append(sent.id)
        for rule in (ANSWERED, ROLE):
            case = f"{rule}[{scenario}]@e"
            writer.write("judgements.jsonl", Judgement(case=case, endpoint="e", rule=rule, exchanges={"only": sent.id}))
    writer.close()
    return ids


def sealed(run: RunDir) -> RunDir:
    keeper = run.watch_writer("keeper")
    facts = {Fact.LINES: json.dumps(last_numbers(run.path))}
    keeper.write("events.jsonl", Event(what=Happening.SEAL, name="keeper", at=1, facts=facts))
    keeper.close()
    return RunDir.open(run.path)


def cut(path: Path, options: Options = OPTIONS) -> RunDir:
    """A run whose role is wrong in one stream of two, and that was cut before the third."""
    run = begun(path, PLANS, options)
    asked(run, {"good": GOOD, "bad": BAD})
    return sealed(run)


def again(path: Path, answers: dict[str, bytes], page: Endpoint = PAGE, **options: str) -> RunDir:
    """A run at ``path`` that goes on with another one, with these answers to what it asks."""
    on = replace_options(**options)
    old = before(on, path.parent)
    assert old is not None
    chosen = Selection()
    left = [PLANS[n] for n in repeat(PLANS, old.cases, chosen)]
    joined = old.planned(chosen.joined)
    run = begun(path, [*left, *joined], on)
    run.write_endpoint(page)
    join(run, old, joined, {"e": page}, on)
    assert {line.scenario for line in left} == set(answers)
    asked(run, answers)
    return sealed(run)


def replace_options(**changed: object) -> Options:
    return Options(**({"endpoints": OPTIONS.endpoints} | changed))  # type: ignore[arg-type]


def words(run: RunDir) -> dict[str, Outcome]:
    return {name.removesuffix("@e"): word for name, word in judge(run).verdict.outcomes.items()}


def reasons(verdict: Verdict) -> list[str]:
    """Why it is not READY, but for the watch, which these runs have none of."""
    return [reason.text for reason in verdict.endpoints["e"].reasons if reason.text != "UNOBSERVED"]


GREEN = {f"{rule}[{s}]": Outcome.PASS for s in ("good", "bad", "late") for rule in (ANSWERED, ROLE)}


def test_what_was_not_green_is_asked_again_and_the_rest_is_judged_from_the_new_run_alone(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"bad": GOOD, "late": GOOD}, rerun="a")
    shutil.rmtree(tmp_path / "a")
    found = judge(run).verdict
    assert words(run) == GREEN
    assert reasons(found) == []
    assert found.joined == {"a": (f"{ANSWERED}[good]@e", f"{ROLE}[good]@e")}
    assert "2 of 6 cases joined from run a: judged on what was answered there" in found.notices
    exchange = judge(run).exchange("joined-1")
    assert exchange is not None
    assert exchange.raw == GOOD


def test_a_run_that_was_cut_goes_on_where_it_was_whatever_came_of_what_was_judged(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"late": GOOD}, resume="a")
    assert words(run) == GREEN | {f"{ROLE}[bad]": Outcome.FAIL}
    assert len(judge(run).verdict.joined["a"]) == 4


def test_a_run_may_go_on_with_one_that_went_on_with_another(tmp_path):
    cut(tmp_path / "a")
    again(tmp_path / "b", {"bad": BAD, "late": GOOD}, rerun="a")
    run = again(tmp_path / "c", {"bad": GOOD}, rerun="latest" if (tmp_path / "latest").exists() else "b")
    assert words(run) == GREEN
    assert {name: len(cases) for name, cases in judge(run).verdict.joined.items()} == {"a": 2, "b": 2}


def test_what_is_joined_is_no_cause_of_what_was_answered_now(tmp_path):
    """Else the case would hang on one that passed then, and prove nothing."""
    run = begun(tmp_path / "a", PLANS[:2])
    asked(run, {"good": BAD})
    sealed(run)
    old = before(replace_options(resume="a"), tmp_path)
    assert old is not None
    new = begun(tmp_path / "b", [PLANS[1], *old.planned([PLANS[0]])])
    join(new, old, old.planned([PLANS[0]]), {"e": PAGE}, OPTIONS)
    writer = new.writer("main")
    told = {"endpoint": "e", "scenario": "sse/good", "method": "POST", "path": "/v1/chat/completions"}
    request, response = writer.store(REQUEST), writer.store(REFUSED)
    sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
    writer.write("exchanges.jsonl", Received(id=sent.id, **told, request=request, response=response))
    case = PLANS[1].case
    writer.write("judgements.jsonl", Judgement(case=case, endpoint="e", rule=ROLE, exchanges={"only": sent.id}))
    writer.close()
    assert words(sealed(new)) == {f"{ANSWERED}[good]": Outcome.PASS, f"{ROLE}[good]": Outcome.FAIL}


OTHERS = {
    "build": (replace(PAGE, build="b6200"), {}, "build b6123, then b6200: the old answers tell nothing of it"),
    "model": (replace(PAGE, model="x", kind="k"), {}, "kind generic, then k, model m, then x: the old answers"),
    "address": (replace(PAGE, url="http://i/v1"), {}, "address http://h/v1, then http://i/v1: the old"),
    "weights": (replace(PAGE, marks={"size": "1"}), {}, "model m of another size or file: the old"),
    "template": (replace(PAGE, template="ChatML"), {}, "template none, then ChatML: the old"),
    "text": (replace(PAGE, template_sum="1"), {}, "another text of its template: the old"),
    "slots": (replace(PAGE, slots=4, context=512), {}, "context none, then 512, slots none, then 4: the old"),
    "body": (replace(PAGE, extra_body={"secret": 1}), {}, "another --extra-body: the old"),
    "deadline": (PAGE, {"timeout_s": 5.0}, "--request-timeout 60.0, then 5.0: the old"),
    "header": (PAGE, {"access": Access(headers={"X-A": "secret"})}, "--header none, then x-a: the old"),
    "strict": (PAGE, {"strict": True}, "--strict False, then True: the old"),
    "untold": (replace(PAGE, build=""), {}, "build b6123, then none: the old"),
}


@pytest.mark.parametrize(("page", "options", "said"), OTHERS.values(), ids=OTHERS)
def test_answers_of_another_server_or_to_other_arguments_prove_nothing(tmp_path, page, options, said):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"bad": GOOD, "late": GOOD}, page, rerun="a", **options)
    found = judge(run)
    assert words(run) == GREEN | {f"{rule}[good]": Outcome.INCONCLUSIVE for rule in (ANSWERED, ROLE)}
    assert found.verdict.joined == {}
    assert found.verdict.endpoints["e"].verdict is Ready.NOT_PROVEN
    (text,) = reasons(found.verdict)
    assert text.startswith(f"2 cases not judged: {said}")
    assert "secret" not in text


def test_arguments_of_a_suite_are_compared_for_that_suite_alone(tmp_path):
    cut(tmp_path / "a")
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    changed = replace_options(seed=1, soak_s=5.0)
    assert old.differs(PAGE, changed, "conformance") == ""
    assert old.differs(PAGE, changed, "behaviour").startswith("--seed 0, then 1:")
    assert old.differs(PAGE, changed, "soak").startswith("--seed 0, then 1, --soak 60.0, then 5.0:")


def test_another_seatrial_asks_and_judges_otherwise(tmp_path, monkeypatch):
    cut(tmp_path / "a")
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    monkeypatch.setattr("seatrial.trial.joining.__version__", "9.0")
    assert old.differs(PAGE, OPTIONS, "conformance").startswith(f"Seatrial {__version__}, then 9.0:")


@pytest.mark.parametrize("lives", [True, False])
def test_a_server_that_tells_no_build_is_the_same_where_its_process_still_lives(tmp_path, lives):
    own = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19] if lives else "1"
    pid = int(Path("/proc/self").resolve().name)
    page = replace(PAGE, build="", kind="vllm")
    run = begun(tmp_path / "a", PLANS)
    run.write_endpoint(page)
    asked(run, {"good": GOOD})
    watch = run.watch_writer("recorder")
    watch.write("samples.jsonl", Sample(name="e", pid=pid, incarnation=f"b-n-{pid}-{own}"))
    watch.close()
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    said = old.differs(page, OPTIONS, "conformance")
    assert said == ("" if lives else "its build is not told, nor does the process still live: whether it is the same "
                    "cannot be known")  # fmt: skip


@pytest.mark.parametrize(("kind", "behind"), [("generic", {}), ("litellm", {}), ("vllm", {"e": "x"})])
def test_of_what_may_stand_in_front_of_another_a_living_process_tells_nothing(tmp_path, kind, behind):
    page = replace(PAGE, build="", kind=kind)
    run = begun(tmp_path / "a", PLANS)
    run.write_endpoint(page)
    asked(run, {"good": GOOD})
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    object.__setattr__(old, "_lives_on", lambda _name: True)
    said = old.differs(page, replace_options(behind=behind), "conformance")
    assert said == "its build is not told, nor what runs its model: whether that is the same cannot be known"


def test_all_that_shapes_a_soak_is_compared_for_the_soak_alone(tmp_path):
    phases, traffic = tmp_path / "p.toml", tmp_path / "w.toml"
    phases.write_text('[[phase]]\nsort = "closed"\nlength = "10s"\n')
    traffic.write_text('[[part]]\nkind = "chat"\n')
    given = {"users": 2, "file": phases, "named": str(traffic), "canary_s": 9.0, "slo": "ttft=1s"}
    begun_with = replace_options(soak=SoakAsked(**given))
    cut(tmp_path / "a", begun_with)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    assert old.differs(PAGE, begun_with, "soak") == ""
    for option, other in (
        ("--users", {"users": 3}),
        ("--rps", {"rps": 1.0}),
        ("--phases", {"file": None}),
        ("--workload", {"named": "mixed"}),
        ("--canary-every", {"canary_s": 8.0}),
        ("--slo", {"slo": ""}),
        ("--hazard", {"hazard": Hazard.POLITE}),
    ):
        changed = replace_options(soak=SoakAsked(**{**given, **other}))
        assert old.differs(PAGE, changed, "soak").startswith(f"{option} ")
        assert old.differs(PAGE, changed, "conformance") == ""
    for file, option in ((phases, "--phases"), (traffic, "--workload")):
        text = file.read_text()
        file.write_text(text + "# other\n")
        assert old.differs(PAGE, begun_with, "soak").startswith(f"{option} ")
        file.write_text(text)


@pytest.mark.parametrize("option", ["rerun", "resume"])
def test_an_own_test_is_asked_again_with_all_that_rules_read_of_it(tmp_path, option):
    """It may be another test by now, and what rules found in its answers hangs on no plan."""
    own = plan(HOLDS.id, "mine.test_x", OWN_SUITE)
    run = begun(tmp_path / "a", [*PLANS, own])
    ids = asked(run, {"good": GOOD})
    writer = run.writer("own")
    told = msgspec.to_builtins(OwnTold(word=OwnWord.HELD, test="x"))
    line = Judgement(case=own.case, endpoint="e", rule=own.rule, exchanges={"1": ids[0]}, suite=OWN_SUITE)
    writer.write("judgements.jsonl", replace(line, expect={"settings": {OWN_SETTING: told}}))
    writer.close()
    sealed(run)
    old = before(replace_options(**{option: "a"}), tmp_path)
    assert old is not None
    assert {case.case: case.outcome for case in old.judged.cases}[own.case] is Outcome.PASS
    chosen = Selection()
    assert own in [[*PLANS, own][n] for n in repeat([*PLANS, own], old.cases, chosen)]
    assert own.case not in {each.case for each in chosen.joined}


def test_what_the_sdk_for_node_read_is_joined_by_the_id_of_the_copy(tmp_path):
    case = plan(node.RULE, "good")
    run = begun(tmp_path / "a", [case, PLANS[1]])
    (sent,) = asked(run, {"good": GOOD})
    answer = {"choices": [{"index": 0, "role": "assistant", "content": "a", "finish_reason": "stop"}]}
    writer = run.writer("own")
    expect = {"settings": {node.SETTING: {sent: {"answer": answer}}}}
    line = Judgement(case=case.case, endpoint="e", rule=node.RULE, exchanges={"only": sent}, expect=expect)
    writer.write("judgements.jsonl", line)
    writer.close()
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    new = begun(tmp_path / "b", joined := old.planned([case]))
    join(new, old, joined, {"e": PAGE}, OPTIONS)
    assert words(sealed(new)) == {f"{node.RULE}[good]": Outcome.PASS}


def test_a_soak_stands_as_it_was_judged(tmp_path):
    soak = plan(SOAK, "closed", "soak")
    run = begun(tmp_path / "a", [soak])
    run.writer("main").write("judgements.jsonl", Judgement(case=soak.case, endpoint="e", rule=SOAK))
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    judged = replace(old.judged.cases[0], outcome=Outcome.PASS, figures={"streams": "9"})
    object.__setattr__(old.judged, "cases", (judged,))
    joined = old.planned([soak])
    new = begun(tmp_path / "b", joined)
    join(new, old, joined, {"e": PAGE}, OPTIONS)
    (case,) = judge(sealed(new)).cases
    assert (case.outcome, case.figures, case.of_run) == (Outcome.PASS, {"streams": "9"}, "a")


def test_of_an_endpoint_that_stopped_all_is_asked_again_and_nothing_is_gone_on_with(tmp_path):
    run = begun(tmp_path / "a", PLANS)
    watch = run.watch_writer("recorder")
    told = {"name": "e", "at": 5, "pid": 7, "incarnation": "i"}
    watch.write("events.jsonl", Event(what=Happening.FOUND, **told))
    watch.write("events.jsonl", Event(what=Happening.EXIT, status=9, source="waitid", **told))
    watch.close()
    asked(run, {"good": GOOD})
    sealed(run)
    old = before(replace_options(rerun="a"), tmp_path)
    assert old is not None
    assert old.kept == frozenset()
    with pytest.raises(ConfigError, match="--resume=a: e stopped there, and that stands: --rerun asks all of it again"):
        before(replace_options(resume="a"), tmp_path)


def test_an_answer_of_another_run_tells_nothing_of_when_a_server_lived(tmp_path):
    cut(tmp_path / "a")
    run = again(tmp_path / "b", {"late": GOOD}, resume="a")
    lines = [line for line in run.in_time() if isinstance(line, Received) and line.of_run]
    assert len(lines) == 2
    found = Event(what=Happening.FOUND, name="e", at=10, pid=7, incarnation="i", t=10)
    ended = Event(what=Happening.EXIT, name="e", at=20, pid=7, incarnation="i", status=9, source="waitid", t=20)
    late = [replace(line, sent_at=14, ended_at=15, frames=((15, 9),), t=15) for line in lines]
    assert fold([found, *late, ended]) == fold([found, ended])
    assert fold([found, *(replace(line, of_run="") for line in late), ended]) != fold([found, ended])


def test_what_cannot_be_gone_on_with_is_one_line(tmp_path):
    cut(tmp_path / "a")
    begun(tmp_path / "empty", [])
    asked(begun(tmp_path / "open", PLANS), {"good": GOOD})
    cut(tmp_path / "torn")
    content = (tmp_path / "torn" / "planned.jsonl").read_bytes()
    (tmp_path / "torn" / "planned.jsonl").write_bytes(content.replace(b"[bad]", b"[bat]"))
    (tmp_path / "none").mkdir()
    for options, said in (
        ({"rerun": "a", "resume": "a"}, "--rerun and --resume: one of them"),
        ({"rerun": "no"}, "--rerun=no: neither a run directory nor a run in"),
        ({"rerun": "none"}, "none is no run directory: it holds no run.json"),
        ({"rerun": "empty"}, "--rerun=empty: no suite ran there"),
        ({"resume": "open"}, "--resume=open: its record has no end: it goes on, or its machine went down; run all"),
        ({"rerun": "torn"}, "--rerun=torn: damaged: 2 line"),
        ({"rerun": "a", "endpoints": {"x": "http://h/v1"}}, "--rerun=a: it asked e, and not x; name one alike"),
    ):
        with pytest.raises(ConfigError) as error:
            before(replace_options(**options), tmp_path)
        assert said in str(error.value)
        assert "\n" not in str(error.value)
    assert before(OPTIONS, tmp_path) is None


def test_with_a_case_that_is_asked_again_goes_what_it_hangs_on():
    green = frozenset(case.case for case in PLANS if case.case != f"{ROLE}[bad]@e")
    for way, scenarios in (("--rerun", [ANSWERED, ROLE]), ("--resume", [ROLE])):
        out = Selection()
        left = repeat(PLANS, Kept(way, f"{way}=a", green), out)
        assert [PLANS[n].rule for n in left] == scenarios
        assert len(out.joined) == len(PLANS) - len(left)
        assert sum(case.requests for case in out.joined) == 0
        out.cases = [PLANS[n] for n in left]
        assert out.asked == {"conformance": ""}
