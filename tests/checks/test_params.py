"""Rules on parameters: honoured, refused, or accepted and ignored."""

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.records import LEFT, Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import (
    ASKED,
    CHUNK,
    COUNTED,
    DONE,
    breaks,
    choice,
    delta,
    ends,
    found,
    holds,
    pair,
    plain,
    refused,
    stream,
)


def counted(tokens, text, finish, cap, key="max_tokens"):
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    asked = {k: v for k, v in ASKED.items() if k != "max_tokens"} | {key: cap}
    return plain({"choices": [choice(text, finish=finish)], "usage": usage}, asked=asked)


COUNTED_TO = "1, 2, 3, 4, 5, 6, 7, 8"
CAPPED = ASKED | {"max_tokens": 24, "stream": True}
FREE = {key: value for key, value in CAPPED.items() if key != "max_tokens"}


def counting(text, reason="length", asked=FREE, **line):
    end = [] if line.get("error") else [ends(reason), DONE]
    return stream(delta(role="assistant"), delta(content=text), *end, asked=asked, **line)


def test_answer_without_a_cap_is_not_cut():
    rule = "params/answer-without-a-cap-is-not-cut"
    capped = {"capped": counting(COUNTED_TO, asked=CAPPED)}
    left = counting(COUNTED_TO * 2, error=LEFT, cut=True)
    full = counting(COUNTED_TO * 100)
    holds(rule, [capped | {"free": each} for each in (left, full, counting(f"{COUNTED_TO}, 9, 10, 49, ", "stop"))])
    finding = breaks(rule, capped | {"free": counting("1, 2, 3, 4")}, "free: finish_reason", '"length" after 10')
    assert (finding.about, finding.grave) == ("free", True)
    breaks(rule, capped | {"free": counting(COUNTED_TO * 100)}, "free: finish_reason", "length", context=4096)
    breaks(rule, capped | {"free": counting("1, 2, 3, 4", "stop")}, "free: finish_reason", "stop after 10")
    breaks(rule, capped | {"free": refused(422, asked=FREE)}, "free: the status", "422")
    short = {"capped": counting("1, 2", "stop", asked=CAPPED), "free": counting("1, 2", "stop")}
    for nothing in (short, capped, {"capped": refused(), "free": left}, capped | {"free": counting("Sure", "stop")}):
        (finding,) = found(rule, nothing)
        assert finding.kind == "no-evidence"
    (finding,) = found(rule, {"capped": counting("", asked=CAPPED), "free": counting("1, 2")})
    assert (finding.kind, finding.about) == ("no-evidence", "capped")  # its thought is not shown, and may fill the room
    (finding,) = found(rule, capped | {"free": counting("1", asked=CAPPED)})
    assert finding.got == "one of the operator's"


CAPS = [("params/max-tokens-caps", "max_tokens"), ("params/max-completion-tokens-caps", "max_completion_tokens")]


def test_a_stream_that_ends_with_calls_and_has_none_is_wrong_for_that_alone():
    asked = COUNTED | {"stop": "lo"}
    made = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
    vain = (delta(role="assistant"), delta(content="Hel"), ends("tool_calls"), DONE)
    called = (delta(role="assistant", tool_calls=[made]), *vain[1:])
    rule, cause = "params/stop-string-ends-the-answer", ("sse/end-agrees-with-its-deltas[*]",)
    assert breaks(rule, stream(*vain, asked=asked), "finish_reason", "tool_calls").causes == cause
    assert breaks(rule, stream(*called, asked=asked), "finish_reason", "tool_calls").causes == ()
    unknown = breaks(rule, stream(*vain[:2], ends("eos"), DONE, asked=asked), "finish_reason")
    assert "chat/finish-reason-is-known[*]" in unknown.causes
    endless = breaks(rule, stream(*vain[:2], DONE, asked=asked), "finish_reason", "None")
    assert "sse/one-finish-reason-per-choice[*]" in endless.causes


