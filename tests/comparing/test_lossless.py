"""``--same``: what is lost is told from what falls apart at a near tie, and from what the incumbent does by itself."""

from __future__ import annotations

import functools
from random import Random

import pytest

from seatrial.behaviour.probes.talk.twins import LIKELIEST, TWINS, Greedy, ToldToken, asked, heard
from seatrial.comparing.alike import apart, expect_one
from seatrial.comparing.decision import decide
from seatrial.comparing.lossless import FEWEST, TIE, compare
from seatrial.given.errors import ConfigError
from seatrial.records import FILE_SUM, Endpoint, LosslessWord, Ready, Ruling
from tests.behaviour.specimens import exchange, refused, streamed
from tests.comparing.made import case, items_of, side

WORDS = ("a", "ship", "left", "port", "at", "dawn", "with", "her", "crew")


def answer(number, *, spoilt=None, ahead=1.0, told=True):
    """The answer to a question; ``spoilt`` says at which word another one is said that was behind by so much."""
    words = [f" {WORDS[(number + n) % len(WORDS)]}" for n in range(20)]
    if spoilt is not None:
        words[spoilt] = " else"
    steps = tuple(ToldToken(word, ahead if spoilt is None or n == spoilt else 3.0) for n, word in enumerate(words))
    return Greedy(f"x-{number}", "".join(words), "stop", steps if told else (), drafted=20, accepted=15)


@functools.cache
def answers(n, spoilt=(), **more):
    return {f"twins-{k:03d}": answer(k, spoilt=4 if k in spoilt else None, **more) for k in range(n)}


def test_one_that_says_the_same_is_no_loss_and_what_would_have_been_seen_is_told():
    found = compare(answers(64), answers(64), answers(64), names=("base", "fast"))
    assert (found.word, found.n, found.differ, found.p, found.first) == (LosslessWord.SAME, 64, 0, 1.0, None)
    assert found.drafts == {"base": (1280, 960), "fast": (1280, 960)}
    assert "10.3 % of answers would be seen four times in five" in found.why


def test_a_loss_is_found_and_its_first_place_shown():
    found = compare(answers(64), answers(64), answers(64, tuple(range(10, 16))))
    assert (found.word, found.beyond, found.ties) == (LosslessWord.LOSSY, 6, 0)
    assert found.first is not None
    assert (found.first.question, found.first.ahead, found.first.candidate) == ("twins-010", 1.0, " else")
    assert found.first.exchanges == ("x-10", "x-10")


def test_the_word_and_the_interval_of_what_is_lost_say_the_same():
    """Over every table of 24 questions: all of the interval is above zero where the word is lossy, and nowhere else."""
    base, words = answers(24), set()
    for its in range(25):
        for own in range(25 - its):
            found = compare(base, answers(24, range(its, its + own)), answers(24, range(its)))
            assert found.span is not None
            assert found.span[0] <= found.loss == (its - own) / 24 <= found.span[1]
            assert (found.word is LosslessWord.LOSSY) is (found.span[0] > 0)
            words.add(found.word)
    assert {LosslessWord.LOSSY, LosslessWord.SAME} <= words
    assert (
        "0 at no near tie: +25.0 points (90 %: +12.3 to +41.5); by chance: p 0.016"
        in compare(base, base, answers(24, range(6))).why
    )
    assert compare({}, {}, {}).span is None


def test_near_ties_that_fall_the_other_way_lose_nothing():
    base = answers(64, ahead=TIE / 2)
    found = compare(base, base, answers(64, range(40)))
    assert (found.word, found.ties, found.beyond) == (LosslessWord.SAME, 40, 0)
    assert found.first is not None
    assert found.first.ahead == TIE / 2


def test_what_the_incumbent_does_to_itself_is_no_loss():
    found = compare(answers(64), answers(64, range(20)), answers(64, range(10, 30)))
    assert (found.word, found.own_beyond, found.beyond) == (LosslessWord.SAME, 20, 20)


