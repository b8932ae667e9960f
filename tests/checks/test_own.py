"""The word of an operator's own test, and what rules may read of its answers."""

import msgspec
import pytest

from seatrial.checks import running, traits
from seatrial.checks.catalogue import load_all
from seatrial.checks.own.readers import readers, traits_of
from seatrial.checks.own.word import HOLDS, find, whole
from seatrial.records import Expect, Outcome, OwnTold, OwnWord
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import EXPECT, plain, stream

MODEL = plain().request_json["model"]


def word(told, xs):
    findings, crashed = running.run(HOLDS, xs, Expect(settings={"own": told}))
    assert not crashed
    return outcome(HOLDS.level, findings, optional=HOLDS.optional)


@pytest.mark.parametrize(
    ("said", "sent", "found"),
    [
        (OwnWord.HELD, True, Outcome.PASS),
        (OwnWord.HELD, False, Outcome.INCONCLUSIVE),
        (OwnWord.BROKE, True, Outcome.FAIL),
        (OwnWord.BROKE, False, Outcome.INCONCLUSIVE),
        (OwnWord.FELL, True, Outcome.INCONCLUSIVE),
        (OwnWord.SKIPPED, False, Outcome.UNSUPPORTED),
    ],
)
def test_a_tests_word_is_taken_and_nothing_empty_passes(said, sent, found):
    told = msgspec.to_builtins(OwnTold(word=said, test="a.py::b", where="b, line 3", expected="assert x", got="no"))
    assert word(told, {"1": plain()} if sent else {}) is found


@pytest.mark.parametrize("told", [None, {}, "held", {"word": "fine", "test": "a"}, {"word": "held"}])
def test_a_word_that_cannot_be_read_is_no_pass(told):
    assert word(told, {"1": plain()}) is Outcome.INCONCLUSIVE


def test_its_rule_is_found_and_stands_in_no_registry():
    load_all()
    assert find(HOLDS.id) is HOLDS
    assert find("sse/role-is-sent-once").id == "sse/role-is-sent-once"
    assert find("own/nothing") is None


def changed(x, **body):
    return msgspec.structs.replace(x, request_json=x.request_json | body)


def test_traits_follow_from_what_was_sent():
    assert traits_of(plain(), MODEL) == traits.COUNTED | traits.JSON
    assert traits_of(changed(plain(), n=2), MODEL) >= traits.SEVERAL
    assert traits_of(stream(), MODEL) >= traits.STREAM


@pytest.mark.parametrize(
    "x",
    [
        msgspec.structs.replace(plain(), status=400),
        msgspec.structs.replace(plain(), error="left"),
        msgspec.structs.replace(plain(), dropped=True),
        msgspec.structs.replace(plain(), path="/responses"),
        msgspec.structs.replace(plain(), method="PUT"),
        msgspec.structs.replace(plain(), request_json=[1]),
        changed(plain(), model="another"),
    ],
    ids=["refused", "left", "dropped", "elsewhere", "method", "no-object", "model"],
)
def test_no_rule_reads_what_the_test_alone_knows(x):
    assert traits_of(x, MODEL) == traits.NONE
    assert list(readers(x, msgspec.structs.replace(EXPECT, model=MODEL))) == []


def test_a_rule_without_evidence_makes_no_case():
    expect = msgspec.structs.replace(EXPECT, model=MODEL)
    capless = {key: value for key, value in plain().request_json.items() if "max" not in key}
    read = {rule.id for rule in readers(msgspec.structs.replace(plain(), request_json=capless), expect)}
    assert "chat/usage-adds-up" in read
    assert "chat/completion-tokens-keep-the-cap" not in read


def said(word, got=""):
    return OwnTold(word=word, test="t", got=got)


@pytest.mark.parametrize(
    ("own", "parts", "word", "got"),
    [
        ("held", [], "held", ""),
        ("held", ["held", "broke", "held"], "broke", "part 1; 1 of 3 subtests does not hold"),
        ("held", ["fell", "broke"], "broke", "part 1; 2 of 2 subtests do not hold"),
        ("held", ["held", "fell"], "fell", "part 1; 1 of 2 subtests does not hold"),
        ("fell", ["broke", "held"], "broke", "part 0; 1 of 2 subtests does not hold"),
        ("broke", ["held", "held"], "broke", "itself"),
        ("broke", ["fell"], "broke", "itself; 1 of 1 subtests does not hold"),
        ("skipped", ["broke"], "broke", "part 0; 1 of 1 subtests does not hold"),
        ("skipped", ["held"], "skipped", "itself"),
        ("held", ["skipped", "skipped"], "skipped", "part 0"),
        ("held", ["skipped", "held"], "held", ""),
    ],
)
def test_a_test_is_as_good_as_the_worst_of_its_parts(own, parts, word, got):
    own = said(OwnWord(own), "" if own == "held" else "itself")
    found = whole(own, [said(OwnWord(each), f"part {n}") for n, each in enumerate(parts)])
    assert (found.word, found.got) == (OwnWord(word), got)