@pytest.mark.parametrize(("rule", "key"), CAPS)
def test_caps_cut(rule, key):
    long = counted(24, "1, 2, 3, 4, 5, 6", "length", 24, key)
    short = counted(4, "1, 2", "length", 4, key)
    holds(rule, [{"short": short, "long": long}, {"only": long}])
    neither = {"short": counted(3, "1, 2", "stop", 4, key), "long": counted(3, "1, 2", "stop", 24, key)}
    [unseen] = found(rule, neither)
    assert (unseen.kind, unseen.got) == ("no-evidence", "short: 3 of 4, long: 3 of 24")
    headless = plain({"choices": [], "usage": {"completion_tokens": 4}}, asked=ASKED | {key: 4})
    assert [f.kind for f in found(rule, {"short": headless, "long": long})] == ["no-evidence"]
    ran_on = {"short": counted(24, "1, 2, 3, 4, 5, 6", "stop", 4, key), "long": long}
    assert breaks(rule, ran_on, "short: usage.completion_tokens", "24").grave
    breaks(rule, {"short": counted(4, "1, 2", "stop", 4, key), "long": long}, "short: finish_reason", "stop")
    lied = counted(4, "1, 2, 3, 4, 5, 6", "length", 4, key)
    assert breaks(rule, {"short": lied, "long": long}, "short: content").grave
    nothing = found(rule, {"short": plain({"usage": None}), "long": long})
    assert [f.kind for f in nothing] == ["no-evidence"]


def capped(cap, answer):
    return pair(plain(answer, asked=ASKED | {"max_tokens": cap}))


