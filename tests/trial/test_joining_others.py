"""What keeps old answers out of a run that goes on with another: another server, other arguments, a stop, damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from seatrial import __version__
from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.given.soak import SoakAsked
from seatrial.judging.run import judge
from seatrial.records import Event, Happening, Hazard, Outcome, Ready, Sample
from seatrial.trial.joining import before
from tests.trial.joined import (
    ANSWERED,
    GOOD,
    GREEN,
    OPTIONS,
    PAGE,
    PLANS,
    ROLE,
    again,
    asked,
    begun,
    cut,
    reasons,
    replace_options,
    sealed,
    words,
)

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