def test_beside_noise_less_is_promised_and_beside_nothing_but_noise_nothing():
    noisy = compare(answers(64), answers(64, range(20)), answers(64, range(10, 30)))
    assert noisy.visible > 2 * compare(answers(64), answers(64), answers(64)).visible
    found = compare(answers(64), answers(64, range(63)), answers(64, range(64)))
    assert found.word is LosslessWord.OPEN
    assert found.why.endswith("the incumbent repeats itself too seldom for any loss to be seen")


def test_without_chances_a_difference_cannot_be_told_from_a_near_tie():
    found = compare(answers(64, told=False), answers(64, told=False), answers(64, range(9), told=False))
    assert (found.word, found.untold) == (LosslessWord.OPEN, 9)
    assert "no logprobs" in found.why


@pytest.mark.parametrize("silent", ["base", "candidate"])
def test_too_few_questions_say_nothing(silent):
    mute = {name: Greedy("", wrong="status 503") for name in answers(64 - FEWEST + 1)}
    base, other = answers(64), answers(64)
    found = compare(base | mute if silent == "base" else base, base, other | mute if silent == "candidate" else other)
    assert (found.word, found.n) == (LosslessWord.OPEN, FEWEST - 1)
    assert "a longer --budget" in found.why
    assert compare({}, {}, {}).word is LosslessWord.OPEN


def test_an_answer_that_ends_earlier_differs_by_what_comes_next():
    base = answer(0)
    short = Greedy("y", base.text[: -len(base.steps[-1].token)], "stop", base.steps[:-1])
    found = compare({"q": base}, {"q": base}, {"q": short})
    assert (found.beyond, found.first and found.first.candidate) == (1, "(ends)")
    assert compare({"q": short}, {"q": short}, {"q": base}).beyond == 1  # by the candidate's own chances


def test_a_token_far_behind_the_likeliest_is_no_near_tie():
    """A draft that takes what is unlikely goes on where the incumbent has ended."""
    base = answer(0)
    longer = Greedy("y", f"{base.text} not", "stop", (*base.steps, ToldToken(" not", -3.0)))
    assert compare({"q": base}, {"q": base}, {"q": longer}).beyond == 1


def noisy(draw, noise, ties):
    """Which of 64 questions part from the first answer: beyond near ties, and at them."""
    beyond = {k for k in range(64) if draw.random() < noise}
    return beyond, {k for k in range(64) if draw.random() < ties} - beyond


def simulated(draw, *, own, loss, ties):
    base = answers(64)
    return [
        base
        | {f"twins-{k:03d}": answer(k, spoilt=4) for k in beyond}
        | {f"twins-{k:03d}": Greedy("t", "tied", "stop", (ToldToken("tied", 0.01),)) for k in tied}
        for beyond, tied in (noisy(draw, own, ties), noisy(draw, own + loss, ties))
    ]


@pytest.mark.parametrize(("own", "loss", "least", "most"), [(0.0, 0.0, 0, 0), (0.1, 0.0, 0, 9), (0.0, 0.2, 95, 100)])
def test_how_often_a_loss_is_called(own, loss, least, most):
    """Of 100 comparisons; a lossless one stays below alpha, whatever falls apart at ties on either side."""
    draw, called = Random(f"{own}/{loss}"), 0
    for _ in range(100):
        again, its = simulated(draw, own=own, loss=loss, ties=0.0)
        called += compare(answers(64), again, its).word is LosslessWord.LOSSY
    assert least <= called <= most


def test_a_loss_blocks_and_what_is_not_known_is_lacking():
    parties = side("A", case(items_of(200))), side("B", case(items_of(200), endpoint="B"), verdict=Ready.READY)
    lossy = compare(answers(64), answers(64), answers(64, range(9)))
    made = decide(*parties, same=lossy)
    assert (made.cut, [each.word for each in made.blockers]) == (Ruling.DO_NOT, ["LOSSY"])
    unknown = decide(*parties, same=compare({}, {}, {}))
    assert (unknown.cut, [each.word for each in unknown.lacking]) == (Ruling.NOT_PROVEN, ["NOT KNOWN"])
    assert decide(*parties, same=compare(answers(64), answers(64), answers(64))).cut is Ruling.CUT_OVER


