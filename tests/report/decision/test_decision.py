"""The decision of recorded runs: who stands against whom, what the page shows of strangers' text, the same anywhere."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import replace

import msgspec
import pytest

from seatrial.behaviour.probes.talk import twins
from seatrial.cli.app import run_command
from seatrial.comparing.decision import WORSE_ALONE, decide
from seatrial.given.errors import ConfigError
from seatrial.judging.run import judge
from seatrial.records import Decisions, Endpoint, Finding, ItemWord, Judgement, LosslessWord, Outcome, Ruling, Standing
from seatrial.report import block
from seatrial.report.allure.page import section
from seatrial.report.decision import page, plain
from seatrial.report.decision.made import of_run
from seatrial.report.decision.sides import contenders, decisions
from seatrial.report.run import Report
from seatrial.run.directory import RunDir
from tests.comparing.made import LOOPS, ROLES, case, item, items_of, side
from tests.report import sample
from tests.report.sample import HOSTILE, NAME
from tests.report.test_cli import record

OTHERS = {"new": "http://127.0.0.1:8081/v1", "again": "http://127.0.0.1:8080/v1"}


def judged_pair(path, *, bad=30, n=100, others=("new",), options=None):
    """A run of the incumbent, 8080, and of others, of whose answers some loop."""
    trial = sample.Trial(path)
    asked = {"stream": True, "messages": [{"role": "user", "content": f"it's {HOSTILE}"}]}
    lost = trial.exchange(5, "short-000", asked, sample.stream(sample.chunk(content=HOSTILE), "[DONE]"))
    trial.watch(2)
    run = trial.write()
    for name in others:
        run.write_endpoint(
            Endpoint(name=name, url=OTHERS[name], kind="generic", model="phi-4", models=("phi-4",), build=HOSTILE)
        )
    cases = [_case(NAME, 0, n, lost)]
    cases += [_case(name, bad if name == "new" else 1, n, lost) for name in others]
    judged = sample.judged_run(run, cases)
    options = {"endpoints": [NAME, *others], **(options or {})}
    return replace(judged, info=msgspec.structs.replace(judged.info, options=options))


def _case(endpoint, bad, n, exchange):
    words = [ItemWord.BAD] * bad + [ItemWord.GOOD] * (n - bad)
    items = tuple(
        msgspec.structs.replace(item(i, word, endpoint=endpoint, why=HOSTILE, family=HOSTILE), exchanges=(exchange,))
        for i, word in enumerate(words)
    )
    outcome = Outcome.FAIL if bad > 20 else Outcome.PASS
    return msgspec.structs.replace(
        sample.case(LOOPS, "answers", outcome, exchange, suite="behaviour", level="MUST"),
        case=f"{LOOPS}[answers]@{endpoint}", endpoint=endpoint, items=items,
        findings=(Finding("violation", "loops", "none", HOSTILE),) if bad > 20 else (),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return judged_pair(tmp_path_factory.mktemp("pair") / sample.ID)


def test_a_run_of_two_decides(pair):
    made = of_run(pair)
    (decision,) = made.told.decisions
    assert (decision.cut, made.told.exit, decision.incumbent.name) == (Ruling.DO_NOT, 1, NAME)
    assert [reason.word for reason in decision.blockers] == ["FAIL"]
    assert made.lines[0].startswith(f"new DO NOT in place of {NAME}: ")
    assert decision.evidence[0].curl.startswith("curl -N http://127.0.0.1:8081/v1/chat/completions")
    assert decision.evidence[0].show == f"seatrial show {sample.ID} gw0-1"


def test_the_page_is_one_file_and_strangers_text_stays_text(pair, tmp_path):
    told = of_run(pair).told
    shown = plain.write(told, tmp_path).read_text("utf-8")
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert not re.search(r"<(img|link|iframe|object|embed|a)\b", shown)
    assert html.escape("<script>document.title='owned'</script>") in shown
    assert "default-src 'none'" in shown
    assert "<h1>DO NOT</h1>" in shown
    for heading in ("What blocks it", "Scorecard", "Who they are", "What was not tested", "How to go back"):
        assert f"<h2>{heading}" in shown
    assert msgspec.json.decode((tmp_path / plain.DATA).read_bytes(), type=Decisions) == told
    assert all(line.isprintable() for line in plain.render(told).splitlines())


def test_the_first_screen_leads_to_it(pair):
    report = Report(pair)
    assert "<a href='decision.html'>" in section(report, {})
    assert "<script>document" not in section(report, {}).partition("st-decided")[2].partition("</div>")[0]
    text = block.render(report.summary, "report.html", decided=report.decided.lines)
    assert f"decision   new DO NOT in place of {NAME}: FAIL" in " ".join(text.split()).replace(
        "decision ", "decision   "
    )


def test_what_to_do_next_asks_the_same_questions(pair):
    given = (
        "suites/behaviour",
        "--case",
        "loops/*",
        "--budget=3m",
        "--claims=my claims.toml",
        "--seed",
        "7",
        "-n",
        "2",
    )
    narrowed = replace(pair, info=msgspec.structs.replace(pair.info, arguments=given))
    (decision,) = of_run(narrowed).told.decisions
    assert page.again(decision).endswith(
        "--endpoint=new=http://127.0.0.1:8081 '--case=loops/*' '--claims=my claims.toml' --seed=7"
    )
    (plainly,) = of_run(pair).told.decisions
    assert page.again(plainly).endswith("--endpoint=new=http://127.0.0.1:8081")


def test_the_same_on_another_machine(pair, tmp_path):
    """Judged again from a copy that lies elsewhere: byte for byte."""
    copy = judged_pair(tmp_path / "elsewhere" / sample.ID)
    first, second = (msgspec.json.encode(of_run(run).told) for run in (pair, copy))
    assert first == second
    assert str(tmp_path).encode() not in second


@pytest.mark.parametrize(
    ("asked", "bad", "cut", "said"),
    [("new", 30, Ruling.DO_NOT, "loops"), (NAME, 1, Ruling.NOT_PROVEN, "the candidate answered no question")],
)
def test_it_is_decided_where_one_of_two_had_no_room_for_a_probe(tmp_path, asked, bad, cut, said):
    both = judged_pair(tmp_path / sample.ID, bad=bad)
    (decision,) = of_run(replace(both, cases=[each for each in both.cases if each.endpoint == asked])).told.decisions
    assert decision.cut is cut
    assert said in (*decision.blockers, *decision.lacking)[0].text
    assert of_run(replace(both, cases=[])).told is None


def test_who_stands_against_whom(tmp_path):
    run = judged_pair(tmp_path / sample.ID, bad=1, n=120, others=("new", "again"), options={"baseline": "new"})
    assert [each.name for each in contenders(run)] == [NAME, "new", "again"]
    assert [d.candidate.name for d in of_run(run).told.decisions] == [NAME, "again"]
    (decision,) = decisions(contenders(run)).decisions  # the incumbent's own address is the incumbent asked again
    assert (decision.candidate.name, decision.probes[0].self_flips) == ("new", (1, 120))
    (alone,) = decisions([each for each in contenders(run) if each.name != "new"]).decisions
    assert (alone.candidate.name, alone.probes[0].self_flips) == ("again", None)
    with pytest.raises(ConfigError, match="--baseline=x is no endpoint of this run; it has"):
        contenders(run, "x")


def test_a_candidate_that_died_is_decided_about(pair):
    """Nothing of it could be judged; that is no reason to say nothing."""
    silent = [
        msgspec.structs.replace(case, items=(), outcome=Outcome.INCONCLUSIVE, why="the server was gone", findings=())
        if case.endpoint == "new"
        else case
        for case in pair.cases
    ]
    (decision,) = of_run(sample.judged_run(pair.run, silent)).told.decisions
    assert (decision.candidate.name, decision.cut) == ("new", Ruling.NOT_PROVEN)
    assert "NO PAIRS" in [reason.word for reason in decision.lacking]


def test_where_there_is_nothing_to_decide(pair, tmp_path):
    assert of_run(judge(RunDir.open(record(tmp_path / "one")))).lines == ()
    gateway = judged_pair(tmp_path / sample.ID, options={"behind": {"new": NAME}})
    assert of_run(gateway).lines == ()
    wrong = judged_pair(tmp_path / "wrong" / sample.ID, options={"claims": True})
    assert of_run(wrong).lines[0].startswith("none: cannot read")
    (tmp_path / "wrong" / sample.ID / "claims.toml").write_text(
        '[[claim]]\nsays = "no loops"\nmeasure = "seconds to first word"\nat_most = 1\n'
    )
    assert of_run(wrong).told.decisions[0].claims[0].word == "unresolved"


def test_other_seeds_and_versions_are_said(pair):
    mine = contenders(pair)
    info = msgspec.structs.replace(pair.info, seed=8, versions={"seatrial": "0.2.0"})
    other = contenders(replace(pair, info=info))
    told = decisions([mine[0], other[1]])
    assert len(told.notices) == 2
    assert "other seeds (7 and 8)" in told.notices[0]
    assert "0.1.0 and 0.2.0" in told.notices[1]


def same_pair(pair, run="", seed=7, **turns):
    """The run of a pair under ``--same``; of each endpoint the turns in which it was asked."""
    judged = replace(
        pair, info=msgspec.structs.replace(pair.info, seed=seed, options=pair.info.options | {"same": True})
    )
    if run:
        judged = replace(judged, info=msgspec.structs.replace(judged.info, id=run))
    lines = [
        Judgement(case=LOOPS, endpoint=name, rule=LOOPS, expect={"settings": {"uncached": False, twins.SETTING: told}})
        for name, of in turns.items()
        if (told := {"uncached": True, **{turn: {"twins-000": "gw0-1"} for turn in of}})
    ]
    return replace(judged, lines=Told(lines))


class Told:
    def __init__(self, lines):
        self._lines = lines

    def of(self, kind):
        return [line for line in self._lines if isinstance(line, kind)]


def test_same_is_never_silently_left_out(pair):
    mine = same_pair(pair, **{NAME: ("first", "again"), "new": ("first",)})
    (made,) = decisions(contenders(mine)).decisions
    assert made.same is not None
    assert made.same.cached == ()
    (made,) = decisions(contenders(mine, "new")).decisions
    assert "were not asked twice of new" in made.same.why
    (made,) = decisions(contenders(same_pair(pair, **{NAME: ("first", "again")}))).decisions
    assert "were not asked of new" in made.same.why
    assert "NOT KNOWN" in [reason.word for reason in made.lacking]


def test_same_of_two_runs_wants_one_seed_and_one_model(pair):
    turns = {NAME: ("first", "again"), "new": ("first",)}
    mine, other = same_pair(pair, **turns), same_pair(pair, "other", 8, **turns)
    (made,) = decisions([contenders(mine)[0], contenders(other)[1]]).decisions
    assert (made.same.word, made.same.n) == (LosslessWord.OPEN, 0)
    assert "other seeds" in made.same.why
    page_of = {**pair.endpoints, "new": msgspec.structs.replace(pair.endpoints["new"], model="other")}
    other = replace(same_pair(pair, "other", **turns), endpoints=page_of)
    (made,) = decisions([contenders(mine)[0], contenders(other)[1]]).decisions
    assert "they serve two models" in made.same.why
    assert decisions([contenders(pair)[0], contenders(other)[1]]).decisions[0].same is None


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "reports/runs"
    record(runs / "one")
    shutil.copytree(runs / "one", runs / "two")
    assert run_command(["compare", f"one@{NAME}", f"two@{NAME}", "--out", "out"]) == 10
    said = capsys.readouterr().out
    assert said.startswith("NOT PROVEN")
    assert "NO PAIRS" in said
    assert json.loads((tmp_path / "out/decision.json").read_bytes())["exit"] == 10
    assert (tmp_path / "out/decision.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one"], "a decision needs two endpoints"),
        (["one@x", "one"], "one has no endpoint x; it has 8080"),
        (["nowhere", "one"], "nowhere is neither a run directory nor a run"),
        (["one", "two", "--margin=0"], "--margin=0 is no number of points"),
        (["one", "two", "--baseline=x"], "--baseline=x is no endpoint here; they are 8080, 8080"),
        (["one", "two", "--claims=nowhere.toml"], "cannot read nowhere.toml"),
        (["one", "two", "--claims=claims.toml"], "claims.toml line 2: a claim says where it must lie"),
        (["one", "two", "--out=about.toml/x"], "cannot write into about.toml/x: Not a directory"),
        (["one", "two", "--claims=about.toml"], 'about.toml: "x" is of B; the endpoints are 8080, 8080'),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        record(tmp_path / "reports/runs" / name)
    (tmp_path / "claims.toml").write_text('[[claim]]\nsays = "x"\nmeasure = "speed ratio"\n')
    (tmp_path / "about.toml").write_text('[[claim]]\nsays = "x"\nmeasure = "speed ratio"\nat_least = 1\nof = "B"\n')
    assert run_command(["compare", *arguments]) == 4
    told, error = capsys.readouterr()
    assert said in error
    assert (told, error.count("\n")) == ("", 1)


def test_what_was_left_out_is_said_before_clients_are_moved(tmp_path):
    run = judged_pair(tmp_path / sample.ID, bad=0, n=120)
    (decision,) = of_run(run).told.decisions
    assert decision.cut is Ruling.CUT_OVER
    assert page.do(decision).startswith("Give clients new at http://127.0.0.1:8081/v1, and keep 8080 until")
    party = msgspec.structs.replace(decision.candidate, untested=(("soak", "not asked for"), ("GPU", "none")))
    told = page.do(msgspec.structs.replace(decision, candidate=party))
    assert told.startswith("Have soak tried too, which this run was not asked for. Then give clients new")


def test_a_probe_that_is_worse_by_itself_and_not_among_all_says_why_it_is_open():
    others = [f"roles/part-{number}" for number in range(5)]
    before = [case(items_of(30)), *(case(items_of(24, probe=name), rule=name) for name in others)]
    now = [item(i, ItemWord.BAD if i < 8 else ItemWord.GOOD, endpoint="B") for i in range(30)]
    asked = [case(now, endpoint="B")]
    asked += [case(items_of(24, endpoint="B", probe=name), endpoint="B", rule=name) for name in others]
    decision = decide(side("A", *before), side("B", *asked))
    row = next(each for each in decision.probes if each.lost)
    assert (row.standing, row.high < -row.margin) == (Standing.OPEN, True)
    shown = page.render(Decisions(exit=1, margin=0.05, decisions=(decision,), notices=()))
    (told,) = [reason.text for reason in decision.lacking if reason.case == row.probe]
    assert told.endswith(f"the margin is -5.0 points; {WORSE_ALONE}")
    assert WORSE_ALONE in shown.partition("<h2>Scorecard")[2].partition("</section>")[0]
    assert row.probe not in shown.partition("<h2>What was not tested")[2].partition("</section>")[0]
    beside = msgspec.structs.replace(decision, probes=(msgspec.structs.replace(row, blocks=False),))
    shown = page.render(Decisions(exit=1, margin=0.05, decisions=(beside,), notices=()))
    scorecard = shown.partition("<h2>Scorecard")[2].partition("</section>")[0]
    assert WORSE_ALONE in scorecard
    assert "Holm" not in scorecard, "what does not block is adjusted otherwise"


def test_owed_answers_and_questions_not_asked_are_shown():
    """Where the interval lies within the margin, the page shows what leaves a probe open, and a whole command."""
    now = [item(i, ItemWord.SILENT if i < 14 else ItemWord.GOOD, endpoint="B") for i in range(160)]
    before = [case(items_of(160)), case(items_of(90, probe=ROLES), rule=ROLES)]
    decision = decide(side("A", *before), side("B", case(now, endpoint="B")))
    shown = page.render(Decisions(exit=10, margin=0.05, decisions=(decision,), notices=()))
    assert 'class="d-owed"' in shown
    untested = shown.partition("<h2>What was not tested")[2].partition("</section>")[0]
    assert f"<b>{ROLES}</b> no question that both answered" in untested
    assert "<span>--endpoint=A=http://127.0.0.1:80/A</span>" in shown