def test_bad_caps_are_refused():
    rule = "params/bad-caps-are-refused"
    two = {"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
    one = {"usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}}
    none = {"usage": {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}, "choices": [choice("")]}
    differing = plain(two, asked=ASKED | {"max_tokens": 16, "max_completion_tokens": 1})
    holds(rule, [pair(refused()), capped(10**12, two), capped(0, none)])
    assert not breaks(rule, capped(0, one), "the status", "1 tokens").grave
    assert breaks(rule, capped(0, two), "the status", "2 tokens").grave
    assert breaks(rule, capped(-5, two), "the status", "2 tokens").grave
    assert not breaks(rule, pair(differing), "completion_tokens", "2").grave
    breaks(rule, pair(refused(500)), "the status", "500")


def test_no_answer_to_a_bad_cap_fails_though_the_rule_is_a_should():
    rule = load_all()["params/bad-caps-are-refused"]
    findings = found(rule.id, pair(refused(status=None, error="idle", detail="no byte in 15 s")))
    assert outcome(rule.level, findings) is Outcome.FAIL


def test_stop_string_ends_the_answer():
    rule = "params/stop-string-ends-the-answer"
    asked = ASKED | {"stop": "lo"}
    holds(rule, [plain({"choices": [choice("Hel")]}, asked=asked)])
    assert breaks(rule, plain(asked=asked), "content", "Hello.").grave
    joined = stream(
        delta(role="assistant"), delta(content="Hel"), delta(content="lo"), ends(), DONE, asked=COUNTED | asked
    )
    breaks(rule, joined, "content", "Hello")
    breaks(rule, plain({"choices": [choice("Hel", finish="tool_calls")]}, asked=asked), "finish_reason", "tool_calls")
    assert [f.kind for f in found(rule, plain({"choices": [choice("Hi", finish="length")]}, asked=asked))] == [
        "no-evidence"
    ]


def test_n_gives_n_choices():
    rule = load_all()["params/n-gives-n-choices"]
    asked = ASKED | {"n": 2, "max_tokens": 8}
    cut = [choice("a", finish="length"), choice("b", 1, "length")]
    once = {"choices": cut, "usage": {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}}
    both = {"choices": cut, "usage": {"prompt_tokens": 5, "completion_tokens": 16, "total_tokens": 21}}
    holds(rule.id, [plain(both, asked=asked), plain({"choices": [choice(), choice(index=1)]}, asked=asked)])
    ignored = breaks(rule.id, plain(asked=asked), "choices", "1: [0]")
    assert outcome(rule.level, [ignored], optional=rule.optional) is Outcome.FAIL
    half = breaks(rule.id, plain(once, asked=asked), "completion_tokens", "8")
    assert outcome(rule.level, [half], optional=rule.optional) is Outcome.ADVISORY
    streamed = [delta(0, role="assistant"), delta(2, role="assistant"), ends(), ends(index=2), DONE]
    breaks(rule.id, stream(*streamed, asked=COUNTED | asked), "choices", "[0, 2]")
    mixed = [delta(role="assistant"), delta(role="assistant"), ends("length"), ends("length"), DONE]
    joined = breaks(rule.id, stream(*mixed, asked=COUNTED | asked), "choices", "choice 0 ends 2 times")
    assert not joined.ignores
    for other in ("sse/role-is-sent-once", "sse/one-finish-reason-per-choice"):
        assert breaks(other, stream(*mixed, asked=COUNTED | asked), "").causes == (rule.id,)


@pytest.mark.parametrize("asked", [{"n": 2}, {"logprobs": True}])
@pytest.mark.parametrize("rule", ["params/n-gives-n-choices", "chat/usage-adds-up"])
def test_an_option_that_is_declined_is_unsupported_whatever_rule_asks(rule, asked):
    found_ = found(rule, refused(asked=ASKED | asked))
    assert outcome(load_all()[rule].level, found_, optional=load_all()[rule].optional) is Outcome.UNSUPPORTED


def test_a_valid_request_that_is_declined_fails():
    findings = found("chat/usage-adds-up", refused(asked=ASKED))
    assert outcome(load_all()["chat/usage-adds-up"].level, findings) is Outcome.FAIL


def logprobs(*entries):
    asked = ASKED | {"logprobs": True}
    return plain({"choices": [choice("né", logprobs={"content": list(entries)})]}, asked=asked)


def entry(token, logprob=-0.5, given=None):
    return {"token": token, "logprob": logprob, "bytes": given, "top_logprobs": []}


def test_logprobs_are_given():
    rule = "params/logprobs-are-given"
    holds(rule, [logprobs(entry("n"), entry("é", 0)), logprobs(entry("n"), entry("", -1, [195]), entry("", -1, [169]))])
    assert breaks(rule, plain(asked=ASKED | {"logprobs": True}), "logprobs", "none").grave
    assert breaks(rule, logprobs(), "logprobs", "an empty list").grave
    breaks(rule, logprobs(entry("né", 0.5)), "content[0].logprob", "0.5")
    breaks(rule, logprobs(entry("né", "-1")), "content[0].logprob", "-1")
    breaks(rule, logprobs(entry("n"), "é"), "content[1].token", "None")
    breaks(rule, logprobs(entry("n"), entry("e")), "tokens joined", "ne")
    first = [choice("né", logprobs={"content": [entry("né")]}), choice("né", index=1)]
    breaks(rule, plain({"choices": first}, asked=ASKED | {"logprobs": True, "n": 2}), "choice 1, logprobs", "none")
    empty = plain({"choices": [choice(None)]}, asked=ASKED | {"logprobs": True})
    assert [f.kind for f in found(rule, empty)] == ["no-evidence"]


def test_streamed_logprobs_are_joined():
    def token(text):
        return CHUNK | {
            "choices": [
                {"index": 0, "delta": {"content": text}, "finish_reason": None, "logprobs": {"content": [entry(text)]}}
            ]
        }

    asked = COUNTED | {"logprobs": True}
    holds(
        "params/logprobs-are-given",
        [stream(delta(role="assistant"), token("n"), token("é"), ends(), DONE, asked=asked)],
    )
    dropped = stream(delta(role="assistant"), token("n"), delta(content="é"), ends(), DONE, asked=asked)
    breaks("params/logprobs-are-given", dropped, "tokens joined", "n")
