"""What the proof of real pairs says: each thing that has to be so is missed where it is not, and told where it is."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace

from seatrial.comparing.decision import decide
from seatrial.comparing.lossless import compare as held
from seatrial.records import CaseFlip, Decisions, OddsDrift, OddsWord, Outcome, Ready, Reason, SpeedRatio
from tests.comparing.made import case, item, items_of, side
from tests.comparing.test_lossless import answers
from tests.pairs import __main__ as pairs
from tests.pairs import compared, page, parts
from tests.pairs.__main__ import main, options
from tests.pairs.compared import Came, NotDecided, compare
from tests.pairs.parts import LEAKED, LOOPS, MARKERS

JSON = "json/answers-follow-the-schema-they-are-shown"


def came(decision, *, code=10, again=True, seed=1):
    return Came(seed, (1, code), decision, again, {"A": "READY", "B": "READY"})


def alike(bad=20, now=20, **more):
    """A server beside its like, unless it is told otherwise."""
    return decide(side("A", case(items_of(80, bad))), side("B", case(items_of(100 - now, now, endpoint="B"))), **more)


def missed(shown):
    return [each.text for each in shown if not each.holds]


def blocked(*texts):
    """A candidate whose probes fail with these words."""
    reasons = [Reason(word="FAIL", level="MUST", case=f"{rule}[answers]@B", text=text) for rule, text in texts]
    cases = [case(items_of(60, probe=probe), rule=probe) for probe in (LOOPS, MARKERS)]
    sizes = {probe: (20, 40) if probe in dict(texts) else (60, 0) for probe in (LOOPS, MARKERS)}
    bad = [case(items_of(*size, probe=probe, endpoint="B"), rule=probe) for probe, size in sizes.items()]
    return decide(side("A", *cases), side("B", *bad, verdict=Ready.NOT_READY, reasons=reasons))


def test_chatml_has_to_be_refused_for_its_loops_and_its_marks():
    loops, marks = (LOOPS, "10 of 12 answers loop"), (MARKERS, f"{LEAKED} in 9 of 12 answers")
    assert missed(parts.chatml(came(blocked(loops, marks)))) == []
    assert missed(parts.chatml(came(blocked(loops)))) == [f"{LEAKED} is named: it is not"]
    assert missed(parts.chatml(came(blocked(marks)))) == ["loops are named: they are not"]
    assert missed(parts.chatml(came(blocked((MARKERS, "</s> in 9 of 12"), loops)))) == [
        f"{LEAKED} is named: </s> in 9 of 12"
    ]
    assert len(missed(parts.chatml(came(alike())))) == 4  # no refusal, neither name, and nothing told of the marks
    assert missed(parts.chatml(came(blocked(loops, marks), again=False))) == [
        "seatrial compare decides the same over the record, exit 10"
    ]


def test_a_cache_of_few_bits_has_to_be_decided_about():
    base = answers(64)
    lossy, kept, few = held(base, base, answers(64, range(9))), held(base, base, base), held({}, {}, {})
    assert missed(parts.kv(came(alike(same=lossy)))) == []
    assert missed(parts.kv(came(alike(same=kept)))) == []
    assert len(missed(parts.kv(came(alike(same=few))))) == 1
    assert len(missed(parts.kv(came(alike())))) == 1
    open_ = held(answers(20), answers(20), answers(20))
    assert missed(parts.kv(came(alike(same=open_)))) == [f"{open_.word}: {open_.why}"]
    unseen = replace(lossy, first=replace(lossy.first, ahead=None))
    assert len(missed(parts.kv(came(alike(same=unseen))))) == 1
    assert len(missed(parts.kv(came(alike(same=replace(lossy, span=(-0.1, 0.3))))))) == 1
    assert len(missed(parts.kv(came(replace(alike(same=lossy), blockers=()))))) == 1


FLIP = CaseFlip(case="sse/a[plain]", level="MUST", incumbent=Outcome.PASS, candidate=Outcome.FAIL)
CHANGED = OddsDrift(word=OddsWord.CHANGED, n=20)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (alike(), []),
        (alike(now=80), [f"{LOOPS} worse"]),
        (alike(now=0), [f"{LOOPS} better"]),
        (replace(alike(), cases=(FLIP,)), ["sse/a[plain] PASS -> FAIL"]),
        (replace(alike(), odds=CHANGED), ["odds of the first token changed"]),
        (replace(alike(), odds=replace(CHANGED, word=OddsWord.KEPT)), []),
    ],
)
def test_every_word_that_calls_two_servers_different_is_heard(decision, said):
    assert came(decision).named() == said
    assert [text for text in missed(parts.aa([came(decision)])) if "name a difference" in text] == (
        [f"of 1 comparisons 1 name a difference: seed 1: {said[0]}"] if said else []
    )


def test_a_server_beside_its_like():
    like = [came(alike(), seed=seed) for seed in range(20)]
    assert missed(parts.aa(like)) == []
    assert len(missed(parts.aa([]))) == 1
    listed = came(alike(now=28))  # eight lost, none gained: listed, and not beyond the margin by that much
    assert (listed.named(), listed.listed()) == ([], [LOOPS])
    assert missed(parts.aa([*like[:15], *[listed] * 5])) == []
    assert len(missed(parts.aa([*like[:14], *[listed] * 6]))) == 1
    ratio = SpeedRatio(n=9, incumbent=9, candidate=8, ratio=0.9, low=0.8, high=0.95, same_load=True)
    slow, even = (came(replace(alike(), speed=each)) for each in (ratio, replace(ratio, high=1.1)))
    assert missed(parts.aa([*[even] * 18, *[slow] * 2])) == []
    assert len(missed(parts.aa([slow] * 5))) == 1
    mute = came(decide(side("A", case(())), side("B", case(()))), seed=7)
    assert missed(parts.aa([*like, mute])) == ["each holds pairs of answers: none of seed 7"]
    assert missed(parts.aa([*like, came(alike(), again=False, seed=8)])) == [
        "seatrial compare decides each the same: not seed 8"
    ]


def test_the_page_tells_what_was_seen_and_what_was_not_so():
    told = page.Part("aa", "20s", [came(alike())], [parts.Shown(False, "a <b> | c")])
    text = page.markdown([told])
    assert "- **NOT SO**: a &lt;b> \\| c" in text
    assert f"| {LOOPS} | 1 | 100 | 80 % | 0 % |" in text
    assert "| 1 | A READY, B READY | CUT OVER | 1 | 100: 100 to 100 | 0 |" in text
    assert "listed: json" in page.markdown([page.Part("aa", "20s", [listed_json()], [])])


def listed_json():
    before = [item(i, probe=JSON) for i in range(100)]
    now = items_of(88, 12, probe=JSON, endpoint="B")
    return came(decide(side("A", case(before, rule=JSON)), side("B", case(now, rule=JSON))))


@pytest.mark.parametrize("words", [["kvs"], ["--times=0"], ["--times=x"], ["aa", "--what"]])
def test_wrong_usage_is_one_line_and_exit_4(words, capsys):
    with pytest.raises(SystemExit) as left:
        options(words)
    assert left.value.code == 4
    assert capsys.readouterr().err.splitlines()[-1].startswith("ERROR: ")


def test_a_server_that_is_not_here_is_exit_1(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(compared, "ways", dict)
    assert main(["kv", f"--keep={tmp_path}"]) == 1
    assert "**NOT SO**: seed 1: llama-server is not here" in capsys.readouterr().out


def test_what_had_no_room_is_compared_once_more_with_twice_the_budget(monkeypatch, tmp_path):
    asked = []

    def compared_(folder, urls, *more, seed):
        asked.append(more[-1])
        none = decide(side("A", case(())), side("B", case((), endpoint="B")))
        return came(none if more[-1] == "--budget=7s" else alike(), seed=seed)

    monkeypatch.setattr(pairs, "compare", compared_)
    main(["aa", "--times=1", "--budget=7", f"--keep={tmp_path}"])
    assert asked == ["--budget=7s", "--budget=14s"]


def test_what_was_recorded_is_read_and_no_server_started(monkeypatch, tmp_path):
    """A record that compares otherwise than it was decided is told."""
    run = tmp_path / "run"
    run.mkdir()
    made = Decisions(exit=10, margin=0.05, decisions=(alike(),))
    (run / "decision.json").write_bytes(msgspec.json.encode(made))
    (run / "verdict.json").write_text(json.dumps({"exit": 1, "endpoints": {"A": {"verdict": "READY"}}}))

    def command(*words, then=made, code=10):
        out = next(word for word in words if word.startswith("--out=")).removeprefix("--out=")
        (tmp_path / "again").mkdir(exist_ok=True)
        assert out == str(tmp_path / "again")
        (tmp_path / "again" / "decision.json").write_bytes(msgspec.json.encode(then))
        return code

    monkeypatch.setattr(compared, "_command", command)
    found = compare(tmp_path, dict)
    assert (found.again, found.exits, found.ready) == (True, (1, 10), {"A": "READY"})
    other = replace(made, decisions=(alike(now=80),))
    monkeypatch.setattr(compared, "_command", lambda *words: command(*words, then=other))
    assert not compare(tmp_path, dict).again
    monkeypatch.setattr(compared, "_command", lambda *words: command(*words, code=1))
    assert not compare(tmp_path, dict).again
    monkeypatch.setattr(compared, "_command", lambda *_: 4)
    (tmp_path / "again" / "decision.json").unlink()
    with pytest.raises(NotDecided, match="seatrial compare ended with 4"):
        compare(tmp_path, dict)