def test_a_question_is_greedy_and_asks_for_chances_and_no_cache():
    body = asked(0, 3, chances=True, uncached={"cache_prompt": False}).body
    assert body is not None
    assert (body["temperature"], body["logprobs"], body["top_logprobs"]) == (0, True, LIKELIEST)
    assert body["cache_prompt"] is False
    assert "logprobs" not in (asked(0, 3, chances=False, uncached={}).body or {})
    assert TWINS.item(0, 1).body != TWINS.item(0, 3).body


def chunk(token, chance=-0.1, second=-2.6, **more):
    top = [{"token": token, "logprob": chance}, {"token": "no", "logprob": second}]
    told = {"content": [{"token": token, "logprob": chance, "top_logprobs": top}]}
    return {"choices": [{"index": 0, "delta": {"content": token}, "logprobs": told, "finish_reason": None}], **more}


def test_an_answer_is_read_with_its_chances_and_drafts():
    end = {
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "timings": {"draft_n": 9, "draft_n_accepted": 4},
    }
    x = streamed(chunk("Oh"), chunk(" no"), end)
    x.request_json["stream"] = True
    found = heard(x)
    assert (found.text, found.finish, found.drafted, found.accepted) == ("Oh no", "stop", 9, 4)
    assert [(step.token, round(step.ahead or 0, 1)) for step in found.steps] == [("Oh", 2.5), (" no", 2.5)]


def test_chances_that_leave_a_thought_out_tell_no_place():
    told = chunk("Oh")
    thought = {"choices": [{"index": 0, "delta": {"reasoning_content": "Let me see. "}, "finish_reason": None}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    x = streamed(thought, told, end)
    x.request_json["stream"] = True
    assert (heard(x).text, heard(x).steps) == ("Let me see. Oh", ())


@pytest.mark.parametrize("odd", [
    {"logprobs": {"content": [{"token": "Oh", "logprob": 10**400, "top_logprobs": [{"logprob": -(10**400)}]}]}},
    {"logprobs": 7}, {"logprobs": {"content": {}}}, {"logprobs": {"content": [None, 3, {"token": 7}]}},
    {"logprobs": {"content": [{"token": "other", "logprob": "x", "top_logprobs": [{"logprob": None}]}]}},
])  # fmt: skip
def test_odd_chances_are_none(odd):
    x = streamed({"choices": [{"index": 0, "delta": {"content": "Oh"}, **odd}], "timings": {"draft_n": "x"}})
    x.request_json["stream"] = True
    assert [step.ahead for step in heard(x).steps] in ([], [None])
    assert (heard(x).drafted, heard(x).text) == (0, "Oh")
    assert heard(refused()).wrong
    assert heard(exchange(json={"choices": 3})).text == ""


def endpoint(model="m", marks=None, **facts):
    told = {"url": "http://h/v1", "kind": "llama.cpp", "models": (model,)}
    return Endpoint(name=model, model=model, marks=marks or {}, facts=facts, **told)


def test_two_models_are_told_apart_by_file_size_and_name():
    assert apart(endpoint("a", **{FILE_SUM: "11"}), endpoint("b", **{FILE_SUM: "11"})) == ""
    assert "their files differ" in apart(endpoint("a", **{FILE_SUM: "11"}), endpoint("a", **{FILE_SUM: "22"}))
    assert apart(endpoint("a", {"size": "1"}), endpoint("b", {"size": "1"})) == ""
    assert apart(endpoint("a", {"size": "1"}), endpoint("a", {"size": "2"})) == "size 1 and 2"
    assert apart(endpoint("/models/A.gguf"), endpoint("a")) == ""
    with pytest.raises(ConfigError, match=r"--same needs one model on all endpoints: a and b serve two \(a and b\)"):
        expect_one(endpoint("a"), endpoint("b"))
